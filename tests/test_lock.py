"""The split lock: read as it was written, faults told with their line, written whole."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.lock import SIDES, Change, lock_of, read, text, write

HEAD = "# format: 1\n# edition: 1\n"
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


def a_lock(path: Path, body: str, head: str = HEAD) -> Path:
    path.write_bytes((head + body).encode())
    return path


@given(
    st.dictionaries(
        NAMES | st.sampled_from(["a\tb", "a\\tb", "\\", "a\nb", "a\r", '"q"', "#1", " "]), st.integers(0, 2)
    )
)
def test_it_reads_what_it_writes(rows: dict[str, int]) -> None:
    change = Change(dealt=3, moved=2, overruled=1, frozen=("test",))
    lock = lock_of("2025 b", pa.array(list(rows), pa.string()), np.array(list(rows.values()), dtype=np.int64), change)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "new" / "split.lock"
        write(path, lock)
        again = read(path)
        assert [other.name for other in path.parent.iterdir()] == ["split.lock"]
    assert again is not None
    assert again.says(lock)
    assert (again.change, text(again)) == (change, text(lock))
    assert dict(zip(again.ids.to_pylist(), again.sides.tolist(), strict=True)) == rows
    assert again.of(pa.array([*rows, "not there"], pa.string())).tolist() == [*rows.values(), -1]


@pytest.mark.parametrize("edition", ["", " ", "2 ", " 2", "\u3000二", "a\r", "a: b", "\x1f", "#", "\\n"])
def test_an_edition_is_read_as_it_was_written(tmp_path: Path, edition: str) -> None:
    """Or every build would take the lock for one of another edition, and deal the frozen sides anew."""
    write(tmp_path / "split.lock", lock_of(edition, pa.array(["a"]), np.array([2]), Change(dealt=1)))
    again = read(tmp_path / "split.lock")
    assert again is not None
    assert again.edition == edition


def test_the_file_is_made_for_version_control(tmp_path: Path) -> None:
    lock = lock_of("1", pa.array(["b", "文/1", "a\tb"]), np.array([2, 1, 0]), Change(dealt=3))
    write(tmp_path / "split.lock", lock)
    assert (tmp_path / "split.lock").read_text(encoding="utf-8").splitlines() == [
        *("# format: 1", "# edition: 1", "# dealt: 3", "# moved: 0", "# overruled: 0", "# frozen:"),
        *("train\ta\\tb", "test\tb", "validation\t文/1"),
    ]


def test_none_where_there_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "split.lock") is None


def test_lines_in_any_order_and_with_windows_ends(tmp_path: Path) -> None:
    lock = read(a_lock(tmp_path / "split.lock", "test\tb\r\ntrain\ta\r\n"))
    assert lock is not None
    assert (lock.ids.to_pylist(), [SIDES[at] for at in lock.sides]) == (["a", "b"], ["train", "test"])


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("train\ta\ntset\tb\n", 4, "not a side"),
        ("train\ta\n\ntest\tb\n", 4, "not a side"),
        ("train\ta\ntest b\n", 4, "not a side"),
        ("train\ta\tb\n", 3, "not a side"),
        ("train\t\n", 3, "not a side"),
        ("train\ta\ntest\tb\ntrain\ta\n", 5, "the row of line 3 again"),
        ("train\ta\n<<<<<<< HEAD\ntest\tb\n", 4, "merge"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, body: str, line: int, said: str) -> None:
    with pytest.raises(AssayError, match=said) as told:
        read(a_lock(tmp_path / "split.lock", body))
    assert told.value.place == f"{tmp_path / 'split.lock'}:{line}"
    assert "version control" in told.value.way_out


def test_bytes_that_are_no_text_and_heads_that_are_no_lock(tmp_path: Path) -> None:
    (tmp_path / "split.lock").write_bytes(HEAD.encode() + b"train\ta\ntest\t\xff\n")
    with pytest.raises(AssayError, match="not UTF-8") as told:
        read(tmp_path / "split.lock")
    assert told.value.place.endswith(":4")
    with pytest.raises(AssayError, match="no split lock of format 1"):
        read(a_lock(tmp_path / "split.lock", "train\ta\n", head="# format: 2\n"))
    with pytest.raises(AssayError, match="no split lock"):
        read(a_lock(tmp_path / "split.lock", "train\ta\n", head=""))
    with pytest.raises(AssayError, match="numbers"):
        read(a_lock(tmp_path / "split.lock", "", head=HEAD + "# dealt: many\n"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(AssayError, match="cannot be written"):
        write(tmp_path / "taken" / "split.lock", lock_of("1", pa.array(["a"]), np.array([0]), Change()))

"""The split lock: read as it was written, faults told with their line, written whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.lock import SIDES, TEXT_BITS, Change, lock_of, read, text, text_mark, write

HEAD, NEWER = "# format: 1\n# edition: 1\n", "# format: 2\n# edition: 1\n"
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


def a_lock(path: Path, body: str, head: str = HEAD) -> Path:
    path.write_bytes((head + body).encode())
    return path


LINES = st.tuples(st.integers(0, 2), st.integers(-1, 2**TEXT_BITS - 1), st.booleans())


@given(st.dictionaries(NAMES | st.sampled_from(["a\tb", "a\\tb", "\\", "a\nb", "a\r", '"q"', "#1", " "]), LINES))
def test_it_reads_what_it_writes(lines: dict[str, tuple[int, int, bool]]) -> None:
    change = Change(dealt=3, moved=2, overruled=1, frozen=("test",))
    rows = {name: side for name, (side, _, _) in lines.items()}
    texts = np.array([mark for _, mark, _ in lines.values()], dtype=np.int64)
    handed = np.array([given for *_, given in lines.values()], dtype=bool)
    sides = np.array(list(rows.values()), dtype=np.int64)
    lock = lock_of("2025 b", pa.array(list(rows), pa.string()), sides, change, texts=texts, handed=handed)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "new" / "split.lock"
        write(path, lock)
        again = read(path)
        assert [other.name for other in path.parent.iterdir()] == ["split.lock"]
    assert again is not None
    assert again.says(lock)
    assert not lines or not again.says(replace(lock, texts=lock.texts - 1))
    assert not lines or not again.says(replace(lock, handed=~lock.handed))
    assert (again.change, text(again)) == (change, text(lock))
    columns = (again.ids.to_pylist(), again.sides.tolist(), again.texts.tolist(), again.handed.tolist())
    assert {name: tuple(line) for name, *line in zip(*columns, strict=True)} == lines
    assert again.of(pa.array([*rows, "not there"], pa.string())).tolist() == [*rows.values(), -1]


@pytest.mark.parametrize("edition", ["", " ", "2 ", " 2", "\u3000二", "a\r", "a: b", "\x1f", "#", "\\n"])
def test_an_edition_is_read_as_it_was_written(tmp_path: Path, edition: str) -> None:
    """Or every build would take the lock for one of another edition, and deal the frozen sides anew."""
    write(tmp_path / "split.lock", lock_of(edition, pa.array(["a"]), np.array([2]), Change(dealt=1)))
    again = read(tmp_path / "split.lock")
    assert again is not None
    assert again.edition == edition


def test_the_file_is_made_for_version_control(tmp_path: Path) -> None:
    texts, handed = np.array([text_mark(bytes(range(8))), -1, 0]), np.array([True, True, False])
    ids = pa.array(["b", "文/1", "a\tb"])
    write(tmp_path / "split.lock", lock_of("1", ids, np.array([2, 1, 0]), Change(dealt=3), texts=texts, handed=handed))
    assert (tmp_path / "split.lock").read_text(encoding="utf-8").splitlines() == [
        *("# format: 2", "# edition: 1", "# dealt: 3", "# moved: 0", "# overruled: 0", "# frozen:"),
        *("train\ta\\tb\tAAAAAAAA", "test\tb\tAAECAwQF+", "validation\t文/1\t+"),
    ]


def test_a_lock_of_the_format_before_is_read_as_one_that_does_not_say_what_was_asked(tmp_path: Path) -> None:
    lock = read(a_lock(tmp_path / "split.lock", "test\tb\ntrain\ta\n"))
    assert lock is not None
    assert (lock.texts.tolist(), lock.handed.tolist()) == ([-1, -1], [False, False])
    assert read(a_lock(tmp_path / "empty.lock", "")) is not None


def test_some_lines_of_a_lock(tmp_path: Path) -> None:
    texts, handed = np.array([1, 2, 3]), np.array([True, False, False])
    lock = lock_of("1", pa.array(["c", "b", "a"]), np.array([2, 1, 0]), Change(), texts=texts, handed=handed)
    some = lock.only(np.array([True, False, True]))
    assert (some.ids.to_pylist(), some.sides.tolist()) == (["a", "c"], [0, 2])
    assert (some.texts.tolist(), some.handed.tolist()) == ([3, 1], [False, True])


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


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("train\ta\t\ntest\tb\n", 4, "a tab and a mark"),
        ("train\ta\t\ntest\tb\tAAAAAAA\n", 4, "a tab and a mark"),
        ("train\ta\tAAAAAAA*\n", 3, "a tab and a mark"),
        ("train\ta\tb\tAAAAAAAA\n", 3, "not a side"),
        ("train\ta\tAAAAAAAA\ntrain\ta\tAAAAAAAB\n", 4, "the row of line 3 again"),
        ("train\ta\tAAAAAAAA\n=======\n", 4, "merge"),
    ],
)
def test_a_mark_that_cannot_be_read_is_named(tmp_path: Path, body: str, line: int, said: str) -> None:
    with pytest.raises(AssayError, match=said) as told:
        read(a_lock(tmp_path / "split.lock", body, head=NEWER))
    assert told.value.place == f"{tmp_path / 'split.lock'}:{line}"


def test_bytes_that_are_no_text_and_heads_that_are_no_lock(tmp_path: Path) -> None:
    (tmp_path / "split.lock").write_bytes(HEAD.encode() + b"train\ta\ntest\t\xff\n")
    with pytest.raises(AssayError, match="not UTF-8") as told:
        read(tmp_path / "split.lock")
    assert told.value.place.endswith(":4")
    with pytest.raises(AssayError, match="no split lock of format 2"):
        read(a_lock(tmp_path / "split.lock", "train\ta\n", head="# format: 3\n"))
    with pytest.raises(AssayError, match="no split lock"):
        read(a_lock(tmp_path / "split.lock", "train\ta\n", head=""))
    with pytest.raises(AssayError, match="numbers"):
        read(a_lock(tmp_path / "split.lock", "", head=HEAD + "# dealt: many\n"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(AssayError, match="cannot be written"):
        write(tmp_path / "taken" / "split.lock", lock_of("1", pa.array(["a"]), np.array([0]), Change()))

"""Shards: hashed by content, written whole or not at all, held against a second process."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import store
from pipeline.errors import AssayError
from tests.small import contents

if TYPE_CHECKING:
    from collections.abc import Iterator

SPAN = pa.struct([("start", pa.int32()), ("label", pa.string())])
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("score", pa.float64()),
        pa.field("flag", pa.bool_()),
        pa.field("names", pa.list_(pa.string())),
        pa.field("spans", pa.list_(SPAN)),
        pa.field("best", SPAN),
    ]
)
texts = st.text(st.sampled_from("ab中\U0001f600"), max_size=3)
spans = st.fixed_dictionaries({"start": st.none() | st.integers(0, 9), "label": st.none() | texts})
rows_of_all_kinds = st.lists(
    st.fixed_dictionaries(
        {
            "id": texts,
            "score": st.none() | st.floats(0, 1),
            "flag": st.none() | st.booleans(),
            "names": st.none() | st.lists(st.none() | texts, max_size=3),
            "spans": st.none() | st.lists(st.none() | spans, max_size=3),
            "best": st.none() | spans,
        }
    ),
    max_size=8,
)


def batch_of(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def digest(*batches: pa.RecordBatch) -> str:
    content = store.Content(SCHEMA)
    for batch in batches:
        content.add(batch)
    return content.digest()


def sliced(batch: pa.RecordBatch, cuts: list[int]) -> list[pa.RecordBatch]:
    edges = [0, *sorted(min(cut, batch.num_rows) for cut in cuts), batch.num_rows]
    return [batch.slice(start, end - start) for start, end in pairwise(edges)]


# -- content


@given(rows_of_all_kinds, st.lists(st.integers(0, 8), max_size=3))
def test_content_does_not_depend_on_batches_or_slices(rows: list[dict[str, Any]], cuts: list[int]) -> None:
    whole = batch_of(rows)
    copies = [batch_of(part.to_pylist()) for part in sliced(whole, cuts)]
    assert digest(whole) == digest(*sliced(whole, cuts)) == digest(*copies)


@given(rows_of_all_kinds, rows_of_all_kinds)
def test_content_differs_where_rows_differ(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    def as_python(rows: list[dict[str, Any]]) -> str:
        return json.dumps(batch_of(rows).to_pylist())

    assert (digest(batch_of(one)) == digest(batch_of(other))) == (as_python(one) == as_python(other))


CHANGES: list[tuple[str, Any, Any]] = [
    ("id", "a", "b"),
    ("id", "ab", "a"),
    ("score", 0.5, 0.25),
    ("score", 0.0, None),
    ("flag", False, None),
    ("flag", True, False),
    ("names", [], None),
    ("names", ["ab", "c"], ["a", "bc"]),
    ("names", [""], [None]),
    ("names", ["a", "b"], ["b", "a"]),
    ("spans", [{"start": 0, "label": "x"}], [{"start": 0, "label": "y"}]),
    ("spans", [None], [{"start": None, "label": None}]),
    ("best", None, {"start": None, "label": None}),
    ("best", {"start": 0, "label": ""}, {"start": None, "label": None}),
]


@pytest.mark.parametrize(("column", "one", "other"), CHANGES)
def test_content_changes_with_any_value_or_null(column: str, one: Any, other: Any) -> None:
    row = {"id": "x", "score": 1.0, "flag": True, "names": ["n"], "spans": [], "best": None}
    assert digest(batch_of([{**row, column: one}])) != digest(batch_of([{**row, column: other}]))


def test_content_changes_with_the_order_and_with_where_rows_end() -> None:
    first, second = ({"id": name, "names": [name]} for name in "ab")
    assert digest(batch_of([first, second])) != digest(batch_of([second, first]))
    one, other = ([{"id": "a", "names": names} for names in parts] for parts in ((["x", "y"], []), (["x"], ["y"])))
    assert digest(batch_of(one)) != digest(batch_of(other))


# -- tables


def written(folder: Path, batches: list[pa.RecordBatch], shard_rows: int = 100) -> dict[str, Any]:
    folder.mkdir()
    table = store.Table(folder, "rows", SCHEMA, shard_rows)
    for batch in batches:
        table.write(batch)
    return table.close()


def test_bytes_do_not_depend_on_how_rows_arrive(tmp_path: Path) -> None:
    rows = [{"id": f"{n}", "score": n / 7, "names": [f"{n % 3}"] * (n % 4)} for n in range(250)]
    whole = batch_of(rows)
    first = written(tmp_path / "whole", [whole])
    for size in (1, 7, 100, 249):
        parts = [whole.slice(start, size) for start in range(0, 250, size)]
        assert written(tmp_path / f"{size}", [batch_of([]), *parts]) == first
        assert contents(tmp_path / f"{size}") == contents(tmp_path / "whole")
    assert [file["name"] for file in first["files"]] == [f"rows-0000{n}.parquet" for n in range(3)]
    assert [pq.read_metadata(tmp_path / "whole" / file["name"]).num_rows for file in first["files"]] == [100, 100, 50]


def test_content_does_not_depend_on_shards_and_reads_back(tmp_path: Path) -> None:
    rows = [{"id": f"{n}", "score": n / 7} for n in range(50)]
    reports = [written(tmp_path / f"{size}", [batch_of(rows)], shard_rows=size) for size in (7, 50, 1000)]
    assert {(report["rows"], report["content"]) for report in reports} == {(50, digest(batch_of(rows)))}
    for size in (7, 50, 1000):
        folder = tmp_path / f"{size}"
        assert [row for batch in store.batches(folder, "rows", batch_rows=3) for row in batch.to_pylist()] == (
            batch_of(rows).to_pylist()
        )
        assert store.whole_table(folder, "rows", columns=["score", "id"]).column_names == ["score", "id"]


def test_an_empty_table_has_a_shard_and_its_columns(tmp_path: Path) -> None:
    assert written(tmp_path / "t", [])["rows"] == 0
    assert store.whole_table(tmp_path / "t", "rows").schema.names == SCHEMA.names


def test_rows_that_break_the_contract_are_refused(tmp_path: Path) -> None:
    table = store.Table(tmp_path, "rows", SCHEMA, 10)
    with pytest.raises(AssayError, match="are not those of the contract"):
        table.write(pa.RecordBatch.from_pylist([{"id": "a"}]))
    with pytest.raises(AssayError, match="column 'id' has rows without a value"):
        table.write(batch_of([{"id": None}]))


def test_a_missing_table_and_a_rotten_shard_are_named(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="there is no table 'rows'; run the stage again"):
        store.whole_table(tmp_path, "rows")
    written(tmp_path / "t", [batch_of([{"id": f"{n}" * 9} for n in range(99)])])
    shard = tmp_path / "t" / "rows-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:4] + bytes(200) + shard.read_bytes()[204:])
    for read in (
        lambda: list(store.batches(tmp_path / "t", "rows")),
        lambda: store.whole_table(tmp_path / "t", "rows"),
    ):
        with pytest.raises(AssayError, match=r"rows-00000\.parquet: cannot be read: .*; delete .* and run again"):
            read()


# -- folders


def whole_stage(folder: Path, *texts: str) -> None:
    with store.replacing(folder) as partial:
        table = store.Table(partial, "rows", SCHEMA, 100)
        for text in texts or ("old",):
            table.write(batch_of([{"id": text}]))
        store.write_report(partial, {"tables": {"rows": table.close()}})


def test_replacing_swaps_whole_folders(tmp_path: Path) -> None:
    whole_stage(tmp_path / "s")
    before = contents(tmp_path / "s")
    with store.replacing(tmp_path / "s") as partial:
        (partial / "x").write_text("new")
        assert contents(tmp_path / "s") == before
    assert contents(tmp_path) == {"s/x": b"new"}


@contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own; skips where mounting is not permitted."""
    folder.mkdir(exist_ok=True)
    try:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command to make a full disk with")
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_an_error_and_leaves_what_was_there(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=1m"):
        folder = tmp_path / "disk" / "s"
        whole_stage(folder)
        before = contents(tmp_path / "disk")
        with pytest.raises(AssayError) as caught:
            whole_stage(folder, *(os.urandom(1000).hex() for _ in range(3000)))
        assert str(caught.value).startswith(f"{folder}: cannot be written: ")
        assert str(caught.value).endswith("free some space and run again; what was built before is intact")
        assert contents(tmp_path / "disk") == before


def test_a_read_only_folder_is_an_error_and_leaves_what_was_there(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with tmpfs(disk, "size=1m"):
        whole_stage(disk / "s")
        before = contents(disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(AssayError, match="make the folder writable and run again"):
            whole_stage(disk / "s", "new")
        with pytest.raises(AssayError, match="cannot be written: Read-only file system"), store.locked(disk / "build"):
            pass
        assert contents(disk) == before


@pytest.mark.parametrize(
    ("code", "way_out"),
    [(errno.ENOSPC, "free some space"), (errno.EDQUOT, "free some space"), (errno.EACCES, "make the folder writable")],
)
@pytest.mark.parametrize("moment", ["mkdir", "write", "sync", "rename"])
def test_any_fault_of_the_disk_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, way_out: str, moment: str
) -> None:
    whole_stage(tmp_path / "s")
    before = contents(tmp_path)

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise OSError(code, os.strerror(code))

    class_ = type(tmp_path)
    with monkeypatch.context() as patch:
        places = {"mkdir": (class_, "mkdir"), "write": (class_, "write_text"), "sync": (os, "fsync")}
        patch.setattr(*places.get(moment, (class_, "rename")), fails)
        with pytest.raises(AssayError, match=way_out):
            whole_stage(tmp_path / "s", "new")
    assert contents(tmp_path) == before


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AssayError, match=r"cannot be written: Not a directory"), store.locked(tmp_path / "file" / "b"):
        pass
    with pytest.raises(AssayError, match="cannot be written"):
        whole_stage(tmp_path / "file" / "s")


def test_a_second_rename_that_fails_puts_the_old_stage_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole_stage(tmp_path / "s")
    before = contents(tmp_path)
    class_: Any = type(tmp_path)
    rename = class_.rename

    def fails_at_partial(self: Path, target: Path) -> Path:
        if self.name.endswith(store.PARTIAL):
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)  # type: ignore[no-any-return]

    with monkeypatch.context() as patch:
        patch.setattr(class_, "rename", fails_at_partial)
        with pytest.raises(AssayError, match="Input/output error"):
            whole_stage(tmp_path / "s", "new")
    with store.locked(tmp_path):
        assert contents(tmp_path) == before


# -- reports


def vandalised(folder: Path, how: str) -> None:
    shard, report = folder / "rows-00000.parquet", folder / "report.json"
    if how == "no report":
        report.unlink()
    elif how == "no shard":
        shard.unlink()
    elif how == "shard cut":
        shard.write_bytes(shard.read_bytes()[:-1])
    else:
        report.write_text(how)


@pytest.mark.parametrize("how", ["no report", "no shard", "shard cut", "", "[]", "{}", '{"tables": {"rows": 1}}'])
def test_a_stage_that_is_not_whole_has_no_report(tmp_path: Path, how: str) -> None:
    whole_stage(tmp_path / "s")
    assert store.read_report(tmp_path / "s") is not None
    vandalised(tmp_path / "s", how)
    assert store.read_report(tmp_path / "s") is None


def test_a_report_has_sorted_keys(tmp_path: Path) -> None:
    store.write_report(tmp_path, {"b": 1, "a": "中"})
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == '{\n "a": "中",\n "b": 1\n}\n'


# -- lock

SECOND = """
import sys
from pathlib import Path
from pipeline import store
from pipeline.errors import AssayError
try:
    with store.locked(Path(sys.argv[1])):
        print("in")
except AssayError as error:
    print(error)
"""


def second_process(build: Path) -> str:
    done = subprocess.run([sys.executable, "-c", SECOND, str(build)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_second_process_is_kept_out_until_the_first_ends(tmp_path: Path) -> None:
    build = tmp_path / "b"
    with store.locked(build):
        assert second_process(build) == (f"build {build}: another assay process is building here; wait for it to end")
    assert second_process(build) == "in"


def test_what_a_kill_left_is_cleared_away_or_put_back(tmp_path: Path) -> None:
    whole_stage(tmp_path / "audit")
    before = contents(tmp_path)
    (tmp_path / "audit").rename(tmp_path / "audit.old")  # killed between the two renames
    (tmp_path / "audit.partial").mkdir()
    (tmp_path / "ingest.partial").mkdir()
    (tmp_path / "ingest.partial" / "rows-00000.parquet").write_bytes(b"PAR1")
    whole_stage(tmp_path / "split")
    kept = before | {f"split/{name}": content for name, content in contents(tmp_path / "split").items()}
    (tmp_path / "split.old").mkdir()  # killed while it removed the old one
    with store.locked(tmp_path):
        assert contents(tmp_path) == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "audit", "split"]


def test_a_swap_that_fails_half_way_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "stage"
    with store.replacing(folder) as partial:
        (partial / "x").write_text("old")
    rename = Path.rename

    def failing(path: Path, to: Path) -> Path:
        if path.suffix == store.PARTIAL:
            raise OSError(5, "Input/output error")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(AssayError, match="cannot be written"), store.replacing(folder) as partial:
        (partial / "x").write_text("new")
    assert (folder / "x").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["stage"]

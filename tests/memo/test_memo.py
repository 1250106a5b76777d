"""Memos: what is remembered of rows is what would be made of them, in the order in which they are asked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.memo import COLUMNS, Memos
from pipeline.memo.file import CHUNK_ROWS, MOST_CHUNKS, Writer, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MADE = pa.schema([("twice", pa.string()), ("lists", pa.list_(pa.int64())), ("nan", pa.float64())])


def twice(batch: pa.RecordBatch, *, seen: list[str]) -> pa.RecordBatch:
    told = batch["text"].to_pylist()
    seen += told
    columns = {"twice": [2 * text for text in told], "lists": [[len(text)] * 2 for text in told]}
    return pa.RecordBatch.from_pydict(columns | {"nan": [np.nan] * len(told)}, schema=MADE)


def run(
    folder: Path, batches: list[list[str]], seen: list[str], *, size: int = 3, believed: bool = True, code: str = "code"
) -> list[tuple[int, list[str]]]:
    memos = Memos(folder, code, believed=believed)
    given_batches = ((at, pa.RecordBatch.from_pydict({"text": one})) for at, one in enumerate(batches))
    memo = memos.of(partial(twice, seen=seen), "version")
    made = memo.through(partial(twice, seen=seen), given_batches, mapped=map, batch_rows=size, sort=COLUMNS)
    found = [(at, each["twice"].to_pylist()) for at, each in made]
    memos.forget_others()
    assert memos.anew(apart=False) == memo.anew
    return found


def anew(folder: Path, words: list[str], *, apart: bool = False) -> int:
    memos = Memos(folder, "code")
    given = [(None, pa.RecordBatch.from_pydict({"text": words}))]
    for function in (twice, twice, run):  # two tables of one function, and another function of the same rows
        memo = memos.of(function, "")
        list(memo.through(partial(twice, seen=[]), given, mapped=map, batch_rows=3, sort=COLUMNS))
    pairs = memos.of(twice, "pairs", rows=False)
    list(pairs.through(partial(twice, seen=[]), given * 9, mapped=map, batch_rows=3, sort=COLUMNS))
    return memos.anew(apart=apart)


def test_rows_that_are_not_remembered_are_counted_and_pairs_are_not(tmp_path: Path) -> None:
    assert anew(tmp_path, ["a", "b", "c", "d"]) == 8
    assert anew(tmp_path, ["d", "x", "b", "y"]) == 4
    assert anew(tmp_path, ["d", "z", "b", "y"], apart=True) == 3
    assert anew(tmp_path, ["y", "z"]) == 0


words = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=7), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(words, min_size=1, max_size=4), st.integers(1, 9))
def test_whatever_was_asked_before_the_same_is_made(
    tmp_path_factory: pytest.TempPathFactory, several: list[list[list[str]]], size: int
) -> None:
    folder = tmp_path_factory.mktemp("memo")
    for batches in several:
        made = run(folder, batches, [], size=size)
        assert made == [(at, [2 * word for word in one]) for at, one in enumerate(batches)]


def test_rows_that_are_remembered_are_not_made_again(tmp_path: Path) -> None:
    seen: list[str] = []
    run(tmp_path, [["a", "b"], ["c", "d"]], seen)
    assert seen == ["a", "b", "c", "d"]
    seen.clear()
    run(tmp_path, [["d", "e"], ["a", "b", "f"]], seen)
    assert seen == ["d", "e", "f"]  # d is the first row: made to see that what is remembered can be believed
    seen.clear()
    run(tmp_path, [["c"]], seen)  # nobody asked for c the last time
    assert set(seen) == {"c"}
    seen.clear()
    run(tmp_path, [["c", "d"]], seen, believed=False)
    assert seen == ["c", "d"]


def test_missing_rows_are_gathered_into_full_batches(tmp_path: Path) -> None:
    run(tmp_path, [["a", "b", "c"], ["d", "e", "f"]], [])
    sizes: list[int] = []

    def mapped(function: object, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            sizes.append(batch.num_rows)
            yield twice(batch, seen=[])

    memo = Memos(tmp_path, "code").of(partial(twice, seen=[]), "version")
    batches = [["a", "x"], ["b", "y"], ["c", "z"], ["d"]]
    given_batches = ((None, pa.RecordBatch.from_pydict({"text": one})) for one in batches)
    made = memo.through(partial(twice, seen=[]), given_batches, mapped=mapped, batch_rows=3, sort=COLUMNS)
    assert [each["twice"].to_pylist() for _, each in made] == [[2 * word for word in one] for one in batches]
    assert sizes == [3]


def test_a_memo_that_says_something_else_of_the_first_row_is_not_believed(tmp_path: Path) -> None:
    run(tmp_path, [["a", "b"]], [])
    (path,) = tmp_path.glob("*.arrow")
    basis = "of the same seal"
    lies = pa.RecordBatch.from_pylist([{"twice": "lie", "lists": [], "nan": 0.0}], schema=MADE)
    writer = Writer(path, basis, MADE)
    writer.write(np.zeros((1, 2), dtype=np.uint64), lies)
    writer.close()
    assert read(path, "another basis") is None
    found = read(path, basis)
    assert found is not None
    assert found.take(found.find(np.zeros((1, 2), dtype=np.uint64))) == lies
    seen: list[str] = []
    assert run(tmp_path, [["a", "b"]], seen) == [(0, ["aa", "bb"])]
    assert seen == ["a", "b"]


def test_a_pass_that_is_left_keeps_what_stood_there(tmp_path: Path) -> None:
    run(tmp_path, [["a", "b"]], [])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    memo = Memos(tmp_path, "code").of(partial(twice, seen=[]), "version")
    given_batches = ((None, pa.RecordBatch.from_pydict({"text": [word]})) for word in "abcdef")
    made = memo.through(partial(twice, seen=[]), given_batches, mapped=map, batch_rows=1, sort=COLUMNS)
    next(made)
    made.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_many_chunks_in_any_order(tmp_path: Path) -> None:
    """More chunks than are kept unpacked, asked for at random."""
    count = (MOST_CHUNKS + 2) * 100
    keys = np.random.default_rng(1).integers(0, 2**63, size=(count, 2)).astype(np.uint64)
    results = pa.RecordBatch.from_pydict({"n": pa.array(range(count))})
    writer = Writer(tmp_path / "m.arrow", "basis", results.schema)
    for start in range(0, count, 100):
        writer.write(keys[start : start + 100], results.slice(start, 100))
        writer._flush()
    writer.close()
    found = read(tmp_path / "m.arrow", "basis")
    assert found is not None
    assert len(found) == count
    order = np.random.default_rng(2).permutation(count)
    assert found.take(found.find(keys[order]))["n"].to_pylist() == order.tolist()
    assert found.find(keys[:3] + 1).tolist() == [-1, -1, -1]
    assert CHUNK_ROWS > 100


def test_other_settings_and_other_code_have_files_of_their_own_and_old_ones_go(tmp_path: Path) -> None:
    run(tmp_path, [["a"]], [])
    (first,) = tmp_path.iterdir()
    seen: list[str] = []
    run(tmp_path, [["a"]], seen, code="other code")
    (second,) = tmp_path.iterdir()
    assert first != second
    assert seen == ["a"]

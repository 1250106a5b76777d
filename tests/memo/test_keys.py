"""Keys: equal for equal rows and only for them, whatever batch they stand in."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.memo import COLUMNS
from pipeline.memo.keys import keys_by_row, row_keys, with_row

SPAN = pa.struct([("start", pa.int32()), ("text", pa.string())])
SCHEMA = pa.schema(
    [
        ("one", pa.string()),
        ("other", pa.string()),
        ("number", pa.float64()),
        ("said", pa.bool_()),
        ("bytes", pa.binary(2)),
        ("labels", pa.list_(pa.string())),
        ("spans", pa.list_(SPAN)),
        ("deep", pa.list_(pa.list_(pa.int64()))),
    ]
)
texts = st.sampled_from(["", "a", "b", "ab", "\0", "王", "None", "nan"]) | st.none()
spans = st.none() | st.lists(st.none() | st.fixed_dictionaries({"start": st.integers(0, 2) | st.none(), "text": texts}))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "one": texts,
            "other": texts,
            "number": st.none() | st.sampled_from([0.0, -0.0, 1.5, float("inf")]),
            "said": st.none() | st.booleans(),
            "bytes": st.none() | st.sampled_from([b"ab", b"\0\0"]),
            "labels": st.none() | st.lists(texts, max_size=3),
            "spans": spans,
            "deep": st.none() | st.lists(st.none() | st.lists(st.integers(0, 1), max_size=2), max_size=3),
        }
    ),
    max_size=12,
)


def batch(found: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(found, schema=SCHEMA)


def keys(found: pa.RecordBatch) -> list[tuple[int, ...]]:
    return [tuple(key) for key in row_keys(found).tolist()]


@given(rows)
def test_rows_have_the_same_key_if_and_only_if_they_are_the_same(found: list[dict[str, Any]]) -> None:
    told = list(zip(found, keys(batch(found)), strict=True))
    for (one, first), (other, second) in product(told, repeat=2):
        assert (first == second) == (repr(one) == repr(other))


@given(rows, st.integers(0, 12), st.integers(0, 12))
def test_a_key_does_not_depend_on_the_batch(found: list[dict[str, Any]], begin: int, end: int) -> None:
    whole = batch(found)
    assert keys(whole.slice(begin, max(0, end - begin))) == keys(whole)[begin : max(begin, end)]
    assert keys(whole.take(pa.array(range(len(found))[::-1], pa.int64()))) == keys(whole)[::-1]


def test_what_stands_on_either_side_of_a_border_is_told_apart() -> None:
    lines: list[dict[str, Any]] = [
        {"one": "ab", "other": ""}, {"one": "a", "other": "b"}, {"one": "", "other": "ab"},
        {"one": None, "other": "ab"},
        {"labels": ["ab"]}, {"labels": ["a", "b"]}, {"labels": ["a", "b", ""]}, {"labels": []}, {"labels": None},
        {"labels": [None]}, {"labels": [""]}, {"deep": [[1, 0]]}, {"deep": [[1], [0]]}, {"deep": [[], [1, 0]]},
        {"spans": [{"start": 0, "text": None}]}, {"spans": [None]}, {"spans": [{"start": None, "text": None}]},
    ]  # fmt: skip
    assert len(set(keys(batch(lines)))) == len(lines)


def test_dictionaries_are_what_they_stand_for() -> None:
    plain = pa.array(["a", None, "b", "a"])
    both = [pa.RecordBatch.from_arrays([column], names=["x"]) for column in (plain, plain.dictionary_encode())]
    one, other = (row_keys(each) for each in both)
    assert np.array_equal(one, other)


def test_a_key_of_some_columns_stands_for_them_beside_others() -> None:
    own = pa.RecordBatch.from_pydict({"text": ["a", "b", "a"], "label": ["x", "x", "x"]})
    batch = with_row(own, row_keys(own))
    answered = pa.RecordBatch.from_arrays(
        [*batch.columns, pa.array(["yes", "yes", "no"])], schema=batch.schema.append(pa.field("_answer", pa.string()))
    )
    assert len({tuple(key) for key in keys_by_row(answered).tolist()}) == 3
    assert (keys_by_row(batch) == row_keys(own)).all()
    assert (keys_by_row(answered.slice(1, 2)) == keys_by_row(answered)[1:]).all()
    assert COLUMNS.pick(answered, np.array([2])).to_pylist() == [{"text": "a", "label": "x", "_answer": "no"}]


@given(st.lists(st.sampled_from(["", "a", "b" * 5, "王"]), min_size=1, max_size=40))
def test_few_values_among_many_rows_have_the_keys_they_have_alone(values: list[str]) -> None:
    batch = pa.RecordBatch.from_pydict({"value": values})
    alone = [row_keys(batch.slice(at, 1))[0].tolist() for at in range(len(values))]
    assert row_keys(batch).tolist() == alone

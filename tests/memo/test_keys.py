"""Keys: equal for equal rows and only for them, whatever batch they stand in."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.memo.keys import row_keys

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

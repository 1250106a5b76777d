"""Which rows belong together: keys in common, templates aside, over whatever chunks the columns come in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.kin import Keyed, groups, most_rows, templates, told

KEYS = st.lists(st.lists(st.sampled_from("abcd"), unique=True, max_size=3), max_size=12)


def chunked(keys: list[list[str]], *, at: int = 0) -> pa.ChunkedArray:
    kind = pa.list_(pa.string())
    return pa.chunked_array([pa.array(keys[:at], kind), pa.array(keys[at:], kind)], kind)


@given(KEYS, st.integers(0, 12))
def test_pairs_join_what_has_a_key_in_common(keys: list[list[str]], at: int) -> None:
    keyed = Keyed.of(chunked(keys, at=at), {"d": 99})
    left, right = keyed.first()[keyed.code], keyed.row
    found = {(one, other) for one, other in zip(left.tolist(), right.tolist(), strict=True) if one != other}
    firsts = {key: next(row for row, own in enumerate(keys) if key in own) for own in keys for key in own if key != "d"}
    wanted = {(firsts[key], row) for row, own in enumerate(keys) for key in own if key != "d" and firsts[key] != row}
    assert found == wanted
    assert keyed.shared() == sum(sum(key in own for own in keys) > 1 for key in "abc")


def test_rows_that_are_left_out_have_no_keys() -> None:
    keyed = Keyed.of(chunked([["a"], ["a", "b"], ["b"]])).only(np.array([True, False, True]))
    assert (keyed.row.tolist(), keyed.first().tolist()) == ([0, 2], [0, 2])


def test_a_group_reaches_over_what_was_merged() -> None:
    keyed = groups(pa.chunked_array([["A", "B", "C"]]), chunked([["B"], [], ["A", "D"]], at=1))
    left, right = keyed.first()[keyed.code], keyed.row
    found = {(one, other) for one, other in zip(left.tolist(), right.tolist(), strict=True) if one != other}
    assert found == {(0, 1), (0, 2)}


def test_a_template_is_what_more_rows_share_than_may() -> None:
    assert [most_rows(count) for count in (0, 2_500, 2_599, 10_000)] == [50, 50, 51, 200]
    keys = [["often", f"own {at}"] for at in range(51)] + [["once more"]] * 50
    assert templates(chunked(keys, at=7)) == {"often": 51}
    assert told({"b": 60, "a": 60, "c": 99}, 101)["examples"][0] == {"key": "c", "rows": 99}
    assert [one["key"] for one in told({"b": 60, "a": 60, "c": 99}, 101)["examples"]] == ["c", "a", "b"]


def test_no_rows_have_no_kin() -> None:
    nothing = pa.chunked_array([], pa.list_(pa.string()))
    assert templates(nothing) == {}
    assert len(Keyed.of(nothing).row) == len(groups(pa.chunked_array([], pa.string()), nothing).row) == 0

"""Ballots keep who voted for what, in an order of their own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.quality.ballots import ballots_from

VOTES = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["", "u1", "u2"]),
        st.sampled_from([None, "ann", "bob"]),
        st.sampled_from("xyz"),
    ),
    max_size=30,
)


def test_columns_point_at_sorted_names() -> None:
    ballots = ballots_from([1, 0, 1], ["", "", ""], ["zoe", None, "amy"], ["no", "yes", "yes"], row_count=4)
    assert (ballots.labels, ballots.annotators, ballots.rows, ballots.units) == (("no", "yes"), ("amy", "zoe"), 4, 2)
    assert ballots.row.tolist() == [0, 1, 1]
    assert ballots.annotator.tolist() == [-1, 0, 1]
    assert [ballots.labels[each] for each in ballots.label] == ["yes", "yes", "no"]
    assert ballots.unit_row.tolist() == [0, 1]


def test_units_of_one_name_belong_to_their_own_row() -> None:
    ballots = ballots_from([0, 1, 1], ["t0", "t0", "t1"], ["a", "a", "a"], ["x", "x", "x"])
    assert ballots.unit_row.tolist() == [0, 1, 1]
    assert [ballots.names[each] for each in ballots.unit_name] == ["t0", "t0", "t1"]


def test_a_vote_given_twice_counts_once_but_not_an_anonymous_one() -> None:
    named = ballots_from([0, 0, 0], ["", "", ""], ["a", "a", "a"], ["x", "x", "y"])
    nameless = ballots_from([0, 0], ["", ""], [None, None], ["x", "x"])
    assert (len(named), len(nameless)) == (2, 2)


@settings(deadline=None)
@given(VOTES, st.randoms(use_true_random=False))
def test_order_does_not_matter(votes: list[tuple[int, str, str | None, str]], chance: object) -> None:
    shuffled = list(votes)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (
        ballots_from(
            [v[0] for v in each], [v[1] for v in each], [v[2] for v in each], [v[3] for v in each], row_count=6
        )
        for each in (votes, shuffled)
    )
    for column in ("row", "unit", "annotator", "label", "unit_row", "unit_name"):
        assert np.array_equal(getattr(one, column), getattr(other, column))
    assert np.array_equal(one.unit_row[one.unit], one.row)
    named = {vote for vote in votes if vote[2]}
    assert len(one) == len(named) + sum(vote[2] is None for vote in votes)


def test_arrow_columns_are_taken_too() -> None:
    names = pa.chunked_array([["a"], [None]])
    ballots = ballots_from(np.array([0, 0]), pa.array(["", ""]), names, pa.array(["x", "y"]).dictionary_encode())
    assert ballots.annotator.tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("rows", "units", "labels", "says"),
    [
        ([0], ["", ""], ["x"], "entries"),
        ([0], [""], [None], "no label"),
        ([-1], [""], ["x"], "run from -1"),
        ([3], [""], ["x"], "3"),
    ],
)
def test_unusable_columns_are_refused(rows: list[int], units: list[str], labels: list[str], says: str) -> None:
    with pytest.raises(AssayError, match=says):
        ballots_from(rows, units, ["a"], labels, row_count=2)

"""Mistaken labels: every shared ballot counts once, in the row of what was settled and the column of what was given."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.ballots import ballots_from
from pipeline.quality.consensus import majority
from pipeline.quality.mistaken import label_confusion

VOTES = [
    (0, "ana", "cat"),
    (0, "ben", "cat"),
    (0, "cho", "dog"),
    (1, "ana", "dog"),
    (1, "ben", "dog"),
    (2, "ana", "ox"),
]


def _told(votes: list[tuple[int, str, str]], *, most: int = 40) -> dict[str, Any]:
    rows, names, labels = zip(*votes, strict=True)
    ballots = ballots_from(rows, [""] * len(votes), names, labels)
    return label_confusion(ballots, majority(ballots), most=most)


def test_settled_down_given_across() -> None:
    assert _told(VOTES) == {"labels": ["cat", "dog"], "counts": [[2, 1], [0, 2]], "left_out": 0}


def test_a_lone_ballot_says_nothing() -> None:
    assert _told(VOTES[-1:]) == {"labels": [], "counts": [], "left_out": 0}


@pytest.mark.parametrize(("most", "counts", "left_out"), [(1, [[2]], 3), (2, [[2, 1], [0, 2]], 0)])
def test_rare_labels_are_left_out_and_counted(most: int, counts: list[list[int]], left_out: int) -> None:
    told = _told(VOTES, most=most)
    assert (told["counts"], told["left_out"]) == (counts, left_out)


votes_of_crowds = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from("pqrstu"), st.sampled_from(["a", "b", "c", "d"])), min_size=1
)


@settings(max_examples=60, deadline=None)
@given(votes=votes_of_crowds, most=st.integers(1, 4), chance=st.randoms())
def test_every_shared_ballot_counts_once_whatever_the_order(
    votes: list[tuple[int, str, str]], most: int, chance: random.Random
) -> None:
    one = _told(votes, most=most)
    shuffled = votes[:]
    chance.shuffle(shuffled)
    assert _told(shuffled, most=most) == one
    sizes = np.bincount([row for row, *_ in set(votes)])
    assert np.sum(one["counts"]) + one["left_out"] == sizes[sizes > 1].sum()

"""The majority is what counting by hand gives, on the narrow way and on the wide one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings

from pipeline.quality.consensus import majority
from tests.quality.consensus.crowds import VOTES, Vote, ballots_of

if TYPE_CHECKING:
    from pipeline.quality.ballots import Ballots


def test_majority_counts_and_reports_ties() -> None:
    found = majority(
        ballots_of([(0, "a", "y"), (0, "b", "y"), (0, "c", "x"), (1, "a", "z"), (1, "b", "x"), (2, "a", "z")])
    )
    assert found.label.tolist() == [1, 0, 2]
    assert found.posterior.tolist() == pytest.approx([2 / 3, 1 / 2, 1])
    assert found.tie.tolist() == [False, True, False]
    assert found.votes.tolist() == [3, 2, 1]


@settings(deadline=None)
@given(VOTES)
def test_majority_is_what_counting_by_hand_gives(votes: list[Vote]) -> None:
    ballots = ballots_of(votes)
    found = majority(ballots)
    for unit in range(ballots.units):
        counts = np.bincount(ballots.label[ballots.unit == unit], minlength=len(ballots.labels))
        assert found.label[unit] == counts.argmax()
        assert found.tie[unit] == ((counts == counts.max()).sum() > 1)
        assert found.posterior[unit] == pytest.approx(counts.max() / counts.sum())


def test_many_labels_are_counted_without_a_table() -> None:
    """More than eight cells a ballot: the other way of counting must say the same."""
    votes: list[Vote] = [
        (row, who, f"{(row * 7 + at % 2) % 50:02}") for row in range(30) for at, who in enumerate("abc")
    ]
    wide = majority(ballots_of(votes))
    assert len(wide.label) == 30
    for row, label in enumerate(wide.label):
        assert ballots_of(votes).labels[label] == f"{(row * 7) % 50:02}"
    assert wide.shares is not None
    assert wide.posterior.tolist() == pytest.approx([2 / 3] * 30)
    assert not wide.tie.any()


def test_units_without_ballots_are_ties_of_nothing() -> None:
    ballots: Ballots = ballots_of([(0, "a", "x"), (1, "a", "y"), (1, "b", "y")])
    found = majority(ballots.only(ballots.unit == 1))
    assert (found.label.tolist(), found.votes.tolist(), found.tie.tolist()) == ([0, 1], [0, 2], [True, False])

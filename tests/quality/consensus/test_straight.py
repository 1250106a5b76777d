"""Straight-liners are found, and nobody who was handed a batch of one class is taken for one."""

from __future__ import annotations

import numpy as np

from pipeline.quality.consensus import choose, straight_liners
from tests.quality.consensus.crowds import Vote, ballots_of, right


def spammed() -> tuple[list[Vote], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Six who take trouble, four who always say `a`, four who always say `b`; six of them on each of 300 rows."""
    chance = np.random.Generator(np.random.PCG64(3))
    truth = chance.integers(2, size=300)
    votes: list[Vote] = []
    for row in range(300):
        for who in chance.permutation(14)[:6]:
            seen = truth[row] if chance.random() < 0.8 else 1 - truth[row]
            votes.append((row, f"w{who:02}", "ab"[seen if who < 6 else int(who < 10)]))
    return votes, truth


def test_they_are_found_left_out_and_named() -> None:
    votes, truth = spammed()
    ballots = ballots_of(votes)
    found = choose(ballots)
    assert straight_liners(ballots).tolist() == [False] * 6 + [True] * 8
    assert found.ignored == tuple(f"w{who:02}" for who in range(6, 14))
    assert "8 annotators give one label whatever they see" in found.warnings[-1]
    assert right(found.truth.label, truth) > right(found.plain.label, truth) + 0.05
    assert found.truth.votes.tolist() == [6] * 300


def test_a_batch_of_one_class_is_fair() -> None:
    votes: list[Vote] = [(row, who, "a") for row in range(60) for who in ("first", "second")]
    votes += [(row, who, "bcd"[row % 3]) for row in range(60, 300) for who in ("third", "fourth")]
    assert not straight_liners(ballots_of(votes)).any()


def test_one_of_two_on_a_batch_of_many_classes_is_not() -> None:
    votes: list[Vote] = [(row, "lazy", "a") for row in range(60)]
    votes += [(row, "other", "abcd"[row % 4]) for row in range(240)]
    assert straight_liners(ballots_of(votes)).tolist() == [True, False]


def test_a_rare_label_that_hardly_anybody_gives_is_fair() -> None:
    votes: list[Vote] = [(row, f"w{row % 10}", "no" if row % 50 else "yes") for row in range(1000)]
    assert not straight_liners(ballots_of(votes)).any()


def test_units_that_only_they_labelled_keep_their_ballots() -> None:
    votes, _ = spammed()
    votes += [(300, "w13", "a")]
    found = choose(ballots_of(votes))
    assert len(found.truth.label) == 301
    assert found.truth.shares is not None
    assert np.isfinite(found.truth.shares).all()


def test_anonymous_ballots_are_nobodys() -> None:
    assert straight_liners(ballots_of([(0, None, "a"), (0, None, "a")])).tolist() == []

"""Kinds of units hold what fools many at once, and do not make another label of it."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.consensus import dawid_skene, kinds
from pipeline.quality.consensus.kinds import KINDS, clearness
from pipeline.quality.consensus.table import table_of
from tests.quality.consensus.crowds import Vote, ballots_of, right


def fooled(rows: int = 600) -> tuple[list[Vote], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Four of five units are `n`; on a third of those people say `y` two times in five, though always one by one."""
    chance = np.random.Generator(np.random.PCG64(8))
    truth = (chance.random(rows) < 0.2).astype(np.int64)
    hard = (truth == 0) & (chance.random(rows) < 0.33)
    yes = np.where(truth == 1, 0.62, np.where(hard, 0.38, 0.06))
    votes: list[Vote] = []
    for row in range(rows):
        votes += [(row, f"w{(row + at) % 20:02}", "y" if chance.random() < yes[row] else "n") for at in range(12)]
    return votes, truth


def test_contested_units_do_not_change_sides() -> None:
    votes, truth = fooled()
    ballots = ballots_of(votes)
    assert right(kinds(ballots).label, truth) > right(dawid_skene(ballots).label, truth) + 0.03


def test_clear_units_are_of_the_last_kind() -> None:
    table = table_of(ballots_of([(0, "a", "x"), (0, "b", "x"), (1, "a", "x"), (1, "b", "y")]))
    near = clearness(table)
    assert near.shape == (2, KINDS)
    assert near.sum(axis=1) == pytest.approx(1)
    assert near[0, -1] > near[1, -1]

"""Spam is found, honest crowds are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.annotators.beliefs import Cells
from pipeline.quality.annotators.judged import Judged, judge
from pipeline.quality.annotators.skill import accuracy, kappa, typical
from pipeline.quality.annotators.spam import lines, random_answers, runs
from pipeline.quality.ballots import Ballots, ballots_from
from tests.quality.annotators.crowds import crowd, told


def judged_of(ballots: Ballots) -> tuple[Judged, Cells]:
    truth = told(ballots)
    judged, cells, _ = judge(ballots, truth.label, truth.posterior)
    return judged, cells


def randoms(ballots: Ballots) -> list[int]:
    judged, _ = judged_of(ballots)
    found = accuracy(judged)
    _, chance = kappa(judged, found, len(ballots.labels))
    return np.flatnonzero(random_answers(judged, typical(judged, found), chance)).tolist()


@pytest.mark.parametrize("classes", [2, 4])
def test_blind_and_lined_are_found(classes: int) -> None:
    ballots = crowd(1, items=1000, classes=classes, blind=3, lined=2)
    judged, cells = judged_of(ballots)
    found = lines(judged, cells, classes)
    assert np.flatnonzero(found.found).tolist() == [3, 4]
    assert found.least[3] > 0.8
    assert set(randoms(ballots)) - {3, 4} == {0, 1, 2}


def test_honest_crowds_are_left_alone() -> None:
    named = 0
    for seed in range(12):
        ballots = crowd(seed, items=250, classes=2 + seed % 3, skill=(0.65, 0.95))
        judged, cells = judged_of(ballots)
        named += len(randoms(ballots)) + int(lines(judged, cells, len(ballots.labels)).found.sum())
    assert named <= 2  # of 240 people


def test_commonest_label_is_told_from_units_that_deserve_it() -> None:
    """Nine in ten units are truly x: giving x nearly always is right, giving it always is not."""
    chance = np.random.default_rng(0)
    rows, names, labels = [], [], []
    for row in range(900):
        truth = "y" if row % 10 == 0 else "x"
        rows += [row] * 6
        names += list("abcdez")
        labels += [truth if chance.random() < 0.95 else "xy"[truth == "x"] for _ in range(5)] + ["x"]
    judged, cells = judged_of(ballots_from(rows, [""] * len(rows), names, labels))
    found = lines(judged, cells, 2)
    assert np.flatnonzero(found.found).tolist() == [5]
    assert found.commonest[5]


def test_runs_are_found_and_sorted_units_are_no_runs() -> None:
    """z repeats each answer four times; the units come sorted by their label in the second half."""
    chance = np.random.default_rng(2)
    truth = np.concatenate([chance.integers(2, size=300), np.repeat([0, 1], 50)])
    rows, names, labels = [], [], []
    for row, label in enumerate(truth):
        rows += [row] * 5
        names += list("abcdz")
        honest = [int(label) if chance.random() < 0.9 else 1 - int(label) for _ in range(4)]
        labels += ["xy"[one] for one in (*honest, int(truth[row - row % 4]) if row < 300 else int(label))]
    ballots = ballots_from(rows, [""] * len(rows), names, labels, origin=np.arange(len(rows)))
    judged, cells = judged_of(ballots)
    found = runs(ballots, judged, cells, ballots.origin[judged.ballot].astype(np.float64))
    assert np.flatnonzero(found.found).tolist() == [4]
    unknown = runs(ballots, judged, cells, np.full(len(judged), np.nan))
    assert not unknown.found.any()

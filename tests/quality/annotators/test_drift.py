"""Drift is found where it is, and rarely where it is not."""

from __future__ import annotations

import numpy as np

from pipeline.quality.annotators.drift import batches, drift
from pipeline.quality.annotators.judged import judge
from tests.quality.annotators.crowds import crowd, told


def test_who_gives_up_half_way_is_found() -> None:
    ballots = crowd(2, items=1200, hard=0.1, late=2)
    truth = told(ballots)
    judged, _, _ = judge(ballots, truth.label, truth.posterior)
    found = drift(judged, ballots.origin[judged.ballot].astype(np.float64))
    assert np.flatnonzero(found.changing).tolist()[:2] == [0, 1]
    assert (found.after[:2] < found.before[:2] - 0.1).all()
    assert np.abs(found.cut[:2] / found.rows[:2] - 0.5).max() < 0.15
    assert (found.trend[:2] < 0).all()


def test_steady_people_do_not_drift() -> None:
    named = 0
    for seed in range(10):
        ballots = crowd(seed, items=250)
        truth = told(ballots)
        judged, _, _ = judge(ballots, truth.label, truth.posterior)
        found = drift(judged, ballots.origin[judged.ballot].astype(np.float64))
        by_batch = batches(judged, ballots.row[judged.ballot] // 50)
        named += int(found.changing.sum() + found.trending.sum() + by_batch.varying.sum())
    assert named <= 6  # of 600 tests


def test_a_bad_batch_is_found() -> None:
    ballots = crowd(1, items=800, late=1)
    truth = told(ballots)
    judged, _, _ = judge(ballots, truth.label, truth.posterior)
    found = batches(judged, ballots.row[judged.ballot] // 200)
    assert found.varying[0]
    mine = found.annotator == 0
    assert found.batch[mine].tolist() == [0, 1, 2, 3]
    assert found.excess[mine][:2].min() > found.excess[mine][2:].max()
    assert found.count.sum() == len(judged)


def test_unknown_order_is_no_drift() -> None:
    ballots = crowd(1, items=60, late=1)
    truth = told(ballots)
    judged, _, _ = judge(ballots, truth.label, truth.posterior)
    assert not drift(judged, np.full(len(judged), np.nan)).rows.any()
    assert not len(batches(judged, np.full(len(judged), -1)).batch)

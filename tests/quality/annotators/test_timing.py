"""Timing: medians, sessions and bursts are counted right, missing times stay missing."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.annotators.timing import order_of, speed
from pipeline.quality.ballots import Ballots, ballots_from


def worked(times: dict[str, list[float]]) -> tuple[Ballots, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    names = [name for name, when in times.items() for _ in when]
    rows = [row for when in times.values() for row in range(len(when))]
    ballots = ballots_from(rows, [""] * len(rows), names, ["x"] * len(rows), origin=np.arange(len(rows)))
    return ballots, np.array([when for each in times.values() for when in each])


def test_gaps_sessions_and_bursts() -> None:
    steady = [10.0 * at for at in range(30)]
    hasty = [1.0 * at for at in range(15)] + [5000.0 + 12 * at for at in range(15)]
    ballots, seconds = worked({"a": steady, "b": steady, "c": hasty})
    found = speed(ballots, seconds)
    assert found is not None
    assert found.gaps.tolist() == [29, 29, 28]
    assert found.sessions.tolist() == [1, 1, 2]
    assert found.median.tolist() == pytest.approx([10, 10, 6.5])
    assert found.burst.tolist() == [0, 0, 14]
    assert found.hasty[2] == pytest.approx(0.5)
    assert not found.quick.any()


def test_quick_is_marked() -> None:
    steady = [10.0 * at for at in range(30)]
    ballots, seconds = worked({"a": steady, "b": steady, "c": [1.5 * at for at in range(30)]})
    found = speed(ballots, seconds)
    assert found is not None
    assert found.quick.tolist() == [False, False, True]


def test_no_times_is_no_speed() -> None:
    ballots, _ = worked({"a": [1.0, 2.0], "b": [5.0, 9.0]})
    assert speed(ballots, None) is None
    assert speed(ballots, np.full(4, np.nan)) is None
    assert speed(ballots, np.zeros(4)) is None
    found = speed(ballots, np.array([1.0, np.nan, 5.0, 9.0]))
    assert found is not None
    assert found.gaps.tolist() == [0, 1]


def test_order_is_by_time_where_all_times_are_known() -> None:
    ballots, _ = worked({"a": [0.0, 0.0], "b": [0.0, 0.0]})
    order = order_of(ballots, np.array([9.0, 3.0, np.nan, 3.0]))
    mine = ballots.annotator == 0
    assert ballots.row[mine][np.argsort(order[mine])].tolist() == [1, 0]
    assert order[~mine].tolist() == [2.0, 3.0]

"""Remaining: the interval holds the truth about as often as it says, also where scores are off."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.reviewed import left, rate, recalibrate
from pipeline.quality.reviewed.remaining import NONE, rows_share
from tests.quality.reviewed.queues import WORLDS, World, coverage

NOTHING = np.zeros(0)
EMPTY = recalibrate(NOTHING, NOTHING.astype(bool), NOTHING, seed=1)
SCORES = np.full(200, 0.1)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name.replace(" ", "-"))
def test_the_truth_is_inside_nearly_always_however_the_scores_are_off(world: World) -> None:
    got = coverage(world, 150, runs=20)
    assert got.inside >= 16  # at 0.95 fewer come about once in 400 times; `python -m tests.bench stopping` counts more
    assert got.high < 8 * got.truth + 20  # and it says something


@pytest.mark.parametrize("world", [one for one in WORLDS if one.sizes], ids=lambda world: world.name.replace(" ", "-"))
def test_it_is_inside_where_people_decide_by_group(world: World) -> None:
    assert coverage(world, 150, runs=20, by_group=True).inside >= 16


def test_more_judged_lines_make_it_narrower() -> None:
    early, late = (coverage(WORLDS[0], number, runs=6) for number in (50, 400))
    assert (late.high - late.low) < 0.5 * (early.high - early.low)


def test_lines_of_groups_leave_more_open_than_lines_on_their_own() -> None:
    model = recalibrate(np.full(2000, 0.1), np.arange(2000) < 200, np.ones(2000), seed=1)
    alone = left(SCORES, np.full(200, -1), model, seed=1)
    grouped = left(SCORES, np.repeat(np.arange(4), 50), model, seed=1)
    assert np.ptp(grouped.edges) > 2 * np.ptp(alone.edges)
    assert grouped.edges[1] <= 200


def test_there_are_never_more_errors_than_lines_nor_fewer_than_none() -> None:
    found = left(np.full(5, 0.9), np.full(5, -1), EMPTY, seed=1)
    assert found.draws.min() >= 0
    assert found.draws.max() <= 5
    nothing = left(NOTHING, np.zeros(0, dtype=np.int64), EMPTY, seed=1)
    assert (nothing.value, nothing.edges) == (0.0, (0.0, 0.0))


def test_two_kinds_of_lines_are_added() -> None:
    one = left(SCORES, np.full(200, -1), EMPTY, seed=1, about="one")
    both = one + left(SCORES, np.full(200, -1), EMPTY, seed=1, about="other") + NONE
    assert both.lines == 400
    assert both.given == pytest.approx(40)
    assert 0.5 * both.value < one.value < 0.6 * both.value or both.value == pytest.approx(2 * one.value, rel=0.2)
    assert set(both.told()) == {"lines", "value", "low", "high", "given"}


def test_errors_that_share_a_row_are_fewer_rows() -> None:
    scores = np.array([0.5, 0.5])
    assert rows_share(scores, np.array([0, 1]), EMPTY) == pytest.approx(1.0)
    assert rows_share(scores, np.array([0, 0]), EMPTY) == pytest.approx(0.75, abs=0.02)
    assert rows_share(NOTHING, np.zeros(0, dtype=np.int64), EMPTY) == 1.0


def test_the_rate_counts_what_is_confirmed_and_what_may_be_left() -> None:
    draws = np.linspace(0, 20, 1001)
    assert rate(10, [draws], 100) == {"value": 0.2, "low": 0.105, "high": 0.295}
    assert rate(0, [], 100)["value"] == 0.0
    assert rate(1, [draws], 0) == {"value": None, "low": None, "high": None}

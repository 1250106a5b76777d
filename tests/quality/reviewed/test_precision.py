"""Precision: the curve counts what it says, and the interval for all looks holds at all looks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.reviewed import always, curve, wilson
from tests.quality.reviewed.queues import ever_out


def test_the_curve_counts_from_the_top_and_ends_with_all() -> None:
    wrong = np.array([True, True, False, True, False, False])
    points = curve(wrong, np.arange(6), np.linspace(0.9, 0.4, 6), points=3)
    assert [(point.lines, point.wrong, point.score) for point in points] == [(2, 2, 0.8), (4, 3, 0.6), (6, 3, 0.4)]
    assert curve(np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64), np.zeros(0)) == []
    assert len(curve(np.zeros(500, dtype=bool), np.arange(500), np.zeros(500))) == 60


def test_an_act_on_many_lines_is_one_look_and_leaves_a_wide_interval() -> None:
    wrong = np.ones(40, dtype=bool)
    alone = curve(wrong, np.arange(40), np.ones(40))[-1]
    at_once = curve(wrong, np.zeros(40, dtype=np.int64), np.ones(40))[-1]
    assert (alone.looks, at_once.looks) == (40, 1)
    assert (alone.share, at_once.share) == (1.0, 1.0)
    assert at_once.low == pytest.approx(wilson(1, 1).low)
    assert at_once.low < 0.3
    assert alone.low > 0.9
    assert at_once.always_low < 0.1 < alone.always_low


def test_a_score_that_is_not_known_is_told_as_none() -> None:
    point = curve(np.array([True]), np.array([0]), np.array([np.nan]))[0]
    assert point.told()["score"] is None
    assert all(type(value) in (int, float, type(None)) for value in point.told().values())


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.floats(0, 1))
def test_whoever_may_always_look_knows_less(looks: int, share: float) -> None:
    wrong = round(share * looks)
    once, ever = wilson(wrong, looks), always(wrong, looks)
    assert 0 <= ever.low <= wrong / looks <= ever.high <= 1
    assert ever.high - ever.low >= once.high - once.low - 0.01


def test_the_interval_for_one_look_fails_whoever_looks_often_and_that_for_all_looks_does_not() -> None:
    always_out, once_out = ever_out(lambda at: 0.8 * 0.98**at + 0.02, looks=200, runs=40, every=20)
    assert always_out <= 0.05
    assert once_out > always_out


def test_nothing_seen_is_nothing_known() -> None:
    assert tuple(always(0.0, 0)) == (0.0, 1.0)

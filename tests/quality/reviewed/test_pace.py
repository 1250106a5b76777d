"""Pace: pauses are no work, little is assumed for long, and the cost of an error has an honest interval."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.reviewed import cost_so_far, pace


def test_a_pause_is_cut_down_and_told() -> None:
    found = pace(np.array([6.0, 8.0, 7.0, 9.0, 4000.0]), 8.0)
    assert (found.cut, found.cap) == (1, 80.0)
    assert found.seconds == pytest.approx(6 + 8 + 7 + 9 + 80)


def test_long_texts_are_no_pauses() -> None:
    assert pace(np.array([200.0, 250.0, 900.0]), 8.0).cut == 0
    assert pace(np.array([1.0, 1.0, 1.0, 50.0]), 8.0).cut == 0  # under a minute nobody has gone


def test_acts_without_a_time_take_the_usual_one() -> None:
    found = pace(np.array([10.0] * 95 + [np.nan] * 100), 8.0)
    assert (found.looks, found.timed) == (195, 95)
    assert found.each == pytest.approx((950 + 40) / 100)
    assert found.seconds == pytest.approx(950 + 100 * found.each)


def test_nothing_timed_is_as_the_recipe_says_and_not_sure() -> None:
    found = pace(np.full(3, np.nan), 8.0)
    assert (found.each, found.seconds, found.cap) == (8.0, 24.0, None)
    draws = found.draws(2000, np.random.default_rng(1))
    assert np.quantile(draws, 0.025) < 3
    assert np.quantile(draws, 0.975) > 15
    sure = pace(np.full(2000, 8.0), 8.0).draws(2000, np.random.default_rng(1))
    assert np.quantile(sure, 0.975) < 8.5


def test_the_cost_of_an_error_is_minutes_over_errors_with_a_poisson_interval() -> None:
    cost = cost_so_far(20.0, np.array([1.0, 0.0, 1.0, 0.0, 1.0, 1.0]))
    assert cost.value == 5.0
    assert cost.low == pytest.approx(20 / 10.2416, rel=1e-4)  # Garwood: 4 counted is 1.0899 to 10.2416
    assert cost.high == pytest.approx(20 / 1.0899, rel=1e-4)
    assert cost.priced(60.0).value == 5.0


def test_one_act_on_many_lines_is_one_stroke_of_luck() -> None:
    many, one = cost_so_far(20.0, np.ones(40)), cost_so_far(20.0, np.array([40.0]))
    assert many.value == one.value == 0.5
    assert many.high is not None
    assert one.high is not None
    assert one.high > 10 * many.high


def test_no_error_yet_costs_at_least_something() -> None:
    cost = cost_so_far(20.0, np.zeros(9))
    assert (cost.value, cost.high) == (None, None)
    assert cost.low == pytest.approx(20 / 3.6889, rel=1e-4)
    assert cost_so_far(0.0, np.zeros(0)).told() == {"value": None, "low": None, "high": None}

"""Bounds for whoever looks after every check: their risk is computed exactly, over all ways the draw may go."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality import acceptance
from pipeline.quality.anytime import Ratio, checks_needed, expected_checks, interval, log_bet, lower, stops, upper


def ever_out(rows: int, bad: int, out: object) -> float:
    """The probability that a draw of all rows, one by one, at any look makes `out(wrong, checked)` true: exact."""
    alive, caught = np.zeros(bad + 1), 0.0
    alive[0] = 1.0
    for checked in range(rows):
        seen = np.arange(bad + 1)
        chance = np.clip((bad - seen) / (rows - checked), 0, 1)
        alive = alive * (1 - chance) + np.concatenate([[0.0], (alive * chance)[:-1]])
        for wrong in np.flatnonzero(alive):
            if out(int(wrong), checked + 1):  # type: ignore[operator]
                caught, alive[wrong] = caught + alive[wrong], 0.0
    return caught


@pytest.mark.parametrize("bad", [1, 2, 5, 15, 30, 45, 59])
def test_the_true_number_is_ever_out_with_at_most_the_risk(bad: int) -> None:
    rows = 60
    above = ever_out(rows, bad, lambda wrong, checked: upper(wrong, checked, rows, confidence=0.9) * rows < bad - 1e-9)
    below = ever_out(rows, bad, lambda wrong, checked: lower(wrong, checked, rows, confidence=0.9) * rows > bad + 1e-9)
    assert max(above, below) <= 0.1


def test_the_bound_for_one_look_does_not_hold_for_whoever_looks_after_every_check() -> None:
    rows, bad = 200, 10
    once = ever_out(rows, bad, lambda wrong, checked: acceptance.upper(wrong, checked, rows=rows) * rows < bad - 1e-9)
    often = ever_out(rows, bad, lambda wrong, checked: upper(wrong, checked, rows) * rows < bad - 1e-9)
    assert once > 0.08
    assert often <= 0.05


@given(st.integers(1, 300), st.data())
def test_the_bound_is_the_largest_number_that_the_bet_leaves(rows: int, data: st.DataObject) -> None:
    checked = data.draw(st.integers(0, rows))
    wrong = data.draw(st.integers(0, checked))
    bad = np.arange(wrong, rows - (checked - wrong) + 1, dtype=np.float64)
    left = bad[log_bet(wrong, checked, rows, bad) < math.log(20)]
    assert upper(wrong, checked, rows) * rows == pytest.approx(left.max())
    low, high = interval(wrong, checked, rows)
    assert low - 1e-9 <= wrong / max(checked, 1) or not checked
    assert lower(wrong, checked, rows) <= upper(wrong, checked, rows) + 1e-9
    assert low <= high + 1e-9


def test_nothing_checked_shows_nothing_and_everything_checked_shows_all() -> None:
    assert upper(0, 0, 500) == 1.0
    assert lower(0, 0, 500) == 0.0
    assert (lower(7, 500, 500), upper(7, 500, 500)) == pytest.approx((0.014, 0.014))


def test_far_out_the_bet_is_still_a_number() -> None:
    bets = log_bet(900_000, 1_000_000, 10_000_000, np.array([900_000.0, 5e6, 9e6, 9.9e6]))
    assert np.isfinite(bets).all()


def test_when_to_stop() -> None:
    found = stops(0.02, 10_000)
    assert found == [185, 324, 430, 525, 613, 696]
    assert all(upper(wrong, checks, 10_000) <= 0.02 for wrong, checks in enumerate(found) if checks)
    assert all(upper(wrong, checks - 1, 10_000) > 0.02 for wrong, checks in enumerate(found) if checks)
    assert stops(0.02, 100, most_wrong=3)[2:] == [100, None]
    assert checks_needed(lambda checks: checks // 20, 0.02, 10_000) is None


def test_expected_checks_are_those_of_many_draws() -> None:
    table = stops(0.05, 5_000, most_wrong=10)
    chance = np.random.default_rng(1)
    ends = []
    for _ in range(2_000):
        wrong = np.cumsum(chance.random(table[-1] or 0) < 0.01)
        reached = [checks for found, checks in enumerate(table) if checks and wrong[checks - 1] <= found]
        ends.append(reached[0] if reached else 0)
    average, ended = expected_checks(table, 0.01)
    seen = np.array([end for end in ends if end])
    assert ended == pytest.approx(len(seen) / len(ends), abs=0.01)
    assert average == pytest.approx(seen.mean(), abs=4 * seen.std() / len(seen) ** 0.5)
    assert expected_checks([149, None], 0.0) == (149.0, 1.0)


def test_walds_lines() -> None:
    # Wald, Sequential Analysis (1947), section 5.3: p0 = 0.1, p1 = 0.3, alpha = 0.02, beta = 0.03.
    test = Ratio(good=0.1, bad=0.3, risk=0.03, miss=0.02)
    assert test.slope == pytest.approx(0.1862, abs=1e-4)
    assert test.passing == pytest.approx(2.583, abs=1e-3)
    assert test.failing == pytest.approx(2.876, abs=1e-3)
    assert [test.says(*seen) for seen in ((0, 13), (0, 14), (6, 14), (3, 14))] == ["go on", "pass", "fail", "go on"]
    assert test.expected_checks(0.1) == pytest.approx(28.8, abs=0.5)


@pytest.mark.parametrize(("share", "says"), [(0.02, "pass"), (0.005, "fail")])
def test_walds_test_errs_as_rarely_as_it_says(share: float, says: str) -> None:
    test, chance = Ratio(good=0.005, bad=0.02, risk=0.05, miss=0.1), np.random.default_rng(2)
    erred = 0
    for _ in range(600):
        wrong = np.cumsum(chance.random(4_000) < share)
        checked = np.arange(1, 4_001)
        passed = np.flatnonzero(wrong <= test.slope * checked - test.passing)
        failed = np.flatnonzero(wrong >= test.slope * checked + test.failing)
        first = (passed[:1].tolist() or [9_999])[0], (failed[:1].tolist() or [9_999])[0]
        erred += (first[0] < first[1]) == (says == "pass")
    # 0.05 / 0.9 and 0.1 / 0.95 are Wald's limits; three standard errors more.
    assert erred / 600 <= (0.056 + 0.028 if says == "pass" else 0.106 + 0.038)


def test_the_average_is_told_where_stops_lie_closer_than_there_are_of_them() -> None:
    average, ended = expected_checks([30, 31, 32, 60], 0.01)
    assert 30 <= average <= 60
    assert 0 < ended <= 1

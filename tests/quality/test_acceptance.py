"""Acceptance: equal to the exact laws, and to published plans."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.errors import AssayError
from pipeline.quality.acceptance import Plan, interval, lower, passes, single_plan, too_many, upper


def test_none_wrong_of_149_shows_at_most_two_per_cent() -> None:
    assert upper(0, 149) <= 0.02 < upper(0, 148)
    assert single_plan(0.02) == Plan(149, 0)
    assert upper(0, 149) == pytest.approx(1 - 0.05 ** (1 / 149), abs=1e-12)


@given(st.integers(0, 40), st.integers(1, 400), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_binomial_bounds_are_those_of_clopper_and_pearson(wrong: int, checked: int, level: float) -> None:
    wrong = min(wrong, checked)
    reference = stats.binomtest(wrong, checked).proportion_ci(confidence_level=level, method="exact")
    assert interval(wrong, checked, confidence=level) == pytest.approx(tuple(reference), abs=1e-9)
    above = stats.binomtest(wrong, checked, alternative="less").proportion_ci(confidence_level=level, method="exact")
    assert upper(wrong, checked, confidence=level) == pytest.approx(above.high, abs=1e-9)
    below = stats.binomtest(wrong, checked, alternative="greater").proportion_ci(level, method="exact")
    assert lower(wrong, checked, confidence=level) == pytest.approx(below.low, abs=1e-9)


@given(st.integers(1, 120), st.data())
def test_the_finite_bound_is_the_last_number_that_the_hypergeometric_law_leaves(rows: int, data: st.DataObject) -> None:
    checked = data.draw(st.integers(0, rows))
    wrong = data.draw(st.integers(0, checked))
    left = [
        bad
        for bad in range(wrong, rows - (checked - wrong) + 1)
        if stats.hypergeom.cdf(wrong, rows, bad, checked) > 0.05 + 1e-12
    ]
    assert round(upper(wrong, checked, rows=rows) * rows) == max(left, default=rows)


def test_a_small_set_needs_fewer_checks_and_a_large_one_as_many_as_if_it_had_no_end() -> None:
    needed = [single_plan(0.02, rows=rows).checks for rows in (100, 200, 500, 1000, 10_000, 1_000_000)]
    assert needed == sorted(needed)
    assert needed[:2] == [63, 90]
    assert needed[-1] in (148, 149)
    assert upper(0, 100, rows=100) == 0.0
    assert upper(3, 100, rows=100) == 0.03


@pytest.mark.parametrize(
    ("at_most", "confidence", "good", "power", "plan"),
    [
        (0.15, 0.925, 0.05, 0.95, Plan(80, 7)),  # Kiermeier 2008, doi:10.18637/jss.v026.i06
        (0.06, 0.9, 0.01, 0.95, Plan(110, 3)),
    ],
)
def test_plans_with_a_producers_risk(at_most: float, confidence: float, good: float, power: float, plan: Plan) -> None:
    found = single_plan(at_most, confidence=confidence, good=good, power=power)
    assert found == plan
    assert passes(found, at_most) <= 1 - confidence
    assert passes(found, good) >= power
    fewer = Plan(found.checks - 1, found.allowed)
    assert passes(fewer, at_most) > 1 - confidence or passes(fewer, good) < power


@given(st.integers(20, 400), st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.3]), st.sampled_from([0.8, 0.95]))
def test_a_plan_of_a_finite_set_is_the_smallest_that_holds_the_bound(rows: int, at_most: float, level: float) -> None:
    checks = single_plan(at_most, confidence=level, rows=rows).checks
    bad = too_many(at_most, rows)
    assert stats.hypergeom.pmf(0, rows, bad, checks) <= 1 - level + 1e-12
    assert checks == 1 or stats.hypergeom.pmf(0, rows, bad, checks - 1) > 1 - level
    assert upper(0, checks, confidence=level, rows=rows) <= at_most + 1e-12


def test_a_finite_plan_with_a_producers_risk_passes_what_is_good() -> None:
    plan = single_plan(0.05, rows=500, good=0.01)
    assert plan.allowed > 0
    assert passes(plan, 0.01, rows=500) >= 0.9
    assert stats.hypergeom.cdf(plan.allowed, 500, too_many(0.05, 500), plan.checks) <= 0.05


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(AssayError, match="5 wrong of 4 checked"):
        upper(5, 4)
    with pytest.raises(AssayError, match="7 checked of 6 rows"):
        upper(0, 7, rows=6)
    with pytest.raises(AssayError, match=r"good \(0.02\) is not below at_most"):
        single_plan(0.02, good=0.02)

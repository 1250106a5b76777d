"""Dealing: by names alone, in the shares that were asked for, and as many lines as can be judged both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.reviewed import dealt
from pipeline.quality.reviewed.dealing import _blind_shares

LINES = [f"q{at}" for at in range(4000)]


def test_the_shares_are_those_that_were_asked_for() -> None:
    told = [dealt(3, line, who) for line in LINES for who in ("mo", "安娜")]
    assert sum(is_blind for is_blind, _ in told) / len(told) == pytest.approx(0.1, abs=0.01)
    assert sum(is_double for _, is_double in told) / len(told) == pytest.approx(0.1, abs=0.015)


def test_that_a_line_is_for_two_does_not_depend_on_who_asks() -> None:
    assert all(dealt(1, line, "mo")[1] == dealt(1, line, "li")[1] for line in LINES[:500])
    assert any(dealt(1, line, "mo")[0] != dealt(1, line, "li")[0] for line in LINES[:500])


def test_half_of_the_lines_for_two_are_judged_both_ways() -> None:
    double = [line for line in LINES if dealt(1, line, "")[1]]
    both = [line for line in double if dealt(1, line, "mo")[0] != dealt(1, line, "li")[0]]
    assert len(both) / len(double) == pytest.approx(0.5, abs=0.08)


@given(st.floats(0, 1), st.floats(0, 1))
def test_both_blind_shares_are_shares_and_make_the_one_that_was_asked_for(blind: float, double: float) -> None:
    on_double, on_single = _blind_shares(blind, double)
    assert -1e-9 <= on_double <= 1 + 1e-9
    assert 0 <= on_single <= 1
    assert double * on_double + (1 - double) * on_single == pytest.approx(blind, abs=1e-9)


@pytest.mark.parametrize(("blind", "double"), [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])
def test_none_and_all(blind: float, double: float) -> None:
    told = {dealt(1, line, "mo", blind_share=blind, double_share=double) for line in LINES[:200]}
    assert told == {(blind == 1.0, double == 1.0)}


def test_another_seed_deals_otherwise() -> None:
    assert [dealt(1, line, "mo") for line in LINES[:200]] != [dealt(2, line, "mo") for line in LINES[:200]]

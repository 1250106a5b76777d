"""Three verdicts: wrong, ambiguous, fine."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.suspecting.verdict import verdict

NAN = math.nan
SHARES = st.floats(0, 1)
MAYBE = st.one_of(SHARES, st.just(NAN))


@pytest.mark.parametrize(
    ("wrong", "given_share", "likely", "expected"),
    [
        (0.9, 0.02, 0.9, "wrong"),
        (0.9, 0.40, 0.50, "ambiguous"),  # both could be meant
        (0.9, 0.25, 0.50, "wrong"),  # twice as likely is clearly likelier
        (0.49, 0.02, 0.9, "ambiguous"),
        (0.05, 0.8, 0.1, "fine"),
        (0.05, 0.5, 0.4, "ambiguous"),
        (0.15, 0.9, 0.01, "ambiguous"),
        (0.6, NAN, NAN, "wrong"),
        (0.3, NAN, NAN, "ambiguous"),
        (0.1, NAN, NAN, "fine"),
        (0.1, 0.9, NAN, "fine"),
    ],
)
def test_verdicts(wrong: float, given_share: float, likely: float, expected: str) -> None:
    assert verdict(wrong, given_share, likely) == expected


@given(SHARES, SHARES, MAYBE, MAYBE)
def test_who_is_likelier_wrong_has_no_milder_verdict(one: float, other: float, own: float, likely: float) -> None:
    rank = ("fine", "ambiguous", "wrong").index
    low, high = sorted((one, other))
    assert rank(verdict(low, own, likely)) <= rank(verdict(high, own, likely))

"""One rate from strata that were checked unevenly: right on average, and its bound holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.quality import anytime
from pipeline.quality.strata import Stratum, allocate, interval, lower, share, upper

NUMBERS = st.tuples(st.integers(1, 60), st.integers(0, 60), st.integers(0, 60))


def stratum(numbers: tuple[int, int, int]) -> Stratum:
    rows, checked, wrong = numbers
    checked = min(rows, checked)
    return Stratum(rows, checked, min(wrong, checked))


def drawn(sizes: list[int], bad: list[int], checks: list[int], chance: np.random.Generator) -> list[Stratum]:
    return [
        Stratum(rows, number, int(chance.hypergeometric(wrong, rows - wrong, number)))
        for rows, wrong, number in zip(sizes, bad, checks, strict=True)
    ]


@pytest.mark.parametrize(
    ("sizes", "bad", "checks"),
    [
        ([9_800, 200], [98, 60], [160, 60]),  # suspects checked 18 times as often
        ([5_000, 3_000, 1_500, 500], [50, 60, 60, 50], [40, 40, 60, 60]),
        ([1_000, 1_000], [0, 100], [50, 150]),
        ([300, 40], [3, 20], [100, 40]),  # one of them whole
    ],
)
def test_the_estimate_is_right_on_average_and_the_bounds_hold(
    sizes: list[int], bad: list[int], checks: list[int]
) -> None:
    chance, true = np.random.default_rng(3), sum(bad) / sum(sizes)
    draws = [drawn(sizes, bad, checks, chance) for _ in range(400)]
    estimates = np.array([share(strata) for strata in draws])
    assert estimates.mean() == pytest.approx(true, abs=4 * estimates.std() / 20)
    few = draws[:120]
    # One in ten may miss; three standard errors of 120 draws more.
    assert sum(upper(strata, confidence=0.9) < true - 1e-9 for strata in few) <= 12 + 10
    assert sum(lower(strata, confidence=0.9) > true + 1e-9 for strata in few) <= 12 + 10


def test_the_bound_holds_at_all_looks_at_once() -> None:
    chance, sizes, bad, missed = np.random.default_rng(4), [400, 100], [8, 20], 0
    for _ in range(60):
        order = [chance.permutation(rows) < wrong for rows, wrong in zip(sizes, bad, strict=True)]
        looks = range(10, 100, 6)
        seen = [
            [Stratum(rows, checks, int(kind[:checks].sum())) for rows, kind in zip(sizes, order, strict=True)]
            for checks in looks
        ]
        missed += any(upper(strata, confidence=0.8) * 500 < 28 - 1e-6 for strata in seen)
    assert missed <= 12 + 9


@given(NUMBERS)
def test_one_stratum_is_the_plain_bound_or_a_little_wider(numbers: tuple[int, int, int]) -> None:
    one = stratum(numbers)
    plain = anytime.upper(one.wrong, one.checked, one.rows)
    assert plain - 1e-9 <= upper([one]) <= plain + 0.1 + 2 / one.rows


@given(st.lists(NUMBERS, min_size=1, max_size=4))
def test_bounds_lie_around_the_estimate_and_never_outside_what_was_seen(numbers: list[tuple[int, int, int]]) -> None:
    strata = [stratum(one) for one in numbers]
    total = sum(one.rows for one in strata)
    low, high = interval(strata)
    assert low <= high + 1e-9
    assert high * total >= sum(one.wrong for one in strata) - 1e-6
    assert (1 - low) * total >= sum(one.checked - one.wrong for one in strata) - 1e-6
    assert interval(strata[::-1]) == pytest.approx((low, high), abs=1e-9 + 1 / total)


def test_the_worst_spread_is_found() -> None:
    # By trying all ways to spread wrong rows over two strata.
    strata = [Stratum(30, 12, 0), Stratum(20, 10, 2)]
    best = 0
    for first in range(19):
        for second in range(2, 13):
            bets = [
                anytime.log_bet(one.wrong, one.checked, one.rows, np.array([float(bad)]))[0]
                for one, bad in zip(strata, (first, second), strict=True)
            ]
            best = max(best, first + second) if sum(bets) < math.log(20) else best
    assert best <= round(upper(strata) * 50) <= best + 1


def test_a_stratum_that_nobody_checked_leaves_everything_possible() -> None:
    assert math.isnan(share([Stratum(10, 5, 0), Stratum(10, 0, 0)]))
    assert upper([Stratum(500, 400, 0), Stratum(500, 0, 0)]) >= 0.5
    assert upper([]) == 1.0
    with pytest.raises(AssayError, match="6 wrong of 5 checked"):
        Stratum(10, 5, 6)


@given(
    st.lists(st.integers(0, 5_000), min_size=1, max_size=6), st.integers(0, 8_000), st.integers(0, 30), st.booleans()
)
def test_checks_are_shared_out_whole(sizes: list[int], checks: int, least: int, neyman: bool) -> None:
    spread = [0.1 + at / 10 for at in range(len(sizes))] if neyman else None
    given_ = allocate(sizes, checks, spread=spread, least=least)
    floor = [min(rows, least) for rows in sizes]
    assert sum(given_) == max(min(checks, sum(sizes)), sum(floor))
    assert all(low <= number <= rows for low, number, rows in zip(floor, given_, sizes, strict=True))


def test_neyman_checks_most_where_answers_differ_most() -> None:
    even, by_spread = allocate([9_000, 1_000], 200), allocate([9_000, 1_000], 200, spread=[0.1, 0.4])
    assert even == [180, 20]
    assert by_spread == [138, 62]

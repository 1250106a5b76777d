"""How long things take, and what decisions are worth."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reviewing.minutes import DECIDE_LINES, EXAMPLE_LINES, alone, examples, flat_minutes, grouped

SHARES = st.floats(0.01, 0.99)


def test_more_lines_take_slowly_more_examples() -> None:
    counts = [examples(lines) for lines in range(1, 5000)]
    assert counts == sorted(counts)
    assert counts[-1] < 20
    assert all(count <= lines for lines, count in enumerate(counts, 1))


@given(st.integers(2, 500), SHARES, SHARES, SHARES)
def test_no_more_is_settled_than_there_is(lines: int, mean: float, shared: float, fits: float) -> None:
    worth = grouped(lines, mean, 8.0, shared=shared, fits=fits)
    assert 0 < worth.settled <= lines * mean + 1e-9
    assert flat_minutes(lines, 8.0) - 1e-9 <= worth.minutes * (1 + 1e-9) or worth.minutes < flat_minutes(lines, 8.0)
    assert worth.minutes <= (DECIDE_LINES + examples(lines)) * 8.0 / 60 + 1e-9


def test_lines_that_share_their_fate_are_worth_a_decision_and_others_are_not() -> None:
    assert grouped(30, 0.6, 8.0, shared=0.9).value > 3 * alone(0.6, 8.0)
    assert grouped(30, 0.5, 8.0, shared=0.01).value < alone(0.5, 8.0)
    assert grouped(30, 0.6, 8.0, shared=0.9, fits=0.1).value < grouped(30, 0.6, 8.0, shared=0.9).value


@pytest.mark.parametrize(("lines", "mean", "shared", "fits"), [(20, 0.6, 0.5, 1.0), (12, 0.4, 0.2, 0.7)])
def test_the_worth_is_what_playing_brings(lines: int, mean: float, shared: float, fits: float) -> None:
    chance = random.Random(1)
    settled = minutes = 0.0
    for _ in range(20_000):
        fine, proposed = played(chance, lines, mean, shared, fits)
        settled, minutes = settled + fine, minutes + proposed
    worth = grouped(lines, mean, 8.0, shared=shared, fits=fits)
    assert settled / 20_000 == pytest.approx(worth.settled, rel=0.1)
    assert minutes / 20_000 == pytest.approx(worth.minutes, rel=0.1)


def played(chance: random.Random, lines: int, mean: float, shared: float, fits: float) -> tuple[float, float]:
    """Errors settled and minutes, of a group whose lines have one cause or none."""
    weights = [mean * fits, 1 - mean, mean * (1 - fits)]
    fates = chance.choices(range(3), weights, k=lines)
    if chance.random() < shared:
        fates = fates[:1] * lines
    most = examples(lines)
    for at, fate in enumerate(fates[:most]):
        if fate == 2 or fate != fates[0]:
            return sum(one != 1 for one in fates[: at + 1]), (DECIDE_LINES + at + 1) * 8 / 60
    taken = (DECIDE_LINES + EXAMPLE_LINES * most) * 8 / 60
    return (sum(one == 0 for one in fates) if fates[0] == 0 else 0), taken

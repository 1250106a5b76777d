"""Bias: found where it was planted, not where there is none, and not told from a few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.reviewed import bias
from pipeline.quality.reviewed.bias import Difference, newcombe, newcombe_paired


def judgements(shown: float, blind: float, lines: int, seed: int, *, both: bool = False) -> tuple[np.ndarray, ...]:
    """Judgements of so many lines, blind on a tenth or, where `both`, of each line one of either way."""
    chance = np.random.default_rng(seed)
    line = np.repeat(np.arange(lines), 2) if both else np.arange(lines)
    is_blind = np.tile([False, True], lines) if both else chance.random(lines) < 0.1
    luck = np.repeat(chance.random(lines), 2) if both else chance.random(lines)
    same = luck < np.where(is_blind, blind, shown)
    return line, is_blind, same, same


def test_a_planted_bias_is_found() -> None:
    found = bias(*judgements(0.8, 0.4, 1000, 1))
    assert found.says.startswith("people say what is proposed more often")
    assert found.same.low <= 0.4 <= found.same.high


def test_no_bias_is_said_to_be_none_once_enough_was_seen() -> None:
    found = bias(*judgements(0.6, 0.6, 20_000, 1))
    assert found.says.startswith("no great bias")
    little = bias(*judgements(0.6, 0.6, 300, 2))
    assert "cannot be told yet" in little.says


def test_few_tell_nothing() -> None:
    found = bias(*judgements(0.9, 0.1, 50, 1))
    assert found.says.startswith("cannot be told")
    empty = np.zeros(0, dtype=bool)
    none = bias(np.zeros(0, dtype=np.int64), empty, empty, empty)
    assert (none.blind, none.shown, none.pairs) == (0, 0, 0)
    assert none.told()["same"]["value"] is None


def test_lines_judged_both_ways_tell_more() -> None:
    found = bias(*judgements(0.7, 0.55, 200, 1, both=True))
    assert found.pairs == 200
    assert found.paired.high - found.paired.low < found.same.high - found.same.low
    assert "both ways" in found.says
    assert found.says.startswith("people say")


def test_the_interval_holds_the_difference_about_as_often_as_it_says() -> None:
    hits = [bias(*judgements(0.7, 0.6, 400, seed)).same for seed in range(300)]
    assert 0.92 <= np.mean([one.low <= 0.1 <= one.high for one in hits]) <= 0.985


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_intervals_hold_their_value_and_turn_with_the_sides(both: int, first: int, second: int, none: int) -> None:
    if both + first + second + none == 0:
        return
    found, turned = newcombe_paired(both, first, second, none), newcombe_paired(both, second, first, none)
    _holds(found)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    if both + first and second + none:
        _holds(newcombe(both, both + first, second, second + none))


def _holds(one: Difference) -> None:
    assert -1 - 1e-9 <= one.low <= one.value + 1e-9
    assert one.value - 1e-9 <= one.high <= 1 + 1e-9

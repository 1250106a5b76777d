"""The share of rows that are wrong, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.suspecting.rate import error_rate

if TYPE_CHECKING:
    from random import Random

ROWS = st.lists(st.tuples(st.floats(0, 1), st.sampled_from("abcde")), min_size=1, max_size=40)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_interval_holds_the_mean_and_the_order_does_not_matter(
    rows: list[tuple[float, str]], chance: Random
) -> None:
    wrong, groups = np.array([value for value, _ in rows]), [group for _, group in rows]
    told = error_rate(wrong, groups)
    assert told["value"] == pytest.approx(float(wrong.mean()), abs=1e-6)
    assert 0 <= told["low"] <= told["value"] <= told["high"] <= 1
    chance.shuffle(rows)
    assert error_rate(np.array([value for value, _ in rows]), [group for _, group in rows]) == told


def test_no_row_has_no_rate() -> None:
    assert error_rate(np.zeros(0), []) == {}


def test_the_names_of_groups_do_not_matter() -> None:
    wrong = np.linspace(0, 1, 12)
    assert error_rate(wrong, [f"x{at % 3}" for at in range(12)]) == error_rate(
        wrong, ["bca"[at % 3] for at in range(12)]
    )


def test_rows_of_one_group_are_no_independent_witnesses() -> None:
    chance = np.random.Generator(np.random.PCG64(1))
    together = np.repeat(chance.random(50), 20)
    apart = error_rate(together, [str(at) for at in range(1000)])
    grouped = error_rate(together, [str(at // 20) for at in range(1000)])
    assert grouped["high"] - grouped["low"] > 2 * (apart["high"] - apart["low"])


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_the_interval_holds_the_true_share_as_often_as_it_says(share: float) -> None:
    """Rows that are wrong as often as told, in groups of three with a share of their own."""
    chance = np.random.Generator(np.random.PCG64(7))
    groups = [str(at // 3) for at in range(600)]
    held = 0
    for _ in range(200):
        wrong = np.repeat(chance.beta(2 * share, 2 * (1 - share), 200), 3)
        told = error_rate(wrong, groups)
        held += told["low"] <= share <= told["high"]
    assert held >= 180


def test_sure_rows_of_many_groups_leave_little_open() -> None:
    told = error_rate(np.zeros(1000), [str(at) for at in range(1000)])
    assert (told["value"], told["low"], told["high"]) == (0, 0, 0)
    assert "audit-plan" in told["note"]

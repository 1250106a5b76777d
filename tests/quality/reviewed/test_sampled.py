"""A sample drawn by chance corrects what is believed of rows that no list shows, the more the larger it is."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.reviewed.sampled import held_to

RNG = np.random.default_rng(1)
GUESS = 1000 / (1 + np.exp(-RNG.normal(-4.0, 1.5, 1000)))
"""Believed: 2 % of 1,000 lines, give or take a factor of four."""


def test_without_a_sample_what_was_believed_stays() -> None:
    assert held_to(GUESS, 1000, checked=0, wrong=0, left=1000, seed=1) is GUESS


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2])
def test_many_checks_tell_the_share(share: float) -> None:
    found = held_to(GUESS, 1000, checked=300, wrong=round(300 * share), left=700, seed=1)
    low, high = np.quantile(found, (0.025, 0.975))
    assert low <= 700 * share <= high
    assert high - low < 100


def test_few_checks_move_the_guess_towards_what_was_found() -> None:
    none, some = (held_to(GUESS, 1000, checked=10, wrong=wrong, left=990, seed=1) for wrong in (0, 2))
    assert np.median(none) < np.median(GUESS) < np.median(some) < 300


def test_a_sample_that_nothing_expected_is_believed() -> None:
    found = held_to(np.clip(GUESS, 0, 60), 1000, checked=100, wrong=30, left=900, seed=1)
    assert 200 < np.median(found) < 350


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance, inside = np.random.default_rng(2), 0
    for seed in range(300):
        share = 1 / (1 + np.exp(-chance.normal(-4.0, 1.5)))
        is_wrong = chance.random(1000) < share
        checked = is_wrong[:60]
        found = held_to(GUESS, 1000, checked=60, wrong=int(checked.sum()), left=940, seed=seed)
        low, high = np.quantile(found, (0.025, 0.975))
        inside += bool(low <= is_wrong[60:].sum() <= high)
    assert inside / 300 > 0.9

"""Agreeing: what two people made of the same lines, by the measures that the audit uses."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from pipeline.quality.reviewed import agreement


def test_kappa_is_that_of_cohen_and_pairs_are_told() -> None:
    chance = np.random.default_rng(1)
    one = chance.integers(0, 3, 80)
    other = np.where(chance.random(80) < 0.7, one, chance.integers(0, 3, 80))
    line, who = np.tile(np.arange(80), 2), ["anna"] * 80 + ["mo"] * 80
    said = [str(value) for value in (*one, *other)]
    told = agreement(line, who, said, seed=1)
    assert told["lines"] == 80
    assert told["kappa"]["value"] == pytest.approx(cohen_kappa_score(one, other), abs=1e-6)
    assert told["raw"]["value"] == pytest.approx((one == other).mean(), abs=1e-6)
    assert [(pair["one"], pair["other"], pair["lines"]) for pair in told["pairs"]] == [("anna", "mo", 80)]
    assert told["alpha"]["low"] < told["alpha"]["value"] < told["alpha"]["high"]


def test_lines_of_one_person_say_nothing() -> None:
    told = agreement(np.array([0, 1, 1]), ["anna", "anna", "mo"], ["a", "b", "b"], seed=1)
    assert told["lines"] == 1
    assert "few" in told["says"]
    nothing = agreement(np.array([0, 1]), ["anna", "mo"], ["a", "b"], seed=1)
    assert (nothing["lines"], nothing["raw"], nothing["pairs"]) == (0, None, [])


def test_the_order_of_the_voices_is_nothing() -> None:
    line, who, said = np.array([0, 0, 1, 1, 2, 2]), ["a", "b"] * 3, ["x", "x", "x", "y", "y", "y"]
    turned = agreement(line[::-1], who[::-1], said[::-1], seed=1)
    assert agreement(line, who, said, seed=1) == turned

"""Joining where errors are of several kinds: each kind is told by its own signal, and shares are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.quality.joining import join
from pipeline.quality.mixture import _loss, join_kinds
from pipeline.quality.signals import Signals


def mixed(share: float, *, added: bool = False) -> tuple[Signals, int]:
    """2,000 answers, `share` of them wrong in the first of two kinds; each kind has a signal of its own."""
    chance = np.random.default_rng(0)
    wrong = int(2000 * share)
    actual = chance.normal(size=(2000, 2))
    actual[:wrong, 0] += 4
    flipped = chance.normal(size=(600, 2))
    flipped[:300, 0] += 4
    flipped[300:, 1] += 4
    words = tuple("x" for _ in range(2000))
    made = Signals(
        row=np.arange(2000), part=words, given=words, likely=words, names=("one", "two"), actual=actual,
        flipped=flipped, flipped_part=np.arange(600), p_given=np.zeros(2000), p_likely=np.zeros(2000),
        said=lambda at: [], added=np.where(np.arange(2000) < 1000, 0.0, -50.0) if added else None,
        flipped_kind=np.arange(600) // 300,
    )  # fmt: skip
    return made, wrong


def precision(found: np.ndarray[tuple[int, ...], np.dtype[np.float64]], wrong: int) -> float:
    return float((np.argsort(-found, kind="stable")[:wrong] < wrong).mean())


def test_the_loss_is_that_of_the_kinds_and_its_slope_is_right() -> None:
    chance = np.random.default_rng(0)
    values, weight, theta = chance.normal(size=(30, 4)), chance.random(30), chance.normal(size=15)
    kind = chance.integers(-1, 3, 30)
    target = (kind == np.arange(3)[:, None]) * weight
    meant = np.column_stack([target.sum(axis=1), target @ values])
    loss, slope = _loss(theta, values, meant, weight)
    odds = np.column_stack([values @ theta.reshape(3, 5)[:, 1:].T + theta.reshape(3, 5)[:, 0], np.zeros(30)])
    said = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    plain = -(weight * np.log(said[np.arange(30), kind])).sum()
    assert loss == pytest.approx(plain + 5e-4 * (theta.reshape(3, 5)[:, 1:] ** 2).sum())
    for at in range(15):
        step = 1e-6 * (np.arange(15) == at)
        ahead, behind = (_loss(theta + sign * step, values, meant, weight)[0] for sign in (1, -1))
        assert (ahead - behind) / 2e-6 == pytest.approx(slope[at], abs=1e-6)


def test_one_sign_is_enough_and_the_share_is_found() -> None:
    signals, wrong = mixed(0.05)
    found = join_kinds(signals)
    assert precision(found.wrong, wrong) > 0.85
    assert precision(found.wrong, wrong) > precision(join(signals).wrong, wrong)
    assert 0.03 < found.rate < 0.08
    assert min(found.weights.values()) > 0.5


def test_what_is_known_besides_is_added() -> None:
    signals, _ = mixed(0.05, added=True)
    assert join_kinds(signals).wrong[1000:].max() < 1e-6


def test_a_signal_never_speaks_for_an_answer() -> None:
    signals, _ = mixed(0.05)
    signals.flipped[:, 1] -= 10
    assert join_kinds(signals).weights["two"] == 0


def test_what_annotators_said_is_where_each_part_begins() -> None:
    signals, _ = mixed(0.05)
    half = np.where(np.arange(len(signals.row)) < len(signals.row) // 2, 0.4, 0.001)
    before, after = join_kinds(signals), join_kinds(replace(signals, prior=half))
    first = half == 0.4
    assert (after.wrong[first] >= before.wrong[first] - 1e-9).mean() > 0.95
    assert after.wrong[~first].mean() < before.wrong[~first].mean()
    assert np.allclose(join_kinds(replace(signals, prior=np.full(len(half), np.nan))).wrong, before.wrong)

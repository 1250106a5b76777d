"""Recalibrating: little evidence leaves the scores alone, much of it replaces them where it was found."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.reviewed import recalibrate
from pipeline.quality.reviewed.recalibrating import _NODES, nodes

NOTHING = np.zeros(0)
PROBES = np.array([0.02, 0.1, 0.5, 0.9])


def test_with_nothing_judged_a_score_means_what_it_says() -> None:
    model = recalibrate(NOTHING, NOTHING.astype(bool), NOTHING, seed=1)
    assert model.middle(PROBES) == pytest.approx(PROBES, rel=0.15)
    low, high = np.quantile(model.sums(np.full(100, 0.02)), [0.025, 0.975])
    assert low < 0.8
    assert high > 8  # but it may be far off


def test_much_evidence_moves_scores_to_what_was_found() -> None:
    scores, wrong = np.full(1000, 0.5), np.arange(1000) < 100
    model = recalibrate(scores, wrong, np.ones(1000), seed=1)
    assert model.middle(np.array([0.5]))[0] == pytest.approx(0.1, abs=0.02)
    assert model.middle(np.array([0.2]))[0] < 0.1  # those near go with it
    few = recalibrate(scores[:5], wrong[-5:], np.ones(5), seed=1)
    assert 0.1 < few.middle(np.array([0.5]))[0] < 0.4


def test_far_from_what_was_judged_it_stays_unsure() -> None:
    model = recalibrate(np.full(400, 0.8), np.arange(400) < 320, np.ones(400), seed=1)
    near, far = (
        np.quantile(model.sums(np.array([share])), 0.975) / np.quantile(model.sums(np.array([share])), 0.025)
        for share in (0.8, 0.01)
    )
    assert near < 1.3
    assert far > 4


def test_lines_that_count_for_less_move_less() -> None:
    scores, wrong = np.full(40, 0.5), np.zeros(40, dtype=bool)
    whole = recalibrate(scores, wrong, np.ones(40), seed=1).middle(np.array([0.5]))[0]
    as_one = recalibrate(scores, wrong, np.full(40, 1 / 40), seed=1).middle(np.array([0.5]))[0]
    assert whole < 0.1
    assert 0.25 < as_one < 0.5


@pytest.mark.parametrize("outcome", [True, False])
def test_all_wrong_and_none_wrong_can_be_fitted(outcome: bool) -> None:
    scores = np.linspace(0.001, 0.999, 5000)
    model = recalibrate(scores, np.full(5000, outcome), np.ones(5000), seed=1)
    assert np.isfinite(model.shares).all()
    assert (model.middle(PROBES) > 0.9).all() == outcome


def test_the_seed_and_the_lines_decide_and_their_order_does_not() -> None:
    chance = np.random.default_rng(1)
    scores, wrong = chance.random(50), chance.random(50) < 0.5
    one = recalibrate(scores, wrong, np.ones(50), seed=1)
    other = recalibrate(scores[::-1], wrong[::-1], np.ones(50), seed=1)
    assert (one.shares == other.shares).all()
    assert (recalibrate(scores, wrong, np.ones(50), seed=2).shares != one.shares).any()


def test_lines_of_another_kind_may_be_off_besides() -> None:
    model = recalibrate(np.full(500, 0.1), np.arange(500) < 50, np.ones(500), seed=1)
    apart = model.apart(1.0, seed=1)
    probe = np.array([0.1])
    assert apart.middle(probe) == pytest.approx(model.middle(probe), rel=0.15)
    low, high = np.quantile(apart.sums(probe), [0.025, 0.975])
    assert low < 0.04
    assert high > 0.3
    assert (model.apart(0.0, seed=1).shares == pytest.approx(model.shares)) is True


def test_scores_at_the_ends_have_a_place() -> None:
    assert nodes(np.array([0.0, 1.0])).tolist() == [0, len(_NODES) - 1]
    counts = np.array([3.0, 2.0])
    model = recalibrate(NOTHING, NOTHING.astype(bool), NOTHING, seed=1)
    assert model.sums(np.array([0.5, 0.1]), counts) == pytest.approx(model.sums(np.array([0.5] * 3 + [0.1] * 2)))

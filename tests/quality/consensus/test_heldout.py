"""Held-out ballots are dealt evenly, whatever the order, and good foresight gets the weight."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.consensus import heldout
from pipeline.quality.consensus.heldout import FOLDS, Held, clustered, folds_of, held_out, stacked
from pipeline.quality.consensus.majority import fit_alike
from pipeline.quality.consensus.one_coin import fit_coin
from tests.quality.consensus.crowds import ballots_of, crowd


def test_no_fold_takes_all_the_ballots_of_a_unit_or_of_an_annotator() -> None:
    ballots, _ = crowd([0.9] * 4, rows=200, each=3)
    fold = folds_of(ballots)
    assert np.bincount(fold).tolist() == pytest.approx([120] * FOLDS, abs=20)
    for unit in range(ballots.units):
        assert len(set(fold[ballots.unit == unit])) == 3
    for who in range(4):
        assert np.bincount(fold[ballots.annotator == who], minlength=FOLDS).min() > 15


def test_units_that_say_the_same_take_turns() -> None:
    ballots = ballots_of([(row, who, "x") for row in range(50) for who in "ab"])
    fold = folds_of(ballots)
    assert np.bincount(fold[ballots.annotator == 0], minlength=FOLDS).tolist() == [10] * FOLDS


def test_a_ballot_alone_on_its_unit_is_not_held_out() -> None:
    assert folds_of(ballots_of([(0, "a", "x"), (1, "a", "x"), (1, "b", "y")])).tolist()[0] == -1


def test_another_seed_deals_otherwise() -> None:
    ballots, _ = crowd([0.9] * 4, rows=50)
    assert folds_of(ballots, seed=1).tolist() == folds_of(ballots, seed=1).tolist()
    assert folds_of(ballots, seed=1).tolist() != folds_of(ballots, seed=2).tolist()


def test_what_is_foretold_is_not_seen() -> None:
    """Labels that are pure chance cannot be foretold: a ballot seen in training would look likelier than chance."""
    ballots, _ = crowd([0.5] * 8, rows=300, classes=2, each=4)
    held = held_out(ballots, {"majority": fit_alike, "one-coin": fit_coin})
    assert held.ballots == len(ballots)
    assert np.log(held.likelihood).mean(axis=0).max() < np.log(0.5) + 0.005


def test_of_many_ballots_whole_units_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heldout, "MOST_BALLOTS", 100)
    ballots, _ = crowd([0.9] * 4, rows=200, each=3)
    held = held_out(ballots, {"majority": fit_alike})
    assert held.ballots == pytest.approx(100, abs=6)
    assert held.ballots % 3 == 0


def test_known_units_are_scored_as_if_they_were_not_known() -> None:
    ballots, truth = crowd([0.9] * 4, rows=100, each=3)
    known = np.where(np.arange(100) < 40, truth, -1)
    held = held_out(ballots, {"majority": fit_alike}, known=known)
    assert len(held.likelihood) == held.ballots + 40
    assert held.weight[held.ballots :].tolist() == [3.0] * 40
    assert held.likelihood[held.ballots :].min() < 0.9


def test_the_weight_goes_to_who_foretells_better() -> None:
    likelihood = np.array([[0.9, 0.5]] * 90 + [[0.2, 0.5]] * 10)
    held = Held(likelihood, np.arange(100), np.ones(100), 100)
    weights = stacked(held, prior=np.array([1e-3, 1e-3]))
    tried = np.linspace(0, 1, 1001)
    best = tried[np.argmax([np.log(likelihood @ [each, 1 - each]).sum() for each in tried])]
    assert weights.sum() == pytest.approx(1)
    assert weights[0] == pytest.approx(best, abs=0.002)


def test_ballots_on_one_unit_count_as_one_for_the_error() -> None:
    values = np.repeat([1.0, 3.0, 2.0, 6.0], 5)
    many = clustered(values, Held(np.ones((20, 1)), np.repeat(np.arange(4), 5), np.ones(20), 20))
    few = clustered(values[::5], Held(np.ones((4, 1)), np.arange(4), np.ones(4), 4))
    assert many == pytest.approx(few)

"""A model's opinion: a strong one helps, a weak one a little, a useless or boastful one does no harm."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import AssayError
from pipeline.quality.consensus import choose, with_model
from tests.quality.consensus.crowds import ballots_of, crowd, right

BALLOTS, TRUTH = crowd([0.6] * 20, rows=500, each=3, seed=9)
CHOICE = choose(BALLOTS)


def says(accuracy: float, boast: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Probabilities of a model that is right as often as `accuracy` beyond chance, and says so with `boast`."""
    chance = np.random.Generator(np.random.PCG64(7))
    guess = np.where(chance.random(len(TRUTH)) < accuracy, TRUTH, chance.integers(3, size=len(TRUTH)))
    shares = np.full((len(TRUTH), 3), (1 - boast) / 2)
    shares[np.arange(len(TRUTH)), guess] = boast
    return shares


def test_a_strong_model_helps() -> None:
    found = with_model(BALLOTS, CHOICE, says(0.8, 0.85))
    assert found.power >= 0.5
    assert found.gain > 2 * found.error
    assert right(found.truth.label, TRUTH) > right(CHOICE.truth.label, TRUTH) + 0.08
    assert found.changed == int((found.truth.label != CHOICE.truth.label).sum())
    assert found.truth.method == "blend+model"


def test_a_boastful_model_is_believed_less() -> None:
    modest, boastful = (with_model(BALLOTS, CHOICE, says(0.5, boast)) for boast in (0.65, 0.9999))
    assert boastful.power < modest.power
    assert right(boastful.truth.label, TRUTH) > right(CHOICE.truth.label, TRUTH)


@pytest.mark.parametrize("boast", [0.4, 0.9, 1.0])
def test_a_useless_model_is_not_used(boast: float) -> None:
    found = with_model(BALLOTS, CHOICE, says(0.0, boast))
    assert found.power == 0
    assert found.truth is CHOICE.truth
    assert "was not used" in found.why


def test_known_units_and_units_without_an_opinion_stay() -> None:
    known = np.where(np.arange(500) < 20, (TRUTH + 1) % 3, -1)
    shares = says(0.8, 0.9)
    shares[20:40] = np.nan
    choice = choose(BALLOTS, known=known)
    found = with_model(BALLOTS, choice, shares, known=known)
    assert found.power > 0
    assert found.truth.label[:20].tolist() == known[:20].tolist()
    assert found.truth.label[20:40].tolist() == choice.truth.label[20:40].tolist()


def test_where_the_ballots_cannot_tell_the_model_is_left_out() -> None:
    ballots = ballots_of([(0, "a", "x"), (1, "a", "y")])
    found = with_model(ballots, choose(ballots), np.full((2, 2), 0.5))
    assert "cannot tell" in found.why


@pytest.mark.parametrize("shares", [np.ones((2, 2)), np.full((500, 3), -1.0), np.full((500, 3), np.inf)])
def test_probabilities_that_are_none_are_refused(shares: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    with pytest.raises(AssayError, match="share, or nan"):
        with_model(BALLOTS, CHOICE, shares)

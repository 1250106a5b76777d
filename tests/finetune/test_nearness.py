"""How near probabilities come to shares, against sums by hand and by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from pipeline.finetune import nearness

SHARES = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.2, 0.0, 0.8]])
SAID = np.array([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


def test_they_are_those_of_scipy() -> None:
    found = nearness.measures(SHARES, SAID, several=False)
    crossed = entropy(SHARES[:2], axis=1) + entropy(SHARES[:2], SAID[:2], axis=1)
    assert found["cross_entropy"][:2] == pytest.approx(crossed)
    assert found["jensen_shannon"] == pytest.approx(jensenshannon(SHARES.T, SAID.T, base=2) ** 2)
    assert found["brier"] == pytest.approx([0.09 + 0.0025 + 0.0625, 0, 1.28])


def test_what_was_said_to_be_impossible_costs_much_but_not_everything() -> None:
    found = nearness.measures(SHARES, SAID, several=False)
    assert found["cross_entropy"][2] == pytest.approx(-0.8 * np.log(nearness.LEAST))
    assert np.isfinite(found["cross_entropy"]).all()


def test_nothing_is_nearer_than_the_shares_themselves() -> None:
    own = nearness.measures(SHARES, SHARES, several=False)
    other = nearness.measures(SHARES, SAID, several=False)
    assert (own["cross_entropy"] <= other["cross_entropy"]).all()
    assert own["cross_entropy"] == pytest.approx(entropy(SHARES, axis=1))
    assert own["jensen_shannon"].tolist() == [0, 0, 0]


def test_several_labels_are_a_question_each() -> None:
    shares, said = np.array([[0.25, 1.0]]), np.array([[0.5, 0.8]])
    found = nearness.measures(shares, said, several=True)
    assert found["cross_entropy"] == pytest.approx([(-np.log(0.5) - np.log(0.8)) / 2])
    assert found["brier"] == pytest.approx([(2 * 0.25**2 + 2 * 0.2**2) / 2])

"""Beliefs leave a ballot's own evidence out, with whole confusions and with one accuracy each."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.annotators import beliefs as module
from pipeline.quality.annotators.beliefs import Beliefs, beliefs_of, cells_of
from pipeline.quality.ballots import Ballots, ballots_from
from tests.quality.annotators.crowds import crowd, told


def believed(ballots: Ballots) -> Beliefs:
    truth = told(ballots)
    return beliefs_of(ballots, cells_of(ballots), label=truth.label, posterior=truth.posterior, shares=None)


@pytest.fixture(params=["whole", "coin"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "coin":
        monkeypatch.setattr(module, "MOST_DENSE", 0)
    return str(request.param)


def test_own_ballot_does_not_speak_for_itself(kind: str) -> None:
    votes = [("a", "x"), ("b", "y"), ("c", "y"), ("d", "y")]
    rows = [row for row in range(20) for _ in votes]
    ballots = ballots_from(rows, [""] * 80, [name for name, _ in votes] * 20, [label for _, label in votes] * 20)
    found = believed(ballots)
    lonely = ballots.annotator == 0
    assert (found.best[lonely] == 1).all()
    assert (found.given[lonely] < 0.2).all()
    # b sees a against c and d, who agree with nearly everything.
    assert (found.best[~lonely] == 1).all()


def test_nobody_else_is_no_evidence(kind: str) -> None:
    found = believed(ballots_from([0, 1], ["", ""], ["a", "b"], ["x", "y"]))
    assert found.given == pytest.approx([0.5, 0.5], abs=0.01)


def test_coin_is_the_sum_over_all_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DENSE", 0)
    ballots = crowd(1, items=60, votes=5)
    cells, found = cells_of(ballots), believed(ballots)
    model = found._model
    assert isinstance(model, module._Coin)
    for at in range(0, len(ballots), 17):
        odds = np.zeros(len(ballots.labels))
        for other in np.flatnonzero(ballots.unit == ballots.unit[at]):
            if other != at:
                odds[ballots.label[other]] += model.weight[other]
        shares = np.exp(odds) / np.exp(odds).sum()
        assert found.given[at] == pytest.approx(shares[ballots.label[at]])
        assert found.sure[at] == pytest.approx(shares.max())
        same_unit = np.flatnonzero(ballots.unit == ballots.unit[at])
        _, _, true = found.predicted(np.full(len(same_unit), at), same_unit)
        assert true == pytest.approx(shares[ballots.label[same_unit]])
    assert cells.count.sum() == len(ballots)


def test_thousands_of_labels_take_no_matrix() -> None:
    labels = [f"reply {at}" for at in range(30_000)]
    ballots = ballots_from(np.repeat(np.arange(15_000), 2), [""] * 30_000, ["a", "b"] * 15_000, labels)
    found = believed(ballots)
    assert (found.given < 0.01).all()
    assert np.isfinite(found.sure).all()

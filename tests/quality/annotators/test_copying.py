"""Copyists are found, honest pairs are not accused, with whole confusions and with one accuracy each."""

from __future__ import annotations

import pytest

from pipeline.quality.annotators import beliefs as module
from pipeline.quality.annotators.copying import Copies, copies
from pipeline.quality.annotators.judged import judge
from pipeline.quality.ballots import Ballots, ballots_from
from tests.quality.annotators.crowds import crowd, told


def copies_of(ballots: Ballots) -> Copies:
    truth = told(ballots)
    _, cells, beliefs = judge(ballots, truth.label, truth.posterior)
    return copies(ballots, cells, beliefs)


@pytest.fixture(params=["whole", "coin"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "coin":
        monkeypatch.setattr(module, "MOST_DENSE", 0)
    return str(request.param)


def test_copyists_are_found_with_their_evidence(kind: str) -> None:
    found = copies_of(crowd(1, votes=10, copy=2))
    assert sorted(zip(found.one.tolist(), found.other.tolist(), strict=True)) == [(0, 19), (1, 18)]
    assert (found.same > found.expected).all()
    assert (found.odd > 2 * found.odd_expected).all()
    assert all(len(rows) for rows in found.rows)
    assert found.tested == 190


def test_honest_pairs_are_not_accused(kind: str) -> None:
    """Hard units lure everybody to one same error, and skills differ: agreement on errors, but no copying."""
    accused = sum(len(copies_of(crowd(seed, items=200, votes=8, hard=0.4)).one) for seed in range(8))
    assert accused == 0


def test_blind_and_lined_pairs_are_not_copies(kind: str) -> None:
    """Two who always give the same label agree on everything, which their habit explains."""
    assert not len(copies_of(crowd(3, items=500, blind=3, lined=3)).one)


def test_nothing_in_common_is_nothing() -> None:
    found = copies_of(ballots_from([0, 1, 2], [""] * 3, ["a", "b", None], ["x", "y", "x"]))
    assert (len(found.one), found.tested) == (0, 0)

"""Dawid-Skene finds the truth that was planted, tells ties, and is never nan."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import AssayError
from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.quality.consensus import Truth, dawid_skene, majority, table
from tests.quality.consensus.crowds import ballots_of, planted


def right(ballots: Ballots, found: Truth, truth: list[str]) -> float:
    return float(
        np.mean([ballots.labels[label] == truth[row] for label, row in zip(found.label, ballots.unit_row, strict=True)])
    )


def test_skilled_annotators_outweigh_a_guessing_majority() -> None:
    ballots, truth = planted(rows=600)
    assert right(ballots, majority(ballots), truth) < 0.85
    assert right(ballots, dawid_skene(ballots), truth) > 0.94


def test_anonymous_annotators_share_one_confusion() -> None:
    ballots, truth = planted(rows=300, anonymous=True)
    found = dawid_skene(ballots)
    assert right(ballots, found, truth) >= right(ballots, majority(ballots), truth)


def test_strangers_who_err_alike_are_not_certain_of_a_split_vote() -> None:
    """Units on which votes go together (all agree, or split evenly) show that ballots are not independent."""
    draw = np.random.Generator(np.random.PCG64(5))
    rows, labels = [], []
    for unit in range(300):
        clear = unit % 3 > 0
        share = (0.97 if unit % 2 else 0.03) if clear else draw.uniform(0.3, 0.7)
        rows += [unit] * 20
        labels += ["b" if vote < share else "a" for vote in draw.random(20)]
    rows += [300] * 24
    labels += ["a"] * 12 + ["b"] * 12
    truth = dawid_skene(ballots_from(rows, [""] * len(rows), [None] * len(rows), labels))
    assert truth.posterior[300] < 0.75
    assert np.mean(truth.posterior[[unit for unit in range(300) if unit % 3]]) > 0.9


def test_a_single_ballot_is_not_certain() -> None:
    votes = [(row, name, "x" if (row + at) % 4 else "y") for row in range(40) for at, name in enumerate("abc")]
    found = dawid_skene(ballots_of([*votes, (40, "new", "x")]))
    assert found.votes[40] == 1
    assert 0.5 < found.posterior[40] < 0.99


def test_even_votes_of_the_unknown_are_a_tie_for_the_lowest_label() -> None:
    found = dawid_skene(ballots_of([(0, None, "y"), (0, None, "x")]))
    assert (found.label.tolist(), found.tie.tolist()) == ([0], [True])


def test_confusions_known_beforehand_decide_for_strangers() -> None:
    ballots = ballots_of([(0, None, "y"), (0, None, "y"), (1, None, "x")])
    # Whoever sees x says y nearly always; nobody who sees y says so.
    found = dawid_skene(ballots, pooled=np.array([[0.1, 0.9], [0.9, 0.1]]))
    assert [ballots.labels[label] for label in found.label] == ["x", "y"]


def test_no_ballots_are_no_units() -> None:
    assert len(dawid_skene(ballots_of([])).label) == len(majority(ballots_of([])).label) == 0


def test_too_many_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_CELLS", 10)
    with pytest.raises(AssayError, match="use majority"):
        dawid_skene(planted(rows=10)[0])


def test_a_known_unit_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AssayError, match="known labels"):
        dawid_skene(ballots_of([(0, "a", "x"), (0, "b", "y")]), known=np.array([7]))

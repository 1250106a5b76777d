"""The vote and the election: ballots of every task, gold answers, and what is won by which method."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.electing import UNMEASURED, elect, helped, with_open_ties, with_sole_answers
from pipeline.errors import AssayError
from pipeline.quality.ballots import ballots_from
from pipeline.quality.consensus import Truth
from pipeline.settings import AuditSettings, Guideline, Label
from pipeline.tasks import task
from pipeline.voting import Poll

if TYPE_CHECKING:
    from pipeline.electing import Election
    from pipeline.tasks import Task

LABELS = task("classification", Guideline())
CHAT = task("chat", Guideline())
STEPS = task("classification", Guideline(ordered=True, label=tuple(Label(name=name) for name in "abc")))
NUMBERS = task("rating", Guideline(low=0, high=10))
Votes = list[tuple[int, str | None, str]]


def polled(votes: Votes, known: dict[int, str] | None = None) -> Poll:
    rows, who, said = [row for row, _, _ in votes], [one for _, one, _ in votes], [label for _, _, label in votes]
    ballots = ballots_from(rows, [""] * len(votes), who, said, known_labels=sorted(set((known or {}).values())))
    gold = [ballots.labels.index((known or {})[row]) if row in (known or {}) else -1 for row in ballots.unit_row]
    return Poll(ballots, np.array(gold, dtype=np.int64))


def elected(votes: Votes, own: Task = LABELS, known: dict[int, str] | None = None, **more: Any) -> Election:
    return elect(polled(votes, known), own, AuditSettings.model_validate(more))


def won(election: Election) -> list[str]:
    return columns(election)["label"]


def columns(election: Election) -> dict[str, list[Any]]:
    """What became of every vote, and of every unit all shares by their labels."""
    told, (unit, label, share) = election.columns(0, len(election.truth.label))
    found = {name: column.to_pylist() for name, column in zip(("unit", "label", "posterior", "tie"), told, strict=True)}
    shares: list[dict[str, float]] = [{} for _ in found["label"]]
    for at, name, value in zip(unit.tolist(), label.to_pylist(), share.to_pylist(), strict=True):
        shares[at][name] = value
    return found | {"shares": shares}


@given(
    st.lists(st.tuples(st.sampled_from(["p", "q", None]), st.sampled_from("xyz")), min_size=1, max_size=30),
    st.sampled_from(["majority", "dawid-skene", "auto"]),
    st.sampled_from([LABELS, CHAT]),
)
def test_where_nobody_answered_the_same_nothing_is_measured_and_every_answer_stands(
    votes: list[tuple[str | None, str]], method: str, own: Task
) -> None:
    election = elected([(row, who, said) for row, (who, said) in enumerate(votes)], own, consensus=method)
    assert not election.measured
    assert election.told["note"] == UNMEASURED
    assert won(election) == [said for _, said in votes]


def test_one_row_that_was_answered_twice_is_a_measure() -> None:
    assert elected([(0, "p", "x"), (1, "p", "x"), (1, "q", "x")]).measured


def test_shares_are_told_with_every_vote() -> None:
    votes: Votes = [(row, who, "x" if (row + ord(who)) % 5 else "y") for row in range(40) for who in "abc"]
    told = columns(elected(votes))
    assert len(told["shares"]) == 40
    for label, posterior, shares in zip(told["label"], told["posterior"], told["shares"], strict=True):
        assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
        assert shares[label] == pytest.approx(posterior)


def test_units_in_the_middle_are_told_as_among_all() -> None:
    election = elected([(row, who, "x" if (row + ord(who)) % 5 else "y") for row in range(40) for who in "abc"])
    some, (unit, _, _) = election.columns(10, 15)
    assert some[2].to_pylist() == columns(election)["posterior"][10:15]
    assert set(unit.tolist()) == {10, 11, 12, 13, 14}


def test_texts_are_no_closed_set() -> None:
    election = elected([(0, "p", "x"), (0, "q", "x"), (0, "r", "y")], CHAT)
    assert (won(election), election.truth.method) == (["x"], "majority")
    assert "no closed set" in election.told["note"]


def test_gold_decides_its_unit_and_who_is_believed_elsewhere() -> None:
    """Three of five are wrong in half of the rows, alike; gold on some shows whom to believe."""
    truth = ["x" if row % 2 else "y" for row in range(60)]
    votes: Votes = [(row, who, truth[row]) for row in range(60) for who in "ab"]
    votes += [(row, who, "x") for row in range(60) for who in "cde"]
    gold = {row: truth[row] for row in range(20)}
    assert won(elected(votes, known=gold)) == truth
    assert won(elected(votes, consensus="majority"))[0] == "x"


def test_ranks_are_settled_in_their_order() -> None:
    votes: Votes = [(row, who, "abc"[(row + at) % 3]) for row in range(30) for at, who in enumerate(("p", "q", "r"))]
    assert set(won(elected(votes, STEPS))) == {"b"}  # each row has all three: the middle errs least


def test_numbers_become_one_that_nobody_need_have_given() -> None:
    votes: Votes = [(row, who, str(row + off)) for row in range(8) for who, off in (("p", 0), ("q", 1))]
    election = elected(votes, NUMBERS)
    assert [float(label) for label in won(election)] == pytest.approx([row + 0.5 for row in range(8)], abs=0.3)
    assert election.truth.method == "ratings"
    with pytest.raises(AssayError, match="these are numbers"):
        elected(votes, NUMBERS, consensus="one-coin")


@pytest.mark.parametrize("knows", [True, False])
def test_a_model_is_believed_as_far_as_it_foretells_the_answers(knows: bool) -> None:
    chance = np.random.Generator(np.random.PCG64(5))
    truth = chance.integers(0, 2, 400)
    right = chance.random((400, 3)) < 0.65
    votes: Votes = [
        (row, "pqr"[who], "xy"[truth[row] if right[row, who] else 1 - truth[row]])
        for row in range(400)
        for who in range(3)
    ]
    poll, settings = polled(votes), AuditSettings()
    before = elect(poll, LABELS, settings)
    said = truth if knows else chance.integers(0, 2, 400)
    opinion = np.where(said[:, None] == np.arange(2), 0.9, 0.1)
    after = helped(before, poll, LABELS, opinion, settings)
    gain = float((after.truth.label == truth).mean() - (before.truth.label == truth).mean())
    assert (gain > 0.1) if knows else (gain == 0)
    assert after.told["model"]


def test_the_report_of_an_election_is_plain() -> None:
    votes: Votes = [(row, who, "x" if row % 3 else "y") for row in range(20) for who in "abc"]
    told = elected(votes).told
    assert json.loads(json.dumps(told)) == told
    assert {one["method"] for one in told["methods"]} >= {"majority", "dawid-skene"}


def test_a_few_answers_are_settled_by_the_vote_alone() -> None:
    votes: Votes = [(0, "p", "bad"), (0, "q", "bad"), (1, "p", "bad"), (1, "q", "good")]
    election = elected(votes, known={1: "good"})
    assert won(election)[0] == "bad"
    assert "too few" in election.told["note"]


def test_gold_that_contradicts_everybody_does_not_rename_the_labels() -> None:
    chance = np.random.Generator(np.random.PCG64(1))
    truth = chance.integers(0, 2, 400)
    right = chance.random((400, 3)) < 0.9
    votes: Votes = [
        (row, who, "xy"[truth[row] if right[row, at] else 1 - truth[row]])
        for row in range(400)
        for at, who in enumerate("pqr")
    ]
    gold = {row: "xy"[1 - truth[row]] for row in range(20)}
    settled = won(elected(votes, known=gold))[20:]
    assert np.mean([label == "xy"[own] for label, own in zip(settled, truth[20:], strict=True)]) > 0.9


@pytest.mark.parametrize(
    ("shares", "split", "tied"),
    [([0.52, 0.48], True, True), ([0.9, 0.1], True, False), ([0.52, 0.48], False, False), ([0.5, 0.3], True, False)],
)
def test_a_tied_vote_is_open_unless_a_label_is_clearly_ahead(shares: list[float], split: bool, tied: bool) -> None:
    one, votes = np.zeros(1, dtype=np.int64), np.full(1, 2)
    plain = Truth(one, np.array([0.5]), np.array([split]), votes, "majority")
    blend = Truth(one, np.array(shares[:1]), np.array([False]), votes, "blend", shares=np.array([shares]))
    assert with_open_ties(blend, plain).tie.tolist() == [tied]


def test_numbers_on_which_all_agree_are_certain() -> None:
    same: Votes = [(row, who, "3") for row in range(12) for who in "pqr"]
    assert columns(elected(same, NUMBERS))["posterior"] == pytest.approx([1] * 12, abs=1e-4)
    apart: Votes = [(row, who, said) for row in range(12) for who, said in (("p", "1"), ("q", "9"))]
    assert max(columns(elected(apart, NUMBERS))["posterior"]) < 0.7


def test_nobody_who_answered_alone_is_overruled() -> None:
    votes, untied = np.array([1, 3]), np.zeros(2, dtype=bool)
    plain = Truth(np.array([0, 0]), np.array([1.0, 0.6]), untied, votes, "majority")
    shares = np.array([[0.1, 0.9], [0.1, 0.9]])
    truth = Truth(np.array([1, 1]), np.array([0.9, 0.9]), untied, votes, "auto", shares=shares)
    found = with_sole_answers(truth, plain)
    assert found.label.tolist() == [0, 1]
    assert found.posterior.tolist() == [0.1, 0.9]

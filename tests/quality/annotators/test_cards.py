"""Cards: worst first, plain values, words only where the interval bears them, names never trusted."""

from __future__ import annotations

import csv
import json
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.quality.annotators import Columns, Study, cards, study
from pipeline.quality.ballots import Ballots, ballots_from
from tests.conftest import DATA
from tests.quality.annotators.crowds import crowd, told

CROWDS = DATA / "crowd_labels"
VERDICTS = {
    "below the others",
    "above the others",
    "like the others",
    "too few answers to say",
    "too few annotators to rank",
}
VOTES = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([None, "a", "b", "c", "d"]), st.sampled_from("xyz")), max_size=40
)


def studied(ballots: Ballots, columns: Columns | None = None, **options: Any) -> Study:
    return study(ballots, told(ballots), columns, **options)


def plain(value: object) -> bool:
    """Whether JSON holds the value as it is, with no number that is not one."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    return value is None or type(value) in {bool, int, str} or (type(value) is float and bool(np.isfinite(value)))


def test_worst_come_first_with_their_reasons() -> None:
    ballots = crowd(1, items=1000, blind=2, lined=1, copy=2, votes=8)
    found = studied(ballots)
    names = [card.name for card in found.cards]
    assert set(names[:3]) == {"p02", "p03", "p04"}
    card = {each.name: each for each in found.cards}
    assert [card[name].verdict for name in ("p02", "p03", "p04")] == ["below the others"] * 3
    assert "at random" in card["p02"].reasons[0]
    assert "always the same label: 'a'" in card["p04"].reasons[0]
    # Those two are good: it is told, and not held against them.
    assert "answers as 'p19' does" in card["p00"].reasons[0]
    assert card["p00"].reasons[0].endswith("the two are right and the rest wrong")
    assert not any(each.suspect for each in found.cards[3:])
    assert found.notes[1].startswith("3 may have answered")
    assert found.notes[-1] == "190 pairs tested for copying, 2 named"


def test_copyists_of_no_special_skill_are_suspects() -> None:
    found = studied(crowd(4, items=500, copy=1, votes=10, skill=(0.7, 0.75)))
    assert {card.name for card in found.cards if card.suspect} == {"p00", "p19"}


def test_everything_is_plain_and_counted() -> None:
    ballots = crowd(2, items=100, late=1)
    columns = Columns(
        seconds=np.arange(600, dtype=np.float64) * 7,
        batch=np.arange(600) // 100,
        known=np.where(np.arange(100) < 10, 0, -1),
        batch_names=tuple("uvwxyz"),
        row_names=tuple(f"row {at}" for at in range(100)),
    )
    found = studied(ballots, columns, most=5)
    as_json = found.to_json()
    assert plain(as_json)
    assert json.loads(json.dumps(as_json, allow_nan=False)) == as_json
    assert (as_json["annotators"], as_json["without_card"], len(as_json["cards"])) == (20, 15, 5)
    assert found.notes[-1] == "cards of the 5 worst of 20 annotators"
    for card in as_json["cards"]:
        assert card["gold"]["asked"] >= card["gold"]["right"]
        assert card["speed"]["gaps"] > 0
        assert sum(each["count"] for each in card["drift"]["batches"]) == card["judged"]
        assert 0 <= card["disagreements_contested"] <= card["disagreements"] <= card["judged"]


@given(VOTES)
@settings(max_examples=60, deadline=None)
def test_any_ballots_give_cards(votes: list[tuple[int, str | None, str]]) -> None:
    ballots = ballots_from([v[0] for v in votes], [""] * len(votes), [v[1] for v in votes], [v[2] for v in votes])
    found = studied(
        ballots, Columns(values=np.arange(len(ballots.labels), dtype=np.float64)) if len(votes) % 2 else None
    )
    assert plain(found.to_json())
    assert [card.name for card in found.cards] != [] or all(v[1] is None for v in votes)
    assert Counter(v[1] for v in votes if v[1]).keys() == {card.name for card in found.cards}
    assert {card.verdict for card in found.cards} <= VERDICTS


def test_order_of_ballots_does_not_matter() -> None:
    ballots = crowd(3, items=80, lined=1)
    order = np.random.default_rng(0).permutation(len(ballots))
    again = ballots_from(
        ballots.row[order],
        [""] * len(order),
        [ballots.annotators[at] for at in ballots.annotator[order]],
        [ballots.labels[at] for at in ballots.label[order]],
        origin=ballots.origin[order],
    )
    assert studied(ballots).to_json() == studied(again).to_json()


def test_hostile_names_stay_text() -> None:
    name = "<script>\u202e\x00{0}%s\n" + "x" * 500
    rows = np.repeat(np.arange(60), 6)
    labels = np.where(np.arange(360) % 6 == 5, "\x1b[31m'x'", ["y", "z"] * 180).tolist()
    found = studied(ballots_from(rows, [""] * 360, [*"abcde", name] * 60, labels))
    card = next(each for each in found.cards if each.name == name)
    assert card.suspect
    for reason in (*card.reasons, *(reason for each in found.cards for reason in each.reasons)):
        assert reason.isprintable()
        assert len(reason) < 600


def test_speed_alone_is_no_evidence() -> None:
    """p00 answers blindly and fast, p19 well and fast: only p00 is told of it."""
    ballots = crowd(1, items=800, blind=1)
    seconds = np.zeros(len(ballots))
    for person in range(20):
        mine = ballots.origin[ballots.annotator == person]
        seconds[np.sort(mine)] = np.arange(len(mine)) * (1.0 if person in {0, 19} else 10.0)
    card = {each.name: each for each in studied(ballots, Columns(seconds=seconds)).cards}
    assert any("quick" in reason for reason in card["p00"].reasons)
    assert not any("quick" in reason for reason in card["p19"].reasons)
    assert card["p19"].figures["speed"]["hasty"] == 1.0


def test_gold_tells_what_was_missed() -> None:
    ballots = crowd(1, items=300, classes=2, blind=1, hard=0.0)
    truth = told(ballots)
    known = np.where(np.arange(300) < 150, truth.label, -1)
    card = {each.name: each for each in studied(ballots, Columns(known=known)).cards}["p00"]
    gold = card.figures["gold"]
    assert gold["asked"] - gold["right"] == gold["missed"] >= len(gold["missed_rows"]) > 0
    assert any(reason.startswith("known answers: right in") for reason in card.reasons)


def test_nobody_to_judge() -> None:
    anonymous = ballots_from([0, 0], ["", ""], [None, None], ["x", "y"])
    assert studied(anonymous).notes == ("no ballot names its annotator: nobody can be judged",)
    alone = ballots_from([0, 1], ["", ""], ["a", "b"], ["x", "y"])
    assert studied(alone).notes == ("no unit has ballots of two people: nobody can be judged by the others",)
    assert [card.verdict for card in cards(alone, told(alone))] == ["too few annotators to rank"] * 2


def test_columns_must_fit() -> None:
    ballots = crowd(1, items=10)
    with pytest.raises(AssayError, match="known has 3 entries for 10"):
        studied(ballots, Columns(known=np.zeros(3, dtype=np.int64)))


@pytest.mark.realdata
@pytest.mark.skipif(not CROWDS.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder")
@pytest.mark.parametrize(("name", "least"), [("bluebird", 0.9), ("d_sentiment", 0.9), ("rte", 0.85), ("web", 0.85)])
def test_real_crowds_are_ranked_by_their_real_accuracy(name: str, least: float) -> None:
    """With the truth known: skill goes with it, who is called below is below, who is called a spammer is poor."""
    with (CROWDS / name / "label.csv").open() as one, (CROWDS / name / "truth.csv").open() as other:
        votes, known = list(csv.DictReader(one)), {row["item"]: row["truth"] for row in csv.DictReader(other)}
    items = {item: at for at, item in enumerate(sorted({vote["item"] for vote in votes}))}
    rows = [items[vote["item"]] for vote in votes]
    ballots = ballots_from(
        rows, [""] * len(votes), [vote["worker"] for vote in votes], [vote["label"] for vote in votes]
    )
    asked: Counter[str] = Counter(vote["worker"] for vote in votes if vote["item"] in known)
    right: Counter[str] = Counter(vote["worker"] for vote in votes if known.get(vote["item"]) == vote["label"])
    from pipeline.quality.consensus import dawid_skene

    found = [card for card in study(ballots, dawid_skene(ballots)).cards if asked[card.name] >= 10]
    real = {card.name: right[card.name] / asked[card.name] for card in found}
    skill = [card.figures["accuracy"]["value"] for card in found]
    assert np.corrcoef(skill, [real[card.name] for card in found])[0, 1] > least
    overall = sum(right.values()) / sum(asked.values())
    below, above = ([real[c.name] for c in found if c.verdict == f"{side} the others"] for side in ("below", "above"))
    assert max(below) < min(float(np.mean(above)), overall + 0.06)
    assert all(real[card.name] < overall for card in found if card.suspect)


def test_cards_are_in_order() -> None:
    found = studied(crowd(5, items=300, skill=(0.5, 0.95), blind=2)).cards
    keys = [(not card.suspect, card.figures["beside_others"]["high"]) for card in found]
    assert all(one <= other for one, other in pairwise(keys))

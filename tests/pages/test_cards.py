"""A card: skill in words and on an axis that all share, what is not held against anybody, and nothing for free text."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.pages.blocks import Card, Fold, Points
from pipeline.pages.cards import MARKS, Scale, card
from tests.pages import stages


def _card(*, is_text: bool = False, **told: Any) -> Card:
    one = stages.a_card("ana", **told)
    return card(one, 0, Scale.over([one], in_points=one["scale"] is None), is_text=is_text)


def test_skill_in_words() -> None:
    assert _card().said == "30.0 points fewer right than the others on the same items [95 %: −40.0 to −20.0]."
    assert "0.30 typical distances nearer" in _card(scale={"bias": {}}, beside_others={"value": 0.3}).said


def test_who_shares_nothing_is_not_judged() -> None:
    made = _card(beside_others={"value": None, "low": None, "high": None})
    assert made.said == "Cannot be judged by the others: there are too few of them, or none shares an item."
    assert made.picture is None


@pytest.mark.parametrize(
    ("verdict", "suspect", "tone", "said"),
    [
        ("below the others", False, "warn", "below the others"),
        ("above the others", False, "pass", "above the others"),
        ("like the others", False, "", "like the others"),
        ("below the others", True, "fail", "suspicious, below the others"),
        ("too few answers to say", True, "fail", "suspicious"),
    ],
)
def test_the_verdict_is_a_word_beside_its_colour(verdict: str, suspect: bool, tone: str, said: str) -> None:
    made = _card(verdict=verdict, suspect=suspect)
    assert (made.tone, made.verdict) == (tone, said)


def test_contested_items_are_not_held_against_anybody() -> None:
    assert "4 of the 9 disagreements fell on items on which the others are split themselves" in _card().reasons[-1]
    assert not [line for line in _card(disagreements_contested=0).reasons if "split" in line]


def test_gold_and_speed_are_told_where_they_are_known() -> None:
    facts = dict(_card().facts)
    assert facts["known answers"] == "4 of 10 right [15 % to 70 %]"
    assert facts["time an answer"] == "4.5 s; usual 1.0 min"
    assert {"known answers", "time an answer"}.isdisjoint(dict(_card(gold=None, speed=None).facts))


def _folds(made: Card) -> dict[str, Fold]:
    return {block.summary: block for block in made.folded if isinstance(block, Fold)}


def test_confusions_are_of_labels_only() -> None:
    (points,) = _folds(_card())["Main confusions"].blocks
    assert isinstance(points, Points)
    assert "where the others say ‘ana’: 4 of 9 times; others do that in 10 %" in points.items[0]
    assert "Main confusions" not in _folds(_card(is_text=True))


def test_a_change_that_chance_makes_is_no_change() -> None:
    steady: dict[str, Any] = {"rows": 40, "trend": 0.1, "trend_p": 0.4, "change_p": 0.5, "batch_p": None, "batches": []}
    (points,) = _folds(_card(drift=steady, spam={}, speed=None))["Over time, speed and habits"].blocks
    assert isinstance(points, Points)
    assert points.items == ["No change over 40 rows that chance would not make."]


def test_the_axis_is_the_same_for_all_and_holds_few_marks() -> None:
    many = [stages.a_card(str(at), beside_others={"value": at / 1000 - 0.2}) for at in range(400)]
    scale = Scale.over(many, in_points=True)
    assert scale.reach == pytest.approx((-0.2, 0.2))
    assert len(scale.marks) <= MARKS
    assert (min(scale.marks), max(scale.marks)) == pytest.approx((-0.2, 0.199))


def test_an_endless_interval_stays_on_the_axis() -> None:
    made = _card(beside_others={"value": 0.0, "low": -50.0, "high": 50.0})
    assert 'x1="8" y1="20" x2="272"' in str(made.picture)

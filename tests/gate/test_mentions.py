"""How many of the mentions held out were learned."""

from __future__ import annotations

from dataclasses import replace

from pipeline.gate.mentions import known
from tests.gate.test_overlaps import base, facts


def test_distinct_mentions_of_a_kind_count_once_and_spelling_does_not() -> None:
    train, test, other = facts(("train", "a", "x"), ("test", "b", "x"), ("validation", "c", "x"))
    train = replace(train, mentions=(("place", "Oslo"), ("place", "Rome")))
    test = replace(test, mentions=(("place", "OSLO"), ("place", "Oslo"), ("person", "Oslo"), ("place", "Lima")))
    other = replace(other, mentions=(("place", "Rome"),))
    found = known([train, test, other])
    assert found.share == 2 / 4
    assert found.seen == "2 of 4 distinct mentions held out: oslo (place) 2, rome (place) 1"


def test_where_nothing_is_marked_nothing_is_known() -> None:
    assert known([]).share is None
    assert known([base()]).share is None
    train, test = facts(("train", "a", "x"), ("test", "b", "x"))
    assert known([train, replace(test, mentions=(("place", "Oslo"),))]).share is None

"""How many of the mentions held out were learned."""

from __future__ import annotations

from pipeline.gate.mentions import learned
from tests.gate.test_overlaps import facts, row


def test_distinct_mentions_of_a_kind_count_once_and_spelling_does_not() -> None:
    train = row("train", "a", mentions=[("place", "oslo"), ("place", "rome")])
    test = row("test", "b", mentions=[("place", "oslo"), ("place", "oslo"), ("person", "oslo"), ("place", "lima")])
    other = row("validation", "c", mentions=[("place", "rome")])
    found = learned(facts(train, test, other))
    assert found.share == 2 / 4
    assert found.seen == "2 of 4 distinct mentions held out: oslo (place) 2, rome (place) 1"


def test_where_nothing_is_marked_nothing_is_known() -> None:
    assert learned(facts()).share is None
    assert learned(facts(row("train", "a"))).share is None
    assert learned(facts(row("train", "a"), row("test", "b", mentions=[("place", "oslo")]))).share is None

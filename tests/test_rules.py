"""Rules: what they speak of, how they are read, and what they say."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unfit
from pipeline.rules import Finder, Rule, folded, keyed
from pipeline.settings import Guideline
from pipeline.tasks import task
from pipeline.tasks.parts import revised
from tests.builds import a_tagged, a_text

TAGGING = task("tagging", Guideline())
LABELS = task("classification", Guideline())
SEVERAL = task("classification", Guideline(multiple=True))


def test_spans_of_a_label_that_cover_one_of_the_surfaces_whatever_their_case() -> None:
    row = a_tagged(
        "film/1", "Arsenal beat ARSENAL at Arsenal", [("LOC", "Arsenal"), ("LOC", "ARSENAL"), ("ORG", "Arsenal")]
    )
    assert Rule("LOC", "ORG", surfaces=("arsenal",)).parts(row, TAGGING) == ["0:7", "13:20"]
    assert Rule("LOC", "ORG", surfaces=("chelsea",)).parts(row, TAGGING) == []
    assert Rule("LOC", "ORG").parts(row, TAGGING) == ["0:7", "13:20"]


def test_words_that_are_not_marked_stand_as_whole_words() -> None:
    row = a_tagged("film/1", "Mary saw mary, Rosemary and  MARY  .", [("PER", "Mary")])
    assert Rule("O", "PER", surfaces=("Mary",)).parts(row, TAGGING) == ["9:13", "29:33"]


def test_characters_of_unspaced_scripts_are_words_and_offsets_count_code_points() -> None:
    row = a_tagged("weibo/1", "😀女人和女人们说", [("PER", "女人")])
    assert Rule("O", "PER", surfaces=("女人",)).parts(row, TAGGING) == ["4:6"]
    assert Rule("O", "PER", surfaces=("女人们",)).parts(row, TAGGING) == ["4:7"]
    assert Rule("O", "PER", surfaces=("女人", "女人们")).parts(row, TAGGING) == ["4:7"]


def test_a_rule_on_nothing_marked_needs_surfaces() -> None:
    assert Rule("O", "PER").parts(a_tagged("film/1", "a b c", []), TAGGING) == []


def test_all_conditions_must_hold() -> None:
    row = a_text("film/1", "I lost my card.", "card_arrival")
    rule = Rule("card_arrival", "lost_card", phrases=("LOST my",), sources=("film",))
    assert rule.parts(row, LABELS) == [""]
    assert rule.parts(row, LABELS, source="tweet") == []
    assert rule.parts({**row, "text": "I lost  MY card"}, LABELS) == [""]
    assert rule.parts({**row, "text": "I lostmy card"}, LABELS) == []
    assert rule.parts({**row, "labels": ["other"]}, LABELS) == []


def test_one_label_of_several() -> None:
    row = a_text("film/1", "so happy") | {"labels": ["joy", "love"]}
    assert Rule("yes", "no", phrases=("happy",), part="joy").parts(row, SEVERAL) == ["joy"]
    assert Rule("no", "yes", phrases=("happy",), part="awe").parts(row, SEVERAL) == ["awe"]
    assert Rule("no", "yes", part="joy").parts(row, SEVERAL) == []
    assert Rule("joy", "love").parts(row, SEVERAL) == []


def test_every_part_can_be_revised_to_what_it_becomes() -> None:
    row = a_tagged("film/1", "New York and new york", [("PER", "New York")])
    for rule in (Rule("PER", "LOC", surfaces=("new york",)), Rule("O", "LOC", surfaces=("new york",))):
        (part,) = rule.parts(row, TAGGING)
        start, end = map(int, part.split(":"))
        assert [start, end, "LOC"] in revised(TAGGING, row, TAGGING.answer(row), part, rule.becomes)


TEXTS = st.text(min_size=1, max_size=8)
LISTS = st.lists(TEXTS, max_size=3).map(tuple)


@given(TEXTS, TEXTS, LISTS, LISTS, LISTS)
def test_told_and_read_again(was: str, becomes: str, surfaces: Any, phrases: Any, sources: Any) -> None:
    rule = Rule(was, f"not {becomes}" if was == becomes else becomes, surfaces, phrases, sources)
    assert Rule.read(rule.told()) == rule
    assert rule.words("en")


@pytest.mark.parametrize(
    ("entry", "seen"),
    [
        ([], "an object"),
        ({"given": "A"}, "'becomes'"),
        ({"given": "A", "becomes": 1}, "'becomes'"),
        ({"given": "A", "becomes": "A"}, "'A' of 'A'"),
        ({"given": "", "becomes": "A"}, "of ''"),
        ({"given": "A", "becomes": "B", "surface": []}, "did you mean 'surfaces'"),
        ({"given": "A", "becomes": "B", "surfaces": "x"}, "'surfaces' of a rule is a list"),
        ({"given": "A", "becomes": "B", "phrases": [1]}, "'phrases'"),
        ({"given": "A", "becomes": "B", "part": None}, "'part'"),
    ],
)
def test_what_is_no_rule_is_refused(entry: Any, seen: str) -> None:
    with pytest.raises(Unfit, match=seen):
        Rule.read(entry)


def test_long_lists_are_cut_in_words() -> None:
    rule = Rule("LOC", "O", surfaces=tuple(f"place {at}" for at in range(9)))
    assert rule.words().endswith("or one of 3 more is marked LOC, take the mark away.")
    assert len(Rule("A", "B", phrases=("x" * 500,)).words()) < 200


WORDS = st.lists(st.sampled_from(["new", "york", "New", "中", "国", "ß", "!", "É"]), max_size=8)


@given(WORDS, st.lists(WORDS.filter(bool), min_size=1, max_size=4))
def test_a_finder_finds_what_looking_everywhere_finds(words: list[str], phrases: list[list[str]]) -> None:
    text = " ".join(words)
    named = [" ".join(phrase) for phrase in phrases]
    units = list(keyed(text))
    wanted = {
        name for name in named for at in range(len(units)) if tuple(units[at : at + len(keyed(name))]) == keyed(name)
    }
    finder = Finder(named)
    assert {keyed(one) for one in finder.all(text)} == {keyed(one) for one in wanted}
    assert finder.holds(text) == bool(wanted)
    places = finder.found(text)
    assert all(keyed(text[start:end]) == keyed(phrase) for start, end, phrase in places)
    assert all(one[1] <= other[0] for one, other in pairwise(places))
    assert bool(places) == bool(wanted)


def test_folding() -> None:
    assert folded("STRASSE") == folded("straße")
    assert folded("Cafe\u0301") == folded("CAFÉ")

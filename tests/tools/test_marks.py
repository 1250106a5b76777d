"""Marks: what is marked in a text reads back, whatever the text holds and however its lines end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unfit
from pipeline.tools.marks import are_apart, marked, related, unmarked, unrelated
from tests.tools.asked import NAMES, TEXTS, spans


@given(st.data())
def test_marked_spans_read_back(data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    marks = data.draw(spans(text))
    assert are_apart(marks)
    shown = marked(text, marks)
    assert unmarked(shown, text) == marks
    assert unmarked(shown.replace("\r\n", "\n"), text) == marks


def test_offsets_count_both_characters_of_a_line_end() -> None:
    text = "a\r\nAnna\r\nRome"
    assert unmarked("a\n[Anna|PER]\n[Rome|LOC]", text) == [[3, 7, "PER"], [9, 13, "LOC"]]
    assert unmarked("a[\nAn|X]na\nRome", text) == [[1, 5, "X"]]


@given(st.lists(st.text(st.sampled_from("a ;()→->\n1é"), min_size=1), min_size=1, max_size=3), st.data())
def test_relations_read_back_whatever_their_ends_read(entities: list[str], data: st.DataObject) -> None:
    ends = st.integers(0, len(entities) - 1)
    links = data.draw(st.lists(st.tuples(ends, ends, st.sampled_from(NAMES)).map(list), max_size=3))
    assert unrelated(related(entities, links), entities) == links


@pytest.mark.parametrize("words", ["r(3 a → 1 b)", "r(0 a → 1 b)", "r(c → 1 b)", "r(x → 1)"])
def test_entities_that_are_not_to_be_told(words: str) -> None:
    with pytest.raises(Unfit, match="entity of the row"):
        unrelated(words, ["x", "x"])


def test_spans_that_overlap_are_not_apart() -> None:
    assert not are_apart([[0, 3, "A"], [2, 4, "B"]])
    assert not are_apart("text")

"""Answers in words: what is shown reads back as what it was, in every task."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.words import from_words, in_words
from pipeline.errors import Unfit
from pipeline.gate.sample import GUIDELINES
from pipeline.settings import Guideline
from pipeline.tasks import KNOWN, Row, canonical, task
from pipeline.text import nfc
from tests.checks.sets import row, sample

TAGS = Guideline.model_validate({})


@pytest.mark.parametrize("name", KNOWN)
def test_every_answer_reads_back(name: str) -> None:
    kind = task(name, Guideline.model_validate(GUIDELINES.get(name, {})))
    for one in sample(name, 12):
        words = in_words(kind, one)
        assert canonical(from_words(kind, one, words)) == canonical(kind.answer(one))


def test_labels_spans_and_replies_in_words() -> None:
    many = task("classification", Guideline.model_validate({"multiple": True}))
    assert in_words(many, row(1, labels=["b", "a"])) == "b, a"
    assert in_words(many, row(1, labels=[])) == "(none)"
    assert from_words(many, row(1), "(none)") == []
    assert from_words(many, row(1), "b, a") == ["a", "b"]
    assert from_words(many, row(1), '["c, d"]') == ["c, d"]
    tagging = task("tagging", TAGS)
    one = tagging.with_answer({"text": "Anna | in [Rome]", "tokens": None}, [[0, 4, "PER"], [11, 15, "LOC"]])
    assert in_words(tagging, one) == r"[Anna|PER] \| in \[[Rome|LOC]\]"
    chat = task("chat", TAGS)
    talk = {"messages": [{"role": "user", "content": "Hi", "learn": False}], "tools": None}
    assert in_words(chat, chat.with_answer(talk, "[1] Ho!")) == "[1] Ho!"
    assert from_words(chat, talk, "[1] Ha!") == "[1] Ha!"


TEXTS = (
    st.text(st.sampled_from("ab[]|\\ \n中é👍.,"), min_size=1, max_size=30).map(nfc).filter(lambda text: text.strip())
)


@given(TEXTS, st.data())
def test_marked_spans_read_back_from_any_text(text: str, data: st.DataObject) -> None:
    kind, spans, at = task("tagging", TAGS), [], 0
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(at, len(text)))
        end = data.draw(st.integers(start, len(text)))
        if text[start:end] and text[start:end].strip() == text[start:end]:
            spans.append([start, end, data.draw(st.sampled_from(["PER", "a|b", "c]"]))])
            at = end
    one = kind.with_answer({"text": text, "tokens": None, "spans": []}, spans)
    assert from_words(kind, one, in_words(kind, one)) == sorted(spans)


@pytest.mark.parametrize(
    ("words", "evidence"),
    [
        ("[Anna|PER] lives in Rom", "without its marks it reads"),
        ("[Anna lives in Rome", "a bracket without its other half"),
        ("[Anna] lives in Rome", "a bracket without its other half"),
    ],
)
def test_marks_that_do_not_fit_the_text_are_refused(words: str, evidence: str) -> None:
    kind = task("tagging", TAGS)
    one: Row = {"text": "Anna lives in Rome", "tokens": None, "spans": []}
    with pytest.raises(Unfit, match=evidence):
        from_words(kind, one, words)


def test_spans_stand_right_where_a_spreadsheet_trimmed_the_cell() -> None:
    kind = task("tagging", TAGS)
    one: Row = {"text": "  Anna in Rome\n", "tokens": None, "spans": []}
    assert from_words(kind, one, "[Anna|PER] in Rome") == [[2, 6, "PER"]]


def test_labels_that_the_guideline_does_not_know_are_refused() -> None:
    kind = task("classification", Guideline.model_validate(GUIDELINES["classification"]))
    with pytest.raises(Unfit, match="'lukewarm' is no label"):
        from_words(kind, row(1), "lukewarm")

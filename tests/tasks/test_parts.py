"""Parts of answers: what stands there, and what becomes of the whole answer when one is said otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unfit
from pipeline.settings import Guideline, Label
from pipeline.tasks import Row, parts, task
from pipeline.tasks.parts import label_at, revised

if TYPE_CHECKING:
    from pipeline.tasks import Task

NAMES = Guideline(label=(Label(name="LOC"), Label(name="ORG", aliases=("org",)), Label(name="PER")))
TOPICS = Guideline(multiple=True, label=(Label(name="art"), Label(name="sport")))
MOODS = Guideline(label=(Label(name="bad"), Label(name="good", aliases=("1",))))
TEXT = "😀 Anna lives in 上海 now"


def tagging() -> tuple[Task, Row]:
    kind = task("tagging", NAMES)
    return kind, {"id": "s/1", **kind.shape({"text": TEXT}, {})}


ANSWER = [[2, 6, "PER"], [16, 18, "LOC"]]


@pytest.mark.parametrize(
    ("part", "label"),
    [("2:6", "PER"), ("16:18", "LOC"), ("7:12", "O"), ("2:12", "PER at 2:6"), ("0:18", "PER at 2:6; LOC at 16:18")],
)
def test_what_stands_at_a_stretch(part: str, label: str) -> None:
    assert label_at(tagging()[0], ANSWER, part) == label


@pytest.mark.parametrize(
    ("part", "label", "answer"),
    [
        ("16:18", "org", [[2, 6, "PER"], [16, 18, "ORG"]]),
        ("16:18", "O", [[2, 6, "PER"]]),
        ("7:12", "ORG", [[2, 6, "PER"], [7, 12, "ORG"], [16, 18, "LOC"]]),
        ("2:12", "PER", [[2, 12, "PER"], [16, 18, "LOC"]]),
        ("0:1", "O", ANSWER),
    ],
)
def test_a_span_takes_the_place_of_all_that_it_touches(part: str, label: str, answer: list[list[object]]) -> None:
    kind, row = tagging()
    assert revised(kind, row, ANSWER, part, label) == answer
    assert label_at(kind, revised(kind, row, ANSWER, part, label), part) in (label.upper(), "O")


@pytest.mark.parametrize(
    ("part", "label", "why"),
    [("16:99", "LOC", "span_out_of_text"), ("4:4", "LOC", "wrong_type"), ("x", "LOC", "wrong_type"),
     ("2:6", "CITY", "unknown_label"), ("6:12", "LOC", "span_edges")],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_rule(part: str, label: str, why: str) -> None:
    kind, row = tagging()
    with pytest.raises(Unfit) as caught:
        revised(kind, row, ANSWER, part, label)
    assert caught.value.reason == why


def test_one_label_of_several() -> None:
    kind = task("classification", TOPICS)
    row: Row = {"id": "s/1", **kind.shape({"text": "a"}, {})}
    assert (label_at(kind, ["art"], "art"), label_at(kind, ["art"], "sport")) == ("yes", "no")
    assert revised(kind, row, ["art"], "sport", "yes") == ["art", "sport"]
    assert revised(kind, row, ["art"], "art", "no") == []
    for wrong in ("sport", "", None):
        with pytest.raises(Unfit):
            revised(kind, row, ["art"], "art", wrong)


def test_the_answer_as_a_whole() -> None:
    kind = task("classification", MOODS)
    row: Row = {"id": "s/1", **kind.shape({"text": "a"}, {})}
    assert label_at(kind, ["good"], parts.WHOLE) == "good"
    assert revised(kind, row, ["bad"], parts.WHOLE, "1") == ["good"]
    with pytest.raises(Unfit, match="has no part"):
        label_at(kind, ["good"], "0:1")


@given(st.lists(st.integers(0, len(TEXT)), min_size=2, max_size=2, unique=True), st.sampled_from(["LOC", "O"]))
def test_saying_it_once_more_changes_nothing(ends: list[int], label: str) -> None:
    kind, row = tagging()
    part = "{}:{}".format(*sorted(ends))
    if label == "LOC" and TEXT[slice(*sorted(ends))].strip() != TEXT[slice(*sorted(ends))]:
        with pytest.raises(Unfit, match="span_edges"):
            revised(kind, row, ANSWER, part, label)
        return
    once = revised(kind, row, ANSWER, part, label)
    assert revised(kind, row, once, part, label) == once
    assert label_at(kind, once, part) == label


SPANS = st.lists(
    st.tuples(st.integers(0, 17), st.integers(1, 6), st.sampled_from(["LOC", "ORG", "PER"])), max_size=5
)  # fmt: skip


def _answer(drawn: list[tuple[int, int, str]]) -> list[list[object]]:
    """Spans that do not overlap and begin and end at letters."""
    found: list[list[object]] = []
    upto = 0
    for start, size, label in sorted(drawn):
        end = min(start + size, len(TEXT))
        if start >= upto and start < end and TEXT[start:end] == TEXT[start:end].strip():
            found.append([start, end, label])
            upto = end
    return found


@given(SPANS, SPANS, st.lists(st.tuples(st.integers(0, 17), st.integers(1, 6)), max_size=3, unique=True))
def test_differences_followed_one_after_the_other_give_the_other_answer(
    was: list[tuple[int, int, str]], becomes: list[tuple[int, int, str]], asked: list[tuple[int, int]]
) -> None:
    kind, row = tagging()
    one, other = _answer(was), _answer(becomes)
    stretches = [(start, min(start + size, len(TEXT))) for start, size in asked]
    parts_ = list(dict.fromkeys(f"{a}:{b}" for a, b in stretches if TEXT[a:b] == TEXT[a:b].strip()))
    found = parts.differences(kind, row, one, other, asked=parts_)
    assert [part for part, _, _ in found[: len(parts_)]] == parts_
    now = one
    for part, here, there in found:
        assert label_at(kind, now, part) == here
        now = now if here == there else revised(kind, row, now, part, there)
    assert now == other


def test_differences_of_sets_and_of_whole_answers() -> None:
    sets, moods = task("classification", TOPICS), task("classification", MOODS)
    row: Row = {"id": "s/1", **sets.shape({"text": "a"}, {})}
    assert parts.differences(sets, row, ["art"], ["sport"], asked=["sport"]) == [
        ("sport", "no", "yes"), ("art", "yes", "no")
    ]  # fmt: skip
    assert parts.differences(moods, row, ["bad"], ["good"]) == [("", "bad", "good")]
    assert parts.differences(moods, row, ["bad"], ["bad"], asked=[""]) == [("", "bad", "bad")]
    assert parts.differences(moods, row, ["bad"], ["bad"]) == []

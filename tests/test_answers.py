"""The annotations that a record carries: one table for every layout, and blanks that are no answers."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.answers import Given, given_apart, given_in, lines, listed
from pipeline.errors import Unfit
from pipeline.settings import AnswerSource, Guideline, Label, RowSource
from pipeline.tasks import task

OPEN = task("classification", Guideline())
CLOSED = task("classification", Guideline(label=(Label(name="good"),)))
TAGGING = task("tagging", Guideline())


def source(**more: Any) -> RowSource:
    return RowSource.model_validate({"name": "s", "files": ("f",), "format": "csv"} | more)


def apart(**columns: str) -> AnswerSource:
    return AnswerSource.model_validate({"source": "s", "files": ("f",), "format": "csv", "columns": columns})


@pytest.mark.parametrize(
    ("fields", "more", "expected"),
    [
        ({"label": "good"}, {}, [Given("file", "good")]),
        ({"label": "good"}, {"annotator": None}, [Given(None, "good")]),
        ({"label": 0}, {}, [Given("file", 0)]),
        ({"label": " "}, {}, []),
        ({"label": None}, {}, []),
        ({}, {}, []),
        ({"label": "good", "who": 7}, {"columns": {"annotator": "who"}}, [Given("7", "good")]),
        ({"label": "good", "who": ""}, {"columns": {"annotator": "who"}}, [Given(None, "good")]),
        ({"a": "x", "b": ""}, {"annotator_columns": ("a", "b", "c")}, [Given("a", "x")]),
        ({"r": [1, None, ""]}, {"columns": {"answers": "r"}}, [Given(None, 1)]),
        ({"annotations": None, "label": "x"}, {"columns": {"annotations": "annotations"}}, [Given("file", "x")]),
        (
            {"annotations": [{"annotator": "a", "label": "x", "time": 5}]},
            {},
            [Given("a", "x", time="5")],
        ),
        (
            {"votes": [{"annotator": "a", "said": "x", "label": "y"}]},
            {"columns": {"annotations": "votes", "answer": "said"}},
            [Given("a", "x")],
        ),
        ({"a": "x", "day": "1", "b": "y"}, {"annotator_columns": ("a", "b"), "columns": {"batch": "day"}},
         [Given("a", "x", batch="1"), Given("b", "y", batch="1")]),
    ],
)  # fmt: skip
def test_layouts(fields: dict[str, Any], more: dict[str, Any], expected: list[Given]) -> None:
    assert given_in(fields, source(**more), OPEN) == expected


def test_tag_columns_are_annotators_and_an_unseen_sentence_is_no_answer() -> None:
    fields = {"tokens": ["a", "b"], "tags": {"1": ["O", "O"], "2": ["_", "_"], "3": ["O", "_"]}}
    assert given_in(fields, source(format="conll"), TAGGING) == [Given("1", ["O", "O"]), Given("3", ["O", "_"])]


def test_one_tag_column_is_the_answer_of_the_file() -> None:
    fields = {"tokens": ["a"], "tags": {"1": ["B-X"]}}
    assert given_in(fields, source(format="conll"), TAGGING) == [Given("file", ["B-X"])]


def test_answers_apart() -> None:
    assert given_apart({"answer": "x"}, apart()) == [Given(None, "x")]
    fields = {"said": "x", "who": "a", "when": "t"}
    assert given_apart(fields, apart(answer="said", annotator="who", time="when")) == [Given("a", "x", time="t")]
    assert given_apart({"all": "[1, 2]"}, apart(answers="all")) == [Given(None, 1), Given(None, 2)]
    assert given_apart({"answer": ""}, apart()) == []


SEEN = {"tokens": ["Bob", "Rome"], "tags": {"1": ["B-PER", "O"]}, "schemes": {"1": "iob2"}}


def test_tags_apart_come_with_their_tokens() -> None:
    fields = SEEN | {"file": "doc1", "folder": "anna", "lines": [1, 2]}
    assert given_apart(fields, apart(row="file", annotator="folder")) == [Given("anna", ["B-PER", "O"], beside=SEEN)]
    two = {"tokens": ["Bob"], "tags": {"1": ["B-PER"], "2": ["_"], "3": ["O"]}, "schemes": {}}
    assert given_apart(two, apart()) == [Given("1", ["B-PER"], beside=two), Given("3", ["O"], beside=two)]
    assert given_apart(two, apart(answer="3")) == [Given(None, ["O"], beside=two)]
    assert given_apart(two, apart(answer="2")) == []


def test_answers_in_annotators_own_tokens_are_read_with_them() -> None:
    row = TAGGING.shape({"text": "Bob saw Rome."}, {}) | {"id": "s/1"}
    fields = {"text": "Bob saw Rome.", "tokens": ["Bob", "saw", "Rome."]}
    own = Given("a", ["O", "O", "B-LOC", "O"], beside={"tokens": ["Bob", "saw", "Rome", "."]})
    (line,) = lines(row, [own], fields, TAGGING)
    assert (line["answer"], line["problem"]) == ('[[8,12,"LOC"]]', None)


def test_an_answer_read_in_part_has_both_answer_and_problem() -> None:
    row = TAGGING.shape({"text": "Anna lives in the old town of Rome."}, {}) | {"id": "s/1"}
    tokens = ["Anna", "qq", "lives", "in", "the", "old", "town", "of", "Rome"]
    own = Given("a", ["B-PER", *["O"] * 7, "B-LOC"], beside={"tokens": tokens})
    (line,) = lines(row, [own], {}, TAGGING)
    assert line["answer"] == '[[0,4,"PER"],[30,34,"LOC"]]'
    assert line["problem"] == "span_surface: 1 of 9 tokens stand nowhere in the text: 'qq'"


def test_nested_annotations_may_have_tokens_of_their_own() -> None:
    entry = {"annotator": "a", "tokens": ["Bob"], "tags": ["B-PER"]}
    fields = {"text": "Bob", "annotations": [entry]}
    beside = {"tokens": ["Bob"], "tags": ["B-PER"]}
    assert given_in(fields, source(format="jsonl"), TAGGING) == [Given("a", ["B-PER"], beside=beside)]


@pytest.mark.parametrize("values", ["no json", '{"a": 1}', 5, None, {"a": 1}])
def test_what_is_no_list(values: Any) -> None:
    with pytest.raises(Unfit) as caught:
        listed(values, {})
    assert caught.value.reason == "wrong_type"


@pytest.mark.parametrize("values", [5, "x", [5], [["a"]]])
def test_annotations_that_are_none(values: Any) -> None:
    with pytest.raises(Unfit, match="wrong_type"):
        given_in({"annotations": values, "label": "x"}, source(columns={"annotations": "annotations"}), OPEN)


def test_an_answer_that_cannot_be_read_keeps_its_line() -> None:
    read, unread, odd = lines({"id": "s/1"}, [Given("a", "good"), Given("b", "soso"), Given("c", {"x": 1})], {}, CLOSED)
    assert (read["answer"], read["given"], read["problem"]) == ('["good"]', "good", None)
    assert (unread["answer"], unread["given"]) == (None, "soso")
    assert unread["problem"].startswith("unknown_label: 'soso'")
    assert (odd["given"], odd["problem"].split(":")[0]) == ('{"x": 1}', "wrong_type")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"status": "skipped"}, "skipped in the tool"),
        ({"status": "draft", "label": "good"}, "draft in the tool"),
        ({"problem": "span_mismatch: it reads otherwise", "label": "good"}, "span_mismatch: it reads otherwise"),
        ({"part": "good", "verdict": "fine", "label": "good"}, "says only of good that it is fine"),
        ({"verdict": "ambiguous", "label": "good"}, "judged ambiguous"),
    ],
)
def test_what_a_tool_calls_no_answer_keeps_its_line_and_is_no_vote(entry: dict[str, Any], says: str) -> None:
    found = given_in({"annotations": [{"annotator": "a", **entry}]}, source(), OPEN)
    row = {"id": "s/1", "text": "one"}
    (line,) = lines(row, found, {}, OPEN)
    assert (line["annotator"], line["answer"]) == ("a", None)
    assert line["problem"].startswith(says)


@pytest.mark.parametrize("verdict", ["fine", "wrong"])
def test_a_whole_answer_with_a_verdict_is_a_vote(verdict: str) -> None:
    found = given_in({"annotations": [{"annotator": "a", "label": "good", "verdict": verdict}]}, source(), OPEN)
    assert [line["answer"] for line in lines({"id": "s/1", "text": "one"}, found, {}, OPEN)] == ['["good"]']

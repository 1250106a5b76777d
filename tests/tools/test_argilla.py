"""Argilla: a data set that its client loads, and every form of its records read, with what people did not submit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.readers import Broken, ReadOptions
from pipeline.settings import Label
from pipeline.tools import argilla
from pipeline.tools.entry import units
from pipeline.tools.item import Item, Kind, Project
from tests.readers.memory import held
from tests.tools.asked import answered, as_answer, items, project, read_text, said, triples

if TYPE_CHECKING:
    from pathlib import Path

MO, JO = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


def value_of(item: Item, kind: Kind, *, multiple: bool) -> Any:
    """An answer as the page sends it."""
    if kind == "spans":
        return [
            {"start": units(item.text, s), "end": units(item.text, e), "label": label} for s, e, label in item.answer
        ]
    if kind == "labels":
        return (item.answer or ["(none)"]) if multiple else item.answer[0]
    return item.answer


def flat(question: str, value: Any, *, status: str = "submitted") -> dict[str, Any]:
    """Columns of `to_list(flatten=True)` for one question."""
    columns = {"responses": [value], "responses.users": [MO], "responses.status": [status]}
    return {f"{question}.{name}": column for name, column in columns.items()}


@settings(max_examples=60)
@given(st.data(), st.sampled_from(sorted(argilla.TASKS)))
def test_what_went_out_comes_back(data: st.DataObject, kind: Kind) -> None:
    multiple = kind == "labels" and data.draw(st.booleans())
    item = data.draw(items(kind, multiple=multiple))

    def answer(folder: Path) -> Path:
        (record,) = json.loads((folder / "records.json").read_text(encoding="ascii"))
        row = {"id": record["id"], "status": "completed", "_server_id": None, **record["fields"], **record["metadata"]}
        row |= flat(argilla.QUESTIONS[kind], value_of(item, kind, multiple=multiple)) | flat("note", "hm")
        path = folder / "answers.json"
        path.write_text(json.dumps([row], ensure_ascii=False), encoding="utf-8")
        return path

    (record,) = answered(argilla, project(kind, multiple=multiple), [item], answer)
    assert (record.fields["id"], record.fields["text"]) == (item.row, item.text)
    entry = said(record)
    assert (entry["annotator"], entry["note"]) == (MO, "hm")
    assert "problem" not in entry
    assert as_answer(entry, kind) == item.answer


def suggestion(asked: Project, item: Item, folder: Path) -> Any:
    argilla.write(asked, [item], folder)
    (record,) = json.loads((folder / "records.json").read_text(encoding="ascii"))
    return record["suggestions"]


@pytest.mark.parametrize(
    ("asked", "item", "value"),
    [
        (project("labels"), Item("a", "x", ["PER"]), "PER"),
        (project("labels", multiple=True), Item("a", "x", ["PER", "1"]), ["PER", "1"]),
        (project("labels", multiple=True), Item("a", "x", []), ["(none)"]),
        (project("rating"), Item("a", "x", 4.0), 4),
        (project("text"), Item("a", "x", "yes"), "yes"),
        (project("spans"), Item("a", "😀 ok.", [[2, 4, "1"]]), [{"start": 3, "end": 5, "label": "1"}]),
        # The server takes no span that ends after so many units as the text has characters.
        (project("spans"), Item("a", "😀 ok", [[2, 4, "1"]]), None),
        (project("labels"), Item("a", "x", None), None),
    ],
)
def test_suggestions(tmp_path: Path, asked: Project, item: Item, value: Any) -> None:
    (found,) = list(suggestion(asked, item, tmp_path).values()) or [{"value": None}]
    assert found["value"] == value


def test_settings_are_the_guideline(tmp_path: Path) -> None:
    asked = project("labels", multiple=True, instructions="Read well.", guideline="3")
    made = {path.name: path for path in argilla.write(asked, [], tmp_path)}
    assert sorted(made) == ["README.md", "dataset.json", "records.json", "settings.json"]
    settings_ = json.loads(made["settings.json"].read_text(encoding="ascii"))
    question = settings_["questions"][0]
    assert question["settings"]["type"] == "multi_label_selection"
    assert [one["value"] for one in question["settings"]["options"]] == ["PER", "地点", "a b", "1", "TRUE", "(none)"]
    assert question["settings"]["options"][1]["description"] == "what 地点 is"
    assert settings_["guidelines"].startswith("Guideline 3\n\nRead well.\n\n* **PER**: what PER is")
    assert json.loads(made["dataset.json"].read_text(encoding="ascii"))["name"] == "trial"
    assert json.loads(made["records.json"].read_text(encoding="ascii")) == []


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (project("relations"), "asks for no relations"),
        (project("rating", low=1.0, high=100.0), "cannot be put up as buttons"),
        (project("rating", low=-3.0, high=3.0), "whole numbers from 0 to 10"),
        (project("rating", low=None), "cannot be put up as buttons"),
    ],
)
def test_what_argilla_cannot_ask_is_refused(tmp_path: Path, asked: Project, problem: str) -> None:
    with pytest.raises(AssayError, match=problem):
        argilla.write(asked, [], tmp_path)


def test_overlapping_spans_and_few_labels(tmp_path: Path) -> None:
    asked = Project("n", "spans", (Label(name="A"),))
    argilla.write(asked, [Item("a", "New York", [[0, 8, "A"], [4, 8, "A"]])], tmp_path)
    question = json.loads((tmp_path / ".argilla" / "settings.json").read_text(encoding="ascii"))["questions"][0]
    assert (question["settings"]["allow_overlapping"], question["settings"]["visible_options"]) == (True, None)


def test_only_what_was_submitted_is_an_answer() -> None:
    states = ["submitted", "discarded", "draft"]
    row = {"id": "1", "text": "x", "labels.responses": [["a"], ["b"], ["c"]], "labels.responses.users": [MO, JO, "3"],
           "labels.responses.status": states, "labels.suggestion": ["z"], "labels.suggestion.score": 0.5}  # fmt: skip
    (record,) = read_text(argilla, json.dumps([row]))
    told = [(one["annotator"], one.get("labels"), one.get("status")) for one in record.fields["annotations"]]
    assert told == [(MO, ["a"], None), (JO, None, "skipped"), ("3", None, "draft")]
    assert record.notes == ("discarded: no answer", "draft: no answer")
    assert "labels.suggestion" not in record.fields


def test_the_form_of_to_json_does_not_tell_what_was_submitted() -> None:
    row = {"id": "made/1", "fields": {"text": "x"}, "metadata": {"row_id": "r", "source": "s"}, "suggestions": {},
           "responses": {"q": [{"value": "a", "user_id": MO}]}, "vectors": {}, "status": "completed"}  # fmt: skip
    (record,) = read_text(argilla, json.dumps([row]))
    assert (record.fields["id"], record.fields["source"]) == ("r", "s")
    assert (said(record)["labels"], said(record)["reply"]) == (["a"], "a")
    assert record.notes == ("this form of export does not tell submitted responses from drafts and discarded ones",)
    (record,) = read_text(argilla, json.dumps([row | {"status": "pending"}]))
    assert said(record)["status"] == "draft"
    assert "labels" not in said(record)


def test_the_form_of_the_server_has_persons_and_times() -> None:
    responses = [
        {"user_id": MO, "status": "submitted", "values": {"q": {"value": 3}, "note": {"value": "n"}},
         "inserted_at": "2025-01-01T00:00:00", "updated_at": "2025-01-02T00:00:00"},
        {"user_id": JO, "status": "discarded", "values": None, "inserted_at": "2025-01-03T00:00:00"},
    ]  # fmt: skip
    row = {"id": "uuid", "external_id": "r/1", "fields": {"text": "x", "context": "c"}, "responses": responses}
    (record,) = read_text(argilla, json.dumps({"items": [row], "total": 1}), "f.json")
    one, two = record.fields["annotations"]
    assert (record.fields["id"], record.fields["context"]) == ("r/1", "c")
    assert (one["rating"], one["note"], one["time"]) == (3, "n", "2025-01-02T00:00:00")
    assert (two["annotator"], two["status"]) == (JO, "skipped")


def test_several_questions_are_told_apart() -> None:
    row = {"id": "1", "text": "x", **flat("topic", ["a"]), **flat("quality", 4)}
    (record,) = read_text(argilla, json.dumps(row))
    told = [(one["question"], one.get("labels"), one.get("rating")) for one in record.fields["annotations"]]
    assert told == [("topic", ["a"], None), ("quality", None, 4)]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([{"value": "a", "rank": 1}], "no answer that is known here"),
        (True, "no answer: True"),
        (None, "submitted without a value"),
        ([{"start": 0, "end": 9, "label": "A"}], "[0, 9) is no stretch of 5 characters in UTF-16 units"),
        ([{"start": 1, "end": 3, "label": "A"}], "[1, 3) is no stretch"),
    ],
)
def test_what_is_no_answer_is_told(value: Any, problem: str) -> None:
    entry = said(*read_text(argilla, json.dumps({"id": "1", "text": "😀 abc", **flat("q", value)})))
    assert problem in entry["problem"]


def test_spans_count_utf16_units() -> None:
    spans = [{"start": 3, "end": 6, "label": "A"}]
    (record,) = read_text(argilla, json.dumps({"id": "1", "text": "😀 abc", **flat("q", spans)}))
    assert triples(said(record)) == [[2, 5, "A"]]
    assert record.notes == ("offsets read as UTF-16 units",)


@pytest.mark.parametrize(
    ("content", "evidence"),
    [
        ('[{"id": "1", "fields": "x"}]', "'fields'"),
        ('[{"id": "1", "fields": {"picture": null}}]', "no 'text' among picture"),
        ('[{"id": "1", "text": ""}]', "no text"),
        ('[{"text": "x", "q.responses": ["a"], "q.responses.users": ["1", "2"]}]', "1 values, 2 users, 0 states"),
    ],
)
def test_what_cannot_be_read_says_why(content: str, evidence: str) -> None:
    (found,) = argilla.read(held(content, "f.json"), ReadOptions())
    assert isinstance(found, Broken)
    assert evidence in found.evidence

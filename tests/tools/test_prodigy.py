"""Prodigy: tasks for its manual views, all that was said of a text together, and binary answers as verdicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.readers import Broken, ReadOptions
from pipeline.tools import prodigy
from pipeline.tools.item import Item, Kind
from tests.conftest import DATA
from tests.readers.memory import held
from tests.tools.asked import TEXTS, answered, as_answer, items, project, read_all, read_text, said, spans, triples

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES = DATA / "annotation_exports" / "prodigy"


def accepted(folder: Path) -> Path:
    """What db-out gives when a person has accepted every task as it was."""
    path = folder / "answers.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for line in (folder / "tasks.jsonl").read_text(encoding="ascii").splitlines():
            more = {"answer": "accept", "_input_hash": 1, "_task_hash": 2, "_timestamp": 1694858483,
                    "_annotator_id": "trial-mo", "_session_id": "trial-mo", "_view_id": "blocks"}  # fmt: skip
            out.write(json.dumps(json.loads(line) | more, ensure_ascii=False) + "\n")
    return path


@settings(max_examples=60)
@given(st.data(), st.sampled_from(sorted(prodigy.TASKS)))
def test_what_went_out_comes_back(data: st.DataObject, kind: Kind) -> None:
    multiple = kind == "labels" and data.draw(st.booleans())
    item = data.draw(items(kind, multiple=multiple))
    (record,) = answered(prodigy, project(kind, multiple=multiple), [item], accepted)
    assert (record.fields["id"], record.fields["text"]) == (item.row, item.text)
    assert (record.fields["source"], record.fields["why"]) == ("f:1", "two differ")
    entry = said(record)
    assert (entry["annotator"], entry["time"]) == ("trial-mo", "2023-09-16T10:01:23+00:00")
    assert not {"problem", "part", "verdict"} & set(entry)
    assert as_answer(entry, kind) == item.answer
    if kind == "relations":
        assert triples(entry) == [list(one) for one in item.entities]


@settings(max_examples=60)
@given(st.data())
def test_tokens_are_the_text_and_spans_begin_and_end_with_one(data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    marked = data.draw(spans(text))
    tokens = prodigy.tokenised(text, marked)
    assert "".join(token["text"] + " " * token["ws"] for token in tokens) == text
    assert [token["id"] for token in tokens] == list(range(len(tokens)))
    assert all(text[token["start"] : token["end"]] == token["text"] for token in tokens)
    starts, ends = {token["start"] for token in tokens}, {token["end"] for token in tokens}
    assert all(start in starts and end in ends for start, end, _ in marked)


def test_tasks_say_what_is_asked_and_the_bytes_repeat(tmp_path: Path) -> None:
    item = Item("r/1", "Bonn", [[0, 4, "PER"]], 0.8261, about={"row_id": "x", "k": "v"})
    first = [path.read_bytes() for path in prodigy.write(project("spans"), [item], tmp_path / "1")]
    assert first == [path.read_bytes() for path in prodigy.write(project("spans"), [item], tmp_path / "2")]
    task, config, readme = json.loads(first[0]), json.loads(first[1]), first[2].decode()
    assert task["spans"] == [{"start": 0, "end": 4, "token_start": 0, "token_end": 0, "label": "PER"}]
    assert (task["row_id"], task["meta"]["confidence"]) == ("r/1", 0.826)
    assert "_input_hash" not in task
    assert config["labels"] == ["PER", "地点", "a b", "1", "TRUE"]
    assert "prodigy spans.manual trial blank:xx tasks.jsonl --label 'PER,地点,a b,1,TRUE'" in readme


@pytest.mark.parametrize(
    ("asked", "key", "value"),
    [
        (project("labels"), "choice_style", "single"),
        (project("labels", multiple=True), "choice_style", "multiple"),
        (project("rating"), "choice_style", "single"),
        (project("relations"), "relations_span_labels", ["PER", "地点"]),
        (project("text"), "blocks", [{"view_id": "text"}, {"view_id": "text_input", "field_id": "reply"}]),
    ],
)
def test_the_hint_for_each_view(tmp_path: Path, asked: Any, key: str, value: Any) -> None:
    prodigy.write(asked, [], tmp_path)
    assert json.loads((tmp_path / "prodigy.json").read_text(encoding="ascii"))[key] == value


def test_ratings_without_bounds_cannot_be_buttons(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="cannot be put up as buttons"):
        prodigy.write(project("rating", high=None), [], tmp_path)


@pytest.mark.parametrize(
    ("task", "answer", "told"),
    [
        # Binary: one label, or one span, judged.
        ({"label": "A"}, "accept", {"labels": ["A"], "part": "A", "verdict": "fine"}),
        ({"label": "A"}, "reject", {"status": "skipped", "rejected": {"labels": ["A"]},
          "part": "A", "verdict": "wrong"}),
        ({"label": "A"}, "ignore", {"status": "skipped"}),
        ({"label": "A", "spans": []}, "accept", {"labels": ["A"], "part": "A", "verdict": "fine"}),
        ({"spans": [[0, 2, "A"]], "_view_id": "ner"}, "accept",
         {"spans": [{"start": 0, "end": 2, "label": "A"}], "part": "0:2", "verdict": "fine"}),
        ({"spans": [{"start": 0, "end": 2, "label": "A", "score": 0.5}]}, "reject",
         {"status": "skipped", "rejected": {"spans": [{"start": 0, "end": 2, "label": "A"}]},
          "part": "0:2", "verdict": "wrong"}),
        # Manual: the answer as a whole.
        ({"spans": [[0, 2, "A"]], "_view_id": "ner_manual"}, "accept",
         {"spans": [{"start": 0, "end": 2, "label": "A"}]}),
        ({"_view_id": "ner_manual"}, "accept", {"spans": []}),
        ({"options": [{"id": "a"}], "accept": ["a"]}, "accept", {"labels": ["a"]}),
        ({"options": [{"id": 1}], "accept": [1]}, "accept", {"labels": ["1"]}),
        ({"options": [], "accept": []}, "accept", {"labels": []}),
        ({"options": [{"id": "a"}], "accept": ["a"]}, "reject", {"status": "skipped", "rejected": {"labels": ["a"]}}),
        ({"field_id": "note", "note": "hi"}, "accept", {"reply": "hi"}),
        ({"asked": "rating", "options": [], "accept": ["4"]}, "accept", {"rating": 4}),
        ({"asked": "rating", "options": [], "accept": []}, "accept", {"problem": "one rating was asked for, not none"}),
        ({"label": "A"}, "maybe", {"problem": "answer 'maybe' is none of accept, reject, ignore"}),
        ({"spans": [[0, 9, "A"]], "_view_id": "ner_manual"}, "accept",
         {"spans": [], "problem": "[0, 9) is no stretch of 4 characters"}),
        ({"spans": [{"start": 0, "end": 2, "label": "A", "text": "xx"}], "_view_id": "ner_manual"}, "accept",
         {"spans": [], "problem": "[0, 2) reads 'ab', not 'xx'"}),
    ],
)  # fmt: skip
def test_answers(task: dict[str, Any], answer: str, told: dict[str, Any]) -> None:
    entry = said(*read_text(prodigy, json.dumps({"text": "ab😀c", "answer": answer, **task})))
    assert entry == {"annotator": None, "time": None, "seconds": None, **told}


def test_relations_of_spans_tokens_and_neither() -> None:
    tokens = [{"text": word, "start": at * 2, "end": at * 2 + 1, "id": at} for at, word in enumerate("abc")]
    span = {"start": 0, "end": 3, "token_start": 0, "token_end": 1, "label": "A"}
    relations = [
        {"head": 1, "child": 2, "label": "r", "head_span": span, "child_span": {"start": 4, "end": 5, "label": None}},
        {"head": 0, "child": 2, "label": "s"},
        {"head": 0, "child": 7, "label": "t"},
    ]
    line = {"text": "a b c", "tokens": tokens, "spans": [span], "relations": relations, "answer": "accept"}
    entry = said(*read_text(prodigy, json.dumps(line)))
    assert triples(entry) == [[0, 3, "A"], [4, 5, "-"]]
    assert entry["relations"] == [{"head": 0, "tail": 1, "label": "r"}, {"head": 0, "tail": 1, "label": "s"}]
    assert entry["problem"] == "1 relations whose ends are no stretch of the text"


def test_all_that_was_said_of_a_text_is_one_record_in_order() -> None:
    lines = [
        {"text": "x", "_input_hash": 1, "label": "A", "answer": "accept", "_session_id": "n-mo"},
        {"text": "y", "_input_hash": 2, "label": "A", "answer": "ignore", "_session_id": "n-mo"},
        {"text": "x", "_input_hash": 1, "label": "B", "answer": "reject", "_session_id": "n-mo"},
        {"text": "x", "_input_hash": 1, "label": "A", "answer": "reject", "_session_id": "n-jo"},
    ]
    found = read_text(prodigy, "".join(json.dumps(line) + "\n" for line in lines))
    assert [(record.fields["id"], record.place) for record in found] == [("2", "f.jsonl:2"), ("1", "f.jsonl:1")]
    told = [(one["annotator"], one["part"], one["verdict"]) for one in found[1].fields["annotations"]]
    assert told == [("n-mo", "A", "fine"), ("n-mo", "B", "wrong"), ("n-jo", "A", "wrong")]
    assert found[1].notes == ("rejected: no answer", "3 records of this text are joined")


def test_tasks_that_nobody_answered_have_no_annotations() -> None:
    (record,) = read_text(prodigy, '{"text": "x", "spans": [{"start": 0, "end": 1, "label": "A"}], "meta": {"s": "t"}}')
    assert record.fields == {"s": "t", "text": "x", "annotations": []}


@pytest.mark.parametrize(
    ("content", "evidence"),
    [('{"pattern": [], "label": "A"}', "a match pattern"), ('{"image": "a.png"}', "no text"), ('{"text": 3}', "int")],
)
def test_what_cannot_be_read_says_why(content: str, evidence: str) -> None:
    (found,) = prodigy.read(held(content, "f"), ReadOptions())
    assert isinstance(found, Broken)
    assert evidence in found.evidence


@pytest.mark.realdata
@pytest.mark.skipif(not FIXTURES.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder")
def test_every_published_file_is_read_or_says_why() -> None:
    entries: dict[str, list[Any]] = {}
    for path in sorted(FIXTURES.rglob("*.jsonl")):
        found = list(prodigy.read(RawFile(path.name, path), ReadOptions()))
        broken = {one.evidence.split(" (")[0] for one in found if isinstance(one, Broken)}
        kind = path.name.split("_")[0]
        why = {"patterns": {"a match pattern"}, "nn": {"no text, so no task about one"},
               "recordlinkage": {"no text, so no task about one"}}  # fmt: skip
        assert broken == why.get(kind, set())
        entries[path.name] = [
            said_ for one in found if not isinstance(one, Broken) for said_ in one.fields["annotations"]
        ]
    assert not [one for said_ in entries.values() for one in said_ if "problem" in one]
    counts = {name: len(said_) for name, said_ in entries.items() if said_}
    assert counts == {
        "annotated_github-issues-DOCUMENTATION-textcat.jsonl": 830,
        "annotated_news_headlines-ORG-PERSON-LOCATION-ner.jsonl": 373,
        "annotated_reddit-INSULT-textcat.jsonl": 500,
        "annotated_reddit-PRODUCT-ner.jsonl": 1800,
        "pydata-ams-2023.jsonl": 3372,
    }
    talks = entries["pydata-ams-2023.jsonl"]
    assert [sum(one.get("verdict") == verdict for one in talks) for verdict in ("fine", "wrong")] == [1705, 1388]
    assert all(one["annotator"] and one["time"] for one in talks)
    products = entries["annotated_reddit-PRODUCT-ner.jsonl"]
    assert sum(one.get("verdict") == "fine" for one in products) == 438
    news = entries["annotated_news_headlines-ORG-PERSON-LOCATION-ner.jsonl"]
    assert sum(one.get("status") == "skipped" for one in news) == 1
    assert not [one for one in news if "verdict" in one]
    assert read_all(prodigy, FIXTURES / "example-datasets" / "bio_events.jsonl")[0].fields["annotations"] == []

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers import Broken

from .memory import got, rows, survives

QUESTION = {"id": "q1", "question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}]}
IMPOSSIBLE = {"id": "q2", "question": "Why?", "answers": [], "is_impossible": True}


def squad(*paragraphs: Any, **beside: Any) -> str:
    return json.dumps({"version": "2.0", "data": [{"title": "Ann", "paragraphs": list(paragraphs), **beside}]})


def test_every_question_is_a_record_with_its_context_and_title() -> None:
    found = rows(squad({"context": "Ann left.", "id": "p1", "qas": [QUESTION, IMPOSSIBLE]}, id="a1"), "squad")
    assert found[0] == {"title": "Ann", "context": "Ann left.", "context_id": "p1", **QUESTION}
    assert found[1]["answers"] == [{"text": "", "answer_start": -1}]
    assert [one["id"] for one in found] == ["q1", "q2"]


def test_a_question_without_any_annotation_is_not_said_to_be_impossible() -> None:
    found = rows(squad({"context": "Ann left.", "qas": [{**IMPOSSIBLE, "is_impossible": False}]}), "squad")
    assert found[0]["answers"] == []


def test_what_lacks_its_parts_is_broken_one_by_one() -> None:
    found = got(squad({"context": "No questions."}, "text", {"context": "Ann left.", "qas": [7, QUESTION]}), "squad")
    assert [isinstance(one, Broken) for one in found] == [True, True, True, False]
    assert all(one.reason == "unreadable_record" for one in found if isinstance(one, Broken))


def test_another_array_can_be_named() -> None:
    text = json.dumps({"sets": {"dev": [{"paragraphs": [{"context": "Ann left.", "qas": [QUESTION]}]}]}})
    assert len(rows(text, "squad", json_path="sets.dev")) == 1
    assert survives(text.encode(), "squad") is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "paragraphs", "qas", "id", "context", "answers"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES, st.binary(max_size=8), st.integers(0, 400))
def test_hostile_files_give_records_or_errors(value: Any, bytes_: bytes, at: int) -> None:
    whole = json.dumps({"data": [{"paragraphs": [{"context": "Ann", "qas": [QUESTION]}]}, value]}).encode()
    survives(whole, "squad")
    survives(whole[:at] + bytes_ + whole[at:], "squad")

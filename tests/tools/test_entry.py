"""What tools have in common: offsets of both kinds, any JSON file, a text at once, and no file that stops a reader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.readers import Broken, ReadOptions, Record
from pipeline.tools import argilla, doccano, entry, prodigy, sheet
from tests.readers.memory import REASONS, held
from tests.tools.asked import TEXTS

if TYPE_CHECKING:
    from types import ModuleType


@given(TEXTS, st.data())
def test_offsets_go_to_units_and_back(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    counted = entry.units(text, offset)
    assert counted == len(text[:offset].encode("utf-16-le")) // 2
    assert entry.points(text, counted) == offset
    known = {entry.units(text, at) for at in range(len(text) + 1)}
    beyond = entry.units(text, len(text)) + 3
    assert all((entry.points(text, at) is None) == (at not in known) for at in range(-2, beyond))


@pytest.mark.parametrize(
    ("given_", "kept", "problem"),
    [
        ([[0, 2, "A"]], 1, ""),
        ([{"start_offset": 0, "end_offset": 2, "label": "A"}], 1, ""),
        ([{"start": 0, "end": 2, "label": "A", "text": "ab"}], 1, ""),
        ([{"start": 0, "end": 2, "label": "A", "surface": "xx"}], 0, "[0, 2) reads 'ab', not 'xx'"),
        ([[2, 2, "A"]], 0, "[2, 2) is no stretch of 3 characters"),
        ([[0, 4, "A"], [1, 9, "A"], [0, 1, "A"]], 1, "[0, 4) is no stretch of 3 characters (and 1 more)"),
        ([[True, 2, "A"]], 0, "no span: [True, 2, 'A']"),
        ([[0, 2, ""]], 0, "no span: [0, 2, '']"),
        ([[0, 2]], 0, "no span: [0, 2]"),
        ([7], 0, "no span: 7"),
        ("ab", 0, "spans are a list, not 'ab'"),
    ],
)
def test_spans_are_checked_against_the_text(given_: Any, kept: int, problem: str) -> None:
    spans, told = entry.checked_spans("abc", given_)
    assert (len(spans), told) == (kept, problem)


@pytest.mark.parametrize(
    ("content", "places"),
    [
        ('{"a": 1}\n\n{"a": 2}\n', ["f:1", "f:3"]),
        ('[{"a": 1},\n{"a": 2}]', ["f:1", "f:2"]),
        ('{\n"items": [{"a": 1},\n{"a": 2}], "total": 2}', ["f:2", "f:3"]),
        ('{\n "a": 1\n}\n{\n "a": 2\n}\n', ["f:1", "f:4"]),
        ("", []),
    ],
)
def test_objects_of_any_json_file(content: str, places: list[str]) -> None:
    found = list(entry.json_records(held(content), ReadOptions()))
    assert [one.place for one in found] == places
    assert [one.fields for one in found if isinstance(one, Record)] == [{"a": 1}, {"a": 2}][: len(places)]


def test_an_object_that_breaks_off_is_broken_once() -> None:
    one, two = entry.json_records(held('{\n "a": 1\n}\n{\n "a": 2,\n}\n{"a": 3}'), ReadOptions())
    assert isinstance(one, Record)
    assert isinstance(two, Broken)
    assert two.place == "f:4"
    assert two.raw.endswith('{"a": 3}')


def test_overlap() -> None:
    assert entry.overlap([[4, 8, "A"], [0, 5, "B"]])
    assert not entry.overlap([[4, 8, "A"], [0, 4, "B"]])
    assert not entry.overlap([])


KEYS = (
    *("id", "text", "label", "labels", "entities", "relations", "annotations", "cats", "Comments", "meta", "asked"),
    *("spans", "answer", "accept", "options", "field_id", "tokens", "start", "end", "head", "child", "head_span"),
    *("fields", "responses", "metadata", "values", "q.responses", "q.responses.users", "value", "user_id", "status"),
    *("verdict", "right_answer", "item", "kind", "judged", "names", "many", "when", "start_offset", "end_offset"),
    *("from_id", "to_id", "type", "_timestamp", "_view_id", "suggested", "row_id", "data", "user"),
)
WORDS = [
    "",
    "a",
    "a b😀",
    "spans",
    "relations",
    "labels",
    "text",
    "rating",
    "accept",
    "reject",
    "fine",
    "wrong",
    "[a|B]",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats(allow_nan=False) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8)


@pytest.mark.parametrize("tool", [doccano, argilla, prodigy, sheet])
@settings(max_examples=100)
@given(st.lists(OBJECTS, min_size=1, max_size=2))
def test_no_json_stops_a_reader(tool: ModuleType, objects: list[dict[str, Any]]) -> None:
    lines = "".join(json.dumps({"text": "a b😀", **one}) + "\n" for one in objects)
    try:
        found = list(tool.read(held(lines), ReadOptions()))
    except AssayError:
        return
    assert found
    for one in found:
        if isinstance(one, Broken):
            assert one.reason in REASONS
            assert one.evidence
        else:
            assert isinstance(one.fields["text"], str)
            assert all({"annotator", "time", "seconds"} <= set(said) for said in one.fields["annotations"])
            spans = [span for said in one.fields["annotations"] for span in said.get("spans", [])]
            assert all(0 <= span["start"] < span["end"] <= len(one.fields["text"]) for span in spans)

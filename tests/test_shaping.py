"""Shaping: the spine around what the task shapes, the same wherever it is done."""

from __future__ import annotations

import json
import pickle
from typing import Any

from pipeline.answers import Given
from pipeline.contract import contract
from pipeline.readers import Broken, Record
from pipeline.settings import Guideline, RowSource
from pipeline.shaping import Shaped, shaped
from pipeline.tasks import task

TASK = task("classification", Guideline())


def shape(*chunk: Any, **more: Any) -> Shaped:
    source = RowSource.model_validate({"name": "s", "files": ("f",), "format": "csv"} | more)
    joined = [one if isinstance(one, tuple) else (one, [], 0) for one in chunk]
    return shaped(joined, task=TASK, source=source, languages=(), sure_chars=20)


def test_records_become_rows_annotations_and_rejections() -> None:
    found = shape(
        Record("f:1", {"text": "aa", "label": "x"}, ("a note",)),
        Broken("f:2", "wrong_columns", "3 for 2", "a,b,c"),
        Record("f:3", {"label": "x"}),
        (Record("f:4", {"text": "bb"}), [Given("p", "y")], 1),
    )
    assert found.records == 5
    assert found.rows.schema == contract("classification").schema
    assert found.rows["source"].to_pylist() == ["f:1", "f:4"]
    assert found.annotations.select(["place", "annotator", "answer"]).to_pylist() == [
        {"place": 0, "annotator": "file", "answer": '["x"]'}, {"place": 1, "annotator": "p", "answer": '["y"]'},
    ]  # fmt: skip
    assert [(line["id"], line["reason"], line["row"]) for line in found.rejected.to_pylist()] == [
        ("record:f:2", "wrong_columns", "a,b,c"), ("record:f:3", "missing_field", '{"label": "x"}'),
    ]  # fmt: skip
    assert (found.row_at, found.rejected_at) == ([0, 3], [1, 2])
    assert found.notes == ["f:1: a note"]


def test_what_is_refused_keeps_the_annotations_that_were_to_join_it() -> None:
    found = shape((Record("f:1", {"x": "é"}), [Given("p", "y", time="t")], 1))
    whole = json.loads(found.rejected["row"][0].as_py())
    assert whole["record"] == {"x": "é"}
    assert whole["annotations"][0] == {"annotator": "p", "answer": "y", "time": "t", "batch": None, "guideline": None}


def test_ids_from_content_depend_on_what_was_read_and_nothing_else() -> None:
    one = shape(Record("f:1", {"text": "caf\u00e9", "label": "x"}), Record("f:2", {"text": "other"}))
    two = shape(Record("g:9", {"text": "cafe\u0301", "label": "y", "more": 1}))
    assert one.rows["id"][0] == two.rows["id"][0]
    assert one.rows["id"][0] != one.rows["id"][1]
    assert one.inputs[0] == two.inputs[0]
    assert one.wholes[0] != two.wholes[0]
    assert one.named == [False, False]


def test_declared_languages_win_over_detected_ones() -> None:
    record = Record("f:1", {"text": "这是一句中文", "lang": "ja"})
    assert shape(record).rows["language"].to_pylist() == ["zh"]
    assert shape(record, language="yue").rows["language"].to_pylist() == ["yue"]
    assert shape(record, language="yue", columns={"language": "lang"}).rows["language"].to_pylist() == ["ja"]


def test_what_is_shaped_goes_through_a_process_pool() -> None:
    found = shape(Record("f:1", {"text": "aa", "label": "x"}))
    back = pickle.loads(pickle.dumps(found))  # our own bytes
    assert back.rows.equals(found.rows)
    assert (back.wholes, back.inputs, back.records) == (found.wholes, found.inputs, found.records)

"""Existing sets: their records as rows of the task, and that a set that is not compared is never silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline import existing
from pipeline.errors import AssayError
from tests.heard import LABELLED, MARKED, read, record, work_on
from tests.small import jsonl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AGAINST = """
[[against]]
name = "old"
kind = "existing"
files = ["old.jsonl"]
format = "jsonl"
columns = { text = "body", %s = "topic" }
"""


def items(
    folder: Path, records: Sequence[dict[str, Any]], *, toml: str = LABELLED, part: str = "label"
) -> tuple[list[dict[str, Any]], dict[str, dict[str, int]]]:
    """The items of an existing set of these records, and what was counted."""
    one = read(folder, toml + AGAINST % part, [record(1, [("a", "x")] if part == "label" else [])])
    (one.folder / "old.jsonl").write_text(jsonl(records), encoding="utf-8")
    with existing.items(work_on(one)) as (table, counts):
        return table.to_pylist(), counts


def test_records_are_rows_of_the_task(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [{"body": "One", "topic": "x"}, {"body": "二", "topic": None}, {"topic": "y"}]
    told, counts = items(tmp_path, records)
    assert counts == {"old": {"items": 2, "unread": 1}}
    assert told[0] == {"asked": "One", "set": "old", "place": "old.jsonl:1", "answer": '["x"]', "meaning": '["x"]'}
    assert (told[1]["asked"], told[1]["answer"], told[1]["meaning"]) == ("二", None, None)


def test_answers_mean_what_they_mean_in_the_task(tmp_path: Path) -> None:
    records = [{"body": "in Paris, now", "topic": [[3, 8, "LOC"]]}]
    told, _ = items(tmp_path, records, toml=MARKED, part="spans")
    assert told[0]["meaning"] == '[[2,"paris","LOC"]]'


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"text": "a", "topic": "x"}], "no record has the field 'body'; known: text, topic"),
        ([{"body": None, "topic": "x"}], "none of its 1 records is a row of the task; the first: old.jsonl:1: missing"),
    ],
)
def test_a_set_that_cannot_be_compared_stops_the_audit(
    tmp_path: Path, records: Sequence[dict[str, Any]], said: str
) -> None:
    with pytest.raises(AssayError) as caught:
        items(tmp_path, records)
    assert said in str(caught.value)


def test_the_audit_depends_on_its_content(tmp_path: Path) -> None:
    one = read(tmp_path, LABELLED + AGAINST % "label", [record(1, [("a", "x")])])
    path = one.folder / "old.jsonl"
    seen = []
    for text in ("a", "b"):
        path.write_text(jsonl([{"body": text, "topic": "x"}]), encoding="utf-8")
        seen.append(existing.inputs(one))
    assert seen[0].keys() == seen[1].keys() == {"against old old.jsonl"}
    assert seen[0] != seen[1]
    assert existing.inputs(read(tmp_path / "none", LABELLED, [record(1, [])])) == {}

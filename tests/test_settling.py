"""Settling: the first rule that a row breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline import electing, settling, voting
from pipeline.settings import AuditSettings, Guideline
from pipeline.settling import first_problem, ruled
from pipeline.tasks import task
from tests.heard import LABELLED, RATED, heard_of, read, record, work_on

if TYPE_CHECKING:
    from pathlib import Path

TASK = task("classification", Guideline())


def row(text: str, pair: str | None = None) -> dict[str, Any]:
    return {"text": text, "text_pair": pair, "labels": []}


RULED = dict.fromkeys(("blank", "chars", "meaning", "classes", "rule", "seen"))
SETTLED = {"answer": '["x"]', "confidence": 0.9, "tied": False}


@pytest.mark.parametrize(
    ("text", "line_of", "heard_of", "more", "expected"),
    [
        ("text", {}, (1, None), {}, None),
        (" \n", {}, (1, None), {}, "blank_text"),
        ("abc", {}, (1, None), {"min_text_chars": 4}, "too_short"),
        ("abc", {}, (1, None), {"max_text_chars": 2}, "too_long"),
        ("text", {"answer": None}, (0, None), {}, "unanswered"),
        ("text", {"answer": None}, (0, "unknown_label: 'y'"), {}, "unknown_label"),
        ("text", {}, (1, "unknown_label: 'y'"), {"min_annotators": 2}, "unanswered"),
        ("text", {"tied": True}, (2, None), {}, "tied"),
        ("text", {"tied": True}, (2, None), {"ties": "keep"}, None),
        ("text", {"answer": "[]"}, (2, None), {}, "not_one_label"),
        ("text", {}, (2, None), {"min_confidence": 0.91}, "low_confidence"),
        ("text", {}, (2, None), {"min_confidence": 0.9}, None),
        ("text", {"confidence": None}, (2, None), {"min_confidence": 0.9}, None),
    ],
)
def test_the_first_rule_that_a_row_breaks(
    text: str, line_of: dict[str, Any], heard_of: tuple[int, str | None], more: dict[str, Any], expected: str | None
) -> None:
    """`heard_of`: how many annotations count, and the problem of one that does not."""
    settings = AuditSettings.model_validate(more)
    line = SETTLED | line_of
    more = RULED | ruled(row(text) | {"_answer": line["answer"]}, TASK)
    found = first_problem(line | more, *heard_of, settings=settings)
    assert (found and found[0]) == expected


PAIRED = """
task = "relations"
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", entities = "entities", gold = "gold" }
"""
BERLIN = [{"start": 0, "end": 3, "label": "PER"}, {"start": 14, "end": 20, "label": "LOC"}]
LIVES, WORKS = [{"head": 0, "tail": 1, "label": "lives"}], [{"head": 1, "tail": 0, "label": "works"}]
ANSWERS: dict[str, list[Any]] = {LABELLED: ["x", "y"], RATED: [1, 7], PAIRED: [LIVES, WORKS]}


@pytest.mark.parametrize("toml", ANSWERS, ids=["labels", "numbers", "relations"])
def test_the_vote_is_the_same_asked_by_the_label_or_by_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toml: str
) -> None:
    one, other = ANSWERS[toml]
    said = [[("a", one), ("b", one), ("c", other)], [("a", other)], [], [("b", one), ("c", other)]]
    records = [
        record(at, each, text="Ann moved to Berlin.", entities=BERLIN, gold=other if at == 5 else None)
        for at, each in enumerate(said * 4)
    ]
    work = work_on(read(tmp_path, toml, records))
    heard, asked = heard_of(work), AuditSettings()
    election = electing.elect(voting.poll(work, heard), work.task, asked)
    told = settling.settle(work, heard, election, asked)
    assert told.num_rows == len(records)
    assert told["answer"].null_count == 4
    monkeypatch.setattr(settling, "BY_LABEL", frozenset())
    assert told.equals(settling.settle(work, heard, election, asked))

"""Verdicts: every row kept or rejected once and in order, with what it stands for, and its weight."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipeline.contract import REJECTED, contract
from pipeline.engine import Engine
from pipeline.judging import Judgement
from pipeline.quality.merging import Merging
from pipeline.stage import batch_of
from pipeline.verdicts import VERDICTS, part, parted_by, verdicts
from tests.builds import a_text
from tests.heard import LABELLED, read, record, work_on

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.stage import Work
    from pipeline.verdicts import Parted

ROWS = 12
REASONS: list[str | None] = [None, "tied", None, None, "unanswered", None, None, None, "too_long", None, None, None]
GROUPS = [f"g{at // 2}" for at in range(ROWS)]


def judged(work: Work, **changed: Any) -> Judgement:
    """Every row answers x or y; those at 1, 4 and 8 are rejected; row 0 stands for two copies."""
    read_rows = work.narrow(["id", "source"])
    columns: dict[str, Any] = {
        "ids": read_rows["id"].to_pylist(),
        "sources": read_rows["source"].to_pylist(),
        "groups": GROUPS,
        "settled": pa.table({}),
        "reason": REASONS,
        "evidence": [reason and f"seen: {reason}" for reason in REASONS],
        "answer": [None if reason == "unanswered" else json.dumps(["xy"[at % 2]]) for at, reason in enumerate(REASONS)],
        "meaning": [None] * ROWS,
        "confidence": [None if at == 2 else 0.5 + at / 100 for at in range(ROWS)],
        "merging": Merging(copies={0: [8, 5, 1]}),
    }
    return Judgement(**columns | changed)


@pytest.fixture
def one(tmp_path: Path) -> Recipe:
    return read(tmp_path, LABELLED, [record(n, [("ann", "x")]) for n in range(ROWS)])


def whole(parted: list[Parted]) -> dict[str, list[dict[str, Any]]]:
    names = ("kept", "rejected")
    return {name: [row for each in parted for row in getattr(each, name).to_pylist()] for name in names}


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_every_row_is_kept_or_rejected_once_and_in_order(one: Recipe, size: int) -> None:
    work = work_on(one, Engine(1, size))
    parted = list(part(work, judged(work)))
    told = whole(parted)
    ids = [f"s/{n}" for n in range(ROWS)]
    assert [row["id"] for row in told["kept"]] == [id_ for id_, why in zip(ids, REASONS, strict=True) if why is None]
    assert [(row["id"], row["reason"]) for row in told["rejected"]] == [
        (id_, why) for id_, why in zip(ids, REASONS, strict=True) if why
    ]
    assert {each.kept.schema for each in parted} == {work.contract.schema}
    assert {each.rejected.schema for each in parted} == {REJECTED}


def test_a_kept_row_carries_what_was_settled_and_what_it_stands_for(one: Recipe) -> None:
    work = work_on(one)
    kept = whole(list(part(work, judged(work))))["kept"]
    assert [row["labels"] for row in kept[:3]] == [["x"], ["x"], ["y"]]
    assert (kept[0]["confidence"], kept[1]["confidence"]) == (0.5, None)
    assert kept[0]["also_at"] == [work.narrow(["source"])["source"][at].as_py() for at in (8, 5, 1)]
    assert kept[0]["also_in"] == ["g2", "g4"]  # not its own group, to which the row at 1 belongs
    assert (kept[1]["also_at"], kept[1]["also_in"]) == ([], [])


def test_a_rejected_row_is_told_whole_with_its_settled_answer(one: Recipe) -> None:
    work = work_on(one)
    gone = whole(list(part(work, judged(work))))["rejected"]
    assert [line["evidence"] for line in gone] == ["seen: tied", "seen: unanswered", "seen: too_long"]
    assert {line["stage"] for line in gone} == {"audit"}
    rows = [json.loads(line["row"]) for line in gone]
    assert [row["labels"] for row in rows] == [["y"], [], ["x"]]
    assert [row["text"] for row in rows] == [f"text number {n}" for n in (1, 4, 8)]


def test_what_was_not_said_is_no_evidence_but_a_text(one: Recipe) -> None:
    work = work_on(one)
    lines = whole(list(part(work, judged(work, evidence=[None] * ROWS))))["rejected"]
    assert [line["evidence"] for line in lines] == [""] * 3


def parted(weight_by: str, *, weight: float, confidence: float | None, copies: int) -> dict[str, Any]:
    """The one row that is kept, with its weight."""
    schema = contract("classification").schema
    line = {
        "answer": '["x"]',
        "reason": None,
        "evidence": None,
        "confidence": confidence,
        "also_at": ["raw:9"] * copies,
        "also_in": [],
    }
    given = batch_of([a_text("s/1", "text", weight=weight)], schema)
    (row,) = parted_by(given, batch_of([line], VERDICTS), weight_by=weight_by).kept.to_pylist()
    return row  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("weight_by", "confidence", "copies", "expected"),
    [
        ("none", 0.25, 3, 2.0),
        ("confidence", 0.25, 3, 0.5),
        ("confidence", None, 3, 2.0),  # nobody measured the annotators: no reason to learn less from the row
        ("copies", 0.25, 3, 8.0),
        ("copies", 0.25, 0, 2.0),
    ],
)
def test_weights(weight_by: str, confidence: float | None, copies: int, expected: float) -> None:
    assert parted(weight_by, weight=2.0, confidence=confidence, copies=copies)["weight"] == expected


def test_a_weight_is_rounded_but_not_to_nothing() -> None:
    assert parted("confidence", weight=1.0, confidence=1 / 3, copies=0)["weight"] == 0.333333333
    assert parted("confidence", weight=1e-12, confidence=0.5, copies=0)["weight"] == 5e-13
    assert parted("confidence", weight=0.0, confidence=0.5, copies=0)["weight"] == 0.0


def test_there_is_a_line_for_every_row(one: Recipe) -> None:
    work = work_on(one)
    told = verdicts(judged(work))
    assert (told.num_rows, told.schema) == (ROWS, VERDICTS)
    assert told["reason"].to_pylist() == REASONS

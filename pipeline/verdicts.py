"""Kept and rejected: every row beside its verdict, in batches that any process can work on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.contract import REJECTED
from pipeline.settling import DECIMALS
from pipeline.stage import batch_of, rejection
from pipeline.suspecting.checked import CHECKED, checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.judging import Judgement
    from pipeline.stage import Work
    from pipeline.tasks import Row, Task

VERDICTS = pa.schema(
    [
        ("answer", pa.string()),
        ("reason", pa.string()),
        ("evidence", pa.string()),
        ("confidence", pa.float64()),
        ("also_at", pa.list_(pa.string())),
        ("also_in", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True)
class Parted:
    """A batch of rows, parted: those kept, those rejected, and the narrow columns of the kept that are checked."""

    kept: pa.RecordBatch
    rejected: pa.RecordBatch
    checked: pa.RecordBatch


def part(work: Work, judged: Judgement) -> Iterator[Parted]:
    """All rows in order, parted by their verdicts."""
    settings = work.recipe.settings.audit
    function = partial(part_batch, task=work.task, schema=work.contract.schema, weight_by=settings.weight_by)
    yield from work.engine.map(function, _with_verdicts(work, verdicts(judged)))


def verdicts(judged: Judgement) -> pa.Table:
    """One line for every row, in order (columns: `VERDICTS`): its verdict, and the duplicates it stands for."""
    copies = [judged.merging.copies.get(at, []) for at in range(len(judged.ids))]
    groups = [
        sorted({judged.groups[copy] for copy in mine} - {judged.groups[at]}) if mine else []
        for at, mine in enumerate(copies)
    ]
    columns = {
        "answer": judged.answer,
        "reason": judged.reason,
        "evidence": judged.evidence,
        "confidence": judged.confidence,
        "also_at": [[judged.sources[copy] for copy in mine] for mine in copies],
        "also_in": groups,
    }
    return pa.Table.from_pydict(columns, schema=VERDICTS)


def _with_verdicts(work: Work, told: pa.Table) -> Iterator[tuple[int, pa.RecordBatch, pa.Table]]:
    first = 0
    for batch in work.batches():
        yield first, batch, told.slice(first, batch.num_rows)
        first += batch.num_rows


def part_batch(given: tuple[int, pa.RecordBatch, pa.Table], *, task: Task, schema: pa.Schema, weight_by: str) -> Parted:
    """The rows of a batch, parted by their verdicts."""
    first, batch, told = given
    kept: list[Row] = []
    rejected, looked_at = [], []
    for at, (read, verdict) in enumerate(zip(batch.to_pylist(), told.to_pylist(), strict=True), first):
        answer, reason = verdict["answer"], verdict["reason"]
        row = read if answer is None else task.with_answer(read, json.loads(answer))
        if reason is None:
            kept.append(_weighed(row, verdict, weight_by))
            looked_at.append(checked(kept[-1], at, task))
        else:
            rejected.append(rejection(row, stage="audit", reason=reason, evidence=verdict["evidence"] or ""))
    return Parted(batch_of(kept, schema), batch_of(rejected, REJECTED), batch_of(looked_at, CHECKED))


def _weighed(row: Row, verdict: dict[str, Any], weight_by: str) -> Row:
    """The row with its posterior, the places and groups of the duplicates it stands for, and its weight in training."""
    confidence, also_at = verdict["confidence"], verdict["also_at"]
    sure = 1.0 if confidence is None else confidence
    weight = row["weight"] * {"none": 1.0, "confidence": sure, "copies": 1.0 + len(also_at)}[weight_by]
    weight = round(weight, DECIMALS) or weight  # however small, a weight is not nothing
    return {**row, "confidence": confidence, "also_at": also_at, "also_in": verdict["also_in"], "weight": weight}

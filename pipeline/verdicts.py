"""Kept and rejected: every row beside its verdict, its answer settled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract import REJECTED
from pipeline.settling import DECIMALS
from pipeline.stage import batch_of, rejection
from pipeline.voting import with_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.judging import Judgement
    from pipeline.stage import Work
    from pipeline.tasks import Task

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
    """A batch of rows, parted: those kept and those rejected."""

    kept: pa.RecordBatch
    rejected: pa.RecordBatch


def part(work: Work, judged: Judgement) -> Iterator[Parted]:
    """All rows in order, their answers settled, parted by their verdicts."""
    told, first = verdicts(judged).combine_chunks(), 0
    schema = pa.schema([work.contract.schema.field(name) for name in work.contract.answers])
    function = partial(answered_batch, task=work.task, schema=schema)
    answered = work.over(function, with_answer(work, told["answer"].combine_chunks()), version=None)
    for rows, answers in zip(work.batches(), answered, strict=True):
        line = told.slice(first, rows.num_rows).to_batches()[0]
        first += rows.num_rows
        settled = with_those(rows, dict(zip(schema.names, answers.columns, strict=True)), work.contract.schema)
        yield parted_by(settled, line, weight_by=work.recipe.settings.audit.weight_by)


def verdicts(judged: Judgement) -> pa.Table:
    """One line for every row, in order (columns: `VERDICTS`): its verdict, and the duplicates it stands for."""
    copies, groups, rows = judged.merging.copies, judged.groups, len(judged.ids)
    columns = {
        "answer": judged.answer,
        "reason": judged.reason,
        "evidence": judged.evidence,
        "confidence": judged.confidence,
        "also_at": _lists({at: [judged.sources[copy] for copy in mine] for at, mine in copies.items()}, rows),
        "also_in": _lists(
            {at: sorted({groups[copy] for copy in mine} - {groups[at]}) for at, mine in copies.items()}, rows
        ),
    }
    return pa.Table.from_pydict(columns, schema=VERDICTS)


def _lists(of: dict[int, list[str]], rows: int) -> pa.ListArray:
    """A list for each row, empty for most."""
    lengths = np.zeros(rows + 1, dtype=np.int32)
    for at, values in of.items():
        lengths[at + 1] = len(values)
    values = pa.array([value for at in sorted(of) for value in of[at]], pa.string())
    return pa.ListArray.from_arrays(pa.array(np.cumsum(lengths, dtype=np.int32)), values)


def answered_batch(batch: pa.RecordBatch, *, task: Task, schema: pa.Schema) -> pa.RecordBatch:
    """The columns that hold the answer (`schema`), with the answer that each row leaves with, if any."""
    rows = [
        row if row["_answer"] is None else task.with_answer(row, json.loads(row["_answer"]))
        for row in batch.to_pylist()
    ]
    return pa.RecordBatch.from_pydict({name: [row[name] for row in rows] for name in schema.names}, schema=schema)


def parted_by(rows: pa.RecordBatch, told: pa.RecordBatch, *, weight_by: str) -> Parted:
    """The rows of a batch, their answers settled, parted by their verdicts (columns: `VERDICTS`)."""
    stays = told["reason"].is_null()
    gone = zip(rows.filter(pc.invert(stays)).to_pylist(), told.filter(pc.invert(stays)).to_pylist(), strict=True)
    rejected = [
        rejection(row, stage="audit", reason=line["reason"], evidence=line["evidence"] or "") for row, line in gone
    ]
    kept = _weighed(rows.filter(stays), told.filter(stays), weight_by)
    return Parted(kept, batch_of(rejected, REJECTED))


def _weighed(rows: pa.RecordBatch, told: pa.RecordBatch, weight_by: str) -> pa.RecordBatch:
    """The rows with their posterior, the places and groups of the duplicates they stand for, and their weight."""
    more = {name: told[name] for name in ("confidence", "also_at", "also_in")}
    return with_those(rows, more | {"weight": _weights(rows["weight"], told, weight_by)}, rows.schema)


def _weights(given: pa.Array, told: pa.RecordBatch, weight_by: str) -> pa.Array:
    """How much each row counts in training."""
    if weight_by == "none":
        by = np.ones(len(given))
    elif weight_by == "confidence":
        by = np.asarray(told["confidence"].fill_null(1.0))
    else:
        by = 1.0 + np.asarray(told["also_at"].value_lengths())
    weight = np.asarray(given) * by
    rounded = np.round(weight, DECIMALS)
    # However small, a weight is not nothing.
    return pa.array(np.where(rounded == 0, weight, rounded))


def with_those(rows: pa.RecordBatch, columns: dict[str, pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    """The rows of `schema` with other columns in the place of those that are called so."""
    return pa.RecordBatch.from_arrays([columns.get(name, rows[name]) for name in schema.names], schema=schema)

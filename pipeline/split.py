"""Split: who learns, who chooses, who judges; stratified and grouped at once, and nothing held out leaks into training.

Everything is decided on narrow columns (`sides.decide`) in the order of the ids, then streamed over the rows.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.contract import REJECTED
from pipeline.quality.sides import SIDES, Verdicts, decide
from pipeline.stage import Outcome, Stage, Work, batch_of, rejection
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import SplitSettings
    from pipeline.tasks import Row, Task

FACTS = pa.schema(
    [
        ("id", pa.string()),
        ("group", pa.string()),
        ("also_in", pa.list_(pa.string())),
        ("kin", pa.list_(pa.string())),
        ("split", pa.string()),
        ("source", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("strata", pa.list_(pa.string())),
        ("text", pa.string()),
    ]
)


def split(work: Work) -> Outcome:
    """Deal the rows to train, validation and test; reject training rows and copies that would leak."""
    tables = {**dict.fromkeys(SIDES, work.contract.schema), "rejected": REJECTED}
    details: dict[str, Any] = {}
    return Outcome(stream=_stream(work, details), schemas=tables, kept=SIDES, details=details)


def _stream(work: Work, details: dict[str, Any]) -> Iterator[tuple[str, pa.RecordBatch]]:
    settings = work.recipe.settings.split
    verdicts = decide(_facts(work, settings), settings)
    details.update(verdicts.details)
    done = 0
    for table in ("rows", "made"):
        for batch in work.batches(table):
            yield from _dealt(batch, verdicts, done)
            done += batch.num_rows
            work.tick(batch.num_rows)


def _dealt(batch: pa.RecordBatch, verdicts: Verdicts, done: int) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows of a batch by side, `split` filled in, and those that go no further."""
    sides = verdicts.sides[done : done + batch.num_rows]
    for number, name in enumerate(SIDES):
        rows = batch.filter(pa.array(sides == number))
        if rows.num_rows:
            place = rows.schema.get_field_index("split")
            column = pa.array([name] * rows.num_rows, pa.string())
            yield name, rows.set_column(place, rows.schema.field(place), column)
    gone = np.flatnonzero(sides < 0)
    if len(gone):
        rows = batch.take(pa.array(gone)).to_pylist()
        reasons = [verdicts.reasons[done + place] for place in gone.tolist()]
        lines = [
            rejection(row, stage="split", reason=reason, evidence=evidence)
            for row, (reason, evidence) in zip(rows, reasons, strict=True)
        ]
        yield "rejected", batch_of(lines, REJECTED)


def _facts(work: Work, settings: SplitSettings) -> pa.Table:
    function = partial(facts, work.task, settings)
    batches = (batch for table in ("rows", "made") for batch in work.batches(table))
    return pa.Table.from_batches(list(work.engine.map(function, batches)), schema=FACTS)


def facts(task: Task, settings: SplitSettings, batch: pa.RecordBatch) -> pa.RecordBatch:
    """What the split needs to know of every row (`FACTS`); the text is normalised where only equality counts."""
    rows = []
    for row in batch.to_pylist():
        text = task.shown(row)
        known = {name: row[name] for name in ("id", "group", "also_in", "split", "parents")}
        known |= {"kin": task.kin(row), "source": _source(row), "strata": _strata(task, row, settings, text)}
        rows.append(known | {"text": text if settings.near_duplicates else normalised(text)})
    return pa.RecordBatch.from_pylist(rows, schema=FACTS)


def _source(row: Row) -> str:
    """The name of the source in the recipe: what stands before the stroke in the id."""
    return str(row["id"]).partition("/")[0]


def _strata(task: Task, row: Row, settings: SplitSettings, text: str) -> list[str]:
    found = []
    if "answer" in settings.strata:
        found += [f"answer={name}" for name in sorted(set(task.strata(row)))]
    if "source" in settings.strata:
        found.append(f"source={_source(row)}")
    if "language" in settings.strata:
        found.append(f"language={row['language']}")
    if "length" in settings.strata:
        found.append(f"length={_bucket(len(text))}")
    return found


def _bucket(length_chars: int) -> str:
    """The octave a length is in: 64-127 characters.

    >>> _bucket(100), _bucket(0)
    ('64-127', '0')
    """
    top = 1 << length_chars.bit_length()
    return f"{top // 2}-{top - 1}" if length_chars else "0"


STAGE = Stage(name="split", after="augment", sections=("split",), run=split)

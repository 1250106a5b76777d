"""The vote: every annotator's ballots on every unit of every row, and which label wins each unit, by which method."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.quality.ballots import Ballots, ballots_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.hearing import Said
    from pipeline.stage import Work
    from pipeline.tasks import Task

    Ints = NDArray[np.int64]

CAST = pa.schema(
    [
        ("row", pa.int64()),
        ("unit", pa.string()),
        ("annotator", pa.string()),
        ("label", pa.string()),
        ("origin", pa.int64()),
    ]
)
KNOWN = pa.schema([("row", pa.int64()), ("unit", pa.string()), ("label", pa.string())])


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer to a row that counts: by whom (None: anonymous), what, and the number of its annotation."""

    annotator: str | None
    answer: Any
    origin: int


@dataclass(frozen=True)
class Poll:
    """All ballots, and what gold answers say of their units: `known` is int64[units], a label or -1."""

    ballots: Ballots
    known: Ints


def poll(work: Work, heard: Said) -> Poll:
    """Everything that was voted on, over all rows: one wide pass that gives narrow ballots."""
    made = list(work.engine.map(partial(cast_batch, task=work.task), with_said(work, heard)))
    cast = pa.Table.from_batches([votes for votes, _ in made], schema=CAST)
    gold = pa.Table.from_batches([known for _, known in made], schema=KNOWN)
    ballots = ballots_from(
        cast["row"].to_numpy(),
        *(cast[name] for name in ("unit", "annotator", "label")),
        row_count=len(heard.starts) - 1,
        known_labels=sorted(set(gold["label"].to_pylist())),
        origin=cast["origin"].to_numpy(),
    )
    return Poll(ballots, _known(ballots, gold))


def _known(ballots: Ballots, gold: pa.Table) -> Ints:
    """The label of every unit that gold says; -1 where it says nothing."""
    known = np.full(ballots.units, -1, dtype=np.int64)
    names = {name: at for at, name in enumerate(ballots.names)}
    labels = {name: at for at, name in enumerate(ballots.labels)}
    place = ballots.unit_row * max(len(names), 1) + ballots.unit_name
    for row, unit, label in zip(*(gold[name].to_pylist() for name in KNOWN.names), strict=True):
        wanted = row * max(len(names), 1) + names.get(unit, 0)
        at = int(np.searchsorted(place, wanted))
        if unit in names and at < len(place) and place[at] == wanted:
            known[at] = labels[label]
    return known


def with_said(work: Work, heard: Said) -> Iterator[tuple[int, pa.RecordBatch, pa.Table]]:
    """Every batch of rows with the position of its first row and the annotations of its rows."""
    first = 0
    for batch in work.batches():
        yield first, batch, heard.of(first, first + batch.num_rows)
        first += batch.num_rows


def answers(said_here: pa.Table, rows: int, *, verdict: str = "counted") -> list[list[Heard]]:
    """The annotations with a verdict, by row of the batch.

    Answers that are spelled the same are one object: most answers by far are one of a few labels.
    """
    told: list[list[Heard]] = [[] for _ in range(rows)]
    columns = (said_here[name].to_pylist() for name in ("place", "annotator", "answer", "at", "verdict"))
    parsed: dict[str, Any] = {}
    for place, annotator, answer, at, said in zip(*columns, strict=True):
        if said == verdict:
            if answer not in parsed:
                parsed[answer] = json.loads(answer)
            told[place].append(Heard(annotator, parsed[answer], at))
    return told


def cast_batch(given: tuple[int, pa.RecordBatch, pa.Table], *, task: Task) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The ballots of a batch of rows (columns: `CAST`), and what is known of their units (columns: `KNOWN`)."""
    first, batch, said_here = given
    counted, golden = (answers(said_here, batch.num_rows, verdict=verdict) for verdict in ("counted", "gold"))
    votes: list[tuple[Any, ...]] = []
    known: list[tuple[Any, ...]] = []
    for at, (row, heard, gold) in enumerate(zip(batch.to_pylist(), counted, golden, strict=True), first):
        if not heard:
            continue
        # The gold answer is asked along, so that it says something of every unit that anybody voted on.
        units = task.ballots(row, [one.answer for one in (*heard, *gold[-1:])])
        for unit, labels in units.items():
            cast = zip(heard, labels, strict=False)
            votes += [(at, unit, one.annotator, label, one.origin) for one, label in cast if label is not None]
            if gold and labels[-1] is not None:
                known.append((at, unit, labels[-1]))
    return _batch(votes, CAST), _batch(known, KNOWN)


def _batch(lines: list[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*lines, strict=True) if lines else [[] for _ in schema.names]
    return pa.RecordBatch.from_pydict(dict(zip(schema.names, map(list, columns), strict=True)), schema=schema)

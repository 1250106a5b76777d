"""The vote: every annotator's ballots on every unit of every row, and which label wins each unit, by which method."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.settings import Label

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


MOST_SEEN = 500
"""Labels that nobody declared and that are so many are no closed set."""


@dataclass(frozen=True)
class Poll:
    """All ballots, and what gold answers say of their units: `known` is int64[units], a label or -1."""

    ballots: Ballots
    known: Ints


def poll(work: Work, heard: Said) -> Poll:
    """Everything that was voted on, over all rows: one wide pass that gives narrow ballots."""
    task = with_seen_labels(work.task, heard)
    made = list(work.engine.map(partial(cast_batch, task=task), with_said(work, heard)))
    cast = pa.Table.from_batches([votes for votes, _ in made], schema=CAST)
    gold = pa.Table.from_batches([known for _, known in made], schema=KNOWN)
    ballots = ballots_from(
        cast["row"].to_numpy(),
        *(cast[name] for name in ("unit", "annotator", "label")),
        row_count=len(heard.starts) - 1,
        origin=cast["origin"].to_numpy(),
    )
    return Poll(ballots, _known(ballots, gold))


def with_seen_labels(task: Task, heard: Said) -> Task:
    """The task under a guideline that names every label anybody gave, where sets are voted on and it names none.

    Everybody who answered said no to the labels left out. Were those noes not counted where nobody said yes, a label
    would seem to be given rightly far more often than it is.
    """
    if task.measure != "sets" or task.guideline.names:
        return task
    counted = heard.table.filter(pc.is_in(heard.table["verdict"], pa.array(["counted", "gold"])))
    seen = {label for answer in pc.unique(counted["answer"]).to_pylist() for label in json.loads(answer)}
    if not seen or len(seen) > MOST_SEEN:
        return task
    named = task.guideline.model_copy(update={"label": tuple(Label(name=name) for name in sorted(seen))})
    return replace(task, guideline=named)  # type: ignore[type-var]


def _known(ballots: Ballots, gold: pa.Table) -> Ints:
    """The label of every unit that gold says; -1 where it says nothing, or what nobody ever voted for.

    Such a label teaches nothing of anybody's votes, and methods would look for it everywhere.
    """
    known = np.full(ballots.units, -1, dtype=np.int64)
    names = {name: at for at, name in enumerate(ballots.names)}
    labels = {name: at for at, name in enumerate(ballots.labels)}
    place = ballots.unit_row * max(len(names), 1) + ballots.unit_name
    for row, unit, label in zip(*(gold[name].to_pylist() for name in KNOWN.names), strict=True):
        wanted = row * max(len(names), 1) + names.get(unit, 0)
        at = int(np.searchsorted(place, wanted))
        if unit in names and at < len(place) and place[at] == wanted:
            known[at] = labels.get(label, -1)
    return known


def with_said(work: Work, heard: Said) -> Iterator[tuple[int, pa.RecordBatch, pa.Table]]:
    """Every batch of rows with the position of its first row and the annotations of its rows."""
    first = 0
    for batch in work.batches():
        yield first, batch, heard.of(first, first + batch.num_rows)
        first += batch.num_rows


def answers(said_here: pa.Table, rows: int) -> list[list[Any]]:
    """The answers of a batch of rows, row by row, from their annotations (see `with_said`).

    Answers that are spelled the same are one object: most answers by far are one of a few labels.
    """
    spelled = said_here["answer"].combine_chunks().dictionary_encode()
    known = [json.loads(answer) for answer in spelled.dictionary.to_pylist()]
    told = [known[code] for code in spelled.indices.to_pylist()]
    ends = np.searchsorted(said_here["place"].to_numpy(), np.arange(rows + 1)).tolist()
    return [told[begin:end] for begin, end in pairwise(ends)]


def with_verdict(said_here: pa.Table, verdict: str) -> pa.Table:
    """The annotations with this verdict."""
    return said_here.filter(pc.equal(said_here["verdict"], verdict))


def cast_batch(given: tuple[int, pa.RecordBatch, pa.Table], *, task: Task) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The ballots of a batch of rows (columns: `CAST`), and what is known of their units (columns: `KNOWN`)."""
    first, batch, said_here = given
    counted, golden = (with_verdict(said_here, verdict) for verdict in ("counted", "gold"))
    cast: dict[str, list[Any]] = {"row": [], "unit": [], "label": [], "place": []}
    known: dict[str, list[Any]] = {name: [] for name in KNOWN.names}
    begin = 0
    told = zip(batch.to_pylist(), answers(counted, batch.num_rows), answers(golden, batch.num_rows), strict=True)
    for at, (row, heard, gold) in enumerate(told, first):
        # The gold answer is asked along, so that it says something of every unit that anybody voted on.
        units = task.ballots(row, [*heard, *gold[-1:]]) if heard else {}
        for unit, labels in units.items():
            cast["row"] += [at] * len(heard)
            cast["unit"] += [unit] * len(heard)
            cast["label"] += labels[: len(heard)]
            cast["place"] += range(begin, begin + len(heard))
            if gold and labels[-1] is not None:
                for name, value in zip(KNOWN.names, (at, unit, labels[-1]), strict=True):
                    known[name].append(value)
        begin += len(heard)
    return _cast(cast, counted), pa.RecordBatch.from_pydict(known, schema=KNOWN)


def _cast(votes: dict[str, list[Any]], counted: pa.Table) -> pa.RecordBatch:
    """The votes, `place` being the line of `counted` that each comes from, without those who said nothing of a unit."""
    place = pa.array(votes.pop("place"), pa.int64())
    columns = votes | {"annotator": _taken(counted["annotator"], place), "origin": _taken(counted["at"], place)}
    return pa.RecordBatch.from_pydict(columns, schema=CAST).filter(pc.is_valid(pa.array(votes["label"], pa.string())))


def _taken(column: pa.ChunkedArray, place: pa.Array) -> pa.Array:
    return column.combine_chunks().take(place)

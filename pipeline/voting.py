"""The vote: every annotator's ballots on every unit of every row, and which label wins each unit, by which method."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
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

VOTE = pa.struct([("unit", pa.string()), ("said", pa.int32()), ("label", pa.string())])
CAST = pa.schema([("votes", pa.list_(VOTE)), ("known", pa.list_(VOTE))])
"""A line for each row: every vote on a unit, `said` being which of the answers that count it stands in; and what gold
says of the units."""


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
    counted, gold = Answers.of(heard, "counted"), Answers.of(heard, "gold")
    version = [label.name for label in task.guideline.label]
    cast = pa.Table.from_batches(
        list(work.over(partial(cast_batch, task=task), with_answers(work, counted, gold), version=version)), schema=CAST
    )
    row, votes = _flat(cast["votes"])
    said = counted.starts[row] + np.asarray(votes["said"])
    ballots = ballots_from(
        row,
        votes["unit"],
        counted.of_annotator.take(pa.array(said)),
        votes["label"],
        row_count=len(heard.starts) - 1,
        origin=counted.at[said],
    )
    return Poll(ballots, _known(ballots, *_flat(cast["known"])))


def _flat(lists: pa.ChunkedArray) -> tuple[Ints, dict[str, pa.Array]]:
    """The row of every item of a column of lists, and the items by their parts."""
    whole = lists.combine_chunks()
    row = np.repeat(np.arange(len(whole)), np.asarray(whole.value_lengths()))
    parts = whole.flatten().flatten()
    return row, {part.name: told for part, told in zip(VOTE, parts, strict=True)}


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


def _known(ballots: Ballots, row: Ints, gold: dict[str, pa.Array]) -> Ints:
    """The label of every unit that gold says; -1 where it says nothing, or what nobody ever voted for.

    Such a label teaches nothing of anybody's votes, and methods would look for it everywhere.
    """
    known = np.full(ballots.units, -1, dtype=np.int64)
    if not len(row) or not ballots.units:
        return known
    name, label = (_coded(gold["unit"], ballots.names), _coded(gold["label"], ballots.labels))
    place = ballots.unit_row * len(ballots.names) + ballots.unit_name
    wanted = row * len(ballots.names) + name
    at = np.minimum(np.searchsorted(place, wanted), len(place) - 1)
    found = (name >= 0) & (place[at] == wanted)
    known[at[found]] = label[found]
    return known


def _coded(names: pa.Array, known: tuple[str, ...]) -> Ints:
    """Where each name stands among the known ones; -1 where it does not."""
    found = pc.index_in(names, value_set=pa.array(known, names.type))
    return np.asarray(pc.fill_null(found, -1), dtype=np.int64)


@dataclass(frozen=True)
class Answers:
    """The answers with one verdict, in the order of their rows.

    Attributes:
        starts: int64[rows + 1], where the answers of each row begin.
        at: int64[answers], the number of each one's annotation.
        answer, of_annotator: what was answered (canonical JSON), and by whom.
    """

    starts: Ints
    at: Ints
    answer: pa.Array
    of_annotator: pa.Array

    @classmethod
    def of(cls, heard: Said, verdict: str) -> Answers:
        """Those of all that was said."""
        at = np.flatnonzero(pc.equal(heard.table["verdict"], verdict).to_numpy(zero_copy_only=False))
        told = (heard.table[name].combine_chunks().take(pa.array(at)) for name in ("answer", "annotator"))
        return cls(np.searchsorted(heard.row[at], np.arange(len(heard.starts))), at, *told)

    def lists(self, first: int, last: int) -> pa.ListArray:
        """The answers of the rows first..last-1, a list for each."""
        ends = pa.array(self.starts[first : last + 1] - self.starts[first], pa.int32())
        return pa.ListArray.from_arrays(
            ends, self.answer.slice(self.starts[first], self.starts[last] - self.starts[first])
        )


def with_answers(work: Work, counted: Answers, gold: Answers) -> Iterator[pa.RecordBatch]:
    """The rows by the columns of their task, each with the answers that count (`heard`) and those that are gold."""
    first = 0
    for batch in work.own():
        last = first + batch.num_rows
        yield with_columns(batch, heard=counted.lists(first, last), gold=gold.lists(first, last))
        first = last


def with_columns(batch: pa.RecordBatch, **more: pa.Array) -> pa.RecordBatch:
    """The batch with more columns, whose names no task uses."""
    fields = [pa.field(f"_{name}", column.type) for name, column in more.items()]
    return pa.RecordBatch.from_arrays([*batch.columns, *more.values()], schema=pa.schema([*batch.schema, *fields]))


def with_answer(work: Work, answers: pa.Array, *, and_id: bool = False) -> Iterator[pa.RecordBatch]:
    """The rows by the columns of their task (and their id), each with its one answer, canonical, in order."""
    first = 0
    for batch in work.batches(columns=["id", *work.contract.own]) if and_id else work.own():
        yield with_columns(batch, answer=answers.slice(first, batch.num_rows))
        first += batch.num_rows


def read_answers(lists: pa.ListArray) -> list[list[Any]]:
    """The answers of every row, read; those that are spelled the same are one object."""
    known: dict[str, Any] = {}
    for spelled in lists.flatten().unique().to_pylist():
        known[spelled] = json.loads(spelled)
    return [[known[spelled] for spelled in own] for own in lists.to_pylist()]


def cast_batch(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    """The ballots of a batch of rows (see `with_answers`), and what is known of their units (columns: `CAST`)."""
    lines = []
    told = zip(batch.to_pylist(), read_answers(batch["_heard"]), read_answers(batch["_gold"]), strict=True)
    for row, heard, gold in told:
        # The gold answer is asked along, so that it says something of every unit that anybody voted on.
        units = task.ballots(row, [*heard, *gold[-1:]]) if heard else {}
        votes = [
            {"unit": unit, "said": said, "label": label}
            for unit, labels in units.items()
            for said, label in enumerate(labels[: len(heard)])
            if label is not None
        ]
        known = [
            {"unit": unit, "said": -1, "label": labels[-1]}
            for unit, labels in units.items()
            if gold and labels[-1] is not None
        ]
        lines.append({"votes": votes, "known": known})
    return pa.RecordBatch.from_pylist(lines, schema=CAST)

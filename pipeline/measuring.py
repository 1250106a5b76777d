"""What is measured of the annotators: how far they agree, and what each of them is worth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality import agreement, annotators
from pipeline.quality.mistaken import label_confusion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.electing import Election
    from pipeline.hearing import Said
    from pipeline.stage import Work
    from pipeline.tasks import Task
    from pipeline.voting import Poll

    Ints = NDArray[np.int64]

WHOLE = ("sets", "spans", "texts")
"""Measures that compare answers as a whole."""
RANKED = ("ordinal", "interval", "ratio")


def measured(work: Work, heard: Said, polled: Poll, election: Election) -> dict[str, Any]:
    """The agreement of the annotators and a card for each, as plain values for the report."""
    is_closed = election.numbers is None and work.task.measure != "texts"
    return {
        "agreement": _agreement(work, heard, polled),
        "annotators": _annotators(work, heard, polled, election),
        "confusion": label_confusion(polled.ballots, election.truth) if is_closed else {},
    }


def _agreement(work: Work, heard: Said, polled: Poll) -> dict[str, Any]:
    task, settings, ballots = work.task, work.recipe.settings.audit, polled.ballots
    found = agreement.measure(
        ballots,
        measure=task.measure,
        values=np.array(task.values(ballots.labels)) if task.measure in RANKED else None,
        answers=_whole(heard) if task.measure in WHOLE else None,
        distance=task.distance,
        chars=_chars(work) if task.measure == "spans" else None,
        batches=heard.codes("batch"),
        guidelines=heard.codes("guideline"),
        seed=settings.seed,
        resamples=settings.bootstrap,
    )
    return found.told()


def _chars(work: Work) -> Ints:
    """How many characters each row's text has."""
    function = partial(chars_batch, task=work.task)
    lengths = [np.asarray(made["chars"]) for made in work.each(function, version=None, columns=work.contract.own)]
    return np.concatenate([np.zeros(0, dtype=np.int64), *lengths])


def chars_batch(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    """How many characters the text of each row has."""
    return pa.RecordBatch.from_pydict(
        {"chars": pa.array([len(task.shown(row)) for row in batch.to_pylist()], pa.int64())}
    )


def _whole(heard: Said) -> agreement.Answers:
    """The answers that count, as a whole."""
    kept = np.flatnonzero(pc.equal(heard.table["verdict"], "counted").to_numpy(zero_copy_only=False))
    told = heard.table.take(pa.array(kept))
    return agreement.Answers.of(
        heard.row[kept],
        told["annotator"].to_pylist(),
        told["answer"].to_pylist(),
        row_count=len(heard.starts) - 1,
        origin=kept,
    )


def _annotators(work: Work, heard: Said, polled: Poll, election: Election) -> dict[str, Any]:
    task, ballots = work.task, polled.ballots
    names: pa.ChunkedArray = work.narrow(["id"])["id"]
    codes, batches = heard.codes("batch")
    columns = annotators.Columns(
        shares=election.truth.shares,
        seconds=heard.seconds(),
        batch=codes,
        known=polled.known,
        values=np.array(task.values(ballots.labels)) if task.measure in RANKED else None,
        batch_names=batches,
        row_names=tuple(names.to_pylist()),
    )
    counted = heard.table.filter(pc.equal(heard.table["verdict"], "counted"))
    anonymous = int(counted["annotator"].null_count)
    told = annotators.study(ballots, election.plain if election.numbers else election.truth, columns).to_json()
    return told | {"anonymous_answers": anonymous}

"""Suspect: who of the kept rows is probably answered wrongly; it only looks: no row leaves, no stage builds on it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import suspecting
from pipeline.stage import Outcome, Stage, Work
from pipeline.suspecting.checked import checked_batch

if TYPE_CHECKING:
    from collections.abc import Iterator


def suspect(work: Work) -> Outcome:
    """List the kept rows whose answer is probably wrong, and tell of every kept row how probably."""
    details: dict[str, Any] = {}
    schemas = {"suspects": suspecting.SUSPECTS, "doubted": suspecting.DOUBTED}
    return Outcome(stream=_stream(work, details), schemas=schemas, kept=(), details=details, looks=True)


def _stream(work: Work, details: dict[str, Any]) -> Iterator[tuple[str, pa.RecordBatch]]:
    asking = suspecting.Asking(work.recipe, work.task)
    looked_at = []
    guideline = work.task.guideline.model_dump(mode="json")
    for batch in work.each(partial(checked_batch, task=work.task), version=[work.task.name, guideline]):
        looked_at.append(batch)
        work.tick(batch.num_rows)
    if asking.tier == "finetuned":
        asking.whole.extend(work.batches())
    suspected = suspecting.suspects(work, pa.Table.from_batches(looked_at, schema=suspecting.CHECKED), asking)
    details.update(suspected.details)
    yield "suspects", suspected.lines
    yield "doubted", suspected.doubted


STAGE = Stage(name="suspect", after="audit", sections=("audit",), run=suspect, inputs=suspecting.inputs)

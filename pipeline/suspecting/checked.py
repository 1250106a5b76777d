"""What is looked at to find suspects: the narrow columns of a kept row that the instruments read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.tasks import canonical

if TYPE_CHECKING:
    from pipeline.tasks import Row, Task

WORD = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("tag", pa.string())])
DOUBT = pa.struct([("kind", pa.string()), ("evidence", pa.string())])

CHECKED = pa.schema(
    [
        ("id", pa.string()),
        ("group", pa.string()),
        ("language", pa.string()),
        ("text", pa.string()),
        ("answer", pa.string()),
        ("said", pa.string()),
        ("given_share", pa.float64()),
        ("words", pa.list_(WORD)),
        ("doubts", pa.list_(DOUBT)),
    ]
)
"""`text` is what annotators read, `words` are the tagged ones.

`said` is what a written answer comes to: the same for answers that say the same. `given_share` is the posterior of the
settled answer, where annotators were measured.
"""


def checked_batch(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    """The narrow columns (`CHECKED`) of a batch of kept rows."""
    return pa.RecordBatch.from_pylist([checked(row, task) for row in batch.to_pylist()], schema=CHECKED)


def checked(row: Row, task: Task) -> dict[str, Any]:
    """The narrow columns of a kept row."""
    answer = task.answer(row)
    said = next(iter(task.ballots(row, [answer]).values()), [None])[0] if task.measure == "texts" else None
    return {
        "id": row["id"],
        "group": row["group"],
        "language": row["language"],
        "text": task.shown(row),
        "answer": canonical(answer),
        "said": said,
        "given_share": row["confidence"],
        "words": [dict(zip(("start", "end", "tag"), word, strict=True)) for word in task.tagged(row)],
        "doubts": [{"kind": doubt.kind, "evidence": doubt.evidence} for doubt in task.doubts(row)],
    }

"""Ambiguity: of answers that a person called ambiguous, how probable each is; a distribution instead of one answer."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.errors import Unfit
from pipeline.tasks.parts import label_at, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.decisions import Decision
    from pipeline.hearing import Said
    from pipeline.judging import Judgement
    from pipeline.tasks import Task

DISTRIBUTIONS = pa.schema(
    [
        ("id", pa.string()),
        ("part", pa.string()),
        ("label", pa.string()),
        ("share", pa.float64()),
        ("by", pa.string()),
        ("reason", pa.string()),
    ]
)
"""A line for each label that may be meant: `share` is how probable it is, `by` is who says so, `reason` why the row is
out, if it is; "annotators": the share of those who gave it. One line of share 1: a person decided it, and for certain.
"""
ANNOTATORS = "annotators"
DECIMALS = 6
CERTAIN = ("wrong", "fine")
LABELS = ("sequence", "multilabel")
"""Heads whose answers are labels of the whole row."""


def distributions(judged: Judgement, heard: Said, task: Task) -> pa.RecordBatch:
    """The shares of every answer that was called ambiguous (columns: `DISTRIBUTIONS`), in the order of the rows.

    Then, where labels are of whole rows, what people decided for certain of rows in which nothing is ambiguous: there
    the votes of annotators say no more how sure the answer is.
    """
    said = [(at, one) for at in sorted(judged.doubted) for _, one in sorted(judged.doubted[at].items())]
    doubted = {at for at, one in said if one.verdict == "ambiguous"}
    lines = [line for at, one in said if one.verdict == "ambiguous" for line in _lines(judged, at, one, heard, task)]
    if task.head in LABELS:
        lines += [_sure(judged, at, task) for at in sorted(set(judged.decided) - doubted) if _is_sure(judged, at)]
    return pa.RecordBatch.from_pylist(lines, schema=DISTRIBUTIONS)


def _is_sure(judged: Judgement, at: int) -> bool:
    """Whether a person said for certain what a row, or the one that it was merged into, answers."""
    stays = judged.reason[at] is None or at in judged.merging.merged
    return stays and judged.decided[at].verdict in CERTAIN and judged.answer[at] is not None


def _sure(judged: Judgement, at: int, task: Task) -> dict[str, Any]:
    decision = judged.decided[at]
    label = label_at(task, parsed(judged.answer[at]), decision.part)
    name = judged.ids[judged.merging.merged.get(at, at)]
    return {"id": name, "part": decision.part, "label": label, "share": 1.0, "by": decision.who, "reason": None}


def _lines(judged: Judgement, at: int, decision: Decision, heard: Said, task: Task) -> Iterator[dict[str, Any]]:
    by = decision.who if decision.shares else ANNOTATORS
    for label, share in decision.shares or _given(at, decision.part, heard, task):
        told = {"id": judged.ids[at], "part": decision.part, "label": label, "share": round(share, DECIMALS)}
        yield told | {"by": by, "reason": judged.reason[at]}


def _given(at: int, part: str, heard: Said, task: Task) -> list[tuple[str, float]]:
    """What the annotators whose answers count said of a part, by share, the most probable first."""
    begin, end = int(heard.starts[at]), int(heard.starts[at + 1])
    said = heard.table.slice(begin, end - begin)
    counts: Counter[str] = Counter()
    for answer, verdict in zip(said["answer"].to_pylist(), said["verdict"].to_pylist(), strict=True):
        if verdict == "counted":
            try:
                counts[label_at(task, json.loads(answer), part)] += 1
            except Unfit:
                continue
    return [
        (label, count / counts.total()) for label, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]

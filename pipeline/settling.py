"""What was said and voted, made one answer a row: what the vote settles, and the first rule that the row breaks."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.tasks import Settled, Vote, canonical
from pipeline.text import normalised
from pipeline.voting import answers, with_said, with_verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.electing import Election
    from pipeline.hearing import Said
    from pipeline.settings import AuditSettings
    from pipeline.stage import Work
    from pipeline.tasks import Row, Task

# The last bits of a posterior differ from processor to processor: they are neither stored nor compared.
DECIMALS = 9

SETTLED = pa.schema(
    [
        ("answer", pa.string()),
        ("meaning", pa.string()),
        ("confidence", pa.float64()),
        ("tied", pa.bool_()),
        ("reason", pa.string()),
        ("evidence", pa.string()),
        ("key", pa.binary()),
    ]
)


def settle(work: Work, heard: Said, election: Election, settings: AuditSettings) -> pa.Table:
    """One settled answer for every row, in order, with the rule that it breaks, if any (columns: `SETTLED`)."""
    function = partial(settle_batch, task=work.task, settings=settings, measured=election.measured)
    made = work.engine.map(function, _with_votes(with_said(work, heard), election))
    return pa.Table.from_batches(list(made), schema=SETTLED)


Votes = list[dict[str, Vote]]


def _with_votes(
    given: Iterator[tuple[int, pa.RecordBatch, pa.Table]], election: Election
) -> Iterator[tuple[pa.RecordBatch, pa.Table, Votes]]:
    ballots = election.ballots
    for first, batch, said_here in given:
        begin, end = (int(at) for at in np.searchsorted(ballots.unit_row, [first, first + batch.num_rows]))
        votes: Votes = [{} for _ in range(batch.num_rows)]
        for unit, vote in zip(range(begin, end), election.votes(begin, end), strict=True):
            votes[ballots.unit_row[unit] - first][ballots.names[ballots.unit_name[unit]]] = vote
        yield batch, said_here, votes


def settle_batch(
    given: tuple[pa.RecordBatch, pa.Table, Votes], *, task: Task, settings: AuditSettings, measured: bool
) -> pa.RecordBatch:
    """The settled answers of a batch of rows, and the first rule that each breaks; no posterior unless `measured`."""
    batch, said_here, votes = given
    counted, golden = (answers(with_verdict(said_here, verdict), batch.num_rows) for verdict in ("counted", "gold"))
    problems = _problems(said_here, batch.num_rows)
    lines = []
    for row, heard, gold, voted, problem in zip(batch.to_pylist(), counted, golden, votes, problems, strict=True):
        line: dict[str, Any] = {"answer": None, "confidence": None, "tied": False}
        if settled := _settled(row, heard, gold, voted, task):
            sure = round(settled.confidence, DECIMALS) if measured or gold else None
            line = {"answer": canonical(settled.answer), "confidence": sure, "tied": settled.tied}
            line["meaning"] = task.meaning(task.with_answer(row, settled.answer))
        said = len(heard) + len(gold)
        reason, evidence = first_problem(row, line, said, problem, task=task, settings=settings) or (None, None)
        lines.append(line | {"reason": reason, "evidence": evidence, "key": input_key(row, task, settings.duplicates)})
    return pa.RecordBatch.from_pylist(lines, schema=SETTLED)


def _settled(row: Row, heard: list[Any], gold: list[Any], votes: dict[str, Vote], task: Task) -> Settled | None:
    """One answer: the gold one where there is one, else what the vote says; None where nobody answered."""
    if gold:
        return Settled(gold[-1], 1.0, tied=False)
    return task.elect(row, heard, votes) if heard else None


def _problems(said_here: pa.Table, rows: int) -> list[str | None]:
    """The first problem of an annotation of each row."""
    first: list[str | None] = [None] * rows
    for place, problem in zip(said_here["place"].to_pylist(), said_here["problem"].to_pylist(), strict=True):
        first[place] = first[place] or problem
    return first


def first_problem(
    row: Row, line: dict[str, Any], heard: int, problem: str | None, *, task: Task, settings: AuditSettings
) -> tuple[str, str] | None:
    """The first rule that a settled row breaks, with what was seen: its text, its annotations, its answer."""
    shown = task.shown(row)
    if not shown.strip():
        return "blank_text", f"{shown!r:.80}"
    if not settings.min_text_chars <= len(shown) <= settings.max_text_chars:
        return "too_short" if len(shown) < settings.min_text_chars else "too_long", f"{len(shown)} characters"
    if heard < settings.min_annotators or line["answer"] is None:
        return _unheard(heard, problem, settings.min_annotators)
    if line["tied"] and settings.ties == "reject":
        return "tied", f"{heard} annotators, no answer ahead"
    return _broken(row, line, task, settings.min_confidence)


def _unheard(heard: int, problem: str | None, needed: int) -> tuple[str, str]:
    """Why too few annotations count: the one answer there was cannot be read, or there is none."""
    if problem and not heard:
        reason, _, seen = problem.partition(": ")
        return reason, seen
    return "unanswered", f"{heard} of {needed} answers" + (f"; {problem}" if problem else "")


def _broken(row: Row, line: dict[str, Any], task: Task, least: float) -> tuple[str, str] | None:
    """The first rule of its task that a row with its settled answer breaks, or too low a posterior."""
    for problem in task.problems(task.with_answer(row, json.loads(line["answer"]))):
        return problem.rule, problem.evidence
    sure = line["confidence"]
    return ("low_confidence", f"posterior {sure:.3f} is under {least}") if sure is not None and sure < least else None


def input_key(row: Row, task: Task, duplicates: str) -> bytes:
    """What rows with the same input have in common; texts without letters or digits are compared as they stand."""
    asked = task.asked(row)
    same = normalised(asked) if duplicates == "normalised" else ""
    return hashlib.blake2b((same or asked).encode(), digest_size=16).digest()

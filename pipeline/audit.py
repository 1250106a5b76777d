"""Audit, the annotation QA: settle what is true, hold back what cannot be right, each row once and with evidence."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import settling, suspecting
from pipeline.cache import file_hash
from pipeline.contract import ANNOTATIONS, REJECTED
from pipeline.judging import Judgement, judge
from pipeline.quality import agreement
from pipeline.stage import Outcome, Stage, Work, batch_of, rejection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.recipe import Recipe
    from pipeline.settings import AuditSettings
    from pipeline.tasks import Row

AUDITED = ANNOTATIONS.append(pa.field("verdict", pa.string()))


def audit(work: Work) -> Outcome:
    """Settle one answer per row from its annotations, then reject, merge or hold back what breaks a rule.

    A row is rejected for the first of: a human decision, a blank, too short or too long text, no usable annotation, a
    tie, a rule of its task, a low posterior; then for reading like a row that a person took out, for being a duplicate,
    or for being in conflict with a row that reads the same. A decided answer wins over those that nobody decided.
    """
    settings = work.recipe.settings.audit
    rows = work.narrow(["id", "source", "split", "group"])
    heard = settling.said(work.narrow(ANNOTATIONS.names, "annotations"), rows["id"].combine_chunks())
    election = settling.elect(settling.vote(work, heard), settings.consensus, free=work.task.free_text)
    judged = judge(work, rows, settling.settle(work, heard, election, settings))
    outcome = Outcome(
        stream=iter(()),
        schemas={
            "rows": work.contract.schema,
            "annotations": AUDITED,
            "rejected": REJECTED,
            "suspects": suspecting.SUSPECTS,
        },
    )
    outcome.details = {
        "annotations": settling.verdict_counts(heard),
        "annotators": _annotators(heard),
        "consensus": _consensus(election, settings),
        "agreement": _agreement(election, settings, by_label=not work.task.free_text),
        "duplicates": {"merged": len(judged.merging.merged), "in_conflict": len(judged.merging.conflicts)},
        "decisions": {
            "used": dict(sorted((+judged.used).items())),
            "stale": judged.stale,
            "without_effect": judged.without_effect,
        },
    }
    outcome.stream = _stream(work, heard, judged, settings, outcome.details)
    return outcome


def _stream(
    work: Work, heard: settling.Said, judged: Judgement, settings: AuditSettings, details: dict[str, Any]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    first = 0
    guesses: list[suspecting.Guess] = []
    for batch in work.batches():
        yield from _split_batch(work, batch, first, judged, guesses)
        work.tick(batch.num_rows)
        first += batch.num_rows
    for batch in heard.table.select(AUDITED.names).to_batches(max_chunksize=work.engine.batch_rows):
        yield "annotations", pa.RecordBatch.from_arrays(batch.columns, schema=AUDITED)
    note = suspecting.not_checked(guesses, settings)
    suspects = [] if note else suspecting.suspects(guesses, settings)
    if not note and not suspects:
        note = "not checked: what is left without the rows that are held out has no two labels"
    checked = len({guess.row for guess in guesses})
    details["suspects"] = {"listed": len(suspects), "checked": checked, "note": note}
    yield "suspects", batch_of(suspects, suspecting.SUSPECTS)


def _split_batch(
    work: Work, batch: pa.RecordBatch, first: int, judged: Judgement, guesses: list[suspecting.Guess]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows of a batch that are kept and rejected; what a quick model can check of the kept ones joins `guesses`."""
    settings = work.recipe.settings.audit
    kept, rejected = [], []
    for at, given in enumerate(batch.to_pylist(), first):
        answer, reason = judged.answer[at], judged.reason[at]
        row = given if answer is None else work.task.with_answer(given, json.loads(answer))
        if reason is None:
            kept.append(_weighed(row, at, judged, settings))
            units = work.task.guess_units(row)
            guesses += [suspecting.Guess(row["id"], row["group"], context, label) for context, label in units]
        else:
            rejected.append(rejection(row, stage="audit", reason=reason, evidence=judged.evidence[at] or ""))
    yield "rows", batch_of(kept, work.contract.schema)
    yield "rejected", batch_of(rejected, REJECTED)


def _weighed(row: Row, at: int, judged: Judgement, settings: AuditSettings) -> Row:
    """The row with its posterior, the places and groups of the duplicates it stands for, and its weight in training."""
    confidence, copies = judged.confidence[at], judged.merging.copies.get(at, [])
    factor = {
        "none": 1.0,
        "confidence": 1.0 if confidence is None else confidence,
        "copies": 1.0 + len(copies),
    }[settings.weight_by]
    also_at = [judged.sources[copy] for copy in copies]
    also_in = sorted({judged.groups[copy] for copy in copies} - {row["group"]})
    weight = row["weight"] * factor
    weight = round(weight, settling.DECIMALS) or weight  # however small, a weight is not nothing
    return {**row, "confidence": confidence, "also_at": also_at, "also_in": also_in, "weight": weight}


def _annotators(heard: settling.Said) -> dict[str, Any]:
    counts = Counter("(anonymous)" if name is None else name for name in heard.table["annotator"].to_pylist())
    return {"count": len(counts), "answers": dict(counts.most_common(50))}


def _consensus(election: settling.Election, settings: AuditSettings) -> dict[str, Any]:
    truth, plain = election.truth, election.plain
    return {
        "method": truth.method,
        "asked_for": settings.consensus,
        "note": election.note,
        "units": len(truth.label),
        "ties_by_majority": int(plain.tie.sum()),
        "ties_left": int(truth.tie.sum()),
        "other_than_majority": int(((truth.label != plain.label) & ~plain.tie).sum()),
        "iterations": truth.iterations,
        "converged": bool(truth.converged),
    }


def _agreement(election: settling.Election, settings: AuditSettings, *, by_label: bool) -> dict[str, Any]:
    ballots = election.ballots
    overall = agreement.alpha(ballots, seed=settings.seed, resamples=settings.bootstrap)
    told = {"alpha": _numbers(overall), "pairs_that_agree": _number(agreement.percent_agreement(ballots))}
    if by_label and len(ballots.labels) <= settling.MOST_LABELS:
        values = agreement.alpha_by_label(ballots, seed=settings.seed, resamples=settings.bootstrap)
        told["by_label"] = {label: _numbers(value) for label, value in values.items()}
    return told


def _numbers(value: agreement.Agreement) -> dict[str, Any]:
    return {
        "alpha": _number(value.alpha),
        "low": _number(value.low),
        "high": _number(value.high),
        "rows": value.rows,
        "answers": value.labels_counted,
        "note": value.note,
    }


def _number(value: float) -> float | None:
    """A number for JSON, which has no nan; rounded, so that the last bits of another processor do not show."""
    return None if math.isnan(value) else round(float(value), 6)


def inputs(recipe: Recipe) -> dict[str, str]:
    """The content of the file of human decisions."""
    return {"decisions": file_hash(recipe.decisions)} if recipe.decisions.is_file() else {}


STAGE = Stage(name="audit", after="ingest", sections=("audit",), run=audit, inputs=inputs)

"""Audit, the annotation QA: settle what is true, hold back what cannot be right, each row once and with evidence."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import decisions as replay
from pipeline import settling
from pipeline.contract import ANNOTATIONS, REJECTED
from pipeline.quality import agreement
from pipeline.quality.merging import Merging, merge
from pipeline.quality.suspects import out_of_fold, suspicion
from pipeline.stage import Outcome, Stage, Work, batch_of, rejection
from pipeline.store import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.decisions import Decision
    from pipeline.recipe import Recipe
    from pipeline.settings import AuditSettings
    from pipeline.tasks import Row

AUDITED = ANNOTATIONS.append(pa.field("verdict", pa.string()))
SUSPECTS = pa.schema(
    [
        ("id", pa.string()),
        ("score", pa.float64()),
        ("given", pa.string()),
        ("likely", pa.string()),
        ("flagged", pa.bool_()),
        ("why", pa.string()),
    ]
)


@dataclass
class Judgement:
    """What is decided about the rows, by their position; narrow: one entry per row."""

    ids: list[str]
    sources: list[str]
    settled: pa.Table
    reason: list[str | None]
    evidence: list[str | None]
    answer: list[str | None]
    meaning: list[str | None]
    """What the answer says apart from how the text is written: equal for duplicates that agree."""
    confidence: list[float | None]
    merging: Merging = field(default_factory=Merging)
    used: Counter[str] = field(default_factory=Counter)
    stale: list[str] = field(default_factory=list)
    guesses: list[tuple[int, str, str, str]] = field(default_factory=list)
    """(position, group, context, label) of every part of a kept answer that a quick model can check."""


def audit(work: Work) -> Outcome:
    """Settle one answer per row from its annotations, then reject, merge or hold back what breaks a rule.

    A row is rejected for the first of: a human decision, a blank or too long text, no usable annotation, a tie, a
    rule of its task, a low posterior; then for being a duplicate or in conflict with a row that reads the same.
    """
    settings = work.recipe.settings.audit
    rows = work.narrow(["id", "source", "split"])
    heard = settling.said(work.narrow(ANNOTATIONS.names, "annotations"), rows["id"].combine_chunks())
    election = settling.elect(settling.vote(work, heard), settings.consensus, free=work.task.free_text)
    judged = _judge(work, rows, settling.settle(work, heard, election, settings))
    outcome = Outcome(
        stream=iter(()),
        schemas={"rows": work.contract.schema, "annotations": AUDITED, "rejected": REJECTED, "suspects": SUSPECTS},
    )
    outcome.details = {
        "annotations": settling.verdict_counts(heard),
        "annotators": _annotators(heard),
        "consensus": _consensus(election, settings),
        "agreement": _agreement(election, settings, by_label=not work.task.free_text),
        "duplicates": {"merged": len(judged.merging.merged), "in_conflict": len(judged.merging.conflicts)},
        "decisions": {"used": dict(sorted(judged.used.items())), "stale": judged.stale},
    }
    outcome.stream = _stream(work, heard, judged, settings, outcome.details)
    return outcome


def _judge(work: Work, rows: pa.Table, settled: pa.Table) -> Judgement:
    """Verdicts on every row: rules first, then human decisions, then what rows say of one another."""
    columns = {name: settled[name].to_pylist() for name in ("reason", "evidence", "answer", "meaning", "confidence")}
    judged = Judgement(ids=rows["id"].to_pylist(), sources=rows["source"].to_pylist(), settled=settled, **columns)
    _replay(judged, _decisions(work))
    settings = work.recipe.settings.audit
    if settings.duplicates != "off":
        alive = [at for at, reason in enumerate(judged.reason) if reason is None]
        keys, splits = settled["key"].to_pylist(), rows["split"].to_pylist()
        judged.merging = merge(
            [keys[at] for at in alive],
            [judged.meaning[at] or "" for at in alive],
            [splits[at] for at in alive],
            alive,
            conflicts=settings.conflicts,
        )
        _hold(judged)
    return judged


def _decisions(work: Work) -> dict[str, Decision]:
    """The human decisions, each understood beside its row."""
    found = replay.read(work.recipe.decisions)
    ids = pa.array(sorted(found), pa.string())
    for batch in work.batches() if found else ():
        for row in batch.filter(pc.is_in(batch["id"], ids)).to_pylist():
            found[row["id"]] = replay.understood(found[row["id"]], row, work.task)
    return found


def _replay(judged: Judgement, decisions: dict[str, Decision]) -> None:
    """Put every human decision in force, or report that it no longer speaks of its row."""
    position = {id_: at for at, id_ in enumerate(judged.ids)} if decisions else {}
    for id_, decision in sorted(decisions.items()):
        at = position.get(id_)
        if at is None or not decision.fits(judged.answer[at]):
            now = "no such row" if at is None else f"the row's answer is now {judged.answer[at]}"
            judged.stale.append(f"{decision.place}: row {id_} was {decision.was}; {now}")
            continue
        judged.used[decision.verdict] += 1
        said = f"{decision.who}, {decision.when}: {decision.why} ({decision.place})"
        if decision.verdict == "drop":
            judged.reason[at], judged.evidence[at] = "decided_out", said
        elif decision.verdict in ("wrong", "fine") and (decision.answer or judged.answer[at]):
            if decision.answer:
                judged.answer[at], judged.meaning[at] = decision.answer, decision.meaning
            judged.reason[at], judged.evidence[at], judged.confidence[at] = None, None, 1.0
            if decision.verdict == "wrong" and decision.problem:
                judged.reason[at], judged.evidence[at] = decision.problem.rule, f"{decision.problem.evidence}; {said}"


def _hold(judged: Judgement) -> None:
    for gone, stays in judged.merging.merged.items():
        judged.reason[gone] = "merged_duplicate"
        judged.evidence[gone] = f"same input and answer as {judged.ids[stays]} ({judged.sources[stays]})"
    for held, others in judged.merging.conflicts.items():
        told = [f"{judged.ids[at]} answers {judged.answer[at]:.80}" for at in others[:5]]
        judged.reason[held] = "conflict"
        judged.evidence[held] = f"answers {judged.answer[held]:.80}, but " + "; ".join(told)


def _stream(
    work: Work, heard: settling.Said, judged: Judgement, settings: AuditSettings, details: dict[str, Any]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    first = 0
    for batch in work.batches():
        yield from _split_batch(work, batch, first, judged, settings)
        work.tick(batch.num_rows)
        first += batch.num_rows
    for batch in heard.table.select(AUDITED.names).to_batches(max_chunksize=work.engine.batch_rows):
        yield "annotations", pa.RecordBatch.from_arrays(batch.columns, schema=AUDITED)
    suspects = _suspects(judged, settings) if settings.suspects else []
    details["suspects"] = _suspects_told(suspects, judged, settings)
    yield "suspects", batch_of(suspects, SUSPECTS)


def _split_batch(
    work: Work, batch: pa.RecordBatch, first: int, judged: Judgement, settings: AuditSettings
) -> Iterator[tuple[str, pa.RecordBatch]]:
    kept, rejected = [], []
    for at, given in enumerate(batch.to_pylist(), first):
        answer, reason = judged.answer[at], judged.reason[at]
        row = given if answer is None else work.task.with_answer(given, json.loads(answer))
        if reason is None:
            kept.append(_weighed(row, at, judged, settings))
            judged.guesses += [(at, row["group"], context, label) for context, label in work.task.guess_units(row)]
        else:
            rejected.append(rejection(row, stage="audit", reason=reason, evidence=judged.evidence[at] or ""))
    yield "rows", batch_of(kept, work.contract.schema)
    yield "rejected", batch_of(rejected, REJECTED)


def _weighed(row: Row, at: int, judged: Judgement, settings: AuditSettings) -> Row:
    """The row with its posterior, the places of the duplicates it stands for, and its weight in training."""
    confidence, copies = judged.confidence[at], judged.merging.copies.get(at, [])
    factor = {"none": 1.0, "confidence": confidence or 0.0, "copies": 1.0 + len(copies)}[settings.weight_by]
    also_at = [judged.sources[copy] for copy in copies]
    return {**row, "confidence": confidence, "also_at": also_at, "weight": row["weight"] * factor}


def _suspects(judged: Judgement, settings: AuditSettings) -> list[dict[str, Any]]:
    """The rows whose answer a model that did not see them finds least likely, at most `suspect_share` of all."""
    if len({group for _, group, _, _ in judged.guesses}) < 2 * settings.suspect_folds:
        return []
    labels = sorted({label for _, _, _, label in judged.guesses})
    code = {label: number for number, label in enumerate(labels)}
    given = np.array([code[label] for _, _, _, label in judged.guesses], dtype=np.int64)
    texts, groups = [guess[2] for guess in judged.guesses], [guess[1] for guess in judged.guesses]
    probabilities = out_of_fold(
        texts, given, groups, seed=settings.seed, folds=settings.suspect_folds, classes=len(labels)
    )
    found = suspicion(probabilities, given)
    room = math.ceil(settings.suspect_share * len({at for at, *_ in judged.guesses}))
    lines: dict[int, dict[str, Any]] = {}
    for guess in np.argsort(found.rank, kind="stable"):
        at, _, context, label = judged.guesses[guess]
        if len(lines) >= room or not np.isfinite(found.score[guess]):
            break
        lines.setdefault(at, _suspect(judged.ids[at], context, label, labels, probabilities[guess]))
        lines[at]["flagged"] |= bool(found.flagged[guess])
    return list(lines.values())


def _suspect(id_: str, context: str, given: str, labels: list[str], probabilities: Any) -> dict[str, Any]:
    best, own = int(probabilities.argmax()), float(probabilities[labels.index(given)])
    told = f"'{given}' {own:.0%}, '{labels[best]}' {probabilities[best]:.0%}"
    return {
        "id": id_,
        "score": 1 - own,
        "given": given,
        "likely": labels[best],
        "flagged": False,
        "why": f"a model that did not see the row gives {told}: {context[:160]}",
    }


def _suspects_told(suspects: list[dict[str, Any]], judged: Judgement, settings: AuditSettings) -> dict[str, Any]:
    """How the list came about, so that an empty one is not taken for a clean data set."""
    if not settings.suspects:
        note = "not checked: the recipe turns suspects off"
    elif not judged.guesses:
        note = "not checked: the task has no part that the quick model could guess"
    elif not suspects:
        note = "not checked: too few groups of rows to hold some out"
    else:
        note = ""
    return {"listed": len(suspects), "checked": len({at for at, *_ in judged.guesses}), "note": note}


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
    return {"decisions": sha256(recipe.decisions)} if recipe.decisions.is_file() else {}


STAGE = Stage(name="audit", after="ingest", sections=("audit",), run=audit, inputs=inputs)

"""Audit, the annotation QA: settle what is true, hold back what cannot be right, each row once and with evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import electing, hearing, measuring, settling, suspecting, verdicts, voting
from pipeline.cache import file_hash
from pipeline.contract import ANNOTATIONS, REJECTED
from pipeline.judging import Judgement, judge
from pipeline.stage import Outcome, Stage, Work
from pipeline.suspecting import opinion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.recipe import Recipe

AUDITED = ANNOTATIONS.append(pa.field("verdict", pa.string()))


def audit(work: Work) -> Outcome:
    """Settle one answer per row from its annotations, then reject, merge or hold back what breaks a rule.

    A row is rejected for the first of: a human decision, a blank, too short or too long text, no usable annotation, a
    tie, a rule of its task, a low posterior; then for reading like a row that a person took out, for being a duplicate,
    or for being in conflict with a row that reads the same. A decided answer wins over those that nobody decided.
    """
    settings = work.recipe.settings.audit
    rows = work.narrow(["id", "source", "split", "group"])
    heard = hearing.said(work.narrow(ANNOTATIONS.names, "annotations"), rows["id"].combine_chunks())
    polled = voting.poll(work, heard)
    election = electing.elect(polled, work.task, settings)
    if opinion.asked_for(work, election):
        election = electing.helped(election, polled, work.task, opinion.opinion(work, election), settings)
    judged = judge(work, rows, settling.settle(work, heard, election, settings))
    outcome = Outcome(
        stream=iter(()),
        schemas={
            "rows": work.contract.schema,
            "annotations": AUDITED,
            "rejected": REJECTED,
            "suspects": suspecting.SUSPECTS,
            "doubted": suspecting.DOUBTED,
        },
    )
    outcome.details = {
        "annotations": hearing.verdict_counts(heard),
        "consensus": election.told,
        **measuring.measured(work, heard, polled, election),
        "duplicates": {"merged": len(judged.merging.merged), "in_conflict": len(judged.merging.conflicts)},
        "decisions": {
            "used": dict(sorted((+judged.used).items())),
            "stale": judged.stale,
            "without_effect": judged.without_effect,
        },
    }
    outcome.stream = _stream(work, heard, judged, outcome.details)
    return outcome


def _stream(
    work: Work, heard: hearing.Said, judged: Judgement, details: dict[str, Any]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    asking = suspecting.Asking(work.recipe, work.task)
    checked: list[pa.RecordBatch] = []
    for parted in verdicts.part(work, judged):
        yield "rows", parted.kept
        yield "rejected", parted.rejected
        checked.append(parted.checked)
        if asking.tier == "finetuned":
            asking.whole.append(parted.kept)
        work.tick(parted.kept.num_rows + parted.rejected.num_rows)
    for batch in heard.table.select(AUDITED.names).to_batches(max_chunksize=work.engine.batch_rows):
        yield "annotations", pa.RecordBatch.from_arrays(batch.columns, schema=AUDITED)
    suspected = suspecting.suspects(work, pa.Table.from_batches(checked, schema=suspecting.CHECKED), asking)
    details["suspects"] = suspected.details
    yield "suspects", suspected.lines
    yield "doubted", suspected.doubted


def inputs(recipe: Recipe) -> dict[str, str]:
    """The content of the file of human decisions, and of the models that look for suspects."""
    decided = {"decisions": file_hash(recipe.decisions)} if recipe.decisions.is_file() else {}
    return {**decided, **suspecting.inputs(recipe)}


STAGE = Stage(name="audit", after="ingest", sections=("audit",), run=audit, inputs=inputs)

"""Audit, the annotation QA: settle what is true, hold back what cannot be right, each row once and with evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline import against, ambiguity, electing, existing, hearing, measuring, settling, twinning, verdicts, voting
from pipeline.cache import file_hash
from pipeline.contract import ANNOTATIONS, REJECTED
from pipeline.judging import Judgement, judge
from pipeline.stage import Outcome, Stage, Work
from pipeline.suspecting import opinion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.recipe import Recipe

SAID = ANNOTATIONS.append(pa.field("verdict", pa.string()))
AUDITED = SAID.append(pa.field("counts_for", pa.string()))
"""`counts_for` is the row that the annotation speaks for now: its own, or the one that its own was merged into."""


def audit(work: Work) -> Outcome:
    """Settle one answer per row from its annotations, then reject, merge or hold back what breaks a rule.

    A row is rejected for the first of: a human decision, a blank, too short or too long text, no usable annotation, a
    tie, a rule of its task, a low posterior; then for reading like a row that a person took out, for being a duplicate,
    or for being in conflict with a row that reads the same. A decided answer wins over those that nobody decided.
    """
    settings = work.recipe.settings.audit
    rows = work.narrow(["id", "source", "split", "group", "date", "weight"])
    heard = hearing.said(work.narrow(ANNOTATIONS.names, "annotations"), rows["id"].combine_chunks())
    told = twinning.read(work)
    spoken = twinning.Spoken.of(work, rows, heard, told)
    heard, polled_as = twinning.pooled(work, heard, told, rows)
    polled = voting.poll(work, heard)
    election = electing.elect(polled, work.task, settings)
    if opinion.asked_for(work, election):
        election = electing.helped(election, polled, work.task, opinion.opinion(work, election), settings)
    settled = twinning.spread(settling.settle(work, heard, election, settings), polled_as)
    judged = judge(work, rows, settled, spoken, told)
    outcome = Outcome(
        stream=iter(()),
        schemas={
            "rows": work.contract.schema,
            "annotations": AUDITED,
            "rejected": REJECTED,
            "pairs": twinning.PAIRS,
            "contaminated": against.CONTAMINATED,
            "distributions": ambiguity.DISTRIBUTIONS,
        },
    )
    outcome.details = {
        "annotations": hearing.verdict_counts(heard),
        "consensus": election.told,
        **measuring.measured(work, heard, polled, election),
        "duplicates": judged.duplicates,
        "contamination": judged.contamination.details,
        "decisions": {
            "used": dict(sorted((+judged.used).items())),
            **judged.replay.told(),
            "without_effect": judged.without_effect,
        },
    }
    outcome.stream = _stream(work, heard, judged)
    return outcome


def _stream(work: Work, heard: hearing.Said, judged: Judgement) -> Iterator[tuple[str, pa.RecordBatch]]:
    for parted in verdicts.part(work, judged):
        yield "rows", parted.kept
        yield "rejected", parted.rejected
        work.tick(parted.kept.num_rows + parted.rejected.num_rows)
    for batch in heard.table.select(SAID.names).to_batches(max_chunksize=work.engine.batch_rows):
        yield "annotations", _counted_for(batch, judged.counts_for)
    for batch in judged.pairs.to_batches(max_chunksize=work.engine.batch_rows):
        yield "pairs", batch
    for batch in judged.contamination.table.to_batches(max_chunksize=work.engine.batch_rows):
        yield "contaminated", batch
    yield "distributions", ambiguity.distributions(judged, heard, work.task)


def _counted_for(batch: pa.RecordBatch, moved: dict[str, str]) -> pa.RecordBatch:
    """The annotations with the row that each speaks for now."""
    rows = batch["row"].to_pylist() if moved else []
    now = pa.array([moved.get(row, row) for row in rows], pa.string()) if moved else batch["row"]
    return pa.RecordBatch.from_arrays([*batch.columns, now], schema=AUDITED)


def inputs(recipe: Recipe) -> dict[str, str]:
    """The content of the file of human decisions, and of the existing sets that rows are held against."""
    decided = {"decisions": file_hash(recipe.decisions)} if recipe.decisions.is_file() else {}
    return decided | existing.inputs(recipe) | against.inputs(recipe) | twinning.inputs(recipe)


STAGE = Stage(name="audit", after="ingest", sections=("audit", "against"), run=audit, inputs=inputs)

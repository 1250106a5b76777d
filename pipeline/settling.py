"""What was said and voted, made one answer a row: what the vote settles, and the first rule that the row breaks."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tasks import Vote, canonical
from pipeline.voting import Answers, read_answers, with_answer, with_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.electing import Election
    from pipeline.hearing import Said
    from pipeline.settings import AuditSettings
    from pipeline.stage import Work
    from pipeline.tasks import Row, Task

    Ints = NDArray[np.int64]

# The last bits of a posterior differ from processor to processor: they are neither stored nor compared.
DECIMALS = 9
BY_LABEL = frozenset({"nominal", "ordinal", "interval", "ratio"})
"""Measures of answers that are labels or numbers: where one vote is on a whole row, its label says what is settled."""
WHOLE_ROW = ("",)
"""What units are called where the only one of a row is the row itself."""

SETTLED = pa.schema(
    [
        ("answer", pa.string()),
        ("meaning", pa.string()),
        ("confidence", pa.float64()),
        ("tied", pa.bool_()),
        ("reason", pa.string()),
        ("evidence", pa.string()),
        ("classes", pa.list_(pa.string())),
    ]
)
ELECTED = pa.schema([("answer", pa.string()), ("confidence", pa.float64()), ("tied", pa.bool_())])
RULED = pa.schema(
    [
        ("blank", pa.string()),
        ("chars", pa.int64()),
        ("meaning", pa.string()),
        ("classes", pa.list_(pa.string())),
        ("rule", pa.string()),
        ("seen", pa.string()),
    ]
)
"""What a row says of itself and of the answer that was settled: nothing here depends on other rows."""
TOLD = pa.struct([("unit", pa.string()), ("label", pa.string()), ("posterior", pa.float64()), ("tie", pa.bool_())])
SHARE = pa.struct([("unit", pa.int32()), ("label", pa.string()), ("share", pa.float64())])


def settle(work: Work, heard: Said, election: Election, settings: AuditSettings) -> pa.Table:
    """One settled answer for every row, in order, with the rule that it breaks, if any (columns: `SETTLED`)."""
    counted, gold = Answers.of(heard, "counted"), Answers.of(heard, "gold")
    elected = _with_gold(elect(work, counted, election), gold)
    sure = elected["confidence"] if election.measured else _only_gold(elected["confidence"], gold)
    rounded = [elected["answer"], pc.round(sure, DECIMALS), pc.fill_null(elected["tied"], False)]
    elected = pa.table(rounded, schema=ELECTED)
    function = partial(ruled_batch, task=work.task)
    given = with_answer(work, elected["answer"].combine_chunks())
    ruled = pa.Table.from_batches(list(work.over(function, given, version=None)), schema=RULED)
    said = np.diff(counted.starts) + np.diff(gold.starts)
    reason, evidence = _reasons(elected, ruled, said, first_problems(heard), settings)
    columns = {name: (elected if name in ELECTED.names else ruled)[name] for name in SETTLED.names[:4]}
    more = {"reason": pa.array(reason, pa.string()), "evidence": pa.array(evidence, pa.string())}
    return pa.table(columns | more | {"classes": ruled["classes"]}, schema=SETTLED)


def elect(work: Work, counted: Answers, election: Election) -> pa.Table:
    """What the vote on every row comes to, null where nobody answered (columns: `ELECTED`)."""
    if work.task.measure in BY_LABEL and election.ballots.names == WHOLE_ROW:
        return _by_label(work, counted, election)
    function = partial(elect_batch, task=work.task)
    made = work.over(function, _with_votes(work, counted, election), version=None)
    return pa.Table.from_batches(list(made), schema=ELECTED)


def _by_label(work: Work, counted: Answers, election: Election) -> pa.Table:
    """The vote where one label settles a row: the task is asked once for each label."""
    truth, rows = election.truth, len(counted.starts) - 1
    used, code = np.unique(truth.label, return_inverse=True)
    votes = [Vote(election.labels[label], 1.0, False, {election.labels[label]: 1.0}) for label in used.tolist()]
    spelled = pa.array([canonical(work.task.elect({}, [], {"": vote}).answer) for vote in votes], pa.string())
    place = np.full(rows, -1, dtype=np.int64)
    place[election.ballots.unit_row] = np.arange(len(truth.label))
    heard = pa.array(place, mask=(place < 0) | (np.diff(counted.starts) == 0))
    columns = [spelled.take(pa.array(code.reshape(-1))), pa.array(truth.posterior), pa.array(truth.tie)]
    return pa.table([column.take(heard) for column in columns], schema=ELECTED)


def _with_votes(work: Work, counted: Answers, election: Election) -> Iterator[pa.RecordBatch]:
    """The rows by the columns of their task, each with the answers that count and what became of the vote."""
    ballots, first = election.ballots, 0
    for batch in work.own():
        last = first + batch.num_rows
        begins = np.searchsorted(ballots.unit_row, np.arange(first, last + 1))
        votes, shares = election.columns(int(begins[0]), int(begins[-1]))
        ends = pa.array(begins - begins[0], pa.int32())
        told = pa.StructArray.from_arrays(votes, fields=list(TOLD))
        shared_ends = pa.array(np.searchsorted(shares[0], begins), pa.int32())
        unit = pa.array(shares[0] - np.repeat(begins[:-1], np.diff(shared_ends)), pa.int32())
        shared = pa.StructArray.from_arrays([unit, *shares[1:]], fields=list(SHARE))
        more = {"votes": pa.ListArray.from_arrays(ends, told), "shares": pa.ListArray.from_arrays(shared_ends, shared)}
        yield with_columns(batch, heard=counted.lists(first, last), **more)
        first = last


def elect_batch(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    """What the votes on a batch of rows come to (columns: `ELECTED`)."""
    lines: list[dict[str, Any]] = []
    told = zip(batch.to_pylist(), read_answers(batch["_heard"]), strict=True)
    for row, heard in told:
        if not heard:
            lines.append({})
            continue
        settled = task.elect(row, heard, _votes(row["_votes"], row["_shares"]))
        lines.append({"answer": canonical(settled.answer), "confidence": settled.confidence, "tied": settled.tied})
    return pa.RecordBatch.from_pylist(lines, schema=ELECTED)


def _votes(told: list[dict[str, Any]], shared: list[dict[str, Any]]) -> dict[str, Vote]:
    shares: list[dict[str, float]] = [{} for _ in told]
    for one in shared:
        shares[one["unit"]][one["label"]] = one["share"]
    return {
        vote["unit"]: Vote(vote["label"], vote["posterior"], vote["tie"], share)
        for vote, share in zip(told, shares, strict=True)
    }


def _with_gold(elected: pa.Table, gold: Answers) -> pa.Table:
    """The last gold answer where there is one, for certain; else what was elected."""
    golden = np.flatnonzero(np.diff(gold.starts))
    if not len(golden):
        return elected
    place = np.full(elected.num_rows, -1, dtype=np.int64)
    place[golden] = gold.starts[golden + 1] - 1
    known = pa.array(place, mask=place < 0)
    is_gold = pa.array(place >= 0)
    answer = pc.if_else(is_gold, gold.answer.take(known), elected["answer"])
    columns = [answer, pc.if_else(is_gold, 1.0, elected["confidence"]), pc.if_else(is_gold, False, elected["tied"])]
    return pa.table(columns, schema=ELECTED)


def _only_gold(sure: pa.ChunkedArray, gold: Answers) -> pa.ChunkedArray:
    return pc.if_else(pa.array(np.diff(gold.starts) > 0), sure, pa.scalar(None, pa.float64()))


def ruled_batch(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    """What a batch of rows with their answers says of itself (columns: `RULED`)."""
    return pa.RecordBatch.from_pylist([ruled(row, task) for row in batch.to_pylist()], schema=RULED)


def ruled(row: Row, task: Task) -> dict[str, Any]:
    """How long the text is, what the answer says and counts for, and the first rule of the task that the row breaks."""
    shown = task.shown(row)
    line: dict[str, Any] = {"chars": len(shown), "blank": None if shown.strip() else f"{shown!r:.80}"}
    if row["_answer"] is None:
        return line
    answered = task.with_answer(row, json.loads(row["_answer"]))
    problem = next(iter(task.problems(answered)), None)
    line |= {"meaning": task.meaning(answered), "classes": task.strata(answered)}
    return line | ({"rule": problem.rule, "seen": problem.evidence} if problem else {})


def first_problems(heard: Said) -> dict[int, str]:
    """The first problem of an annotation of each row that has one, by its position."""
    problems = heard.table["problem"].combine_chunks()
    at = np.flatnonzero(problems.is_valid())
    rows, first = np.unique(heard.row[at], return_index=True)
    return dict(zip(rows.tolist(), problems.take(pa.array(at[first])).to_pylist(), strict=True))


def _reasons(
    elected: pa.Table, ruled: pa.Table, said: Ints, problems: dict[int, str], settings: AuditSettings
) -> tuple[list[str | None], list[str | None]]:
    """The first rule that each row breaks, and what was seen: only rows that break one are looked at one by one."""
    chars, sure = np.asarray(ruled["chars"]), np.asarray(elected["confidence"].fill_null(2.0))
    wrong = np.asarray(ruled["blank"].is_valid()) | np.asarray(ruled["rule"].is_valid())
    wrong |= (chars < settings.min_text_chars) | (chars > settings.max_text_chars) | (sure < settings.min_confidence)
    wrong |= (said < settings.min_annotators) | np.asarray(elected["answer"].is_null())
    wrong |= np.asarray(elected["tied"].fill_null(False)) & (settings.ties == "reject")
    reason: list[str | None] = [None] * len(said)
    evidence: list[str | None] = [None] * len(said)
    at = np.flatnonzero(wrong)
    lines = zip(*(table.take(pa.array(at)).to_pylist() for table in (elected, ruled)), strict=True)
    for row, (line, more) in zip(at.tolist(), lines, strict=True):
        found = first_problem(line | more, int(said[row]), problems.get(row), settings=settings)
        reason[row], evidence[row] = found or (None, None)
    return reason, evidence


def first_problem(
    line: dict[str, Any], heard: int, problem: str | None, *, settings: AuditSettings
) -> tuple[str, str] | None:
    """The first rule that a settled row breaks, with what was seen: its text, its annotations, its answer.

    `line`: what `ELECTED` and `RULED` say of it; `heard`: how many annotations count; `problem`: of one that does not.
    """
    if line["blank"] is not None:
        return "blank_text", line["blank"]
    if not settings.min_text_chars <= line["chars"] <= settings.max_text_chars:
        return "too_short" if line["chars"] < settings.min_text_chars else "too_long", f"{line['chars']} characters"
    if heard < settings.min_annotators or line["answer"] is None:
        return _unheard(heard, problem, settings.min_annotators)
    if line["tied"] and settings.ties == "reject":
        return "tied", f"{heard} annotators, no answer ahead"
    return _broken(line, settings.min_confidence)


def _unheard(heard: int, problem: str | None, needed: int) -> tuple[str, str]:
    """Why too few annotations count: the one answer there was cannot be read, or there is none."""
    if problem and not heard:
        reason, _, seen = problem.partition(": ")
        return reason, seen
    return "unanswered", f"{heard} of {needed} answers" + (f"; {problem}" if problem else "")


def _broken(line: dict[str, Any], least: float) -> tuple[str, str] | None:
    """The first rule of its task that a row with its settled answer breaks, or too low a posterior."""
    if line["rule"] is not None:
        return line["rule"], line["seen"]
    sure = line["confidence"]
    return ("low_confidence", f"posterior {sure:.3f} is under {least}") if sure is not None and sure < least else None

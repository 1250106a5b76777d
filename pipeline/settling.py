"""What the annotators said, made one answer a row: which annotations count, the vote, and what the vote settles."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.quality.consensus import Truth, dawid_skene, majority
from pipeline.tasks import canonical
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.settings import AuditSettings
    from pipeline.stage import Work
    from pipeline.tasks import Row, Task

    Ints = NDArray[np.int64]

# Confusions between more labels than this cannot be learned from votes.
MOST_LABELS = 500
UNMEASURED = "no row was answered twice: how sure the answers are cannot be measured"
# The last bits of a posterior differ from processor to processor: they are neither stored nor compared.
DECIMALS = 9
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_UNPADDED = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]+([0-9]{1,2})(:.*)?)?")

CAST = pa.schema([("row", pa.int64()), ("unit", pa.string()), ("annotator", pa.string()), ("label", pa.string())])
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


@dataclass(frozen=True)
class Said:
    """The annotations in the order of their rows.

    Attributes:
        table: annotator, answer (canonical JSON), problem, verdict; sorted by row position.
        row: int64[n], the position of each one's row.
        starts: int64[rows + 1], where each row's annotations begin.
    """

    table: pa.Table
    row: Ints
    starts: Ints

    def of(self, first: int, last: int) -> pa.Table:
        """The annotations of the rows first..last-1, with `place`: their row counted from `first`."""
        begin, end = int(self.starts[first]), int(self.starts[last])
        return self.table.slice(begin, end - begin).append_column("place", pa.array(self.row[begin:end] - first))


def said(annotations: pa.Table, ids: pa.Array) -> Said:
    """The annotations beside the rows `ids`, with a verdict on each: `counted`, or why it does not count.

    Of several answers by one named annotator to one row the latest counts: by their times where all of them can be
    read and compared, else the one that stands last in the files.
    """
    row = (
        pc.index_in(annotations["row"].combine_chunks(), value_set=ids).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    order = np.argsort(row, kind="stable")
    table, row = annotations.take(pa.array(order)), row[order]
    problems = table["problem"].to_pylist()
    verdicts = ["counted" if problem is None else problem.split(":", 1)[0] for problem in problems]
    _supersede(verdicts, row, table)
    table = table.append_column("verdict", pa.array(verdicts, pa.string()))
    return Said(table, row, np.searchsorted(row, np.arange(len(ids) + 1)))


def _supersede(verdicts: list[str], row: Ints, table: pa.Table) -> None:
    annotators = table["annotator"].combine_chunks().dictionary_encode()
    codes = annotators.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    cell = row * (len(annotators.dictionary) + 1) + codes + 1
    _, places, counts = np.unique(cell, return_inverse=True, return_counts=True)
    times = table["time"].to_pylist()
    several = defaultdict(list)
    for at in np.flatnonzero((counts[places] > 1) & (codes >= 0)).tolist():
        if verdicts[at] == "counted":
            several[int(cell[at])].append(at)
    for rivals in several.values():
        last = _latest(rivals, [_moment(times[at]) for at in rivals])
        for at in rivals:
            verdicts[at] = "counted" if at == last else "superseded"


def _latest(rivals: list[int], moments: list[tuple[bool, Decimal] | None]) -> int:
    """The one with the latest moment, of equal ones the last; the last one where any cannot be compared."""
    told = [moment for moment in moments if moment is not None]
    if len(told) < len(rivals) or len({everywhere for everywhere, _ in told}) > 1:
        return max(rivals)
    return max(zip(told, rivals, strict=True))[1]


def _moment(time: str | None) -> tuple[bool, Decimal] | None:
    """(whether it is one moment everywhere, seconds): numbers since 1970 and times with a zone are, others are local.

    ISO 8601 is read, with or without leading zeros: 2024-1-9 9:00 is 2024-01-09T09:00. None: it cannot be read.
    """
    text = (time or "").strip()
    if _NUMBER.fullmatch(text):
        return True, Decimal(text)
    if unpadded := _UNPADDED.fullmatch(text):
        year, month, day, hour, rest = unpadded.groups()
        text = f"{year}-{month:0>2}-{day:0>2}" + (f"T{hour:0>2}{(rest or '').replace(' ', '')}" if hour else "")
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = read - datetime(1970, 1, 1, tzinfo=UTC if read.tzinfo else None)
    return read.tzinfo is not None, Decimal(since // timedelta(microseconds=1)) / 1_000_000


def vote(work: Work, heard: Said) -> Ballots:
    """Everything that was voted on, over all rows: one wide pass that gives narrow ballots."""
    rows = len(heard.starts) - 1
    cast = list(work.engine.map(partial(cast_batch, task=work.task), _with_said(work, heard)))
    table = pa.Table.from_batches(cast, schema=CAST)
    return ballots_from(
        table["row"].to_numpy(), *(table[name] for name in ("unit", "annotator", "label")), row_count=rows
    )


def _with_said(work: Work, heard: Said) -> Iterator[tuple[int, pa.RecordBatch, pa.Table]]:
    first = 0
    for batch in work.batches():
        yield first, batch, heard.of(first, first + batch.num_rows)
        first += batch.num_rows


def _answers(said_here: pa.Table, rows: int) -> list[list[tuple[str | None, Any]]]:
    """(annotator, answer) of every counted annotation, by row of the batch.

    Answers that are spelled the same are one object: most answers by far are one of a few labels.
    """
    answers: list[list[tuple[str | None, Any]]] = [[] for _ in range(rows)]
    columns = (said_here[name].to_pylist() for name in ("place", "annotator", "answer", "verdict"))
    parsed: dict[str, Any] = {}
    for place, annotator, answer, verdict in zip(*columns, strict=True):
        if verdict == "counted":
            if answer not in parsed:
                parsed[answer] = json.loads(answer)
            answers[place].append((annotator, parsed[answer]))
    return answers


def cast_batch(given: tuple[int, pa.RecordBatch, pa.Table], *, task: Task) -> pa.RecordBatch:
    """The ballots of a batch of rows."""
    first, batch, said_here = given
    rows: list[int] = []
    units: list[str] = []
    annotators: list[str | None] = []
    labels: list[str] = []
    for at, (row, heard) in enumerate(zip(batch.to_pylist(), _answers(said_here, batch.num_rows), strict=True), first):
        if not heard:
            continue
        for unit, votes in task.ballots(row, [answer for _, answer in heard]).items():
            cast = [(who, label) for (who, _), label in zip(heard, votes, strict=True) if label is not None]
            rows += [at] * len(cast)
            units += [unit] * len(cast)
            annotators += [who for who, _ in cast]
            labels += [label for _, label in cast]
    return pa.RecordBatch.from_pydict(
        dict(zip(CAST.names, (rows, units, annotators, labels), strict=True)), schema=CAST
    )


@dataclass(frozen=True)
class Election:
    """The ballots, what they say, and by which method; `plain` is what plain majority says.

    `measured`: whether any unit has two ballots. Where none has, a posterior would be nothing but what was assumed.
    """

    ballots: Ballots
    truth: Truth
    plain: Truth
    measured: bool
    note: str


def elect(ballots: Ballots, method: str, *, free: bool) -> Election:
    """The winning label of every unit; answers that are `free` text are no set of labels to be confused."""
    plain = majority(ballots)
    measured = bool((plain.votes > 1).any())
    truth, notes = plain, []
    if method != "majority" and (free or len(ballots.labels) > MOST_LABELS):
        notes = [f"{len(ballots.labels)} different answers are no closed set: settled by majority, not by {method}"]
    elif method != "majority":
        truth = dawid_skene(ballots)
    return Election(ballots, truth, plain, measured, "; ".join(notes if measured else [*notes, UNMEASURED]))


def settle(work: Work, heard: Said, election: Election, settings: AuditSettings) -> pa.Table:
    """One settled answer for every row, in order, with the rule that it breaks, if any (columns: `SETTLED`)."""
    function = partial(settle_batch, task=work.task, settings=settings, measured=election.measured)
    made = work.engine.map(function, _with_winners(_with_said(work, heard), election))
    return pa.Table.from_batches(list(made), schema=SETTLED)


Winners = list[dict[str, tuple[str, float, bool]]]


def _with_winners(
    given: Iterator[tuple[int, pa.RecordBatch, pa.Table]], election: Election
) -> Iterator[tuple[pa.RecordBatch, pa.Table, Winners]]:
    ballots, truth = election.ballots, election.truth
    for first, batch, said_here in given:
        begin, end = np.searchsorted(ballots.unit_row, [first, first + batch.num_rows])
        winners: Winners = [{} for _ in range(batch.num_rows)]
        for unit in range(int(begin), int(end)):
            won = (ballots.labels[truth.label[unit]], float(truth.posterior[unit]), bool(truth.tie[unit]))
            winners[ballots.unit_row[unit] - first][ballots.names[ballots.unit_name[unit]]] = won
        yield batch, said_here, winners


def settle_batch(
    given: tuple[pa.RecordBatch, pa.Table, Winners], *, task: Task, settings: AuditSettings, measured: bool
) -> pa.RecordBatch:
    """The settled answers of a batch of rows, and the first rule that each breaks; no posterior unless `measured`."""
    batch, said_here, winners = given
    answers = _answers(said_here, batch.num_rows)
    problems = _problems(said_here, batch.num_rows)
    lines = []
    for row, heard, won, problem in zip(batch.to_pylist(), answers, winners, problems, strict=True):
        line: dict[str, Any] = {"answer": None, "confidence": None, "tied": False}
        if heard:
            settled = task.elect(row, [answer for _, answer in heard], won)
            sure = round(settled.confidence, DECIMALS) if measured else None
            line = {"answer": canonical(settled.answer), "confidence": sure, "tied": settled.tied}
            line["meaning"] = task.meaning(task.with_answer(row, settled.answer))
        reason, evidence = first_problem(row, line, len(heard), problem, task=task, settings=settings) or (None, None)
        lines.append(line | {"reason": reason, "evidence": evidence, "key": input_key(row, task, settings.duplicates)})
    return pa.RecordBatch.from_pylist(lines, schema=SETTLED)


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


def verdict_counts(heard: Said) -> dict[str, int]:
    """How many annotations count, and how many do not for which reason."""
    return dict(sorted(Counter(heard.table["verdict"].to_pylist()).items()))

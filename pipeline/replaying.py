"""Replaying: every human decision beside the row it speaks of, in order, and what is told of those in no force."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import decisions
from pipeline.tasks import canonical
from pipeline.tasks.parts import WHOLE
from pipeline.voting import with_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pipeline.decisions import Book, Conflict, Decision
    from pipeline.rules import Rule
    from pipeline.stage import Work
    from pipeline.tasks import Row, Task

MATCHED = pa.schema([("parts", pa.list_(pa.struct([("rule", pa.int32()), ("part", pa.string())])))])
"""Of each row, which rules speak of which parts of its answer."""


@dataclass
class Replay:
    """What became of the decisions on the rows, as lines for the report."""

    stale: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    by_rule: Counter[str] = field(default_factory=Counter)
    """Parts of answers that each rule settled, by the id of its line."""
    book: Book = field(default_factory=decisions.Book)

    def each(self, work: Work, ids: Sequence[str], answers: Sequence[str | None]) -> Iterator[tuple[int, Decision]]:
        """(position, decision) of every decision in force, in order: rules first; single rows have the last word.

        `answers` are looked at when the turn of each decision comes: each judges what the ones before it made.
        """
        self.book = decisions.read(work.recipe.decisions)
        places = decisions.found({one.row for one in self.book.lines if one.row}, ids)
        self.conflicts = list(self.book.conflicts)
        ruled = list(self._ruled(work, ids, answers, places))
        standing = [(places[one.row], one) for one in self.book.standing]
        rows = _rows(work, {ids[at] for at, _ in ruled} | {ids[at] for (at, _), _ in standing if at is not None})
        for at, one in ruled:
            understood = decisions.understood(one, rows[ids[at]], work.task, settled=answers[at])
            if not understood.stale(answers[at]):
                self.by_rule[one.id] += 1
                yield at, understood
        for (found, missing), one in standing:
            if found is None:
                self.stale.append(f"{one.place}: row {one.row}: {missing}")
                continue
            understood = decisions.understood(one, rows[ids[found]], work.task, settled=answers[found])
            if stale := understood.stale(answers[found]):
                self.stale.append(stale)
            else:
                yield found, understood

    def _ruled(
        self,
        work: Work,
        ids: Sequence[str],
        answers: Sequence[str | None],
        places: dict[str, tuple[int | None, str]],
    ) -> Iterator[tuple[int, Decision]]:
        """What the rules in force say of single parts, but for those that somebody decided himself."""
        lines = [line for line in self.book.rules if line.rule is not None]
        if not lines:
            return
        own = {(places[one.row][0], one.part) for one in self.book.lines if one.row and one.id not in self.book.undone}
        by_part: dict[tuple[int, str], list[Decision]] = {}
        for at, rule, part in _matched(work, [line.rule for line in lines if line.rule], answers):
            if (at, part) not in own and (at, WHOLE) not in own:
                by_part.setdefault((at, part), []).append(_on(lines[rule], ids[at], part))
        for (at, _), said in by_part.items():
            heard = decisions.book(tuple(said))
            self.conflicts += heard.conflicts
            for one in heard.standing[-1:]:
                yield at, one

    def told(self) -> dict[str, Any]:
        """For the report: what is stale, in conflict and undone, and how much each rule settled."""
        rules = [
            {"id": line.id, "said": line.said, "rule": line.rule.told(), "verdict": line.verdict,
             "parts": self.by_rule[line.id]}
            for line in self.book.rules if line.rule is not None
        ]  # fmt: skip
        return {
            "stale": self.stale,
            "conflicts": sorted(one.said for one in self.conflicts),
            "undone": len(self.book.undone),
            "by_rule": rules,
        }


def _on(line: Decision, row: str, part: str) -> Decision:
    """What a rule says of one part of one row."""
    rule = line.rule
    if rule is None:
        return line
    answer = rule.becomes if line.verdict == "wrong" else None
    if not part:
        answer = None if answer is None else canonical([answer])
        return replace(line, row=row, answer=answer, rule=None)
    return replace(line, row=row, part=part, was=rule.given, answer=answer, rule=None)


def _matched(work: Work, rules: Sequence[Rule], answers: Sequence[str | None]) -> Iterator[tuple[int, int, str]]:
    """(position, rule, part) of everything that the rules speak of."""
    function = partial(matched_batch, rules=tuple(rules), task=work.task)
    first = 0
    for made in work.over(function, _answered(work, answers), version=[rule.told() for rule in rules]):
        for at, parts in enumerate(made["parts"].to_pylist()):
            yield from ((first + at, one["rule"], one["part"]) for one in parts)
        first += made.num_rows


def _answered(work: Work, answers: Sequence[str | None]) -> Iterator[pa.RecordBatch]:
    """The rows by their id and the columns of their task, each with its settled answer."""
    first = 0
    for batch in work.batches(columns=["id", *work.contract.own]):
        yield with_columns(batch, answer=pa.array(answers[first : first + batch.num_rows], pa.string()))
        first += batch.num_rows


def matched_batch(batch: pa.RecordBatch, *, rules: Sequence[Rule], task: Task) -> pa.RecordBatch:
    """Which rules speak of which parts of each row's answer (columns: `MATCHED`)."""
    told = [list(_parts(row, rules, task)) for row in batch.to_pylist()]
    return pa.RecordBatch.from_pydict({"parts": told}, schema=MATCHED)


def _parts(row: Row, rules: Sequence[Rule], task: Task) -> Iterator[dict[str, Any]]:
    if row["_answer"] is None:
        return
    answered = task.with_answer(row, json.loads(row["_answer"]))
    source = str(row["id"]).partition("/")[0]
    for number, rule in enumerate(rules):
        yield from ({"rule": number, "part": part} for part in rule.parts(answered, task, source=source))


def _rows(work: Work, ids: Collection[str]) -> dict[str, Row]:
    """The rows with these ids, whole."""
    if not ids:
        return {}
    wanted = pa.array(sorted(ids), pa.string())
    found = (batch.filter(pc.is_in(batch["id"], wanted)).to_pylist() for batch in work.batches())
    return {row["id"]: row for rows in found for row in rows}

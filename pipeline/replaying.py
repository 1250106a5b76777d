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
from pipeline.errors import Unfit
from pipeline.tasks import canonical
from pipeline.tasks.parts import WHOLE, place
from pipeline.voting import with_answer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pipeline.decisions import Book, Conflict, Decision
    from pipeline.rules import Rule
    from pipeline.stage import Work
    from pipeline.tasks import Row, Task

    Match = tuple[int, str]
    """A rule, by its place among those in force, and the part of an answer that it speaks of."""

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
        read = decisions.read(work.recipe.decisions)
        places = decisions.found({one.row for one in read.lines if one.row}, ids)
        self.book = decisions.book(read.lines, {name: ids[at] for name, (at, _) in places.items() if at is not None})
        self.conflicts = list(self.book.conflicts)
        self.stale += read.torn
        ruled = self._ruled(work, answers)
        standing = [(places[one.row], one) for one in self.book.standing]
        aside = [(places[one.row], one) for one in self.book.aside]
        named = {ids[at] for (at, _), _ in (*standing, *aside) if at is not None}
        rows = _rows(work, {ids[at] for at in ruled} | named)
        self._pass_over(work.task, [(one, None if at is None else rows[ids[at]], no) for (at, no), one in aside])
        own = self._own(places) if ruled else {}
        for at, matched in ruled.items():
            yield from self._by_rules(
                work.task, at, rows[ids[at]], matched=matched, answers=answers, own=own.get(at, ())
            )
        for (found, missing), one in standing:
            if found is None:
                self.stale.append(one.lapsing("no one row is called so", missing))
                continue
            understood = decisions.understood(one, rows[ids[found]], work.task, settled=answers[found])
            if stale := understood.stale(answers[found]):
                self.stale.append(stale)
            else:
                yield found, understood

    def _pass_over(self, task: Task, aside: Sequence[tuple[Decision, Row | None, str]]) -> None:
        """Tell of lines that are not followed in any case whether they speak of a text, or a row, that is no more."""
        for one, row, missing in aside:
            if row is None:
                self.stale.append(one.lapsing("no one row is called so", missing))
            elif decisions.is_of_another_text(one, row, task):
                self.stale.append(decisions.understood(one, row, task).stale(None))

    def _ruled(self, work: Work, answers: Sequence[str | None]) -> dict[int, list[Match]]:
        """Of what the rules in force speak, by the position of the row."""
        found: dict[int, list[Match]] = {}
        rules = [line.rule for line in self.book.rules if line.rule is not None]
        for at, rule, part in _matched(work, rules, answers) if rules else ():
            found.setdefault(at, []).append((rule, part))
        return found

    def _own(self, places: Mapping[str, tuple[int | None, str]]) -> dict[int, list[Decision]]:
        """What people said of single rows, by position, also where they differ."""
        found: dict[int, list[Decision]] = {}
        voices = [voice for one in self.book.conflicts for voice in one.voices]
        for one in (*self.book.standing, *voices):
            if (at := places[one.row][0]) is not None:
                found.setdefault(at, []).append(one)
        return found

    def _by_rules(
        self,
        task: Task,
        at: int,
        row: Row,
        *,
        matched: Sequence[Match],
        answers: Sequence[str | None],
        own: Sequence[Decision],
    ) -> Iterator[tuple[int, Decision]]:
        """What the rules say of a row; a later one also speaks of what an earlier one made, and each part by part.

        They are silent where somebody decided himself what they speak of.
        """
        last: dict[str, int] = {}
        while matched:
            by_part: dict[str, list[int]] = {}
            for rule, part in matched:
                by_part.setdefault(part, []).append(rule)
            for part, rules in by_part.items():
                last[part] = max(rules)
                if any(_speaks_of(one, part, row, task, answers[at]) for one in own):
                    continue
                for one in self._heard(rules, row["id"], part):
                    understood = decisions.understood(one, row, task, settled=answers[at])
                    if not understood.stale(answers[at]):
                        self.by_rule[one.id] += 1
                        yield at, understood
            again = _parts({**row, "_answer": answers[at]}, [line.rule for line in self.book.rules if line.rule], task)
            matched = [(one["rule"], one["part"]) for one in again if one["rule"] > last.get(one["part"], -1)]

    def _heard(self, rules: Sequence[int], row: str, part: str) -> tuple[Decision, ...]:
        """What the rules come to that speak of a part of a row: one decision, or none where they differ."""
        heard = decisions.book(tuple(_on(self.book.rules[rule], row, part) for rule in rules))
        self.conflicts += heard.conflicts
        return heard.standing[-1:]

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


def _speaks_of(own: Decision, part: str, row: Row, task: Task, settled: str | None) -> bool:
    """Whether what a person decided himself is about a part of a row, and fits what it is now."""
    if WHOLE not in (own.part, part) and own.part != part and not _touch(task, own.part, part):
        return False
    return not decisions.understood(own, row, task, settled=settled).stale(settled)


def _touch(task: Task, one: str, other: str) -> bool:
    """Whether two parts are stretches of text that have characters in common."""
    if task.head != "token":
        return False
    try:
        (start, end), (begin, stop) = place(one), place(other)
    except Unfit:
        return False
    return start < stop and begin < end


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
    given = with_answer(work, pa.array(answers, pa.string()), and_id=True)
    for made in work.over(function, given, version=[rule.told() for rule in rules]):
        for at, parts in enumerate(made["parts"].to_pylist()):
            yield from ((first + at, one["rule"], one["part"]) for one in parts)
        first += made.num_rows


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

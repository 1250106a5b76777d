"""Verdicts taken in: each beside what was judged, kept once, and put into the decisions if that is wanted."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline import decisions, store
from pipeline.checks.ledger import Check, append, lines, together, voices
from pipeline.checks.plan import folder, plan_of, verdict_file
from pipeline.checks.population import whole_rows
from pipeline.checks.table import Entry, entries
from pipeline.checks.words import from_words
from pipeline.errors import AssayError, Unfit
from pipeline.tasks import canonical, task

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row, Task


@dataclass(frozen=True)
class Taken:
    """What came of reading a table: verdicts that are new, known, stale, lines left blank; decisions written."""

    new: list[Check]
    known: int
    stale: list[str]
    blank: int
    decided: int = 0
    undecided: tuple[str, ...] = ()


def read_verdicts(recipe: Recipe, path: Path, *, who: str = "", when: str = "", decide: bool = False) -> Taken:
    """Take in the verdicts of a table that people filled in; `who` and `when` hold where a line does not say.

    New ones are added to `checks.jsonl`; with `decide`, wrong ones with a right answer are put into `decisions.jsonl`
    too. A table with any line that is not clear is not taken in at all. Without `when`, that is today.

    Raises:
        AssayError: no plan, an unreadable line, an unclear verdict, a row that is not there; with the place.
    """
    plan = plan_of(recipe)
    if plan is None:
        raise AssayError(f"checks of '{recipe.name}'", "there is no plan", f"assay audit-plan {recipe.name}")
    found, blank = entries(path, who=who)
    kind = task(recipe.settings.task, recipe.settings.guideline)
    known = _known(recipe, {entry.row for entry in found}, kind)
    today = when or datetime.now(UTC).date().isoformat()
    about = plan.model_dump(mode="json", include={"at_most", "confidence", "seed"})
    checks, stale = [], []
    for entry in found:
        target = known.of(entry)
        if target is None:
            stale.append(f"{entry.place}: {entry.row} has another text or answer than the one that was judged")
        else:
            version = recipe.settings.guideline.version
            checks.append(_check(entry, target, kind, today) | {"guideline": version, "plan": about})
    with store.locked(recipe.build):
        return _kept(recipe, [Check(**check) for check in checks], found, stale, blank, decide=decide, kind=kind)


def _kept(
    recipe: Recipe, checks: list[Check], found: list[Entry], stale: list[str], blank: int, *, decide: bool, kind: Task
) -> Taken:
    before = lines(verdict_file(recipe))
    whens = {(entry.row, entry.who): entry.when for entry in found}
    fresh: list[Check] = []
    for check in checks:
        same = [one for one in (*before, *fresh) if one.says_as(check)]
        again = whens[check.row, check.who]
        if not same or (again and all(one.when != again for one in same)):
            fresh.append(check)
    append(verdict_file(recipe), fresh)
    decided, undecided = _decide(recipe, [*before, *fresh], kind) if decide else (0, ())
    return Taken(fresh, len(checks) - len(fresh), stale, blank, decided, undecided)


@dataclass(frozen=True)
class _Judged:
    """What a verdict is about."""

    row: Row
    text: str
    answer: str
    groups: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Known:
    """What verdicts may be about: the rows as they are, and as they stood in the list."""

    name: str
    rows: dict[str, Row]
    listed: dict[tuple[str, str], dict[str, Any]]
    checked: dict[tuple[str, str], Check]
    kind: Task

    def of(self, entry: Entry) -> _Judged | None:
        """What a line is about; None where that is not to be told any more."""
        row = self.rows.get(entry.row)
        line = self.listed.get((entry.row, entry.judged)) or (None if entry.judged else self._only(entry.row))
        if line is not None:
            groups = tuple((str(kind), str(name)) for kind, name in line["groups"])
            was = {**(row or {"text": line["text"]})}
            return _Judged(was, line["text"], line["canonical"], groups)
        if check := self.checked.get((entry.row, entry.judged)):
            return _Judged(row or {"text": check.text}, check.text, check.answer, check.groups)
        if row is None:
            problem = f"no row '{entry.row}' on the list of '{self.name}'"
            raise AssayError(entry.place, problem, "leave the ids as they stand in the list")
        return None

    def _only(self, row: str) -> dict[str, Any] | None:
        """The line of a row, for tables that lost the column `judged`."""
        return next((line for (id_, _), line in self.listed.items() if id_ == row), None)


def _known(recipe: Recipe, wanted: set[str], kind: Task) -> _Known:
    rows = {row["id"]: row for _, row in whole_rows(recipe, wanted)}
    path = folder(recipe) / "to-check.jsonl"
    listed = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line.strip():
                entry = json.loads(line)
                listed[entry["id"], entry["judged"]] = entry
    checked = {(check.row, check.judged): check for check in lines(verdict_file(recipe))}
    return _Known(recipe.name, rows, listed, checked, kind)


def _check(entry: Entry, target: _Judged, kind: Task, today: str) -> dict[str, Any]:
    right = None
    if entry.right:
        try:
            right = canonical(from_words(kind, target.row, entry.right))
        except Unfit as unfit:
            raise AssayError(entry.place, f"the right answer cannot be read: {unfit}", "mend the cell") from unfit
    if right == target.answer:
        raise AssayError(entry.place, f"the right answer is the one that was given: {entry.right!r:.40}", "mend it")
    return {
        "row": entry.row,
        "verdict": entry.verdict,
        "who": entry.who,
        "when": entry.when or today,
        "text": target.text,
        "answer": target.answer,
        "right_answer": right,
        "note": entry.note,
        "groups": target.groups,
    }


def _decide(recipe: Recipe, checks: list[Check], kind: Task) -> tuple[int, tuple[str, ...]]:
    """Put wrong verdicts with a right answer into decisions.jsonl, but where people differ or it was decided before."""
    there = {line.row for line in decisions.read(recipe.decisions).lines}
    by_answer: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        by_answer.setdefault((check.row, check.judged), []).append(check)
    wanted = {check.row for check in checks if check.verdict == "wrong"} - there
    rows = {row["id"]: row for _, row in whole_rows(recipe, wanted)}
    entries_, undecided = [], []
    for (row, _), said in by_answer.items():
        last = list(voices(said).values())
        rights = {check.right_answer for check in last if check.verdict == "wrong"}
        if together(said) != "wrong" or row in there or row.partition("/")[2] in there:
            continue
        is_clear = len({check.verdict for check in last}) == 1 and len(rights) == 1 and None not in rights
        if is_clear and row in rows and kind.asked(rows[row]) == said[0].text:
            entries_.append(_decision(last[-1], kind.shown(rows[row]), recipe))
        else:
            undecided.append(row)
    decisions.add(recipe.decisions, entries_)
    return len(entries_), tuple(sorted(undecided))


def _decision(check: Check, shown: str, recipe: Recipe) -> dict[str, Any]:
    check = replace(check, note=check.note or "found wrong when a drawn sample was checked")
    return {
        "row": check.row,
        "verdict": "wrong",
        "answer": json.loads(check.right_answer or "null"),
        "was": json.loads(check.answer),
        "who": check.who,
        "when": check.when,
        "why": check.note,
        "text": shown,
        "guideline": recipe.settings.guideline.version,
    }

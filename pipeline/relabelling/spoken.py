"""Spoken: of which rows, and of which parts of their answers, somebody spoke under the new guideline already."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import decisions, store
from pipeline.errors import Unfit
from pipeline.tasks import canonical
from pipeline.tasks.parts import WHOLE, label_at
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.decisions import Decision
    from pipeline.recipe import Recipe
    from pipeline.rules import Rule
    from pipeline.tasks import Row, Task


@dataclass(frozen=True)
class Spoken:
    """What was said under one version of the guideline.

    Attributes:
        annotated: rows that an annotator answered under it, who saw the whole row.
        decided: decisions in force by the row that they name, with or without its source.
        rules: what rules are said to hold.
    """

    annotated: frozenset[str] = frozenset()
    decided: dict[str, list[Decision]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def of_row(self, row: str) -> bool:
        """Whether an annotator answered the row."""
        return any(name in self.annotated for name in _names(row))

    def of(self, task: Task, row: Row, part: str) -> bool:
        """Whether a decision settles the part: one on it or on the whole row that still fits, or by a rule."""
        for name in _names(row["id"]):
            if any(_settles(one, task, row, part) for one in self.decided.get(name, ())):
                return True
        return any(part in rule.parts(row, task) for rule in self.rules)


def spoken(recipe: Recipe, version: str, *, and_decided: bool = True) -> Spoken:
    """What annotators, and people who decided, said under a version of the guideline.

    Without `and_decided`, only what annotators did.
    """
    annotated: set[str] = set()
    columns = ("counts_for", "guideline", "verdict")
    for batch in store.batches(recipe.build / "audit", "annotations", columns=columns):
        counts = pc.is_in(batch["verdict"], pa.array(["counted", "gold"]))
        is_new = pc.and_(pc.equal(batch["guideline"], version), counts)
        annotated.update(batch.filter(pc.fill_null(is_new, False))["counts_for"].to_pylist())
    if not and_decided:
        return Spoken(frozenset(annotated))
    book = decisions.read(recipe.decisions)
    decided: dict[str, list[Decision]] = {}
    for line in book.standing:
        if line.guideline == version:
            decided.setdefault(line.row, []).append(line)
    ruled = (one for line in book.rules if line.rule and line.guideline == version for one in held_by(line.rule))
    return Spoken(frozenset(annotated), decided, tuple(ruled))


def held_by(rule: Rule) -> Iterator[Rule]:
    """A rule, and the same read from its end: what it made of the answers is settled as well once it was followed."""
    yield rule
    yield replace(rule, given=rule.becomes, becomes=rule.given)


def _names(row: str) -> tuple[str, str]:
    """The names by which people speak of a row: its id, and that without its source."""
    return row, row.partition("/")[2]


def _settles(one: Decision, task: Task, row: Row, part: str) -> bool:
    if one.part not in (WHOLE, part):
        return False
    shown = task.shown(row)
    if one.text is not None and one.text != shown and normalised(one.text) != normalised(shown):
        return False
    if one.was is None or one.part != part:
        return True
    answer = task.answer(row)
    try:
        now = canonical(answer) if part == WHOLE else label_at(task, answer, part)
    except Unfit:
        return False
    return now in (one.was, one.answer)

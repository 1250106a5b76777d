"""The population: all rows that the checks speak of, in the one order in which they are drawn.

Every row has a number of its own, a keyed hash of its id, and whoever is asked for so many rows, of all or of one
stratum, gets those with the smallest numbers (permanent random numbers: Ohlsson 1995, "Coordination of samples using
permanent random numbers"). So one list serves all strata at once, any beginning of it is a random draw, a later run
gives the same rows, and new rows take their places among those that were checked already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import decisions, store
from pipeline.chance import draw
from pipeline.checks.ledger import Check, Finding, judged, lines, together
from pipeline.checks.plan import verdict_file
from pipeline.errors import AssayError
from pipeline.tasks import canonical, task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.recipe import Recipe
    from pipeline.settings import PlanSettings
    from pipeline.tasks import Row, Task

SPLITS = ("train", "validation", "test")
Group = tuple[str, str]
"""A stratum: what it is made by, and its value."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a row that was checked, and whether that was mended since: corrected, or taken out."""

    verdict: Finding
    mended: bool = False


@dataclass
class Population:
    """The rows in the order of their numbers; narrow but for the groups.

    Attributes:
        stage: which stage's rows these are.
        ids: in the order in which they are drawn, rows that were taken out for what a check found among them.
        groups: stratum to the positions of its rows, ascending: so in the order in which they are drawn.
        found: position to what was found in the row, for those that were checked and are what they were.
        stale: in words, the checks that no longer speak of a row.
        conflicts: in words, the rows on which people differ.
        doubled: rows that two people or more checked, and those of them on which all said the same.
    """

    stage: str
    ids: list[str]
    groups: dict[Group, NDArray[np.int64]]
    found: dict[int, Found]
    stale: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    doubled: tuple[int, int] = (0, 0)

    @property
    def is_checked(self) -> NDArray[np.bool_]:
        """Which rows have a verdict that counts: bool[rows]."""
        checked = np.zeros(len(self.ids), dtype=bool)
        checked[list(self.found)] = True
        return checked


@dataclass
class _Gathered:
    """What is picked up while the rows go by."""

    ids: list[str] = field(default_factory=list)
    groups: list[tuple[Group, ...]] = field(default_factory=list)
    found: dict[str, Found] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)


def population(recipe: Recipe, plan: PlanSettings) -> Population:
    """The rows of the finished split, made ones left out, or those that the audit kept; and what checks found in them.

    Raises:
        AssayError: nothing was built, or a line of the checks cannot be read.
    """
    kind, by_row = task(recipe.settings.task, recipe.settings.guideline), _by_row(recipe)
    decided = {line.row for line in decisions.read(recipe.decisions).standing} if by_row else set()
    sorter = _Sorter.of(recipe, plan, kind)
    gathered = _Gathered()
    stage = finished(recipe)
    for split, row in whole_rows(recipe):
        _take(gathered, row, split, sorter, by_row.get(row["id"], []), is_decided=_named(row["id"], decided))
    there = set(gathered.ids)
    for id_ in sorted(by_row.keys() - there):
        _take_gone(gathered, id_, by_row[id_], plan, is_decided=_named(id_, decided))
    return _ordered(stage, gathered, plan, by_row)


def finished(recipe: Recipe) -> str:
    """The last stage whose rows people saw: the split, or the audit where nothing was split yet."""
    for stage in ("split", "audit"):
        if store.read_report(recipe.build / stage) is not None:
            return stage
    raise AssayError(f"checks of '{recipe.name}'", "nothing was built yet", f"assay run {recipe.name}")


def whole_rows(recipe: Recipe, ids: Collection[str] | None = None) -> Iterator[tuple[str, Row]]:
    """(split, row) of all rows that can be checked, those that annotators saw, or only of those with some ids."""
    stage, wanted = finished(recipe), None if ids is None else pa.array(sorted(ids), pa.string())
    for table in SPLITS if stage == "split" else ("rows",):
        for batch in store.batches(recipe.build / stage, table):
            kept = batch if wanted is None else batch.filter(pc.is_in(batch["id"], wanted))
            for row in kept.to_pylist():
                if not row["parents"] and row["made_by"] is None:
                    yield table, row


def _by_row(recipe: Recipe) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in lines(verdict_file(recipe)):
        found.setdefault(check.row, []).append(check)
    return found


def _named(id_: str, decided: set[str]) -> bool:
    """Whether a decision names the row, by its whole id or without its source."""
    return bool(decided) and (id_ in decided or id_.partition("/")[2] in decided)


@dataclass(frozen=True)
class _Sorter:
    """Tells the strata of a row."""

    kind: Task
    by: tuple[str, ...]
    batches: dict[str, tuple[str, ...]]
    suspects: frozenset[str]

    @classmethod
    def of(cls, recipe: Recipe, plan: PlanSettings, kind: Task) -> _Sorter:
        suspects: frozenset[str] = frozenset()
        if "suspicion" in plan.by:
            told = store.batches(recipe.build / "suspect", "suspects", columns=["id"])
            suspects = frozenset(id_ for batch in told for id_ in batch["id"].to_pylist())
        return cls(kind, plan.by, _batches(recipe) if "batch" in plan.by else {}, suspects)

    def groups(self, row: Row, split: str) -> tuple[Group, ...]:
        """The strata of a row by everything that the plan asks for; a row may count towards several."""
        values: dict[str, Sequence[str]] = {
            "label": sorted(set(self.kind.strata(row))) if "label" in self.by else (),
            "batch": self.batches.get(row["id"], ()),
            "source": (row["id"].partition("/")[0],),
            "language": (row["language"],),
            "split": (split,),
            "suspicion": ("suspects" if row["id"] in self.suspects else "the rest",),
        }
        return tuple((kind, value) for kind in self.by for value in values[kind])


def _batches(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """The batches in which each row was annotated."""
    found: dict[str, set[str]] = {}
    for batch in store.batches(recipe.build / "audit", "annotations", columns=["row", "batch"]):
        for row, name in zip(batch["row"].to_pylist(), batch["batch"].to_pylist(), strict=True):
            if name is not None:
                found.setdefault(row, set()).add(name)
    return {row: tuple(sorted(names)) for row, names in found.items()}


def _take(gathered: _Gathered, row: Row, split: str, sorter: _Sorter, checks: list[Check], *, is_decided: bool) -> None:
    groups = sorter.groups(row, split)
    if checks:
        text, answer = sorter.kind.asked(row), canonical(sorter.kind.answer(row))
        found, before = _verdict(checks, text, answer, is_decided=is_decided)
        if found is None:
            gathered.stale.append(_stale(row["id"], checks[-1], text))
        else:
            gathered.found[row["id"]] = found
        if before is not None:
            groups = _kept(before.groups, sorter.by)
    gathered.ids.append(row["id"])
    gathered.groups.append(groups)


def _verdict(checks: list[Check], text: str, answer: str, *, is_decided: bool) -> tuple[Found | None, Check | None]:
    """What was found in the row as it was, and the check that says how it was if that was before a correction."""
    now = together(check for check in checks if check.judged == judged(text, answer))
    earlier: dict[str, list[Check]] = {}
    for check in checks:
        if check.text == text and check.answer != answer:
            earlier.setdefault(check.answer, []).append(check)
    for given in earlier.values():
        to_this = any(check.right_answer == answer for check in given)
        if together(given) == "wrong" and (to_this or is_decided):
            return Found("wrong", mended=now != "wrong"), given[0]
    return (Found(now) if now else None), None


def _stale(id_: str, check: Check, text: str) -> str:
    what = "another text" if check.text != text else "another answer"
    return f"{id_}: {check.who} found {check.answer:.60} {check.verdict} on {check.when}; the row has {what} now"


def _take_gone(gathered: _Gathered, id_: str, checks: list[Check], plan: PlanSettings, *, is_decided: bool) -> None:
    """A row that is no longer there: it counts as it was found if a person took it out, else its check is stale."""
    if not is_decided:
        gathered.stale.append(f"{id_}: {checks[-1].who} checked it on {checks[-1].when}; there is no such row now")
        return
    same = [check for check in checks if check.judged == checks[-1].judged]
    gathered.ids.append(id_)
    gathered.groups.append(_kept(checks[-1].groups, plan.by))
    gathered.found[id_] = Found(together(same) or checks[-1].verdict, mended=True)


def _kept(groups: tuple[Group, ...], by: tuple[str, ...]) -> tuple[Group, ...]:
    return tuple(group for group in groups if group[0] in by)


def _ordered(stage: str, gathered: _Gathered, plan: PlanSettings, by_row: dict[str, list[Check]]) -> Population:
    numbers = [draw(plan.seed, "check", id_) for id_ in gathered.ids]
    order = sorted(range(len(numbers)), key=lambda at: (numbers[at], gathered.ids[at]))
    ids = [gathered.ids[at] for at in order]
    members: dict[Group, list[int]] = {}
    for at, source in enumerate(order):
        for group in gathered.groups[source]:
            members.setdefault(group, []).append(at)
    people = [list(_last(by_row[id_]).values()) for id_ in ids if id_ in gathered.found]
    several = [said for said in people if len(said) > 1]
    differ = [said for said in several if len({check.verdict for check in said}) > 1]
    return Population(
        stage=stage,
        ids=ids,
        groups={group: np.array(members[group], dtype=np.int64) for group in sorted(members)},
        found={at: gathered.found[id_] for at, id_ in enumerate(ids) if id_ in gathered.found},
        stale=sorted(gathered.stale),
        conflicts=sorted(_told(said) for said in differ),
        doubled=(len(several), len(several) - len(differ)),
    )


def _last(checks: list[Check]) -> dict[str, Check]:
    """What each person said of the text and answer that were judged last."""
    return {check.who: check for check in checks if check.judged == checks[-1].judged}


def _told(said: list[Check]) -> str:
    people = ", ".join(f"{check.who} says {check.verdict}" for check in said)
    return f"{said[0].row}: {people}; counted as {together(said)}"


def listed(population: Population, at: int) -> tuple[Group, ...]:
    """The strata of one row."""
    return tuple(group for group, rows in population.groups.items() if _holds(rows, at))


def _holds(rows: NDArray[np.int64], at: int) -> bool:
    place = int(np.searchsorted(rows, at))
    return place < len(rows) and int(rows[place]) == at

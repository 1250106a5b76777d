"""Relabelling: what another version of the guideline touches, told apart from what annotators did wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline import store, versions
from pipeline.errors import AssayError
from pipeline.relabelling.changing import Change, changes
from pipeline.relabelling.spoken import held_by, spoken
from pipeline.relabelling.touching import KINDS, RELABEL, Search
from pipeline.settings import Guideline
from pipeline.tasks import task

if TYPE_CHECKING:
    from pipeline.recipe import Recipe


@dataclass(frozen=True)
class Needed:
    """What has to be labelled again: `lines` (columns `RELABEL`), and between which guidelines."""

    before: str
    after: str
    since: str
    """The version that the guideline was compared with."""
    changes: list[Change]
    lines: pa.Table = field(default_factory=RELABEL.empty_table)
    new_already: int = 0
    """Rows that are touched, of which annotators or decisions under the new guideline leave out some or all."""

    def counts(self) -> dict[str, int]:
        """Parts of answers by how they are touched."""
        found = Counter(self.lines["kind"].to_pylist())
        return {kind: found[kind] for kind in KINDS if found[kind]}


def before(recipe: Recipe, since: str = "") -> tuple[str, Guideline]:
    """The version named, or the newest one with another guideline than the recipe's, and its guideline.

    Raises:
        AssayError: no version that was kept has another guideline.
    """
    if (found := _before(recipe, since)) is not None:
        return found
    name, kept = recipe.name, versions.listing(recipe)
    if kept:
        problem = f"no version that was kept has another guideline: it is that of {kept[-1]['id']} still"
        way_out = "change it in the recipe with a new 'version', or name a version with --since"
    else:
        problem = "no version that was kept has another guideline: none was kept"
        way_out = (
            f"`assay run {name}` keeps a version: take the old guideline back into the recipe and run it once, "
            "then change the guideline and its 'version' and run it again"
        )
    raise AssayError(f"guideline of '{name}'", problem, way_out)


def is_unchanged(recipe: Recipe) -> bool:
    """Whether versions were kept, all with the guideline that the recipe has: then nothing is to be labelled again."""
    return bool(versions.listing(recipe)) and _before(recipe) is None


def _before(recipe: Recipe, since: str = "") -> tuple[str, Guideline] | None:
    now = recipe.settings.guideline
    if since:
        held = versions.find(recipe, since)
        return held.id, Guideline.model_validate(held.about["guideline"])
    for entry in reversed(versions.listing(recipe)):
        held = versions.find(recipe, str(entry["id"]))
        guideline = Guideline.model_validate(held.about["guideline"])
        if guideline != now:
            return held.id, guideline
    return None


def needed(recipe: Recipe, since: str = "", *, but_decided: bool = True) -> Needed:
    """Which answers of the build have to be given again, because the guideline is another one now.

    Rows that annotators answered under the version of the new guideline are not among them, nor parts that a decision
    or a rule made under it settles; without `but_decided`, these are. What was held back because its label is unknown
    now is.

    Raises:
        AssayError: nothing was built, no version has another guideline, or both have the same version number.
    """
    version, old = before(recipe, since)
    new = recipe.settings.guideline
    found = changes(old, new)
    if found and old.version == new.version:
        problem = f"its labels changed, but it is still called version {new.version}"
        raise AssayError(f"guideline of '{recipe.name}'", problem, "give it another 'version': annotations name it")
    if store.read_report(recipe.build / "audit") is None:
        raise AssayError(f"data set '{recipe.name}'", "nothing was built yet", f"assay run {recipe.name}")
    kind, said = recipe.settings.task, spoken(recipe, new.version, and_decided=but_decided)
    search = Search(recipe, old, task(kind, old), task(kind, new), found, said)
    table = pa.Table.from_pylist(list(search.lines()), schema=RELABEL)
    return Needed(old.version, new.version, version, found, table, search.new_already)


def lines(recipe: Recipe) -> pa.Table:
    """What `needed` lists, decided or not (columns `RELABEL`); nothing where there is no other guideline."""
    return needed(recipe, but_decided=False).lines if basis(recipe) else RELABEL.empty_table()


def basis(recipe: Recipe) -> list[str]:
    """What the lines depend on beside the build: the two guidelines; empty where there are no lines."""
    found = _before(recipe)
    if found is None:
        return []
    _, old = found
    new = recipe.settings.guideline
    if old.version == new.version or not changes(old, new):
        return []
    return [old.model_dump_json(), new.model_dump_json()]


__all__ = [
    "KINDS",
    "RELABEL",
    "Change",
    "Needed",
    "basis",
    "before",
    "changes",
    "held_by",
    "is_unchanged",
    "lines",
    "needed",
]

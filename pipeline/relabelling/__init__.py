"""Relabelling: what another version of the guideline touches, told apart from what annotators did wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import decisions, store, versions
from pipeline.errors import AssayError
from pipeline.relabelling.changing import Change, changes
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
    """Rows that hold such a label, but were annotated or decided under the new guideline."""

    def counts(self) -> dict[str, int]:
        """Parts of answers by how they are touched."""
        found = Counter(self.lines["kind"].to_pylist())
        return {kind: found[kind] for kind in KINDS if found[kind]}


def before(recipe: Recipe, since: str = "") -> tuple[str, Guideline]:
    """The version named, or the newest one with another guideline than the recipe's, and its guideline.

    Raises:
        AssayError: no version that was kept has another guideline.
    """
    now = recipe.settings.guideline
    if since:
        held = versions.find(recipe, since)
        return held.id, Guideline.model_validate(held.about["guideline"])
    for entry in reversed(versions.listing(recipe)):
        held = versions.find(recipe, str(entry["id"]))
        guideline = Guideline.model_validate(held.about["guideline"])
        if guideline != now:
            return held.id, guideline
    problem = "no version that was kept has another guideline"
    raise AssayError(f"guideline of '{recipe.name}'", problem, "change it, or name a version with --since")


def needed(recipe: Recipe, since: str = "", *, but_decided: bool = True) -> Needed:
    """Which answers of the build have to be given again, because the guideline is another one now.

    Rows whose annotations or decisions name the version of the new guideline are not among them; without
    `but_decided`, those that were decided are. What was held back because its label is unknown now is.

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
    search = Search(recipe, task(recipe.settings.task, new), found, _under(recipe, new.version, decided=but_decided))
    table = pa.Table.from_pylist(list(search.lines()), schema=RELABEL)
    return Needed(old.version, new.version, version, found, table, search.new_already)


def lines(recipe: Recipe) -> pa.Table:
    """What `needed` lists, decided or not (columns `RELABEL`); nothing where there is no other guideline."""
    return needed(recipe, but_decided=False).lines if basis(recipe) else RELABEL.empty_table()


def basis(recipe: Recipe) -> list[str]:
    """What the lines depend on beside the build: the two guidelines; empty where there are no lines."""
    try:
        _, old = before(recipe)
    except AssayError:  # no version that was kept has another guideline
        return []
    new = recipe.settings.guideline
    if old.version == new.version or not changes(old, new):
        return []
    return [old.model_dump_json(), new.model_dump_json()]


def _under(recipe: Recipe, version: str, *, decided: bool) -> set[str]:
    """The rows of which somebody spoke under this version of the guideline."""
    made: set[str] = set()
    for batch in store.batches(recipe.build / "audit", "annotations", columns=("counts_for", "guideline", "verdict")):
        counts = pc.is_in(batch["verdict"], pa.array(["counted", "gold"]))
        is_new = pc.and_(pc.equal(batch["guideline"], version), counts)
        made.update(batch.filter(pc.fill_null(is_new, False))["counts_for"].to_pylist())
    if not decided:
        return made
    book = decisions.read(recipe.decisions)
    return made | {line.row for line in book.standing if line.guideline == version}


__all__ = ["KINDS", "RELABEL", "Change", "Needed", "basis", "before", "changes", "lines", "needed"]

"""Erasing: a source that was withdrawn, or a row, is taken out of all that was made of it; and the proof of that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import erased, flow, store
from pipeline.contract import contract
from pipeline.erasing import blanking, files, gathering, purging, record
from pipeline.erasing.marks import Marks, Target
from pipeline.erasing.proof import FREE, Proof, prove, size
from pipeline.erasing.search import Search
from pipeline.errors import AssayError, nearest
from pipeline.versions import log
from pipeline.versions.spine import spine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.engine import Engine
    from pipeline.erasing.record import Record
    from pipeline.recipe import Recipe

_NUMBERED = re.compile(r"([0-9a-f]{16})-\d+")


@dataclass(frozen=True)
class Erasure:
    """What an erasure did: its record, the reports of the stages that were run again, and the proof.

    `fault` is why the stages could not be run again; they were removed then.
    """

    record: Record
    reports: list[dict[str, Any]]
    proof: Proof
    fault: AssayError | None = None


def erase(
    recipe: Recipe,
    targets: Sequence[Target],
    engine: Engine,
    *,
    who: str,
    why: str = "",
    decisions: bool = False,
    begin: Callable[[str], Callable[[int], None]] = lambda name: lambda rows: None,
    tick: Callable[[int], None] = lambda done: None,
) -> Erasure:
    """Erase sources and rows: note them beside the recipe, build again, remove what is derived, prove it.

    Stopped on the way, the same call goes on. `decisions` also blanks what people wrote of the rows in decisions,
    checks and lists to check.

    Raises:
        AssayError: there is no such source or row, or a file cannot be written.
    """
    when = log.now()
    one = record.begun(recipe, who=who, when=when, why=why)
    with store.locked(recipe.build):
        one.marks = marked(recipe, targets)
        for at, marks in enumerate(one.marks):
            marks.write(record.marks_file(one.path, at))
        one.write()
        gone = erased.of(recipe)
        new = [erased.Line(each.kind, each.name, who, when, why) for each in targets if not gone.holds(*_key(each))]
        erased.add(erased.path_of(recipe), new)
        one.lock_lines = purging.lock_lines(recipe, one.marks)
        if decisions:
            one.quoted = blanking.blank(recipe, _is_gone(one.marks), _search(recipe, _all_marks(recipe)))
        one.removed = purging.caches(recipe)
    reports, fault = _rebuilt(recipe, engine, begin)
    with store.locked(recipe.build):
        if fault is not None:
            one.removed += purging.stages(recipe)
        every = _all_marks(recipe)
        one.removed += purging.derived(recipe, _search(recipe, every))
        one.lock_lines += purging.lock_lines(recipe, every)
    proof = check(recipe, tick=tick)
    one.write(proof, finished=log.now())
    return Erasure(record=one, reports=reports, proof=proof, fault=fault)


def _key(target: Target) -> tuple[str, str]:
    return target.kind, target.name


def _rebuilt(
    recipe: Recipe, engine: Engine, begin: Callable[[str], Callable[[int], None]]
) -> tuple[list[dict[str, Any]], AssayError | None]:
    """Run the stages, if they had been run; what kept them from it."""
    if not (recipe.build / flow.NAMES[0]).exists():
        return [], None
    try:
        return flow.build(recipe, engine, begin=begin), None
    except AssayError as error:
        return [], error


def check(recipe: Recipe, *, tick: Callable[[int], None] = lambda done: None) -> Proof:
    """Look whether anything is left of all that is erased from a data set.

    Raises:
        AssayError: nothing is erased.
    """
    if not erased.of(recipe):
        problem = "nothing is erased"
        raise AssayError(f"data set '{recipe.name}'", problem, f"assay erase {recipe.name} --source S or --row ID")
    every = _all_marks(recipe)
    proof = prove(recipe, every, tick=tick)
    proof.unmarked = [str(one.target) for one in every if not one.found["id"]]
    return proof


def preview(
    recipe: Recipe, targets: Sequence[Target], *, tick: Callable[[int], None] = lambda done: None
) -> tuple[list[Marks], Proof]:
    """What an erasure would find now, and where; nothing is changed."""
    found = marked(recipe, targets)
    return found, prove(recipe, found, tick=tick)


def marked(recipe: Recipe, targets: Sequence[Target]) -> list[Marks]:
    """The marks of targets: what the build and the versions hold of them, and what was marked before.

    Raises:
        AssayError: there is no such source or row, or the row was made of another.
    """
    hasher, before, gone = record.hasher(recipe), record.known(recipe, targets), erased.of(recipe)
    found = []
    for target in targets:
        marks = Marks(target, hasher)
        gathering.gather(recipe, marks)
        if target in before:
            marks.merge(before[target])
        if not (marks.rows or gone.holds(*_key(target))):
            _hold_known(recipe, target, marks)
        found.append(marks)
    return found


def _hold_known(recipe: Recipe, target: Target, marks: Marks) -> None:
    """Raise unless the recipe names the source; nothing is known of a row that no build and no version holds."""
    place = f"data set '{recipe.name}'"
    if target.kind == "row":
        if marks.made:
            problem = f"'{target.name}' is a copy that was made of another row"
            raise AssayError(place, problem, f"erase that one: assay why '{target.name}'")
        problem = f"no build and no version of it has a row '{target.name}'"
        raise AssayError(place, problem, f"ids are SOURCE/ID: assay why {target.name} --dataset {recipe.name}")
    names = [source.name for source in recipe.settings.ingest.source]
    if target.name not in names:
        raise AssayError(place, f"no source '{target.name}'", nearest(target.name, names))


def target_of(recipe: Recipe, kind: str, name: str) -> Target:
    """The target that is meant by a name on the command line.

    Rows without an id of their own are known by their content, and numbered where several say the same
    (`s/0123456789abcdef-2`): to erase one is to erase all that say the same.

    Raises:
        AssayError: the name cannot be one.
    """
    if kind == "source":
        return Target(kind, name)
    source, _, key = name.partition("/")
    if not source or not key:
        raise AssayError(f"row '{name}'", "is no id", "ids are SOURCE/ID, as in film/17")
    of = next((one for one in recipe.settings.ingest.source if one.name == source), None)
    numbered = _NUMBERED.fullmatch(key)
    return Target(kind, f"{source}/{numbered[1]}" if of and "id" not in of.columns and numbered else name)


def _all_marks(recipe: Recipe) -> list[Marks]:
    """The marks of all that is erased; where none were written, its name alone."""
    gone = erased.of(recipe)
    targets = [Target("source", name) for name in gone.sources] + [Target("row", name) for name in gone.rows]
    known, hasher = record.known(recipe, targets), record.hasher(recipe)
    every = []
    for target in targets:
        marks = known.get(target) or Marks(target, hasher)
        if target.kind == "row":
            marks.add_names("id", [target.name])
        every.append(marks)
    return every


def _search(recipe: Recipe, marks: Sequence[Marks]) -> Search:
    from pipeline.erasing.proof import shared

    free = FREE | {name for name in contract(recipe.settings.task).schema.names if name not in spine()}
    return Search(marks, free, others=shared(recipe, marks, free))


def _is_gone(marks: Sequence[Marks]) -> Callable[[str], bool]:
    """Whether a row that people wrote of, by its id or the end of it, is one of those that are erased."""
    ids = {hashed for one in marks for hashed in one.found["id"]}
    prefixes = tuple(one.target.prefix for one in marks if one.target.kind == "source")
    sources = sorted({one.target.name.partition("/")[0] for one in marks})

    def is_gone(row: str) -> bool:
        if not row:
            return False
        names = marks[0].hasher.names([row, *(f"{source}/{row}" for source in sources)])
        return row.startswith(prefixes) or bool(ids.intersection(names.tolist()))

    return is_gone


def hold_clean(recipe: Recipe, folder: Path) -> None:
    """Raise where a folder that comes from elsewhere holds what is erased here.

    Raises:
        AssayError: naming the first file that does.
    """
    if not erased.of(recipe):
        return
    from pipeline.erasing.proof import looked_into

    search = _search(recipe, _all_marks(recipe))
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"):
        if (looked := looked_into(path, search)).left:
            what = ", ".join(f"{count} x {kind}" for kind, count in looked.found.items())
            problem = f"holds rows that are erased from '{recipe.name}' ({what} in {path.name})"
            raise AssayError(f"version {folder.name.partition('.')[0]}", problem, "push a version that was built since")


__all__ = ["Erasure", "Marks", "Proof", "Target", "check", "erase", "files", "hold_clean", "marked", "preview", "size"]

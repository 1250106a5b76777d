"""Versions: what every build was, kept beside it by content, and what changed from one to the next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import store
from pipeline.errors import AssayError, nearest
from pipeline.versions import log
from pipeline.versions.diff import change_of_rows, diff
from pipeline.versions.held import NAME, VERSION, Held, content, read, standing
from pipeline.versions.keeping import drop, keep, prune, told, versions_folder

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

LATEST, PREVIOUS = "latest", "previous"


def listing(recipe: Recipe, *, pulled: bool = False) -> list[dict[str, Any]]:
    """The versions that builds kept and that are there, the newest last: lines of the log with what the gates said.

    `pulled`: those before them that came from a store and that no build here has made.
    """
    folder = versions_folder(recipe)
    entries = log.lines(folder)
    verdicts, mine = log.verdicts(entries), log.kept(entries)
    known = {entry["id"] for entry in mine}
    others = [entry for entry in log.kept(entries, what="pulled") if pulled and entry["id"] not in known]
    there = [one for one in (*others, *mine) if NAME.fullmatch(one["id"]) and (folder / one["id"]).is_dir()]
    return [{**entry, "verdict": verdicts.get(entry["id"], "")} for entry in there]


def find(recipe: Recipe, name: str) -> Held:
    """A version by its id, the beginning of it, `latest`, `previous` (of those built here), or the folder of one.

    Raises:
        AssayError: there is none of that name, or several begin so; the known ones are named.
    """
    folder, place = versions_folder(recipe), f"versions of '{recipe.name}'"
    ids = [entry["id"] for entry in listing(recipe)]
    if name in (LATEST, PREVIOUS):
        back = 1 if name == LATEST else 2
        if len(ids) < back:
            problem = f"there is no {name} one: {len(ids)} kept so far"
            raise AssayError(place, problem, f"every build keeps one: assay run {recipe.name}")
        return read(folder / ids[-back])
    there = sorted(path.name for path in folder.glob("v*") if NAME.fullmatch(path.name))
    begun = [id_ for id_ in there if name and id_.startswith(name)]
    if len(begun) == 1:
        return read(folder / begun[0])
    if begun:
        raise AssayError(place, f"several begin with '{name}': {', '.join(begun)}", "give more letters")
    if (Path(name) / VERSION).is_file():
        return read(Path(name))
    known = nearest(name, [*there, LATEST])
    raise AssayError(place, f"there is no version '{name}', and no folder that holds one", known)


def base(recipe: Recipe) -> Held | None:
    """The version that the change of the build that stands is measured from; None where there is none yet.

    The one that the recipe names (`gate.base`), else the newest whose gates passed and that holds other rows than the
    build: a build that was gated already gets the same verdict again.

    Raises:
        AssayError: the recipe names one that is not there.
    """
    if recipe.settings.gate.base:
        return find(recipe, recipe.settings.gate.base)
    report = store.read_report(recipe.build / "split")
    now = content(report["tables"]) if report else ""
    for entry in reversed(listing(recipe)):
        if entry["verdict"] in log.PASSED:
            found = read(versions_folder(recipe) / entry["id"])
            if found.content != now and found.about["task"] == recipe.settings.task:
                return found
    return None


__all__ = [
    "LATEST",
    "PREVIOUS",
    "Held",
    "base",
    "change_of_rows",
    "diff",
    "drop",
    "find",
    "keep",
    "listing",
    "prune",
    "read",
    "standing",
    "told",
    "versions_folder",
]

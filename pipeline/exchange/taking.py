"""Taking: what people answered in a tool, held to what was asked, and written down as decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline import decisions, store, tools
from pipeline.errors import AssayError
from pipeline.exchange.hearing import Hearing
from pipeline.exchange.returning import standings
from pipeline.exchange.rounds import CONFLICTS, exports
from pipeline.exchange.sending import key_of
from pipeline.exchange.signing import signed
from pipeline.exchange.taken import Taken
from pipeline.fetch import RawFile
from pipeline.readers.record import ReadOptions
from pipeline.tools import doccano, sheet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tools.label_studio_server import Server

OF_DOCUMENTS = ("brat", "webanno")
"""Tools whose exports are folders with a file for each document."""


def take(
    recipe: Recipe,
    tool: str,
    files: Sequence[Path],
    *,
    who: str = "",
    changed_only: bool = False,
    dry: bool = False,
) -> Taken:
    """Take in what a tool exported; `who` answered where an answer names nobody.

    Every round that is out may come back, in any order, in parts and more than once: an answer is held to what went out
    in its own round. Where only the name of a file says whose answers stand in it, that counts if he is known. Of
    what a person said of a row the latest counts, by the times that the tools tell, else as it comes in. The same file
    taken in twice changes nothing. With `changed_only`, answers that are what went out are left out: for tools that do
    not tell who looked at what.

    Raises:
        AssayError: a file is not there or is none of the tool's, or an answer names nobody and `who` is not said.
    """
    one = tools.of(tool)
    raws = [raw for path in files for raw in _raw(path, tool)]
    hearing = Hearing.of(recipe, tool, who, changed_only=changed_only)
    known = {line.who for line in decisions.read(recipe.decisions).lines}
    known |= {sent.who for sent in hearing.tracing.rounds.values()}
    called = [doccano.called(raw) if tool == "doccano" else "" for raw in raws]
    named = zip(raws, called, strict=True)
    read = (signed(one.read(raw, ReadOptions()), name, who=who, known=known) for raw, name in named)
    entries = hearing.entries(read)
    if not dry:
        with store.locked(recipe.build):
            decisions.add(recipe.decisions, entries)
            hearing.returned.kept(recipe)
    found = standings(recipe, decisions.read(recipe.decisions), hearing.returned)
    problems = hearing.taken.problems
    if problems and tool == "sheet":
        problems = _by_record(problems, raws)
    return replace(hearing.taken, lines=len(entries), rounds=found, problems=problems)


def _by_record(problems: Sequence[tuple[str, str]], raws: Sequence[RawFile]) -> list[tuple[str, str]]:
    """Problems of sheets with the record and the row beside the line, which no spreadsheet shows."""
    known = {place: told for raw in raws for place, told in sheet.numbered(raw, ReadOptions()).items()}
    return [(f"{place} ({known[place]})" if place in known else place, why) for place, why in problems]


def _raw(path: Path, tool: str) -> list[RawFile]:
    """The files that are meant; a tool of documents takes a folder of them as it is."""
    if not path.is_dir() or tool in OF_DOCUMENTS:
        return [RawFile(path.name, path)]
    return [RawFile(one.relative_to(path).as_posix(), one) for one in sorted(path.rglob("*")) if one.is_file()]


def fetched(
    recipe: Recipe,
    url: str,
    *,
    project_id: int | None = None,
    who: str = "",
    changed_only: bool = False,
    dry: bool = False,
) -> Taken:
    """As `take`, from a project of the Label Studio server at `url`: the data set's, if none is named.

    Those for adjudicators, which are one for each round, are fetched with it until they are closed.
    """
    from pipeline.tools import label_studio_server

    server = label_studio_server.Server(url or None)
    found = [project_id] if project_id is not None else _projects(recipe, server)
    if not found:
        problem = f"there is no project for {key_of(recipe)}"
        raise AssayError(server.url, problem, f"assay export {recipe.name} --tool label-studio --url URL makes it")
    paths = [exports(recipe) / f"fetched-{number}.json" for number in found]
    for number, path in zip(found, paths, strict=True):
        server.fetch(number, path)
    return take(recipe, "label-studio", paths, who=who, changed_only=changed_only, dry=dry)


def _projects(recipe: Recipe, server: Server) -> list[int]:
    """The data set's projects on a server that answers are waited for in."""
    told = standings(recipe, decisions.read(recipe.decisions))
    apart = [one.round for one in told if one.round.what == CONFLICTS and not one.is_closed]
    keys = [key_of(recipe), *(key_of(recipe, one.id) for one in apart if one.tool == "label-studio")]
    return [number for key in keys if (number := server.project_of(key)) is not None]


__all__ = ["Taken", "fetched", "take"]

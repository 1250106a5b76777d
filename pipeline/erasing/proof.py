"""Proof: every file of a data set and of its build is looked into for what was erased, and what was found is told."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from pipeline import cache, erased, sources, store
from pipeline.contract import contract
from pipeline.erasing import files, gathering, leaves
from pipeline.erasing.search import CLOSED, Looked, Others, Search
from pipeline.errors import AssayError
from pipeline.versions import log, versions_folder
from pipeline.versions.spine import spine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from pipeline.erasing.marks import Marks
    from pipeline.recipe import Recipe

CHANGED = "changed since it was built"
REFERENCE = (("ingest", "rows"), ("augment", "made"))
"""The tables (stage, table) whose rows say what others say."""
FREE = frozenset({"text", "content", "record"})
"""Columns and keys that hold words of rows in what Assay writes beside the rows themselves."""


@dataclass
class Proof:
    """Where it was looked, and what was found.

    `shared` are stretches of words that rows of others have as well, and which may stay; `rows` those that were erased.
    """

    rows: int = 0
    made: int = 0
    shared: int = 0
    too_short: int = 0
    unmarked: list[str] = field(default_factory=list)
    """What was erased without a build to know its words from: only ids are looked for."""
    looked: dict[str, Looked] = field(default_factory=dict)
    """By part of the data set or the build."""
    findings: list[tuple[str, dict[str, int]]] = field(default_factory=list)
    """Files with something left in them, and how often each kind."""
    raw: list[str] = field(default_factory=list)
    """Raw files that the recipe names: they are their owner's."""
    unreachable: list[str] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many files have something left in them."""
        return len(self.findings)


def prove(recipe: Recipe, marks: Sequence[Marks], *, tick: Callable[[int], None] = lambda done: None) -> Proof:
    """Look for what was erased in every file; nothing is changed. `tick` is told of bytes that were read."""
    free = FREE | {name for name in contract(recipe.settings.task).schema.names if name not in spine()}
    proof = Proof(rows=sum(one.rows for one in marks), made=sum(one.made for one in marks))
    proof.too_short = len({short for one in marks for short in one.too_short})
    others = shared(recipe, marks, free)
    proof.shared = len(others.words)
    search = Search(marks, free, others=others)
    raw = _raw(recipe)
    proof.raw = sorted(os.path.relpath(path) for path in raw)
    for path, area in walked(recipe, raw):
        looked = looked_into(path, search)
        proof.looked.setdefault(area, Looked()).add(looked)
        if looked.left:
            proof.findings.append((_told(path, recipe), dict(looked.found)))
        with suppress(OSError):
            tick(path.stat().st_size)
    for path in _changed(recipe):
        proof.findings.append((_told(path, recipe), {CHANGED: 1}))
    proof.unreachable = list(_unreachable(recipe))
    return proof


def looked_into(path: Path, search: Search) -> Looked:
    """What stands in one file of the marks that are looked for."""
    looked = Looked(files=1)
    try:
        for piece in files.pieces(path):
            looked.strings += len(piece.values)
            looked.found.update(search.take(piece))
    except files.Closed:
        looked.found[CLOSED] += 1
    return looked


def size(recipe: Recipe) -> int:
    """How many bytes there are to look into."""
    found = 0
    for path, _ in walked(recipe, _raw(recipe)):
        with suppress(OSError):
            found += path.stat().st_size
    return found


def walked(recipe: Recipe, raw: set[Path]) -> Iterator[tuple[Path, str]]:
    """Every file beside the recipe and in the build, with the part of either that it belongs to.

    Not the raw files, and not the list of what is erased, which has to name it.
    """
    passed = {*raw, erased.path_of(recipe).resolve()}
    for top, part in ((recipe.folder, "beside the recipe"), (recipe.build, "")):
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = Path(folder) / name
                if name != ".lock" and path.resolve() not in passed:
                    inner = path.relative_to(top).parts
                    yield path, part or (f"{inner[0]}/" if len(inner) > 1 else "build/")


def _told(path: Path, recipe: Recipe) -> str:
    return path.relative_to(recipe.folder.parent).as_posix()


def _raw(recipe: Recipe) -> set[Path]:
    """The raw files that the recipe names and that are there."""
    found: set[Path] = set()
    settings = recipe.settings
    for reading in (*settings.ingest.source, *settings.ingest.annotations, *settings.against):
        with suppress(AssayError):
            found |= {raw.path.resolve() for raw in sources.raw_files(recipe, reading) if raw.path}
    return found


def shared(recipe: Recipe, marks: Sequence[Marks], free: frozenset[str]) -> Others:
    """What records hold which are not erased: it stands there in its own right."""
    search, found = Search(marks, free), Others()
    named = [one.target.name for one in marks if one.target.kind == "row"]
    for batch in _others(recipe, marks, search):
        found.places.update(search.places(batch["source"]).tolist())
        for name in named:
            found.longer.update(batch["id"].filter(pc.starts_with(batch["id"], name)).to_pylist())
        for _, values in leaves.of_batch(batch):
            found.words.update(
                hashed
                for hashes in search.words(values.unique().to_pylist(), inside=True)
                for hashed in hashes.tolist()
            )
    return found


def _others(recipe: Recipe, marks: Sequence[Marks], search: Search) -> Iterator[pa.RecordBatch]:
    """What ingest read of records that are not erased, and the copies that were made of these alone.

    A copy in other words may by chance say what an erased row said: its words are those of its parents all the same.
    """
    for path in (path for stage, table in REFERENCE for path in _shards(recipe, stage, table)):
        for batch in gathering.batches(path):
            kept = batch
            for one in marks:
                kept = kept.filter(pc.invert(gathering.mask(kept, one.target)))
            yield kept
    for path in _shards(recipe, "ingest", "rejected"):
        for batch in gathering.batches(path):
            living = batch.filter(pc.fill_null(pc.not_equal(batch["reason"], "erased"), True))
            yield living.filter(pc.invert(search.at_places(living["source"])))


def _shards(recipe: Recipe, stage: str, table: str) -> Iterator[Path]:
    """The shards of a table that its stage wrote; others that lie beside them are looked into like any file."""
    report = store.read_report(recipe.build / stage) or {"tables": {}}
    yield from (recipe.build / stage / file["name"] for file in report["tables"].get(table, {"files": ()})["files"])


def _changed(recipe: Recipe) -> Iterator[Path]:
    """Where what others say is read, and is not as its stage wrote it: nothing could be held against it."""
    for folder in sorted({recipe.build / stage for stage, _ in REFERENCE}):
        report = store.read_report(folder)
        if report is None and folder.is_dir():
            yield folder
        for table in report["tables"].values() if report else ():
            paths = [(folder / file["name"], file["sha256"]) for file in table["files"]]
            yield from (path for path, sha256 in paths if cache.file_hash(path) != sha256)


def _unreachable(recipe: Recipe) -> Iterator[str]:
    """What no look at this folder can prove."""
    folder = versions_folder(recipe)
    pushed = {str(line["to"]) for line in log.lines(folder) if line.get("what") == "pushed" and line.get("to")}
    yield from (
        f"versions pushed to {place}: push a new one, and delete the old ones there" for place in sorted(pushed)
    )
    for parent in (recipe.folder.resolve(), *recipe.folder.resolve().parents):
        if (parent / ".git").exists():
            yield f"the history of the git repository {os.path.relpath(parent)}"
            break
    yield "backups and copies of this folder, raw files at their source, models and reports that were handed on"
    yield f"fetched packages and files in the cache {cache.cache_folder()}"

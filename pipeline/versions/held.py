"""What is compared: the tables of a version, or of the build as it stands, wherever their files lie."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipeline import erased, store
from pipeline.errors import AssayError
from pipeline.settings import Guideline
from pipeline.tasks import Task, task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.recipe import Recipe

SIDES = ("train", "validation", "test")
STAGES = ("ingest", "audit", "augment", "split")
VERSION = "version.json"
NAME = re.compile(r"v[0-9a-f]{12}")
FORMAT = 1
# What a version may name as its files: no way out of its folder, and nothing hidden.
_FILE = re.compile(r"(?:data/)?[A-Za-z0-9][A-Za-z0-9_.-]*")
_KEYS = ("id", "data_set", "task", "guideline", "edition", "tables", "content", "counts", "facts", "told", "recipe")


@dataclass(frozen=True)
class Held:
    """A data set at one moment.

    Attributes:
        id: of the version; empty for the build that stands.
        tables: the files of every side, of `rejected`, and of nothing else.
        about: what stands in version.json; of the build that stands, also which rows, and sources, are erased.
    """

    id: str
    folder: Path
    tables: Mapping[str, tuple[Path, ...]]
    about: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """What to call it: its id, or that it is the build that stands."""
        return self.id or "the build"

    @property
    def data_set(self) -> str:
        """The data set that it is a version of."""
        return str(self.about["data_set"])

    @property
    def rows(self) -> dict[str, int]:
        """Rows by side."""
        return {side: int(self.about["tables"][side]["rows"]) for side in SIDES}

    @property
    def content(self) -> str:
        """A hash of the rows on all sides, in order: versions that hold the same rows share it."""
        return str(self.about["content"])

    @property
    def task(self) -> Task:
        """The task, under the guideline of that time."""
        return task(self.about["task"], Guideline.model_validate(self.about["guideline"]))


def read(folder: Path) -> Held:
    """The version in `folder`, wherever that came from.

    Raises:
        AssayError: there is none, it was made by a later Assay, or a file of it is missing, cut, or outside the folder.
    """
    try:
        about = json.loads((folder / VERSION).read_text(encoding="utf-8"))
        missing = [key for key in _KEYS if key not in about]
        files = {name: [file["name"] for file in about["tables"][name]["files"]] for name in (*SIDES, "rejected")}
        sizes = {file["name"]: int(file["bytes"]) for table in about["tables"].values() for file in table["files"]}
        Guideline.model_validate(about["guideline"])
    except FileNotFoundError as error:
        raise AssayError(str(folder), f"holds no version: there is no {VERSION}", "assay versions NAME") from error
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise AssayError(str(folder / VERSION), f"cannot be read as a version: {said}", "pull it again") from error
    if about.get("format") != FORMAT or missing or not NAME.fullmatch(str(about["id"])):
        problem = f"is a version of format {about.get('format')!r}, this Assay reads format {FORMAT}"
        raise AssayError(str(folder / VERSION), problem, "use the Assay that made it, or a later one")
    _hold_files(folder, sizes)
    tables = {name: tuple(folder / file for file in named) for name, named in files.items()}
    return Held(id=about["id"], folder=folder, tables=tables, about=about)


def _hold_files(folder: Path, sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        if not _FILE.fullmatch(name) or ".." in name:
            raise AssayError(str(folder / VERSION), f"names a file outside its folder: {name!r:.80}", "do not trust it")
        path = folder / name
        found = path.stat().st_size if path.is_file() else None
        if found != size:
            problem = "is missing" if found is None else f"has {found:,} bytes where {size:,} were kept"
            raise AssayError(str(path), problem, "pull the version again, or keep a new one: assay run NAME")


def content(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """One hash of the rows of all sides."""
    told = {side: tables[side]["content"] for side in SIDES if side in tables}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def reports(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """The reports of the stages that rows go through.

    Raises:
        AssayError: one of them has not been run.
    """
    found = {}
    for name in STAGES:
        report = store.read_report(recipe.build / name)
        if report is None:
            place, problem = f"versions of '{recipe.name}'", f"the stage '{name}' has not been run"
            raise AssayError(place, problem, f"assay run {recipe.name}")
        found[name] = report
    return found


def standing(recipe: Recipe) -> Held:
    """The build that stands, to be compared with a version; it has no id and no facts."""
    found = reports(recipe)
    folder = recipe.build / "split"
    tables = {side: tuple(sorted(folder.glob(f"{side}-*.parquet"))) for side in SIDES}
    rejected = tuple(path for name in STAGES for path in sorted((recipe.build / name).glob("rejected-*.parquet")))
    settings, gone = recipe.settings, erased.of(recipe)
    about = {
        "data_set": recipe.name,
        "task": settings.task,
        "guideline": settings.guideline.model_dump(mode="json"),
        "tables": {side: found["split"]["tables"].get(side, {"rows": 0}) for side in SIDES},
        "edition": settings.split.edition,
        "content": content(found["split"]["tables"]),
        "erased": [*(f"{name}/" for name in gone.sources), *gone.rows],
    }
    return Held(id="", folder=folder, tables={**tables, "rejected": rejected}, about=about)

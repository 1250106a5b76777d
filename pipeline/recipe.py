"""One data set's recipe: read from TOML, checked, frozen."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from pipeline.errors import AssayError, nearest
from pipeline.settings import RecipeSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class Recipe:
    """A checked recipe: its name, the folder it lies in, and the settings of every stage."""

    name: str
    folder: Path
    settings: RecipeSettings

    @property
    def decisions(self) -> Path:
        """The file of human decisions, replayed on every build; it need not exist."""
        return self.folder / "decisions.jsonl"

    @property
    def lock(self) -> Path:
        """The file that keeps rows on their side of the split (`pipeline.lock`); it need not exist."""
        return self.folder / "split.lock"

    @property
    def build(self) -> Path:
        """Where the stages write: `data/build/<name>` beside the folder of the data set."""
        return self.folder.parent / "build" / self.name


def find(name: str, *, data: Path) -> Recipe:
    """The recipe called `name` under the folder `data`, or the one at the path `name`.

    Raises:
        AssayError: there is none, with the nearest name that there is.
    """
    given = Path(name)
    path = given if given.suffix == ".toml" else data / name / "recipe.toml"
    if not path.is_file():
        raise AssayError(
            f"data set '{name}'", f"there is no {path}", nearest(name, names(data)) + " Or write one: assay new --help"
        )
    return load(path)


def names(data: Path) -> list[str]:
    """The data sets that have a recipe under the folder `data`, sorted."""
    return sorted(path.parent.name for path in data.glob("*/recipe.toml"))


def load(path: Path) -> Recipe:
    """The recipe at `path`.

    Raises:
        AssayError: not TOML, an unknown setting, or a value out of range; one line for each fault.
    """
    name = path.parent.name
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AssayError(f"recipe '{name}' ({path})", f"not valid TOML: {error}", "see https://toml.io") from error
    return Recipe(name=name, folder=path.parent, settings=check(raw, name=name))


def check(raw: dict[str, Any], *, name: str) -> RecipeSettings:
    """The settings that `raw`, a parsed TOML document, spells."""
    try:
        settings = RecipeSettings.model_validate(raw)
    except ValidationError as error:
        faults = [_said(fault, name) for fault in error.errors()]
        first, *more = faults
        raise AssayError(
            first[0], first[1], "; ".join([first[2], *(f"{a}: {b}; {c}" for a, b, c in more)]).strip("; ")
        ) from error
    _hold_sources(settings, name)
    return settings


def _hold_sources(settings: RecipeSettings, name: str) -> None:
    """Raise where another section names a source that [ingest] does not have."""
    known = [source.name for source in settings.ingest.source]
    named = {
        "[audit] trusted_sources": settings.audit.trusted_sources,
        "[split] validation_sources": settings.split.validation_sources,
        "[split] test_sources": settings.split.test_sources,
    }
    for setting, sources in named.items():
        if unknown := [source for source in sources if source not in known]:
            raise AssayError(
                f"recipe '{name}' {setting}", f"there is no source {unknown[0]}", nearest(unknown[0], known)
            )


def _said(fault: ErrorDetails, name: str) -> tuple[str, str, str]:
    where = tuple(part for part in fault["loc"] if part != "function-after")
    section = ".".join(str(part) for part in where[:-1])
    place = f"recipe '{name}'" + (f" [{section}]" if section else "")
    last = str(where[-1]) if where else ""
    if fault["type"] == "extra_forbidden":
        return place, f"no setting '{last}'", nearest(last, _known(where[:-1]))
    if fault["type"] == "missing":
        return place, f"the setting '{last}' is missing", "assay check-recipe --schema lists every setting"
    message = re.sub(r"^Value error, ", "", fault["msg"])
    return place, f"'{last}' = {fault['input']!r:.80}: {message}", "mend the recipe"


def _known(where: Sequence[str | int]) -> list[str]:
    """The settings that the section at `where` knows."""
    model: Any = RecipeSettings
    for part in where:
        if isinstance(part, int) or not _is_model(model) or part not in model.model_fields:
            continue
        model = _inner(model.model_fields[part].annotation)
    return list(model.model_fields) if _is_model(model) else []


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inner(kind: Any) -> Any:
    """The settings model inside a type such as `tuple[Model, ...]` or `dict[str, Model]`."""
    if _is_model(kind):
        return kind
    return next((inner for part in get_args(kind) if _is_model(inner := _inner(part))), kind)


def json_schema() -> str:
    """The JSON Schema of a recipe, for editors that complete and check TOML."""
    return json.dumps(RecipeSettings.model_json_schema(), indent=2, ensure_ascii=False)

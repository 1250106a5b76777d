"""Sources: the raw files that a part of a recipe names, how they are read, and their records one by one."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline import fetch, readers, tools
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.recipe import Recipe
    from pipeline.settings import Reading

MADE_BY_READERS = frozenset({"messages", "tags", "tokens", "tools"})
"""Parts whose fields a reader makes, whatever they are called in the file."""


def records(recipe: Recipe, reading: Reading, *, section: str = "ingest") -> Iterator[readers.Record | readers.Broken]:
    """Every record of the raw files of a part of the recipe, in order."""
    options = read_options(reading)
    for raw in raw_files(recipe, reading, section=section):
        if reading.format in tools.TOOLS:
            yield from tools.of(reading.format).read(raw, options)
        else:
            yield from readers.read(raw, format=reading.format, options=options)


def raw_files(recipe: Recipe, reading: Reading, *, section: str = "ingest") -> list[fetch.RawFile]:
    """The raw files of a part of the recipe, sorted by name within each pattern.

    Raises:
        AssayError: there is none, or one is named twice: its records would count twice.
    """
    if reading.hub:
        return [fetch.RawFile(reading.hub)]
    where = f"recipe '{recipe.name}' [{section}] files"
    found = [raw for spec in reading.files for raw in _resolved(spec, recipe, where)]
    places = Counter((raw.path.resolve() if raw.path else raw.name, raw.members) for raw in found)
    for raw in found:
        if places[raw.path.resolve() if raw.path else raw.name, raw.members] > 1:
            raise AssayError(where, f"{raw.name} is named twice", "name it once")
    return found


def _resolved(spec: str, recipe: Recipe, where: str) -> list[fetch.RawFile]:
    """The files of one entry; `${NAME}` is an environment variable, for data whose place differs by machine.

    Their names keep the variable, so that what is built does not depend on where the data lie.
    """
    located = spec
    for name in dict.fromkeys(re.findall(r"\$\{(\w+)\}", spec)):
        if name not in os.environ:
            raise AssayError(where, f"{spec} needs the environment variable {name}", f"export {name}=FOLDER")
        located = located.replace(f"${{{name}}}", os.environ[name])
    found = fetch.resolve(located, folder=recipe.folder, sources=recipe.settings.fetch)
    for name in re.findall(r"^\$\{(\w+)\}", spec):
        found = [replace(raw, name=f"${{{name}}}{raw.name.removeprefix(os.environ[name])}") for raw in found]
    return found


def read_options(reading: Reading) -> readers.ReadOptions:
    """What the readers need to know of a part of the recipe."""
    columns = getattr(reading, "columns", {})
    return readers.ReadOptions(
        encoding=reading.encoding,
        invalid_bytes=reading.invalid_bytes,
        delimiter=reading.delimiter,
        names=reading.names,
        token_column=reading.token_column,
        tag_columns=reading.tag_columns,
        scheme=reading.scheme,
        json_path=reading.json_path,
        row_per=reading.row_per,
        messages_field=columns.get("messages"),
        hub=reading.hub is not None,
        hub_split=reading.hub_split,
    )


def content(recipe: Recipe, reading: Reading, *, section: str = "ingest") -> dict[str, str]:
    """The content hash of every raw file of a part of the recipe; of a hub data set, the commit it stands at."""
    if reading.hub:
        return {reading.hub: readers.hub_revision(reading.hub)}
    found = raw_files(recipe, reading, section=section)
    if reading.format in tools.TOOLS:
        found += [other for raw in found for other in tools.companions(reading.format, raw)]
    return {raw.name: raw.sha256() for raw in found}

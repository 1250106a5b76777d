"""Annotation tools: one file for each, that writes what people are asked and reads back what they answered."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from pipeline.errors import AssayError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions, Record
    from pipeline.tools.item import Item, Kind, Project

TOOLS = {
    "label-studio": "label_studio",
    "doccano": "doccano",
    "argilla": "argilla",
    "prodigy": "prodigy",
    "brat": "brat",
    "webanno": "webanno",
    "sheet": "sheet",
}
"""What a tool is called in recipes and commands, and the module that speaks its language."""


class Tool(Protocol):
    """What the module of a tool offers."""

    @property
    def TASKS(self) -> frozenset[Kind]:
        """The kinds of question that it can ask."""
        ...

    def write(self, project: Project, items: Iterable[Item], folder: Path) -> list[Path]:
        """Everything that a person needs to load a round into the tool; the files, the first to be looked at first."""
        ...

    def read(self, raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
        """A record for each text of an export, with all annotations; what cannot be read, with its place and reason."""
        ...


def of(name: str) -> Tool:
    """The tool called `name`.

    Raises:
        AssayError: there is none; the known ones are named.
    """
    if name not in TOOLS:
        raise AssayError("tool", f"no tool '{name}'", nearest(name, TOOLS))
    return cast("Tool", import_module(f"pipeline.tools.{TOOLS[name]}"))


def companions(name: str, raw: RawFile) -> list[RawFile]:
    """The files that a tool reads beside the one that is named, such as the text beside its annotations."""
    found: list[RawFile] = getattr(of(name), "companions", lambda raw: [])(raw)
    return found

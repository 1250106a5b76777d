"""Erased: the sources and rows that must not come back, a file beside the recipe that every build reads.

One JSON object a line, only ever added to:

    {"source": "forum", "who": "ann", "when": "2026-11-24T12:00:00+00:00", "why": "consent withdrawn"}
    {"row": "film/17", "who": ..., "when": ..., "why": ...}
    {"row": "film/17", "keep": true, "who": ..., "when": ..., "why": "the wrong row was named"}

The last line about a source or a row counts. A `keep` takes back that very line and no other: a row of an erased
source stays erased.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline import journal
from pipeline.cache import file_hash
from pipeline.errors import AssayError, Unfit
from pipeline.readers import Broken, Record
from pipeline.shaping import ERASED, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipeline.recipe import Recipe

FILE = "erased.jsonl"
KINDS = ("source", "row")
KEYS = frozenset({*KINDS, "keep", "who", "when", "why"})
_WAY_OUT = "mend the line, or take the file from version control again: the build stops so that nothing comes back"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what is erased (`kind` is source or row) or kept after all; by whom, when, why; and its place."""

    kind: str
    name: str
    who: str
    when: str
    why: str = ""
    keep: bool = False
    place: str = ""

    def entry(self) -> dict[str, Any]:
        """The line as it is written."""
        kept = {"keep": True} if self.keep else {}
        return {self.kind: self.name, **kept, "who": self.who, "when": self.when, "why": self.why}


@dataclass(frozen=True)
class Erased:
    """What is erased now: the names of sources and the ids of rows, each with the line that says so."""

    sources: dict[str, Line] = field(default_factory=dict)
    rows: dict[str, Line] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.sources or self.rows)

    def holds(self, kind: str, name: str) -> bool:
        """Whether this very source or row is erased."""
        return name in (self.sources if kind == "source" else self.rows)


def path_of(recipe: Recipe) -> Path:
    """Where the lines stand; the file need not exist."""
    return recipe.folder / FILE


def of(recipe: Recipe) -> Erased:
    """What is erased from a data set.

    Raises:
        AssayError: a line that cannot be read: none is passed over.
    """
    found = Erased()
    for line in lines(path_of(recipe)):
        named = found.sources if line.kind == "source" else found.rows
        if line.keep:
            named.pop(line.name, None)
        else:
            named[line.name] = line
    return found


def lines(path: Path) -> list[Line]:
    """All lines of the file, in order; none where there is no file.

    Raises:
        AssayError: a line that says nothing of a source or a row, with its number.
    """
    return [_line(line, place) for place, line in journal.numbered(path)]


def _line(text: str, place: str) -> Line:
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AssayError(place, f"is no JSON object: {text[:80]!r}", _WAY_OUT) from error
    if not isinstance(entry, dict):
        raise AssayError(place, f"is no JSON object: {text[:80]!r}", _WAY_OUT)
    if problem := _problem(entry):
        raise AssayError(place, problem, _WAY_OUT)
    kind = next(kind for kind in KINDS if kind in entry)
    told = {name: str(entry.get(name, "")) for name in ("who", "when", "why")}
    return Line(kind=kind, name=entry[kind], keep=entry.get("keep", False), place=place, **told)


def _problem(entry: dict[str, Any]) -> str:
    """What is wrong with a line; empty where nothing is."""
    if odd := sorted(entry.keys() - KEYS):
        return f"knows no {odd[0]!r:.40}"
    named = [kind for kind in KINDS if kind in entry]
    if len(named) != 1:
        return "names neither a source nor a row" if not named else "names both a source and a row: make it two lines"
    name = entry[named[0]]
    if not isinstance(name, str) or not name.strip():
        return f"{named[0]} is {name!r:.80}"
    if named[0] == "row" and not all(name.partition("/")):
        return f"row {name!r:.80} is no id: ids are SOURCE/ID"
    if not isinstance(entry.get("keep", False), bool):
        return f"keep is {entry['keep']!r:.40}, not true"
    missing = [part for part in ("who", "when") if not isinstance(entry.get(part), str) or not entry[part]]
    return f"does not say {', '.join(missing)}" if missing else ""


def add(path: Path, new: Iterable[Line]) -> None:
    """Add lines at the end of the file."""
    journal.add(path, [line.entry() for line in new])


def inputs(recipe: Recipe) -> dict[str, str]:
    """The content of the file, where there is one: what ingest reads beside the raw files."""
    path = path_of(recipe)
    return {FILE: file_hash(path)} if path.is_file() else {}


def passed_over(
    records: Iterable[Record | Broken], gone: Erased, source: str, id_field: str | None
) -> Iterator[Record | Broken]:
    """The records, those of an erased source or row without all that they say: only their place is left.

    Rows whose id is made of their content are known when they are shaped (`shaped`).
    """
    if line := gone.sources.get(source):
        for record in records:
            yield Broken(record.place, ERASED, f"source '{source}', {line.place}", "")
        return
    for record in records:
        row = gone.rows.get(f"{source}/{_id(record, id_field)}") if gone.rows and id_field else None
        yield Broken(record.place, ERASED, row.place, "") if row else record


def _id(record: Record | Broken, id_field: str | None) -> str:
    with suppress(Unfit):
        return identifier(record.fields, id_field or "") if isinstance(record, Record) else ""
    return ""

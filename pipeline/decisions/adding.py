"""Adding: new decisions at the end of the file, whole or not at all, beside others who write to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline import journal
from pipeline.decisions.acting import LINES, numbered
from pipeline.decisions.line import line_id, parsed
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def add(path: Path, entries: Iterable[Mapping[str, Any]], *, again: bool = False) -> list[str]:
    """Add decisions at the end of a file and see them to the disk; their ids.

    Nothing is written that could not be read again. An act of several lines holds when all of them are there: the first
    says how many. `again`: the act was cut off before, and is written anew.

    Raises:
        AssayError: an entry is no decision, or the file cannot be written.
    """
    told = numbered(dict(entry) for entry in entries)
    if again and told:
        told[0][LINES] = len(told)
    for entry in told:
        parsed(json.dumps(entry, ensure_ascii=False), "the new decision")
    journal.add(path, told)
    return [line_id(entry) for entry in told]


def now() -> str:
    """This moment as decisions write it: ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def undo(path: Path, target: str, *, who: str, when: str, why: str) -> str:
    """Take back a line, or an act, by a new line; the id of that.

    Raises:
        AssayError: there is no such line, or it is taken back already.
    """
    from pipeline.decisions.book import read

    held = read(path)
    cut = [line for act in held.cut for line in act]
    named = [line for line in (*held.lines, *cut) if target in (line.id, line.act) and target]
    if not named:
        raise AssayError(f"decision '{target}'", f"no line of {path.name} is called so", "assay decisions lists them")
    if all(line.id in held.undone for line in named):
        raise AssayError(f"decision '{target}'", "was undone before", "assay decisions --all shows by whom")
    return add(path, [{"undo": target, "who": who, "when": when, "why": why}])[0]

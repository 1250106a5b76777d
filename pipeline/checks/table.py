"""Tables as people fill them in: every line understood, or refused with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline import readers
from pipeline.errors import AssayError, nearest
from pipeline.fetch import RawFile
from pipeline.readers import Broken, ReadOptions
from pipeline.tools import cells as known
from pipeline.tools.cells import cell_text as _text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipeline.checks.ledger import Check, Finding

FINDINGS: tuple[Finding, ...] = ("wrong", "fine", "ambiguous")
WORDS: dict[str, Finding] = {word: one for word, meant in known.WORDS.items() for one in FINDINGS if one == meant}
"""What people write for a verdict."""
NEEDED = ("id", "verdict")


@dataclass(frozen=True)
class Entry:
    """One filled-in line of a table, as it stands there."""

    place: str
    row: str
    verdict: Finding
    right: str
    who: str
    when: str
    note: str
    judged: str


def entries(path: Path, *, who: str = "") -> tuple[list[Entry], int]:
    """The filled-in lines of a table, and how many were left blank.

    CSV with commas, semicolons or tabs, in any encoding that spreadsheets write, or JSON Lines.

    Raises:
        AssayError: no such file, no such columns, or a line that is not clear, with its place.
    """
    found, blank = [], 0
    for place, fields in _records(path):
        cells = {str(name).strip().casefold(): _text(value) for name, value in fields.items()}
        if missing := [name for name in NEEDED if name not in cells]:
            raise AssayError(place, f"no column '{missing[0]}'", nearest(missing[0], cells) if cells else "")
        if cells["verdict"]:
            found.append(_entry(place, cells, who))
        elif right := cells.get("right_answer"):
            raise AssayError(place, f"a right answer ({right!r:.40}) without a verdict", "say wrong, fine or ambiguous")
        else:
            blank += 1
    return found, blank


def unread(path: Path, checks: list[Check]) -> int:
    """How many filled-in lines of a table say what no check says."""
    said = {(check.row, str(check.verdict)) for check in checks}
    cells = [(_text(fields.get("id")), _text(fields.get("verdict"))) for _, fields in _records(path)]
    return sum(1 for row, word in cells if word and (row, WORDS.get(word.casefold(), word)) not in said)


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not path.is_file():
        raise AssayError(str(path), "no such file", "give the path of the list that was filled in")
    if path.suffix.casefold() in known.WORKBOOKS:
        raise AssayError(path.name, "is a workbook", "save the sheet as CSV (UTF-8) and read that")
    raw = RawFile(path.name, path)
    if path.suffix.casefold() in (".jsonl", ".json"):
        records = readers.read(raw, format="jsonl")
    else:
        records = readers.read(raw, format="csv", options=ReadOptions(delimiter=known.delimiter(raw), quote=True))
    for record in records:
        if isinstance(record, Broken):
            raise AssayError(record.place, f"cannot be read: {record.evidence}", "mend the line, or save the list anew")
        yield record.place, record.fields


def _entry(place: str, cells: Mapping[str, str], who: str) -> Entry:
    given = cells["verdict"]
    verdict = WORDS.get(given.casefold())
    if verdict is None:
        raise AssayError(place, f"verdict {given!r:.40} is not clear", "say wrong, fine or ambiguous (w, f, a; 错, 对)")
    person = cells.get("who") or who
    if not person:
        raise AssayError(place, "does not say who checked it", "fill in 'who', or give --who NAME")
    right = cells.get("right_answer", "")
    if right and verdict == "fine":
        raise AssayError(place, f"'fine', and yet another right answer: {right!r:.40}", "make it wrong, or clear it")
    about = {name: cells.get(name, "") for name in ("when", "note", "judged")}
    return Entry(place=place, row=cells["id"], verdict=verdict, right=right, who=person, **about)

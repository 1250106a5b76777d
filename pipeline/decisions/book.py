"""The book of decisions: all lines, those in force, and those on which people differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline import journal
from pipeline.decisions.line import Decision, parsed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Key = tuple[str, str]
    """A row and a part of its answer."""


@dataclass(frozen=True)
class Conflict:
    """A row, a part of its answer, and what people last said of it, who do not agree."""

    row: str
    part: str
    voices: tuple[Decision, ...]

    @property
    def said(self) -> str:
        """The conflict in words."""
        told = "; ".join(f"{one.who} says {one.verdict}{_to(one)} ({one.place})" for one in self.voices)
        return f"{self.voices[0].about}: {told}"


@dataclass(frozen=True)
class Book:
    """All decisions on a data set, in the order in which they were made.

    Attributes:
        lines: every line, also those that were undone, and those that undo.
        standing: those in force on rows: not undone and not in conflict, in order; several of one person on the same
            part of a row follow one another.
        rules: those in force that hold for all that a rule speaks of.
        conflicts: on which rows the last words of several people differ, while nobody settled it.
        undone: the ids of lines that a later line takes back.
    """

    lines: tuple[Decision, ...] = ()
    standing: tuple[Decision, ...] = ()
    rules: tuple[Decision, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    undone: frozenset[str] = field(default_factory=frozenset)


def read(path: Path) -> Book:
    """The book in a JSONL file (UTF-8, with or without a byte-order mark); an empty one where there is no file.

    A line holds verdict (wrong, fine, ambiguous or drop), who, when, why, and `row`, or `rule` for all that one speaks
    of, and for `wrong` the right `answer`; see `Decision` for the others. {"undo": ID, who, when, why} takes a line or
    an act back. What `assay erase` left of a decision ("erased": true) is passed over.

    Raises:
        AssayError: a line that is no decision, with its place: a human decision is never skipped over.
    """
    said = (parsed(line, place) for place, line in journal.numbered(path))
    return book(tuple(line for line in said if line is not None))


def book(lines: tuple[Decision, ...]) -> Book:
    """The book that these lines make."""
    undone = _undone(lines)
    held = [line for line in lines if line.id not in undone and not line.undo]
    on_rows = [line for line in held if line.rule is None]
    conflicts = tuple(_conflicts(on_rows))
    differing = {(one.row, one.part) for one in conflicts}
    standing = tuple(line for line in on_rows if (line.row, line.part) not in differing)
    return Book(lines, standing, tuple(line for line in held if line.rule is not None), conflicts, undone)


def _undone(lines: Sequence[Decision]) -> frozenset[str]:
    """The ids of the lines that a later one takes back, unless that was itself taken back."""
    targets: set[str] = set()
    gone: set[str] = set()
    for line in reversed(lines):
        if line.id in targets or (line.act and line.act in targets):
            gone.add(line.id)
        elif line.undo:
            targets.add(line.undo)
    return frozenset(gone)


def _conflicts(lines: Sequence[Decision]) -> list[Conflict]:
    """The last words of several people on the same part of a row, where they differ and nobody settled it."""
    voices: dict[Key, dict[str, Decision]] = {}
    for line in lines:
        said = voices.setdefault((line.row, line.part), {})
        said.pop(line.who, None)
        said[line.who] = line
    found = []
    for (row, part), said in voices.items():
        last = list(said.values())
        if len(last) > 1 and not _is_settled(last) and _differ(last):
            found.append(Conflict(row, part, tuple(last)))
    return found


def _is_settled(last: Sequence[Decision]) -> bool:
    """Whether somebody has the last word on what all others said."""
    return any({one.id for one in last if one is not line} <= set(line.settles) for line in last if line.settles)


def _differ(last: Sequence[Decision]) -> bool:
    return any(one.differs(other) for at, one in enumerate(last) for other in last[at + 1 :])


def _to(line: Decision) -> str:
    return f" ({line.answer})" if line.verdict == "wrong" and line.answer else ""

"""The book of decisions: all lines, those in force, and those on which people differ."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline import journal
from pipeline.decisions.acting import whole
from pipeline.decisions.line import Decision, parsed
from pipeline.decisions.status import read_as

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
        lines: every line, also those that were undone, and those that undo; but not those of an act that was cut off.
        standing: those in force on rows: not undone, not in conflict and not settled by another, in order; of what one
            person said of the same answer the last.
        rules: those in force that hold for all that a rule speaks of.
        conflicts: on which rows the last words of several people differ, while nobody settled it.
        undone: the ids of lines that a later line takes back.
        cut: the lines of each act whose writer was killed before all of them were there: they are not in force.
    """

    lines: tuple[Decision, ...] = ()
    standing: tuple[Decision, ...] = ()
    rules: tuple[Decision, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    undone: frozenset[str] = field(default_factory=frozenset)
    cut: tuple[tuple[Decision, ...], ...] = ()

    @property
    def torn(self) -> list[str]:
        """What is told of each act that was cut off."""
        return [
            f"{one[0].place}: act {one[0].act} of {one[0].who} was cut off while it was written ({len(one)} of its "
            f"{one[0].lines} lines are there): none of it holds; decide it again"
            for one in self.cut
        ]

    @cached_property
    def aside(self) -> tuple[Decision, ...]:
        """The lines on rows that are in no force though nobody took them back: in conflict, settled, thought over."""
        out = self.undone | {line.id for line in self.standing}
        return tuple(line for line in self.lines if line.row and line.rule is None and line.id not in out)

    @cached_property
    def passed_over(self) -> frozenset[str]:
        """The ids of those lines."""
        return frozenset(line.id for line in self.aside)

    @cached_property
    def settled(self) -> dict[str, str]:
        """Who had the last word on each line that an adjudicator settled, by its id."""
        held = (line for line in self.lines if line.id not in self.undone)
        return {id_: line.who for line in held for id_ in line.settles}

    @cached_property
    def differing(self) -> frozenset[str]:
        """The ids of the lines in which people differ."""
        return frozenset(line.id for conflict in self.conflicts for line in conflict.voices)

    @cached_property
    def wholes(self) -> dict[Key, Decision]:
        """The last line of each person who answered a row as a whole, by row and person: see `Decision.left`."""
        held = (line for line in self.lines if line.left is not None and line.id not in self.undone)
        return {(line.row, line.who): line for line in held}


def read(path: Path) -> Book:
    """The book in a JSONL file (UTF-8, with or without a byte-order mark); an empty one where there is no file.

    A line holds verdict (wrong, fine, ambiguous or drop), who, when, why, and `row`, or `rule` for all that one speaks
    of, and for `wrong` the right `answer`; see `Decision` for the others. {"undo": ID, who, when, why} takes a line or
    an act back. What `assay erase` left of a decision ("erased": true) is passed over.

    Raises:
        AssayError: a line that is no decision, with its place: a human decision is never skipped over.
    """
    said = (parsed(line, place) for place, line in journal.numbered(path))
    held, cut = whole(line for line in said if line is not None)
    return replace(book(tuple(held)), cut=tuple(map(tuple, cut)))


def book(lines: tuple[Decision, ...], called: Mapping[str, str] | None = None) -> Book:
    """The book that these lines make; `called` says which id a row has that is named without its source.

    Where that is not said, `104` and `film/104` are one row if no other name in the book ends in `/104`.
    """
    undone = _undone(lines)
    held = [line for line in lines if line.id not in undone and not line.undo]
    ids = _called(held) if called is None else called
    by_part: dict[Key, list[Decision]] = {}
    for line in held:
        if line.rule is None:
            by_part.setdefault((ids.get(line.row, line.row), line.part), []).append(line)
    conflicts = [Conflict(*key, last) for key, said in by_part.items() if (last := _differing(said))]
    for one in conflicts:
        del by_part[one.row, one.part]
    standing = {id(line) for said in by_part.values() for line in _in_force(said)}
    return Book(
        lines,
        tuple(line for line in held if id(line) in standing),
        tuple(line for line in held if line.rule is not None),
        tuple(conflicts),
        undone,
    )


def _undone(lines: Sequence[Decision]) -> frozenset[str]:
    """The ids of the lines that a later one takes back, unless that was taken back, or the line was said again."""
    targets: set[str] = set()
    gone: set[str] = set()
    held: set[str] = set()
    for line in reversed(lines):
        if line.id in targets or (line.act and line.act in targets):
            gone.add(line.id)
            continue
        held.add(line.id)
        if line.undo:
            targets.add(line.undo)
    return frozenset(gone - held)


def _called(lines: Sequence[Decision]) -> dict[str, str]:
    """The only longer name in the book of each row that is named without its source."""
    names = {line.row for line in lines}
    longer: dict[str, list[str]] = {}
    for name in names:
        if (short := name.partition("/")[2]) in names:
            longer.setdefault(short, []).append(name)
    return {short: known[0] for short, known in longer.items() if len(known) == 1}


def _differing(said: Sequence[Decision]) -> tuple[Decision, ...]:
    """The last words of several people that nobody settled, if they differ; none if they agree."""
    last: dict[str, Decision] = {}
    for line in said:
        last.pop(line.who, None)
        last[line.who] = line
    settled = {name for line in last.values() for name in line.settles}
    left = tuple(line for line in last.values() if line.id not in settled)
    differ = any(one.differs(other) for at, one in enumerate(left) for other in left[at + 1 :])
    return left if differ else ()


def _in_force(said: Sequence[Decision]) -> list[Decision]:
    """What holds of what was said of a part of a row: all that nobody settled, and that nobody thought over."""
    found: list[Decision] = []
    for line in said:
        whose = {one.who for one in found if one.id in line.settles}
        found = [one for one in found if one.who not in whose] + [line]
    return _thought_over(found)


def _thought_over(said: Sequence[Decision]) -> list[Decision]:
    """What people said without what they took back by judging the same answer again.

    Their last words are looked at, and the ones that made the answers which those judge.
    """
    chain: list[Decision] = []
    kept: list[Decision] = []
    for line in reversed(said):
        if any(later.replaces(line) for later in chain):
            continue
        kept.append(line)
        own = [later for later in chain if later.who == line.who]
        if not own or line.answer == own[-1].was:
            chain.append(line)
    return kept[::-1]


def _to(line: Decision) -> str:
    return f" ({read_as(line.answer, line.text)})" if line.verdict == "wrong" and line.answer else ""

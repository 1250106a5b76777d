"""Blocks: what a section of the report is made of, and how numbers are written in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

VERDICTS = {"PASS": "✓", "WARN": "!", "FAIL": "✕", "ERROR": "?"}
"""The four verdicts of a gate and the sign that stands beside each, so that colour is never the only mark."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table; `kind` says how it is set: "", number, code, quote, verdict, or heat-0 to heat-9."""

    value: Any
    kind: str = ""
    language: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a line of headings; the first cell of every row is its heading."""

    kind: ClassVar[str] = "table"
    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True)
class Facts:
    """A few large figures, each with its name: (name, figure)."""

    kind: ClassVar[str] = "facts"
    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Charts:
    """Pictures side by side, or below one another on a phone."""

    kind: ClassVar[str] = "charts"
    items: Sequence[Markup]


@dataclass(frozen=True)
class Text:
    """A paragraph; `tone` is "", note, alarm, or command for what to type."""

    kind: ClassVar[str] = "text"
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Points:
    """A list of short sentences."""

    kind: ClassVar[str] = "points"
    items: Sequence[str]


@dataclass(frozen=True)
class Finding:
    """A gate that did not pass: its verdict, what was measured, and what to do."""

    kind: ClassVar[str] = "finding"
    gate: str
    verdict: str
    measured: str
    means: str
    remedy: str
    offenders: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown when asked for."""

    kind: ClassVar[str] = "fold"
    summary: str
    blocks: Sequence[Block]
    is_open: bool = False


@dataclass(frozen=True)
class Example:
    """A row to look at: the text of interest, and short facts about it as (name, value).

    Attributes:
        pieces: the text again where a part of it is marked: (piece, whether it is the marked one); shown instead of it.
        reasons: sentences.
        folded: facts that are shown when asked for, under `summary`.
    """

    text: str
    facts: Sequence[tuple[str, str]]
    language: str = ""
    pieces: Sequence[tuple[str, bool]] = ()
    reasons: Sequence[str] = ()
    folded: Sequence[tuple[str, str]] = ()
    summary: str = ""


@dataclass(frozen=True)
class Examples:
    """Rows to look at, one below the other."""

    kind: ClassVar[str] = "examples"
    items: Sequence[Example]


@dataclass(frozen=True)
class Card:
    """An annotator: a name from the data, a verdict (`tone`: "", pass, warn, fail), a sentence, a picture and more."""

    name: str
    tone: str
    verdict: str
    said: str
    picture: Markup | None
    facts: Sequence[tuple[str, str]]
    reasons: Sequence[str] = ()
    folded: Sequence[Block] = ()


@dataclass(frozen=True)
class Cards:
    """Cards side by side, or below one another on a phone."""

    kind: ClassVar[str] = "cards"
    items: Sequence[Card]


Block = Table | Facts | Charts | Text | Points | Finding | Fold | Examples | Cards


@dataclass(frozen=True)
class Section:
    """A part of the page: its anchor, heading and blocks; `command` is what to run where there is nothing yet.

    `absent` says then what there is not.
    """

    key: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    command: str = ""
    absent: str = "Not run yet."


def number(value: Any, digits: int = 3) -> Cell:
    """A cell with a number."""
    return Cell(written(value, digits), "number")


def written(value: Any, digits: int = 3) -> str:
    """A number as the report writes it; a dash where there is none.

    >>> written(12345), written(0.63487), written(None), written(True)
    ('12,345', '0.635', '–', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.{digits}f}" if abs(value) < 1e6 else f"{value:,.0f}"
    return "–" if value is None else str(value)


def percent(part: float, whole: float = 1.0) -> str:
    """A share in per cent; shares that are small but not zero are not written as 0.

    >>> percent(1, 3), percent(1, 5000), percent(0, 5), percent(1, 0)
    ('33.3 %', '<0.1 %', '0.0 %', '–')
    """
    if not whole:
        return "–"
    share = 100 * part / whole
    return "<0.1 %" if 0 < share < 0.1 else f"{share:.1f} %"


def ranged(value: dict[str, Any], digits: int = 3) -> str:
    """A figure with its interval, or with why it has none, where that is known.

    >>> ranged({"value": 0.5, "low": 0.4, "high": 0.61})
    '0.500 [0.400, 0.610]'
    >>> ranged({"value": 0.5, "low": None, "high": None, "note": "only 3 rows"}), ranged({"value": 0.5})
    ('0.500 (no interval: only 3 rows)', '0.500')
    """
    middle = written(value.get("value"), digits)
    if value.get("low") is None or value.get("high") is None:
        return f"{middle} (no interval: {value['note']})" if value.get("note") else middle
    return f"{middle} [{written(value['low'], digits)}, {written(value['high'], digits)}]"


def signed(value: Any, digits: int = 1) -> str:
    """A difference, with its sign and a true minus.

    >>> signed(-0.25, 2), signed(3.0), signed(None)
    ('−0.25', '+3.0', '–')
    """
    return "–" if value is None else f"{value:+,.{digits}f}".replace("-", "−")


def rows_of(count: int, what: str = "row") -> str:
    """A count with its noun.

    >>> rows_of(1), rows_of(1200, "answer")
    ('1 row', '1,200 answers')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def said(note: str) -> str:
    """A note as a sentence.

    >>> said("only 3 rows"), said("Done."), said("")
    ('Only 3 rows.', 'Done.', '')
    """
    return note[:1].upper() + note[1:] + ("" if note.endswith((".", "?", "!")) or not note else ".")

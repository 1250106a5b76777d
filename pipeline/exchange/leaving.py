"""Leaving: of several who answered a whole row, each who did not change what another changed is on record for it."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.tasks.parts import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.decisions import Book
    from pipeline.tasks import Answer

Entry = dict[str, Any]
Change = tuple[Any, Any]
"""What somebody judged of a part, and what they made of it."""


@dataclass(frozen=True)
class Whole:
    """A whole answer of one person: what every line says of it, and what it says of a part."""

    common: Entry
    answer: Answer
    label_at: Callable[[Answer, str], str]


@dataclass
class Leaving:
    """The whole answers to each row, what was changed in it, and which parts each person has spoken of."""

    changed: dict[str, dict[str, dict[str, Change]]] = field(default_factory=lambda: defaultdict(dict))
    spoken: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    fresh: set[str] = field(default_factory=set)
    whole: list[Whole] = field(default_factory=list)

    @classmethod
    def of(cls, book: Book, guideline: str) -> Leaving:
        """With what stands in the book already under this guideline."""
        found = cls()
        for line in book.lines:
            if line.row and line.id not in book.undone and line.guideline == guideline:
                found._note(line.row, line.who, line.part, line.verdict, (line.was, line.answer))
        return found

    def add(self, entry: Mapping[str, Any]) -> None:
        """Note a line that is made now."""
        self.fresh.add(entry["row"])
        change = (entry.get("was"), entry.get("answer"))
        self._note(entry["row"], entry["who"], entry.get("part", WHOLE), entry["verdict"], change)

    def _note(self, row: str, who: str, part: str, verdict: str, change: Change) -> None:
        self.spoken[row, who].add(part)
        if part != WHOLE and verdict == "wrong":
            self.changed[row].setdefault(who, {})[part] = change

    def lines(self) -> Iterator[Entry]:
        """A line `fine` for each part that a person left as it was where another changed it."""
        for one in self.whole:
            row, who = one.common["row"], one.common["who"]
            if row not in self.fresh:
                continue
            others = [parts for name, parts in self.changed.get(row, {}).items() if name != who]
            for part, (was, becomes) in (pair for parts in others for pair in parts.items()):
                if part in self.spoken[row, who]:
                    continue
                with suppress(AssayError):  # the text is shorter by now: there is nothing to leave
                    if one.label_at(one.answer, part) != becomes:
                        self.spoken[row, who].add(part)
                        yield one.common | {"part": part, "was": was, "verdict": "fine"}

"""Leaving: of several who answered a whole row, each who did not change what another changed is on record for it."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.tasks.parts import WHOLE, label_at

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pipeline.decisions import Book, Decision
    from pipeline.tasks import Answer, Task

Entry = dict[str, Any]
Change = tuple[Any, Any]
"""What somebody judged of a part, and what they made of it."""
MARKED_OTHERWISE = " at "
"""What is said of a stretch of text that a span with other ends touches holds this."""
_CARRIED = ("row", "who", "when", "why", "text", "guideline", "tool", "round", "act")


@dataclass(frozen=True)
class Whole:
    """A whole answer of one person: what every line says of it, and what it says of a part."""

    common: Entry
    answer: Answer
    label_at: Callable[[Answer, str], str]


@dataclass
class Leaving:
    """The last whole answers to each row, what was changed in it, and which parts each person has spoken of.

    Who judges what others differ on has the last word: what he changes besides makes nobody differ from him.
    """

    adjudicating: Collection[str] = ()
    """The rounds of rows on which people differ."""
    changed: dict[str, dict[str, dict[str, Change]]] = field(default_factory=lambda: defaultdict(dict))
    spoken: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    fresh: set[str] = field(default_factory=set)
    whole: dict[str, dict[str, Whole]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def of(cls, book: Book, guideline: str, task: Task, adjudicating: Collection[str] = ()) -> Leaving:
        """With what stands in the book already under this guideline."""
        found = cls(adjudicating)
        for line in book.lines:
            if line.row and line.id not in book.undone and line.guideline == guideline:
                found.note(line)
        for (row, who), line in book.wholes.items():
            if line.whole is not None and line.guideline == guideline:
                told = {name: value for name in _CARRIED if (value := getattr(line, name))}
                found.whole[row][who] = Whole(told, json.loads(line.whole), partial(label_at, task))
        return found

    def note(self, line: Decision) -> None:
        """Note a line that stands."""
        self._note(line.row, line.who, line.part, line.round, (line.verdict, line.was, line.answer))

    def add(self, entry: Mapping[str, Any]) -> None:
        """Note a line that is made now."""
        self.fresh.add(entry["row"])
        said = (entry["verdict"], entry.get("was"), entry.get("answer"))
        self._note(entry["row"], entry["who"], entry.get("part", WHOLE), str(entry.get("round", "")), said)

    def forget(self, line: Decision) -> None:
        """Note that a line was taken back."""
        self.fresh.add(line.row)
        self.spoken[line.row, line.who].discard(line.part)
        self.changed[line.row].get(line.who, {}).pop(line.part, None)

    def heard(self, one: Whole) -> None:
        """Note a whole answer, in the place of an earlier one of the same person."""
        self.whole[one.common["row"]][one.common["who"]] = one

    def _note(self, row: str, who: str, part: str, round_: str, said: tuple[str, Any, Any]) -> None:
        self.spoken[row, who].add(part)
        if part == WHOLE or round_ in self.adjudicating:
            return
        mine, (verdict, *change) = self.changed[row].setdefault(who, {}), said
        if verdict == "wrong":
            mine[part] = (change[0], change[1])
        elif part in mine and mine[part][0] == change[0]:
            del mine[part]

    def lines(self) -> Iterator[Entry]:
        """A line `fine` for each part that a person left as it was where another changed it."""
        for row in sorted(self.fresh):
            for who, one in self.whole.get(row, {}).items():
                others = [parts for name, parts in self.changed.get(row, {}).items() if name != who]
                for part, change in (pair for parts in others for pair in parts.items()):
                    if part not in self.spoken[row, who] and _leaves(one, part, *change):
                        self.spoken[row, who].add(part)
                        yield one.common | {"part": part, "was": change[0], "verdict": "fine"}


def _leaves(one: Whole, part: str, was: Any, becomes: Any) -> bool:
    """Whether a whole answer leaves a part as it was, or says of it what neither of the two says."""
    with suppress(AssayError):  # the text is shorter by now: there is nothing to leave
        said = one.label_at(one.answer, part)
        return said == was or (said != becomes and MARKED_OTHERWISE in said)
    return False

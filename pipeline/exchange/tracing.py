"""Tracing: which of the rounds that are out an answer belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.exchange.rounds import every
from pipeline.text import nfc
from pipeline.tools.entry import SENT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pipeline.exchange.rounds import Asked, Round
    from pipeline.recipe import Recipe

    Likeness = Callable[[str, Asked], tuple[bool, bool]]


@dataclass(frozen=True)
class Trace:
    """The round that an answer belongs to, and what went out of its row; nothing where no round asked of it."""

    round: str = ""
    asked: Asked | None = None


NOWHERE = Trace()


@dataclass
class Tracing:
    """All rounds, those of one tool by row, the newest first."""

    rounds: dict[str, Round]
    tool: str
    closed: Collection[str]
    by_row: dict[str, list[Round]] = field(default_factory=dict)

    @classmethod
    def of(cls, recipe: Recipe, tool: str, closed: Collection[str]) -> Tracing:
        """With the rounds of a data set."""
        found = cls({one.id: one for one in every(recipe)}, tool, closed)
        for one in reversed(found.rounds.values()):
            for row in one.asked if one.tool == tool else ():
                found.by_row.setdefault(row, []).append(one)
        return found

    def trace(self, fields: Mapping[str, Any], beside: Collection[str], like: Likeness) -> Trace:
        """The round that a record names, else the likeliest of those that asked of its row.

        `like` says of a round whether the same answer came back in it before, and whether it proposed what is answered.
        The likeliest are, in this order: those with the same answer; that nobody closed; whose text was the record's;
        that asked of all rows which stand `beside` it in its file; that proposed it; the newest.
        """
        row = str(fields.get("id"))
        named = self.rounds.get(str(fields.get(SENT_IN) or ""))
        if named is not None and row in named.asked:
            return _traced(named, row)
        able = self.by_row.get(row, [])
        if not able:
            return NOWHERE
        if len(able) == 1:
            return _traced(able[0], row)
        text = nfc(str(fields.get("text", ""))).split()

        def rank(one: Round) -> tuple[bool, ...]:
            asked = one.asked[row]
            is_known, is_shown = like(one.id, asked)
            reads = nfc(asked.text).split() == text
            return is_known, one.id not in self.closed, reads, one.asked.keys() >= set(beside), is_shown

        return _traced(max(able, key=rank), row)  # of equals the first: the newest


def _traced(one: Round, row: str) -> Trace:
    return Trace(one.id, one.asked[row])

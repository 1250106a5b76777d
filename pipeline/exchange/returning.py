"""Returning: which answers of which round came back, what is still out, and which rounds nobody waits for any more.

`back.jsonl` beside the rounds is only ever added to: a line for each answer that came back first, and for each round
that was closed or sent again, and each row that went over to a later round.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline import journal
from pipeline.decisions import now
from pipeline.errors import AssayError, nearest
from pipeline.exchange.rounds import every, folder, keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.decisions import Book
    from pipeline.exchange.rounds import Round
    from pipeline.recipe import Recipe

FILE = "back.jsonl"
Line = dict[str, Any]
Key = tuple[str, str, str, str]
"""A round, a row, a person, and the part that was answered, empty for the whole."""


@dataclass
class Returned:
    """What came back so far: the last answer under each key, by its name, the rows of each round, and closed rounds."""

    last: dict[Key, str] = field(default_factory=dict)
    rows: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    people: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    closed: set[str] = field(default_factory=set)
    moved: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The rows of each round whose tasks are a later round's by now."""
    fresh: list[Line] = field(default_factory=list)

    @classmethod
    def of(cls, recipe: Recipe) -> Returned:
        """What the file beside the rounds tells.

        Raises:
            AssayError: a line of it cannot be read.
        """
        found = cls()
        for place, text in journal.numbered(folder(recipe) / FILE):
            try:
                line = json.loads(text)
                if "closed" in line:
                    (found.closed.add if line["closed"] else found.closed.discard)(line["round"])
                elif "moved" in line:
                    found.moved[line["round"]].add(line["row"])
                else:
                    found._note(line["round"], line["row"], line["who"], line.get("part", ""), line["act"])
            except (ValueError, KeyError, TypeError) as error:
                raise AssayError(place, f"cannot be read: {error}", "mend or remove the line") from error
        return found

    def _note(self, round_: str, row: str, who: str, part: str, act: str) -> None:
        self.last[round_, row, who, part] = act
        self.rows[round_].add(row)
        self.people[round_].add(who)

    def add(self, key: Key, act: str) -> None:
        """Note an answer that came back now, if it is not the last one that is known."""
        round_, row, who, part = key
        if not round_ or self.last.get(key) == act:
            return
        self._note(round_, row, who, part, act)
        told = {"round": round_, "row": row, "who": who, "act": act}
        self.fresh.append(told | ({"part": part} if part else {}))

    def kept(self, recipe: Recipe) -> None:
        """Write down what came back since."""
        if self.fresh:
            journal.add(folder(recipe) / FILE, self.fresh)
            self.fresh = []


@dataclass(frozen=True)
class Standing:
    """How one round stands: rows that went out, that came back, that are still out, and who answered."""

    round: Round
    back: int
    out: int
    people: tuple[str, ...]
    is_closed: bool
    waits: frozenset[str] = frozenset()
    """The rows that are still out."""


def standings(recipe: Recipe, book: Book, returned: Returned | None = None) -> list[Standing]:
    """How every round stands, the oldest first; nothing of a closed one is out."""
    known, sent = returned or Returned.of(recipe), every(recipe)
    before = _before(book, sent)
    found = []
    for one in sent:
        rows = (known.rows.get(one.id, set()) | before.get(one.id, set())) & one.asked.keys()
        is_closed = one.id in known.closed
        left = frozenset() if is_closed else frozenset(one.asked.keys() - rows - known.moved.get(one.id, set()))
        people = tuple(sorted(known.people.get(one.id, ())))
        found.append(Standing(one, len(rows), len(left), people, is_closed, left))
    return found


def _before(book: Book, sent: Sequence[Round]) -> dict[str, set[str]]:
    """Rows that came back before rounds were told apart: to the newest round of their tool that asked of them."""
    newest = {(one.tool, row): one.id for one in sent for row in one.asked}
    found: dict[str, set[str]] = defaultdict(set)
    for line in book.lines:
        if line.tool and line.row and not line.round and (line.tool, line.row) in newest:
            found[newest[line.tool, line.row]].add(line.row)
    return found


def sent_out(recipe: Recipe, one: Round, moved: Iterable[tuple[str, str]] = ()) -> None:
    """Write down a round that goes out, also one that was closed and goes out again.

    `moved`: (round, row) of what was out in another round and is answered in this one.
    """
    keep(recipe, one)
    if one.id in Returned.of(recipe).closed:
        close(recipe, [one.id], closed=False)
    gone = [{"round": other, "row": row, "moved": one.id} for other, row in moved if other not in ("", one.id)]
    journal.add(folder(recipe) / FILE, gone)


def close(recipe: Recipe, names: Iterable[str], *, closed: bool = True) -> list[str]:
    """Say of rounds that nobody waits for them any more; what comes back of them all the same is still taken in.

    Raises:
        AssayError: there is no such round.
    """
    known = [one.id for one in every(recipe)]
    named = list(names)
    for name in named:
        if name not in known:
            raise AssayError(f"round '{name}'", "no such round went out", nearest(name, known))
    journal.add(folder(recipe) / FILE, [{"round": name, "closed": closed, "when": now()} for name in named])
    return named

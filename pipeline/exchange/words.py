"""Words: what each person said of each row so far, and how it gives way to what he says now."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline import decisions
from pipeline.dates import seconds
from pipeline.decisions.line import parsed
from pipeline.errors import Unfit
from pipeline.tasks import canonical
from pipeline.tasks.parts import WHOLE, label_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.decisions import Book, Decision
    from pipeline.tasks import Answer, Task

Entry = dict[str, Any]
DAY_SECONDS, DAY_CHARS = 86_400.0, len("2026-01-31")
AGAIN = "answered again in {tool}"


@dataclass
class Words:
    """The lines in force on each row, in order, whoever said them."""

    task: Task
    lines: dict[str, list[Decision]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, book: Book, task: Task) -> Words:
        """What stands in the book: all that was not taken back."""
        found = cls(task)
        for line in book.lines:
            if line.row and line.id not in book.undone and not line.undo:
                found.lines[line.row].append(line)
        return found

    def add(self, row: str, entry: Entry) -> Decision | None:
        """Note a line on a row that is made now; one that takes another back gives that."""
        line = parsed(json.dumps(entry, ensure_ascii=False), "the new decision")
        if line is None or not line.undo:
            self.lines[row] += [line] if line else []
            return None
        gone = next((one for one in self.lines[row] if one.id == line.undo), None)
        self.lines[row] = [one for one in self.lines[row] if one is not gone]
        return gone

    def _of(self, row: str, who: str) -> list[Decision]:
        return [line for line in self.lines[row] if line.who == who]

    def others(self, row: str, who: str, part: str) -> list[Decision]:
        """What other people said of a part of a row."""
        return [line for line in self.lines[row] if line.who != who and line.part == part]

    def is_superseded(self, row: str, who: str, part: str, time: str | None) -> bool:
        """Whether the person has said another thing of all that is answered since; what has no time is said now."""
        said = self._of(row, who) if time else ()
        return any(is_later(one.when, time) for one in said if one.left is not None or one.part in (part, WHOLE))

    def unsaid_since(self, made: Sequence[Entry], time: str | None) -> list[Entry]:
        """The lines on parts of which the person has not spoken since."""
        if not made or not time:
            return list(made)
        said = self._of(made[0]["row"], made[0]["who"])
        since = {one.part for one in said if is_later(one.when, time)}
        return [line for line in made if line.get("part", WHOLE) not in since]

    def giving_way(
        self, common: Entry, made: Sequence[Entry], was: Answer, answer: Answer, *, since: str | None
    ) -> Iterator[Entry]:
        """The lines by which earlier words of the person on a row give way to a whole answer (None: to a verdict).

        A part that was changed before and is now left as it was is fine; what can no longer stand beside the new
        answer is taken back. What the answer that was judged (`was`) followed stays: the new one goes on from it. What
        was said `since` stays as well.
        """
        new = {line.get("part", WHOLE) for line in made}
        for one in self._of(common["row"], common["who"]):
            if is_later(one.when, since):
                continue
            if one.part in new or one.verdict == "fine" or (one.part and self._is_so(was, one)):
                continue
            here = None if answer is None else self._said(answer, one.part)
            if here is not None and one.verdict == "wrong" and here == one.answer:
                continue
            if here is not None and one.part and here == one.was:
                new.add(one.part)
                yield common | {"part": one.part, "was": one.was, "verdict": "fine"}
            elif one.part or not self._is_so(was, one):
                yield _undone(common, one)

    def out_of_step(self, common: Entry, made: Sequence[Entry]) -> Iterator[Entry]:
        """Takes back what the person said before of the same parts and what would no longer fit beside what is new."""
        for entry in made:
            line = parsed(json.dumps(entry, ensure_ascii=False), "the new decision")
            if line is not None:
                yield from (_undone(common, one) for one in self._misfits(line))

    def _misfits(self, new: Decision) -> Iterator[Decision]:
        said = [one for one in self.lines[new.row] if one.part == new.part]
        own = [one for one in said if one.who == new.who]
        for one in own if new.was is None else ():
            if (one.verdict, one.answer) != (new.verdict, new.answer):
                yield one
        if not own or new.was is None:
            return
        standing = decisions.book((*said, new)).standing
        now = standing[0].was if standing else None
        for one in standing:
            if one.was is None or now is None or now in (one.was, one.answer):
                now = one.answer if one.answer is not None else now
            elif one.who == new.who and one.id != new.id:
                yield one

    def _is_so(self, answer: Answer, one: Decision) -> bool:
        """Whether an answer has what a line made of its part."""
        return answer is not None and one.verdict == "wrong" and self._said(answer, one.part) == one.answer

    def _said(self, answer: Answer, part: str) -> str | None:
        """What an answer says of a part, spelled as decisions have it."""
        if part == WHOLE:
            return canonical(answer)
        with suppress(Unfit):
            return label_at(self.task, answer, part)
        return None


def _undone(common: Entry, one: Decision) -> Entry:
    names = ("who", "when", "tool", "round")
    told = {name: common[name] for name in names if name in common}
    return {"undo": one.id, "why": AGAIN.format(tool=common["tool"]), **told}


def is_exact(time: str | None) -> bool:
    """Whether a time is more than a day."""
    return time is not None and len(time.strip()) > DAY_CHARS


def is_later(time: str | None, other: str | None) -> bool:
    """Whether a time is certainly after another; a day alone may be any time of it.

    >>> is_later("2026-01-06", "2026-01-05T23:00:00Z"), is_later("2026-01-05T10:00:00Z", "2026-01-05")
    (True, False)
    """
    one, two = seconds(time), seconds(other)
    if one is None or two is None:
        return False
    return one > two if is_exact(other) else one >= two + DAY_SECONDS

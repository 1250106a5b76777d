"""Acting: the lines of one act hold together or not at all, however its writing was cut off."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.decisions.line import Decision

LINES = "lines"
"""What the first line of an act of several says: how many there are."""


class Acts:
    """Takes lines in, in the order of the file, and gives those that hold: of an act that says how many lines it has,
    all of them once the last one is there, and none before.

    The first line of an act says so (`LINES`); it begins anew where the same act was cut off before. Lines whose act
    says nothing, as those that were written before acts did, hold each by itself.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, list[Decision]] = {}
        self._cut: list[list[Decision]] = []

    def take(self, line: Decision) -> list[Decision]:
        """The lines that hold now that this one is there."""
        waiting = self._waiting.get(line.act) if line.act else None
        if line.lines and waiting:
            self._cut.append(self._waiting.pop(line.act))
            waiting = None
        if waiting is None and line.lines < 2:
            return _kept([line])
        inside = self._waiting.setdefault(line.act, [])
        inside.append(line)
        return _kept(self._waiting.pop(line.act)) if len(inside) == inside[0].lines else []

    def is_cut(self, act: str) -> bool:
        """Whether lines of an act are there, but not all, and it was not written again."""
        return act in self._waiting

    @property
    def cut(self) -> list[list[Decision]]:
        """The lines of every act that is not whole: what its writer was killed at."""
        return [_kept(one) for one in (*self._cut, *self._waiting.values())]


def _kept(lines: Sequence[Decision]) -> list[Decision]:
    """The lines without what `assay erase` left of others: those only count."""
    return [line for line in lines if not line.is_erased]


def whole(lines: Iterable[Decision]) -> tuple[list[Decision], list[list[Decision]]]:
    """The lines that hold, in their order, and those of each act that was cut off, unless that was taken back."""
    acts, told = Acts(), list(lines)
    held: set[int] = set()
    for line in told:
        held.update(map(id, acts.take(line)))
    undone = {line.undo for line in told if line.undo}
    cut = [one for one in acts.cut if one and not undone & {one[0].act, one[0].id}]
    again = {line.act for line in told if id(line) in held}
    return [line for line in told if id(line) in held], [one for one in cut if one[0].act not in again]


def numbered(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries as they are to be written: the first of an act of several says how many lines it has."""
    told = [{name: value for name, value in entry.items() if name != LINES} for entry in entries]
    count = Counter(entry["act"] for entry in told if entry.get("act"))
    for entry in told:
        if (lines := count.pop(entry.get("act"), 1)) > 1:
            entry[LINES] = lines
    return told

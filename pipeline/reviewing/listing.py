"""Listing: the order in which the queue is gone through, and which of its lines are asked about by now."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.reviewing.heard import Echoing
from pipeline.reviewing.minutes import alone

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.reviewing.ledger import Ledger

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]


@dataclass
class Listing:
    """The entries of a queue: lines by position, groups as -1 - position.

    Attributes:
        lines, groups: the tables of the queue; group_of: int64[lines], -1 for none.
        members: lines in the order of their groups, and where each group begins among them: int64[groups + 1].
        seconds: how long a line takes.
    """

    lines: pa.Table
    groups: pa.Table
    group_of: Ints
    members: tuple[Ints, Ints]
    seconds: float

    def __post_init__(self) -> None:
        self._asked: tuple[Bools, int] = (np.zeros(0, dtype=bool), -1)

    @cached_property
    def _echoing(self) -> Echoing:
        return Echoing(self.lines)

    @cached_property
    def by_value(self) -> Ints:
        """Groups and lines of no group, the most errors settled per minute first; echoes follow what they are like."""
        single = np.flatnonzero(self.group_of < 0)
        each = alone(self.lines["score"].to_numpy()[single], self.seconds)
        value = np.concatenate([self.groups["value"].to_numpy(), each])
        named = np.concatenate([-1 - np.arange(self.groups.num_rows), single])
        first, behind = self._first(named), self._echoing.behind()
        worth = dict(zip(named.tolist(), value.tolist(), strict=True)) if behind else {}
        for at, line in enumerate(first.tolist() if behind else ()):
            if (before := behind.get(line, -1)) >= 0:
                group = int(self.group_of[before])
                value[at] = worth[-1 - group if group >= 0 else before]
        return named[np.lexsort((self._echoing.is_echo[first], -value))]

    def asked(self, ledger: Ledger) -> Bools:
        """Lines that people are asked about by now: all but echoes of which none like them was found wrong yet."""
        found, version = self._asked
        if version != ledger.version:
            found = ~self._echoing.is_echo
            if not found.all():
                decided = (one for said in ledger.voices.values() for one in said.values())
                found[np.array(list(self._echoing.opened(decided)), dtype=np.int64)] = True
            self._asked = found, ledger.version
        return found

    def shown(self, entries: Ints, ledger: Ledger) -> Ints:
        """The entries that are asked about by now; the lines of a group are of one kind."""
        return entries[self.asked(ledger)[self._first(entries)]] if self._echoing.is_echo.any() else entries

    def _first(self, entries: Ints) -> Ints:
        """The line of every entry, of a group its first."""
        order, starts = self.members
        heads = np.append(order[starts[:-1]], 0)
        return np.where(entries < 0, heads[np.clip(-1 - entries, 0, len(starts) - 1)], entries)

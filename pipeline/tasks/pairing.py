"""Pairing: which character of one text is which of another that is nearly the same, in time that long texts allow."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

Edges = tuple[int, int]
"""Half-open, in code points."""

ANCHORS = (24, 12, 6)
"""Characters of the runs that are looked for in both texts where each has them once, longest first."""
MOST_CELLS = 1_000_000
"""Characters x characters between two anchors that are still compared one with one; more are lost."""
# Another character costs what one character without partner does; one long hole costs less than two short ones.
_SWAP, _OPEN, _NEXT = 3, 2, 1


def paired(one: str, other: str) -> list[int]:
    """For every character of `one` the index of its partner in `other`, or -1; partners stand in the same order.

    >>> paired("8ob", "Bob saw")
    [0, 1, 2]
    """
    pairing = _Pairing(one, other, [-1] * len(one))
    pairing.pair((0, len(one)), (0, len(other)), ANCHORS)
    return pairing.pairs


@dataclass(frozen=True)
class _Pairing:
    """Two texts and what is known so far of who is whose partner."""

    one: str
    other: str
    pairs: list[int]

    def pair(self, here: Edges, there: Edges, anchors: Sequence[int]) -> None:
        """Pair two stretches: alike at both ends, then by anchors, then one character after the other."""
        (a, b), (c, d) = self._without_ends(here, there)
        if a == b or c == d:
            return
        if not anchors:
            if (b - a) * (d - c) <= MOST_CELLS:
                for at, to in _edited(self.one[a:b], self.other[c:d]):
                    self.pairs[a + at] = c + to
            return
        size = anchors[0]
        fixed = _rising(_once(self.one, a, b, size), _once(self.other, c, d, size))
        for (left, low), (right, high) in pairwise([(a, c), *fixed, (b, d)]):
            self.pair((left, right), (low, high), anchors[1:])

    def _without_ends(self, here: Edges, there: Edges) -> tuple[Edges, Edges]:
        """What is left of two stretches once the ends that they share are paired."""
        (a, b), (c, d) = here, there
        while a < b and c < d and self.one[a] == self.other[c]:
            self.pairs[a] = c
            a, c = a + 1, c + 1
        while a < b and c < d and self.one[b - 1] == self.other[d - 1]:
            b, d = b - 1, d - 1
            self.pairs[b] = d
        return (a, b), (c, d)


def _once(text: str, start: int, end: int, size: int) -> dict[str, int]:
    """The runs of `size` characters that a stretch has exactly once, with where they begin."""
    runs = [text[at : at + size] for at in range(start, end - size + 1)]
    often = Counter(runs)
    return {run: at for at, run in enumerate(runs, start) if often[run] == 1}


def _rising(one: dict[str, int], other: dict[str, int]) -> list[Edges]:
    """The longest series of places of shared runs that rises on both sides (patience sorting)."""
    places = [(at, other[run]) for run, at in one.items() if run in other]
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for at, (_, to) in enumerate(places):
        pile = bisect_left(tops, to)
        before.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [to]
        piles[pile : pile + 1] = [at]
    series = []
    at = piles[-1] if piles else -1
    while at >= 0:
        series.append(places[at])
        at = before[at]
    return series[::-1]


def _edited(one: str, other: str) -> Iterator[Edges]:
    """The pairs of the cheapest alignment with affine gaps (Gotoh 1982, doi:10.1016/0022-2836(82)90398-9)."""
    codes = [np.array([ord(character) for character in text], dtype=np.int32) for text in (one, other)]
    total, down, across = _costs(*codes)
    at, to = len(one), len(other)
    inside = "any"
    while at and to:
        cost = total[at, to] if inside == "any" else down[at, to] if inside == "down" else across[at, to]
        if inside == "any" and cost == total[at - 1, to - 1] + _SWAP * (one[at - 1] != other[to - 1]):
            at, to = at - 1, to - 1
            yield at, to
        elif inside == "down" or (inside == "any" and cost == down[at, to]):
            at -= 1
            inside = "any" if cost == total[at, to] + _OPEN + _NEXT else "down"
        else:
            to -= 1
            inside = "any" if cost == total[at, to] + _OPEN + _NEXT else "across"


def _costs(one: NDArray[np.int32], other: NDArray[np.int32]) -> tuple[NDArray[np.int32], ...]:
    """Least costs of aligning prefixes: in all, and ending in a character of `one`, or of `other`, without partner."""
    shape, far = (len(one) + 1, len(other) + 1), 1 << 28
    total, down, across = (np.full(shape, far, dtype=np.int32) for _ in range(3))
    steps = np.arange(shape[1], dtype=np.int32) * _NEXT
    total[0] = across[0] = _OPEN + steps
    total[0, 0] = 0
    for at, character in enumerate(one, 1):
        down[at] = np.minimum(total[at - 1] + _OPEN, down[at - 1]) + _NEXT
        total[at] = down[at]
        np.minimum(total[at, 1:], total[at - 1, :-1] + _SWAP * (other != character), out=total[at, 1:])
        # A run of the other text without partner, from wherever it is cheapest to begin one.
        across[at, 1:] = (np.minimum.accumulate(total[at] - steps) + _OPEN)[:-1] + steps[1:]
        np.minimum(total[at], across[at], out=total[at])
    return total, down, across

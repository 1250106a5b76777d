"""Dealing: whole groups of rows to sides, so that every stratum has the wanted shares on all of them.

In the spirit of iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011, doi 10.1007/978-3-642-23808-6_10), with
groups in the place of rows and all strata of a group weighed at once. Groups with the same profile (as many rows in
the same strata) can stand for one another, so profiles are dealt, not groups: those of few groups one by one, the large
ones first, each to where the strata lack most; those of many groups by shares; the rest one by one; then the worst
strata are mended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.shingles import mixed
from pipeline.quality.splitting.mending import mend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

JUDGED_ROWS = 100
"""Strata with fewer rows say little: a single row is a point or more of them."""
MANY = 12
"""From so many groups on a profile is dealt by shares: fewer leave more in remainders than they settle."""


@dataclass(frozen=True)
class Profiles:
    """The kinds of groups there are.

    Attributes:
        of: int64[groups], the profile of each group.
        count: int64[profiles], groups of each.
        size: int64[profiles], rows of one such group.
        starts, stratum, rows: profile p has `rows[starts[p]:starts[p+1]]` rows in `stratum[starts[p]:starts[p+1]]`;
            every row counts towards stratum 0.
        strata: how many strata there are.
    """

    of: Ints
    count: Ints
    size: Ints
    starts: Ints
    stratum: Ints
    rows: Ints
    strata: int

    def totals(self) -> Ints:
        """Rows of every stratum in all groups: int64[strata]."""
        every = np.repeat(self.count, np.diff(self.starts))
        return np.bincount(self.stratum, weights=every * self.rows, minlength=self.strata).astype(np.int64)


def profiles(group: Ints, row: Ints, stratum: Ints, *, strata: int) -> Profiles:
    """The profiles of groups.

    `group`: int64[rows], 0..groups-1, none without rows; `row`, `stratum`: int64[links], what each row counts towards,
    1..strata-1, nothing twice.
    """
    groups = int(group.max(initial=-1)) + 1
    sizes = np.bincount(group, minlength=groups)
    linked, rows = np.unique(group[row] * strata + stratum, return_counts=True)
    # All of a group count towards stratum 0, which comes first.
    place = np.concatenate([np.arange(groups) * strata, linked])
    rows = np.concatenate([sizes, rows])
    order = np.argsort(place, kind="stable")
    owner, stratum, rows = *np.divmod(place[order], strata), rows[order]
    starts = np.searchsorted(owner, np.arange(groups + 1))
    each = mixed(mixed(stratum.astype(np.uint64)) + rows.astype(np.uint64))
    whole = np.add.reduceat(each, starts[:-1]) if groups else each
    _, first, of, count = np.unique(whole, return_index=True, return_inverse=True, return_counts=True)
    lengths = np.diff(starts)[first]
    inner = np.repeat(starts[:-1][first] - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    return Profiles(of.reshape(-1), count, sizes[first], bounds, stratum[inner], rows[inner], strata)


def deal(found: Profiles, rank: NDArray[np.uint64], shares: Floats, has: Floats | None = None) -> Ints:
    """The side of every group: int64[groups]; sides with a share of 0 get none.

    Args:
        found: the profiles of the groups.
        rank: drawn from each group's name; decides between groups of one profile.
        shares: wanted share of each side, sum 1, of these groups and of what the sides have together.
        has: float64[strata, sides], rows that the sides have already.
    """
    has = np.zeros((found.strata, len(shares))) if has is None else has.astype(np.float64)
    totals = has.sum(axis=1) + found.totals()
    # The many go where they make good what the few left over.
    dealt = _Dealing(found, np.flatnonzero(shares > 0), has, totals[:, None] * shares)
    order = _order(found, totals, rank)
    few = found.count[order] < MANY
    for profile in order[few].tolist():
        dealt.one_by_one(profile, int(found.count[profile]))
    for profile in order[~few].tolist():
        dealt.by_shares(profile)
    for profile in order[~few].tolist():
        dealt.one_by_one(profile, int(found.count[profile] - dealt.given[profile].sum()))
    given = mend(found, dealt.given, np.array(dealt.has), totals[:, None] * shares, totals)
    return _named(found, given, rank)


def _order(found: Profiles, totals: Ints, rank: NDArray[np.uint64]) -> Ints:
    """Profiles of large groups first: the small ones fill the gaps. Then those of rare strata, while there is room."""
    if not len(found.count):
        return np.zeros(0, dtype=np.int64)
    rarest = np.minimum.reduceat(totals[found.stratum], found.starts[:-1])
    first = np.full(len(found.count), np.iinfo(np.uint64).max)
    np.minimum.at(first, found.of, rank)
    return np.lexsort((first, rarest, -found.size))


def importance(totals: Floats | Ints) -> Floats:
    """What a row too many weighs in a stratum of so many rows: as in a chi-square, and next to nothing in tiny ones."""
    return np.asarray(np.minimum(totals / JUDGED_ROWS, 1.0) / np.maximum(totals, JUDGED_ROWS))


class _Dealing:
    """Profiles being dealt: what the sides have, and how many groups of each profile they were given."""

    def __init__(self, found: Profiles, sides: Ints, has: Floats, goal: Floats) -> None:
        self.found = found
        self.sides: list[int] = sides.tolist()
        self.has: list[list[float]] = has.tolist()
        self.goal: list[list[float]] = goal.tolist()
        totals = goal.sum(axis=1, keepdims=True)
        shares = np.maximum(goal / np.maximum(totals, 1e-12), 1e-9)
        self.weight: list[list[float]] = (importance(totals) / shares).tolist()
        self.given = np.zeros((len(found.count), has.shape[1]), dtype=np.int64)

    def _parts(self, profile: int) -> list[tuple[int, int]]:
        inside = slice(*self.found.starts[profile : profile + 2].tolist())
        return list(zip(self.found.stratum[inside].tolist(), self.found.rows[inside].tolist(), strict=True))

    def one_by_one(self, profile: int, count: int) -> None:
        """Give so many groups of a profile, each to the side whose distance from its goals grows least."""
        own = self._parts(profile)
        for _ in range(count):
            side = self._best(own)
            self.given[profile, side] += 1
            self._move(own, side, 1)

    def by_shares(self, profile: int) -> None:
        """Give the groups of a profile to all sides at once, so that the distance from all goals is least."""
        own = self._parts(profile)
        slope = [self._slope(own, side) for side in self.sides]
        lacks = [self._lack(own, side) for side in self.sides]
        count = int(self.found.count[profile])
        for side, amount in zip(self.sides, _filled(slope, lacks, count), strict=True):
            self.given[profile, side] += amount
            self._move(own, side, amount)

    def _slope(self, own: Sequence[tuple[int, int]], side: int) -> float:
        return sum(self.weight[stratum][side] * rows * rows for stratum, rows in own)

    def _lack(self, own: Sequence[tuple[int, int]], side: int) -> float:
        has, goal, weight = self.has, self.goal, self.weight
        return sum(weight[stratum][side] * rows * (goal[stratum][side] - has[stratum][side]) for stratum, rows in own)

    def _best(self, own: Sequence[tuple[int, int]]) -> int:
        """The side whose distance from its goals grows least when it gets these rows; the first of equals."""
        best, least = int(self.sides[0]), float("inf")
        for side in self.sides:
            grows: float = 0.0
            for stratum, rows in own:
                over = 2 * (self.has[stratum][side] - self.goal[stratum][side]) + rows
                grows += self.weight[stratum][side] * rows * over
            if grows < least - 1e-12:
                best, least = side, grows
        return best

    def _move(self, own: Sequence[tuple[int, int]], side: int, count: int) -> None:
        for stratum, rows in own:
            self.has[stratum][side] += count * rows


def _filled(slope: Sequence[float], lacks: Sequence[float], count: int) -> list[int]:
    """How many of `count` each side gets, rounded down: the least of the sum of slope * x^2 / 2 - lacks * x."""
    open_ = list(range(len(slope)))
    while True:
        level = (sum(lacks[at] / slope[at] for at in open_) - count) / sum(1 / slope[at] for at in open_)
        below = [at for at in open_ if lacks[at] < level]
        if not below:
            break
        open_ = [at for at in open_ if at not in below]
    return [int((lacks[at] - level) / slope[at] + 1e-9) if at in open_ else 0 for at in range(len(slope))]


def _named(found: Profiles, given: Ints, rank: NDArray[np.uint64]) -> Ints:
    """Which groups of each profile go where: in the order of their ranks, one side after the other."""
    order = np.lexsort((rank, found.of))
    sides = np.repeat(np.tile(np.arange(given.shape[1]), len(given)), given.reshape(-1))
    dealt = np.empty(len(order), dtype=np.int64)
    dealt[order] = sides
    return dealt

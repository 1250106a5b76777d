"""Mending: single groups change sides as long as that makes the worst strata better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.splitting.dealing import Profiles

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

GOOD = 0.0005
"""A twentieth of a point: nobody needs it better."""
_STEPS = 2_000
_TRIED = 6
"""How many of the worst strata are tried before it is given up: others have them fast."""
_LOOKED_AT = 4_000
_POWER = 8  # the largest deviations rule the sum of their powers; one that is half as large counts for nothing


def mend(found: Profiles, given: Ints, has: Floats, goal: Floats, totals: Ints, *, judged_rows: int = 100) -> Ints:
    """How many groups of each profile each side is to have: int64[profiles, sides].

    A step takes the stratum and side that are farthest from their goal, as a share of the stratum's rows, and moves one
    group to or from there: the one after which the sum of all its strata's deviations, to a high power, is least. It
    ends when all judged strata are good, when no move helps, or after a fixed number of steps.

    Args:
        found: the profiles.
        given: int64[profiles, sides], groups of each profile by side.
        has, goal: float64[strata, sides], rows.
        totals: int64[strata], rows of each; those with fewer than `judged_rows` are not looked at.
    """
    judged = totals >= judged_rows
    scale = np.where(judged, 1.0 / np.maximum(totals, 1), 0.0)
    state = _State(found, given.copy(), (has - goal) * scale[:, None], scale, np.flatnonzero(goal.sum(axis=0) > 0))
    for _ in range(_STEPS):
        if not state.step():
            break
    return state.given


class _State:
    def __init__(self, found: Profiles, given: Ints, off: Floats, scale: Floats, sides: Ints) -> None:
        self.found, self.given, self.off, self.scale, self.sides = found, given, off, scale, sides
        self.owner = np.repeat(np.arange(len(found.count)), np.diff(found.starts))
        order = np.argsort(found.stratum, kind="stable")
        self.members = self.owner[order]
        self.member_starts = np.searchsorted(found.stratum[order], np.arange(found.strata + 1))

    def step(self) -> bool:
        """Move one group; whether one was moved."""
        far = np.abs(self.off)
        order = np.argsort(far, axis=None)[::-1][:_TRIED]
        worst = far.flat[order[0]] if len(order) else 0.0
        if worst <= GOOD:
            return False
        for stratum, side in zip(*np.unravel_index(order, far.shape), strict=True):
            if far[stratum, side] <= GOOD:
                return False
            if self._moved(int(stratum), int(side), float(worst)):
                return True
        return False

    def _moved(self, stratum: int, side: int, worst: float) -> bool:
        members = self.members[self.member_starts[stratum] : self.member_starts[stratum + 1]][:_LOOKED_AT]
        others = [other for other in self.sides.tolist() if other != side]
        ways = [(side, other) if self.off[stratum, side] > 0 else (other, side) for other in others]
        best = (-1e-9, -1, ways[0]) if ways else None
        for way in ways:
            there = members[self.given[members, way[0]] > 0]
            if not len(there) or best is None:
                continue
            gain = self._gains(there, way, worst)
            at = int(gain.argmin())
            if gain[at] < best[0]:
                best = (float(gain[at]), int(there[at]), way)
        if best is None or best[1] < 0:
            return False
        self._move(best[1], best[2])
        return True

    def _gains(self, profiles: Ints, way: tuple[int, int], worst: float) -> Floats:
        """What moving a group of each profile adds to the sum of powers of all deviations: float64[profiles]."""
        sizes = np.diff(self.found.starts)[profiles]
        first = np.cumsum(sizes) - sizes
        inner = np.repeat(self.found.starts[profiles] - first, sizes) + np.arange(int(sizes.sum()))
        stratum = self.found.stratum[inner]
        step = self.found.rows[inner] * self.scale[stratum]
        added = np.zeros(len(inner))
        for side, sign in ((way[0], -1.0), (way[1], 1.0)):
            now = self.off[stratum, side]
            added += ((now + sign * step) / worst) ** _POWER - (now / worst) ** _POWER
        return np.asarray(np.add.reduceat(added, first))

    def _move(self, profile: int, way: tuple[int, int]) -> None:
        inside = slice(*self.found.starts[profile : profile + 2].tolist())
        stratum = self.found.stratum[inside]
        step = self.found.rows[inside] * self.scale[stratum]
        self.given[profile, way[0]] -= 1
        self.given[profile, way[1]] += 1
        self.off[stratum, way[0]] -= step
        self.off[stratum, way[1]] += step

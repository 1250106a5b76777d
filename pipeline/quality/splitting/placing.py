"""Placing: rows without a side follow those that they are tied to, are dealt, or leave where no side would do.

In rounds, until a round places nobody: whoever is left out then is tied to two sides, or to one that is closed to it.
That does not change when the rows just placed are read from the lock, so a build repeats itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.splitting.pins import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pipeline.quality.splitting.pins import Pins
    from pipeline.quality.splitting.ties import Ties

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

    Dealer = Callable[[Ints, Ints, Ints, Ints], Ints]
    """Sides for rows that are free: (rows, their component, the bit mask of the sides open to it, the side of every row
    so far), all int64; gives int64[rows]. Rows of one component get one side."""

SIDES = 3


def placed(pins: Pins, ties: Ties, dealer: Dealer) -> Ints:
    """The side of every row, -1 of those that no side would do for: int64[rows]."""
    side = pins.side.copy()
    while True:
        before = side.copy()
        waiting = (side == NONE) & ~pins.left
        touched = ties.touched(_bits(side))
        waiting &= (_sides(touched) <= 1) & (touched & ~pins.join == 0)
        while waiting.any():
            waiting, side = _round(waiting, side, touched, pins=pins, ties=ties, dealer=dealer)
        if (side == before).all():
            return side


def _bits(side: Ints) -> Ints:
    return np.where(side >= 0, 1 << np.maximum(side, 0), 0)


def _sides(mask: Ints) -> Ints:
    """How many sides there are in each mask."""
    return np.asarray(sum((mask >> at) & 1 for at in range(SIDES)))


def _round(waiting: Flags, side: Ints, touched: Ints, *, pins: Pins, ties: Ties, dealer: Dealer) -> tuple[Flags, Ints]:
    """Place the components that one side will do for; of every other one, send some rows out and let the rest wait."""
    component = ties.components(waiting)
    rows = np.flatnonzero(waiting)
    own = component[rows]
    wants = _gathered(own, touched[rows], np.bitwise_or, 0, len(side))
    joins = _gathered(own, pins.join[rows], np.bitwise_and, -1, len(side))
    deals = _gathered(own, pins.deal[rows], np.bitwise_and, -1, len(side))
    agreed = (_sides(wants) <= 1) & (wants & ~joins == 0)
    side = side.copy()
    follows = rows[agreed[own] & (wants[own] > 0)]
    side[follows] = np.log2(wants[component[follows]]).astype(np.int64)
    free = rows[agreed[own] & (wants[own] == 0)]
    side[free] = dealer(free, component[free], deals[component[free]], side)
    quarrel = rows[~agreed[own]]
    out = quarrel[_outvoted(component[quarrel], touched[quarrel], wants, joins)]
    waiting = waiting.copy()
    waiting[rows[agreed[own]]], waiting[out] = False, False
    return waiting, side


def _gathered(component: Ints, values: Ints, how: np.ufunc, start: int, size: int) -> Ints:
    found = np.full(size, start, dtype=np.int64)
    how.at(found, component, values)
    return found


def _outvoted(component: Ints, touched: Ints, wants: Ints, joins: Ints) -> Flags:
    """Which rows of components that cannot agree go: those tied to one side of them, the one that costs fewest rows.

    A side that not all of the component may join goes first; of sides that cost as much, the one held out.
    """
    names, place = np.unique(component, return_inverse=True)
    place = place.reshape(-1)
    bits = np.arange(SIDES)
    cost = np.zeros((len(names), SIDES))
    np.add.at(cost, place, touched[:, None] >> bits & 1)
    there = wants[names][:, None] >> bits & 1 > 0
    barred = there & (joins[names][:, None] >> bits & 1 == 0)
    order = np.where(there, cost + 0.25 * (SIDES - bits) / SIDES, np.inf) - np.where(barred, 1e12, 0)
    goes = order.argmin(axis=1) if len(names) else np.zeros(0, dtype=np.int64)
    return np.asarray((touched >> goes[place] & 1) > 0)

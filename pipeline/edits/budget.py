"""Budget: how many made rows every class and every row may get, rarer classes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


def rarest(strata: Sequence[Sequence[str]]) -> tuple[Ints, list[str]]:
    """The class every row is counted under, the rarest of its own: int64[rows] places in the sorted names.

    >>> rarest([["a"], ["a", "b"], ["a"]])[0].tolist()
    [0, 1, 0]
    """
    strata = [own or ["(none)"] for own in strata]
    names = sorted({name for own in strata for name in own})
    place = {name: number for number, name in enumerate(names)}
    coded = [[place[name] for name in own] for own in strata]
    counts = np.bincount([code for own in coded for code in own], minlength=len(names))
    found = [min(own, key=lambda code: (counts[code], code)) for own in coded]
    return np.array(found, dtype=np.int64), names


def quotas(rows: Ints, room: Ints, *, budget: float, balance: bool) -> Ints:
    """How many made rows each class gets: int64[classes], at most `room`.

    Without balance a class gets `budget` of its own rows. With it, the budgets of all classes are poured together like
    water: the rarest class rises first, until it is level with the next, and so on; what one class has no room for goes
    to the others.

    >>> quotas(np.array([100, 10]), np.array([100, 100]), budget=0.2, balance=True).tolist()
    [0, 22]
    """
    if not balance:
        return np.asarray(np.minimum(room, np.floor(rows * budget + 1e-9)), dtype=np.int64)
    total = min(int(np.floor(rows.sum() * budget + 1e-9)), int(room.sum()))
    low, high = 0, int((rows + room).max(initial=0))
    while low < high:  # the highest level that the total pays for
        level = (low + high + 1) // 2
        low, high = (level, high) if _poured(rows, room, level).sum() <= total else (low, level - 1)
    poured = _poured(rows, room, low)
    higher = _poured(rows, room, low + 1) - poured
    # What is left does not pay for one row more in every class at the surface: the first classes get it.
    extra = np.flatnonzero(higher)[: total - int(poured.sum())]
    poured[extra] += 1
    return poured


def _poured(rows: Ints, room: Ints, level: int) -> Ints:
    return np.asarray(np.clip(level - rows, 0, room))


def copies(classes: Ints, capacity: Ints, rank: NDArray[np.uint64], quota: Ints) -> Ints:
    """How many copies each row gets: int64[rows], at most its `capacity`; first copies for all before second ones.

    `rank` (drawn from the rows' ids) says who comes first where not all get one.
    """
    wanted = np.zeros(len(classes), dtype=np.int64)
    left = quota.copy()
    order = np.lexsort((rank, classes))
    for turn in range(1, int(capacity.max(initial=0)) + 1):
        able = order[capacity[order] >= turn]
        starts = np.searchsorted(classes[able], np.arange(len(quota)))
        taken = able[np.arange(len(able)) - starts[classes[able]] < left[classes[able]]]
        wanted[taken] += 1
        left -= np.bincount(classes[taken], minlength=len(quota))
    return wanted

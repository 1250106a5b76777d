"""Told: what the report says of a split: sides, strata, the lock, and every row that would have given another away.

Only what follows from the rows, their sides and the lock as it is now: a build that is made again says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.lock import SIDES
from pipeline.quality.splitting.pins import NONE, TRAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.lock import Lock
    from pipeline.quality.splitting.pins import Pins
    from pipeline.quality.splitting.ties import Ties

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

LISTED = 50
"""How many leaks the report lists."""
LEAKS, BRIDGES = "leaks_into_held_out", "bridges_sides"


def reasons(ids: pa.Array, sides: Ints, official: Ints, pins: Pins, ties: Ties) -> dict[int, tuple[str, str]]:
    """Why each row that has no side has none: the rule and the rows that it is tied to."""
    gone = np.flatnonzero(sides == NONE)
    known = [dict(zip(gone.tolist(), ties.witnesses(gone, sides == at), strict=True)) for at in range(len(SIDES))]
    found = {}
    for row in gone.tolist():
        seen = [(at, *known[at][row]) for at in reversed(range(len(SIDES))) if known[at][row][0] >= 0]
        held = [one for one in seen if one[0] > TRAIN]
        of_train = official[row] == TRAIN or bool(pins.left[row])
        bridges = len(seen) > 1 and not of_train
        said = "; ".join(
            f"{words} {ids[other].as_py()} ({SIDES[at]})" for at, other, words in (seen if bridges else held)
        )
        found[row] = (BRIDGES if bridges else LEAKS, said or "its source is on a side that gets no new rows")
    return found


def sides_told(sides: Ints, group: Ints, copy_sides: Ints) -> dict[str, Any]:
    """Rows, groups and copies of every side."""
    return {
        name: {
            "rows": int((sides == at).sum()),
            "groups": len(np.unique(group[sides == at])),
            "made": int((copy_sides == at).sum()),
        }
        for at, name in enumerate(SIDES)
    }


def leaks_told(ids: pa.Array, official: Ints, locked: Ints, left: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    """How many rows left, by what they were, and the first of them by id with their evidence."""
    of_official = [row for row in left if official[row] == TRAIN]
    of_lock = [row for row in left if official[row] != TRAIN and locked[row] != NONE]
    return {
        "leaks": {
            "official": len(of_official),
            "locked": len(of_lock),
            "new": len(left) - len(of_official) - len(of_lock),
        },
        "leaks_listed": list(_listed(ids, left, sorted(left))),
        "official_rows": int((official != NONE).sum()),
        "official_leaks": len(of_official),
        "official_leaks_listed": list(_listed(ids, left, sorted(of_official))),
    }


def _listed(ids: pa.Array, left: Mapping[int, tuple[str, str]], rows: list[int]) -> Iterator[dict[str, str]]:
    for row in rows[:LISTED]:
        yield {"id": ids[row].as_py(), "reason": left[row][0], "evidence": left[row][1]}


def lock_told(lock: Lock, sides: Ints, locked: Ints) -> dict[str, Any]:
    """What the lock holds and what its last change was; of its rows `in_build` are here, others away or left out."""
    return {
        "edition": lock.edition,
        "rows": len(lock.ids),
        "in_build": int((sides != NONE).sum()),
        "left_out": int(((sides == NONE) & (locked != NONE)).sum()),
        "last_change": {
            "dealt": lock.change.dealt,
            "moved": lock.change.moved,
            "overruled": lock.change.overruled,
            "frozen": list(lock.change.frozen),
        },
    }

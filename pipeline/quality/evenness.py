"""Evenness: how near the shares of every stratum came to the wanted ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]


def evenness(strata: Sequence[Sequence[str]], sides: Ints, wanted: Floats, names: Sequence[str]) -> dict[str, Any]:
    """Of every stratum: rows per side, shares, wanted shares, and the largest difference in points (hundredths).

    Args:
        strata: what each row counts towards; "all" is added.
        sides: int64[rows], place in `names`, -1 for rows that are gone.
        wanted: float64[rows, sides], the shares that each row was dealt with.
        names: of the sides.
    """
    members: dict[str, list[int]] = {"all": list(range(len(sides)))}
    for row, own in enumerate(strata):
        for name in own:
            members.setdefault(name, []).append(row)
    return {name: _even(sides, wanted, np.array(own, dtype=np.int64), names) for name, own in sorted(members.items())}


def _even(sides: Ints, wanted: Floats, own: Ints, names: Sequence[str]) -> dict[str, Any]:
    kept = own[sides[own] >= 0]
    counts = np.bincount(sides[kept], minlength=len(names))
    shares = counts / max(len(kept), 1)
    goal = wanted[kept].mean(axis=0) if len(kept) else np.zeros(len(names))
    return {
        "rows": len(kept),
        "per_side": dict(zip(names, counts.tolist(), strict=True)),
        "shares": dict(zip(names, np.round(shares, 4).tolist(), strict=True)),
        "wanted": dict(zip(names, np.round(goal, 4).tolist(), strict=True)),
        "deviation_points": round(100 * float(np.abs(shares - goal).max()), 3),
    }

"""Evenness: how near the shares of every stratum came to their goals, beside how near they could have come at best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.splitting.dealing import JUDGED_ROWS
from pipeline.quality.splitting.possible import least

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.splitting.strata import Strata

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Dealt:
    """How rows were dealt.

    Attributes:
        sides: int64[rows], -1 for rows that are gone.
        group: int64[rows], the same for rows that could not be parted.
        allowed: int64[rows], bit mask of the sides open to each row.
        wanted: float64[rows, sides], the share of each side that the row was dealt with; 1 for a side it had to have.
        names: of the sides.
    """

    sides: Ints
    group: Ints
    allowed: Ints
    wanted: Floats
    names: Sequence[str]


def evenness(strata: Strata, dealt: Dealt, *, bounded: bool = True) -> dict[str, Any]:
    """Of every stratum: rows per side, shares, wanted shares, the largest difference in points (hundredths), and the
    least that it could have been (`best_points`: see `possible`; None where not `bounded`)."""
    counts = strata.counts(dealt.sides, len(dealt.names))
    goal = _goals(strata, dealt)
    best = _best(strata, dealt, counts, goal) if bounded else [None] * len(counts)
    return {
        name: _told(counts[at], goal[at], best[at], dealt.names)
        for at, name in sorted(enumerate(strata.names), key=lambda one: one[1])
    }


def summary(strata: dict[str, Any]) -> dict[str, Any]:
    """The worst strata that have rows enough to be judged: by deviation, and by what is over the best possible."""
    judged = {name: one for name, one in strata.items() if one["rows"] >= JUDGED_ROWS}
    over = {name: one["excess_points"] for name, one in judged.items() if one["excess_points"] is not None}
    return {
        "max_deviation_points": max((one["deviation_points"] for one in judged.values()), default=0.0),
        "worst_stratum": max(judged, key=lambda name: (judged[name]["deviation_points"], name), default=None),
        "max_excess_points": max(over.values(), default=None),
        "most_excessive_stratum": max(over, key=lambda name: (over[name], name), default=None),
        "judged_rows": JUDGED_ROWS,
        "judged_strata": len(judged),
    }


def _goals(strata: Strata, dealt: Dealt) -> Floats:
    """Rows that each side of each stratum is to have: float64[strata, sides]."""
    kept = dealt.sides >= 0
    there = kept[strata.row]
    code, rows = strata.code[there], strata.row[there]
    found = np.stack(
        [
            np.bincount(code, weights=dealt.wanted[rows, at], minlength=len(strata.names))
            for at in range(len(dealt.names))
        ],
        axis=1,
    )
    found[0] = dealt.wanted[kept].sum(axis=0)
    return np.asarray(found, dtype=np.float64)


def _best(strata: Strata, dealt: Dealt, counts: Ints, goal: Floats) -> list[float]:
    """The least that the largest deviation of each stratum could have been, in points."""
    free = (dealt.sides >= 0) & (dealt.wanted.max(axis=1) < 1)
    fixed = strata.counts(np.where(free, -1, dealt.sides), len(dealt.names))
    rows = np.concatenate([np.flatnonzero(free), strata.row[free[strata.row]]])
    code = np.concatenate([np.zeros(int(free.sum()), dtype=np.int64), strata.code[free[strata.row]]])
    groups = int(dealt.group.max(initial=0)) + 1
    linked, sizes = np.unique(code * groups + dealt.group[rows], return_counts=True)
    stratum, group = np.divmod(linked, groups)
    allowed = np.zeros(groups, dtype=np.int64)
    allowed[dealt.group[free]] = dealt.allowed[free]
    starts = np.searchsorted(stratum, np.arange(len(counts) + 1))
    found = []
    for at, (start, end) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
        off = least(sizes[start:end], allowed[group[start:end]], goal[at] - fixed[at])
        found.append(100 * off / max(int(counts[at].sum()), 1))
    return found


def _told(counts: Ints, goal: Floats, best: float | None, names: Sequence[str]) -> dict[str, Any]:
    rows = int(counts.sum())
    shares, wanted = counts / max(rows, 1), goal / max(rows, 1)
    deviation = round(100 * float(np.abs(shares - wanted).max()), 3)
    least_points = None if best is None else round(min(best, deviation), 3)
    return {
        "rows": rows,
        "per_side": dict(zip(names, counts.tolist(), strict=True)),
        "shares": dict(zip(names, np.round(shares, 4).tolist(), strict=True)),
        "wanted": dict(zip(names, np.round(wanted, 4).tolist(), strict=True)),
        "deviation_points": deviation,
        "best_points": least_points,
        "excess_points": None if least_points is None else round(deviation - least_points, 3),
    }

"""Strata: one rate for all rows where some kinds of rows were checked more than others.

Whoever looks for errors checks suspects more often than the rest, and a plain share of what he found would be far too
high. Here every stratum is estimated from its own checks, drawn at random within it, and weighs as much as it has rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.acceptance import Interval
from pipeline.quality.anytime import log_bet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

POINTS = 8192
"""Numbers of wrong rows are looked at in so many blocks, each taken for the best in it: wider, never too narrow."""
_NEVER = 1e6


@dataclass(frozen=True, slots=True)
class Stratum:
    """Rows of one kind: how many there are, how many were checked, how many of those were wrong."""

    rows: int
    checked: int
    wrong: int

    def __post_init__(self) -> None:
        if not 0 <= self.wrong <= self.checked <= self.rows:
            raise AssayError("stratum", f"{self.wrong} wrong of {self.checked} checked of {self.rows}", "count again")

    @property
    def mirrored(self) -> Stratum:
        """The same with fine rows in the place of wrong ones."""
        return Stratum(self.rows, self.checked, self.checked - self.wrong)


def share(strata: Sequence[Stratum]) -> float:
    """The estimated share wrong of all rows, 0..1; nan where a stratum has rows and no check.

    Every checked row stands for as many as it was drawn from (Horvitz and Thompson 1952,
    doi:10.1080/01621459.1952.10483446); with strata made after the draw it is the post-stratified estimate.

    >>> share([Stratum(900, 90, 0), Stratum(100, 50, 10)])
    0.02
    """
    there = [one for one in strata if one.rows]
    if not there or any(not one.checked for one in there):
        return math.nan
    return math.fsum(one.rows * one.wrong / one.checked for one in there) / sum(one.rows for one in there)


def upper(strata: Sequence[Stratum], *, confidence: float = 0.95) -> float:
    """The largest share wrong of all rows that is left possible, at all looks at once with this confidence.

    The bets against every stratum are multiplied; what is left possible are all ways to spread wrong rows over strata
    that this product has not thrown out, and the bound is the one with most of them. It holds whichever stratum the
    next check is taken from, as long as that is not chosen by what the check will show.
    Method: Stark and co-workers' union-intersection tests (Spertus and Stark 2022, "Sweeter than SUITE: supermartingale
    stratified union-intersection tests of elections"), the worst spread found exactly by merging concave hulls.
    """
    there = [one for one in strata if one.rows]
    total = sum(one.rows for one in there)
    if not total:
        return 1.0
    hulls = [_hull(*_blocks(one)) for one in there]
    bad = sum(float(edges[0]) for edges, _ in hulls)
    left = sum(float(values[0]) for _, values in hulls) - math.log(1 - confidence)
    widths, falls = (np.concatenate([np.diff(hull[at]) for hull in hulls]) for at in (0, 1))
    order = np.argsort(-falls / np.maximum(widths, 1e-300), kind="stable")
    reached = left + np.concatenate([[0.0], np.cumsum(falls[order])])
    at = int(np.flatnonzero(reached > 0)[-1]) if (reached > 0).any() else -1
    if at < 0:  # cannot be: the bets would all have been lost; say nothing rather than too little
        return 1.0
    bad += float(widths[order][:at].sum())
    if at < len(order):
        bad += float(widths[order][at] * reached[at] / -falls[order][at])
    return min(1.0, math.floor(bad + 1e-9) / total)


def lower(strata: Sequence[Stratum], *, confidence: float = 0.95) -> float:
    """The smallest share wrong of all rows that is left possible: `upper`, of the rows that are fine."""
    return 1 - upper([one.mirrored for one in strata], confidence=confidence)


def interval(strata: Sequence[Stratum], *, confidence: float = 0.95) -> Interval:
    """The two-sided interval: each side fails with half of 1 - confidence."""
    each = (1 + confidence) / 2
    return Interval(lower(strata, confidence=each), upper(strata, confidence=each))


def allocate(sizes: Sequence[int], checks: int, *, spread: Sequence[float] | None = None, least: int = 1) -> list[int]:
    """How many checks each stratum gets: in proportion to its rows, or to its rows times its `spread` (Neyman).

    `spread` is the standard deviation within each stratum, sqrt(p (1 - p)) of a share p: Neyman 1934,
    doi:10.2307/2342192. No stratum gets less than `least`, or more than it has rows.

    >>> allocate([900, 100], 100), allocate([900, 100], 100, spread=[0.1, 0.5]), allocate([990, 10], 50, least=20)
    ([90, 10], [64, 36], [40, 10])
    """
    rows = np.asarray(sizes, dtype=np.int64)
    weight = np.asarray(rows * (1.0 if spread is None else np.asarray(spread)), dtype=np.float64)
    given = np.minimum(rows, least)
    room = min(checks, int(rows.sum())) - int(given.sum())
    if room <= 0 or not weight.sum():
        return [int(number) for number in given]
    ideal = _shared(weight, rows.astype(np.float64), given.astype(np.float64), float(room + given.sum()))
    whole = np.maximum(given, np.floor(ideal + 1e-9).astype(np.int64))
    behind = sorted(range(len(rows)), key=lambda at: (-(ideal[at] - whole[at]), at))
    short = room + int(given.sum()) - int(whole.sum())
    for at in [at for at in behind if whole[at] < rows[at]][: max(short, 0)]:
        whole[at] += 1
    return [int(number) for number in whole]


def _shared(weight: Floats, most: Floats, least: Floats, total: float) -> Floats:
    """`total` shared by weight, none below its least or above its most: the level is found by halving."""
    low, high = 0.0, float((most / np.maximum(weight, 1e-300)).max())
    for _ in range(200):
        level = (low + high) / 2
        if np.clip(level * weight, least, most).sum() < total:
            low = level
        else:
            high = level
    return np.asarray(np.clip(high * weight, least, most))


def _blocks(one: Stratum) -> tuple[Floats, Floats]:
    """Numbers of wrong rows, ascending, and how little the bet against them has grown (minus its logarithm)."""
    most = one.rows - (one.checked - one.wrong)
    bad = np.arange(one.wrong, most + 1, dtype=np.float64)
    kept = np.clip(-log_bet(one.wrong, one.checked, one.rows, bad), -_NEVER, _NEVER)
    size = -(-len(bad) // POINTS)
    if size == 1:
        return bad, kept
    starts = np.arange(0, len(bad), size)
    ends = np.minimum(starts + size, len(bad)) - 1
    best = np.maximum.reduceat(kept, starts)
    return np.concatenate([bad[:1], bad[ends]]), np.concatenate([best[:1], best])


def _hull(bad: Floats, kept: Floats) -> tuple[Floats, Floats]:
    """The corners of the least concave function above the points.

    What lies below the line between its neighbours is no corner; taking all of these away at once, again and again,
    leaves the corners.
    """
    while len(bad) > 2:
        rise = (kept[2:] - kept[:-2]) * (bad[1:-1] - bad[:-2])
        is_corner = (kept[1:-1] - kept[:-2]) * (bad[2:] - bad[:-2]) > rise
        if is_corner.all():
            break
        whole = np.concatenate([[True], is_corner, [True]])
        bad, kept = bad[whole], kept[whole]
    return bad, kept

"""By time: the newest rows are tested on, those before them validate, and what is older is learned from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.splitting.chancy import shares_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

TRAIN, TEST = 0, 2


@dataclass(frozen=True)
class ByTime:
    """Deals components of rows by their dates (a `placing.Dealer`).

    A component is as new as its newest row. It goes whole to the later side where a border falls into it, and so do
    all that are as new as the last one that went there. Components without a date that can be read are learned from.

    Attributes:
        seconds: float64[rows], the date of each row, nan where there is none.
        open, counted, shares: as in `chancy.ByChance`.
    """

    seconds: Floats
    open: Ints
    counted: Flags
    shares: Floats

    def __call__(self, rows: Ints, component: Ints, mask: Ints, side: Ints) -> Ints:
        """The side of each of `rows`: int64[len(rows)]."""
        found = np.full(len(rows), TRAIN, dtype=np.int64)
        for one in np.unique(mask).tolist():
            here = np.flatnonzero(mask == one)
            there = self.counted & (self.open == one) & (one >> np.maximum(side, 0) & 1 > 0)
            has = np.bincount(side[there & (side >= 0)], minlength=len(self.shares))
            found[here] = self._dealt(rows[here], component[here], shares_of(one, self.shares), has)
        return found

    def _dealt(self, rows: Ints, component: Ints, shares: Floats, has: Ints) -> Ints:
        _, place, sizes = np.unique(component, return_inverse=True, return_counts=True)
        newest = np.full(len(sizes), -np.inf)
        np.maximum.at(newest, place.reshape(-1), np.nan_to_num(self.seconds[rows], nan=-np.inf))
        order = np.argsort(-newest, kind="stable")
        order = order[np.isfinite(newest[order])]
        upto = np.concatenate([[0], np.cumsum(sizes[order])])
        found = np.full(len(sizes), TRAIN, dtype=np.int64)
        begin = 0
        for side in range(TEST, TRAIN, -1):
            lacks = shares[side] * (int(has.sum()) + len(rows)) - has[side]
            end = begin + int(np.searchsorted(upto[begin:] - upto[begin], lacks - 1e-9)) if lacks > 0 else begin
            end = min(end, len(order))
            # What is as new as the last one in goes with it.
            while begin < end < len(order) and newest[order[end]] == newest[order[end - 1]]:
                end += 1
            found[order[begin:end]] = side
            begin = end
        return found[place.reshape(-1)]


def told(seconds: Floats, sides: Ints, names: tuple[str, ...]) -> dict[str, Any]:
    """For the report: rows without a date, the dates of each side, training rows newer than one that is held out."""
    dated = np.isfinite(seconds) & (sides >= 0)
    held = seconds[dated & (sides > TRAIN)]
    first = held.min() if len(held) else np.inf
    return {
        "undated_rows": int((~np.isfinite(seconds) & (sides >= 0)).sum()),
        "newer_in_train": int((dated & (sides == TRAIN) & (np.nan_to_num(seconds, nan=-np.inf) > first)).sum()),
        "dates": {name: _span(seconds[dated & (sides == at)]) for at, name in enumerate(names)},
    }


def _span(seconds: Floats) -> dict[str, str | None]:
    return {
        "first": _written(seconds.min()) if len(seconds) else None,
        "last": _written(seconds.max()) if len(seconds) else None,
    }


def _written(seconds: float) -> str:
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(seconds))).isoformat()
    except OverflowError:
        return f"{seconds:.0f}"

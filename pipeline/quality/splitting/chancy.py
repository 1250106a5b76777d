"""By chance: components of rows are dealt so that every stratum comes near its shares, what is there counted in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.chance import draws
from pipeline.quality.splitting.dealing import deal

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.quality.splitting.strata import Strata

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def shares_of(mask: int, shares: Floats) -> Floats:
    """The shares where only the sides of a bit mask are open: float64[sides], sum 1; train where none has any."""
    found = np.where(mask >> np.arange(len(shares)) & 1 > 0, shares, 0.0)
    return np.asarray(found / found.sum() if found.sum() else np.eye(len(shares))[0])


@dataclass(frozen=True)
class ByChance:
    """Deals components of rows to the sides that are open to them (a `placing.Dealer`).

    Attributes:
        ids: string[rows].
        strata: of the rows.
        open: int64[rows], bit mask of the sides that each row by itself could have been dealt to.
        counted: bool[rows], rows that count towards the shares of their side, once they have one: not those that an
            official split put there.
        shares: float64[sides], sum 1.
        seed: of the draw.
    """

    ids: pa.Array
    strata: Strata
    open: Ints
    counted: Flags
    shares: Floats
    seed: int

    def __call__(self, rows: Ints, component: Ints, mask: Ints, side: Ints) -> Ints:
        """The side of each of `rows`: int64[len(rows)]."""
        found = np.zeros(len(rows), dtype=np.int64)
        for one in np.unique(mask).tolist():
            here = np.flatnonzero(mask == one)
            found[here] = self._dealt(rows[here], component[here], one, side)
        return found

    def _dealt(self, rows: Ints, component: Ints, mask: int, side: Ints) -> Ints:
        names, place = np.unique(component, return_inverse=True)
        place = place.reshape(-1)
        rank = draws(self.seed, "split", names=self.ids.take(np.asarray(names)).to_pylist())
        there = self.counted & (self.open == mask) & (mask >> np.maximum(side, 0) & 1 > 0)
        has = self.strata.counts(np.where(there, side, -1), len(self.shares))
        kinds = self.strata.profiles(rows, place, len(side))
        return deal(kinds, rank, shares_of(mask, self.shares), has.astype(np.float64))[place]

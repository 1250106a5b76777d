"""Resampling: what a statistic of sums over rows would have been, had other rows been drawn.

Every measure of agreement here is a function of sums over rows. Rows whose parts of the sums are the same are one
profile, and drawing rows anew is drawing how often each profile comes up: with few labels and annotators there are a
few hundred profiles, however many rows. Profiles stand in the order of a hash of their content, so that an interval
does not depend on the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.agreement.counting import distinct, numbered
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

MOST_PROFILES = 20_000
"""Rows that make more profiles than this are lumped together at random, so many lumps, which are drawn instead of rows.

The width of an interval is the same up to 1 / sqrt(2 x 20,000) = 0.5 %: that it comes from 200 draws moves it ten times
as much.
"""
_BLOCK = 20
# A draw of one binomial per profile costs about as much as drawing this many rows one by one.
_ROWS_A_PROFILE = 8


@dataclass(frozen=True)
class Draws:
    """How rows are drawn anew: by which seed, how often, and how much of the draws an interval holds."""

    seed: int = 0
    resamples: int = 200
    level: float = 0.95

    def chance(self, what: str) -> np.random.Generator:
        """Chance for one purpose, from the seed alone."""
        key = blake2b(f"agreement {what} {self.seed}".encode(), digest_size=16).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(key, "big")))

    def edges(self, drawn: Floats) -> tuple[Floats, Floats]:
        """Lower and upper end of the percentile interval of float64[..., resamples]; nan where nothing is finite."""
        ordered = np.sort(np.where(np.isfinite(drawn), drawn, np.nan), axis=-1)  # nan stands last
        finite = np.isfinite(ordered).sum(axis=-1)
        low, high = (_quantile(ordered, finite, share) for share in ((1 - self.level) / 2, (1 + self.level) / 2))
        return low, high


def _quantile(ordered: Floats, finite: Ints, share: float) -> Floats:
    """The quantile of the first `finite` of each line, straight between neighbours; nan where there are none."""
    place = share * np.maximum(finite - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(finite - 1, 0))
    one, other = (np.take_along_axis(ordered, at[..., None], axis=-1)[..., 0] for at in (below, above))
    return np.asarray(one + (place - below) * (other - one))


@dataclass(frozen=True)
class Profiles:
    """Rows that say the same, once.

    Attributes:
        sums: sparse float64[profiles, sums], what each row of the profile adds to the sums.
        count: int64[profiles], how many rows there are of it.
    """

    sums: Any
    count: Ints

    @staticmethod
    def of(sums: Any) -> Profiles:
        """From sparse float64[rows, sums]."""
        sums = sums.tocsr()
        sums.sum_duplicates()
        sums.eliminate_zeros()
        # By 24 bits of 53: the last ones depend on the order in which a row was added up.
        bits = np.ascontiguousarray(sums.data, dtype=np.float32).view(np.uint32).astype(np.uint64)
        parts = mixed(bits ^ mixed(sums.indices.astype(np.uint64) + np.uint64(1)))
        upto = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(parts, dtype=np.uint64)])
        hashes = mixed(upto[sums.indptr[1:]] - upto[sums.indptr[:-1]])
        different, profile = distinct(hashes.view(np.int64))
        if len(different) > MOST_PROFILES:
            return _lumped(sums, hashes)
        first = np.empty(len(different), dtype=np.int64)
        first[profile[::-1]] = np.arange(len(profile))[::-1]
        return Profiles(sums[first], np.bincount(profile, minlength=len(different)))

    @property
    def rows(self) -> int:
        """Number of rows, or of lumps of rows."""
        return int(self.count.sum())

    def total(self) -> Floats:
        """The sums over all rows: float64[sums]."""
        return np.asarray(self.sums.T @ self.count.astype(np.float64)).reshape(-1)

    def drawn(self, draws: Draws) -> Floats:
        """The sums over as many rows drawn with replacement: float64[sums, resamples]; nan where none can be drawn."""
        if self.rows < 2 or draws.resamples < 1:
            return np.full((self.sums.shape[1], 1), np.nan)
        by_sum = self.sums.T.tocsr()
        return np.concatenate([by_sum @ times for times in self._times(draws)], axis=1)

    def _times(self, draws: Draws) -> Iterator[Floats]:
        """How often each profile comes up, in blocks: float64[profiles, up to _BLOCK]."""
        chance, rows, profiles = draws.chance("rows"), self.rows, len(self.count)
        of_row = np.repeat(np.arange(profiles, dtype=np.int32), self.count)
        for start in range(0, draws.resamples, _BLOCK):
            size = min(_BLOCK, draws.resamples - start)
            if profiles * _ROWS_A_PROFILE <= rows:
                yield chance.multinomial(rows, self.count / rows, size=size).T.astype(np.float64)
                continue
            picked = (of_row[chance.integers(rows, size=rows, dtype=np.int32)] for _ in range(size))
            times = [np.bincount(each, minlength=profiles) for each in picked]
            yield np.stack(times, axis=1).astype(np.float64)


def _lumped(sums: Any, hashes: Hashes) -> Profiles:
    """Lumps of rows as profiles of their own, from the sums of all rows and a hash of each."""
    from scipy import sparse

    # Rows that are alike must not be dealt out evenly: each goes where a hash of its own takes it.
    order = np.argsort(hashes)
    new = np.diff(hashes[order], prepend=~hashes[order][:1]) != 0
    since = np.arange(len(order)) - np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    own = mixed(hashes[order] ^ mixed((since + 1).astype(np.uint64)))
    lump = (own % np.uint64(MOST_PROFILES)).astype(np.int64)
    to_lump = sparse.csr_matrix((np.ones(len(lump)), (lump, order)), shape=(MOST_PROFILES, len(lump)))
    return Profiles((to_lump @ sums).tocsr(), np.ones(MOST_PROFILES, dtype=np.int64))


def linear(value: Floats, row: Ints, group: Ints, influence: Floats, draws: Draws) -> tuple[Floats, Floats]:
    """Intervals of statistics that are too dear to compute anew for every draw: float64[groups] each.

    `influence` says of each record (row, group) by how much the statistic of the group grows if the record counts once
    more; a draw changes it by the sum over the rows drawn. To first order in 1 / rows this is the same as computing it
    anew (the infinitesimal jackknife; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 22).
    """
    from scipy import sparse

    if not len(row):
        return np.full(len(value), np.nan), np.full(len(value), np.nan)
    place, rows = numbered(row)
    sums = sparse.csr_matrix((influence, (place, group)), shape=(rows, len(value)))
    # What cancels out in a row is 0 whatever the order in which it was added up.
    grain = 2.0 ** (np.ceil(np.log2(max(np.abs(sums.data).max(), 1e-300))) - 24)
    sums.data = np.rint(sums.data / grain) * grain
    profiles = Profiles.of(sums)
    change = profiles.drawn(draws) - profiles.total()[:, None]
    low, high = draws.edges(value[:, None] + change)
    several = rows_by_group(row, group, len(value)) > 1
    return np.where(several, low, np.nan), np.where(several, high, np.nan)


def rows_by_group(row: Ints, group: Ints, groups: int) -> Ints:
    """How many different rows each group has: int64[groups], from one row and group for each record."""
    rows = int(row.max(initial=0)) + 1
    cells = np.sort(group * rows + row)
    new = np.ones(len(cells), dtype=bool)
    new[1:] = cells[1:] != cells[:-1]
    return np.bincount(cells[new] // rows, minlength=groups)

"""Counting: how often each label was given to each unit, and sums of that over rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Counted:
    """Units with enough ballots.

    Attributes:
        counts: sparse float64[units, labels], how often each label was given.
        size: float64[units], ballots on each.
        row: int64[units], the row of each.
        part: int64[units], the part (batch, guideline, name) that each belongs to; 0 where there are no parts.
    """

    counts: Any
    size: Floats
    row: Ints
    part: Ints

    @cached_property
    def rows(self) -> int:
        """Number of rows with a unit."""
        ordered = np.sort(self.row)
        return int((ordered[1:] != ordered[:-1]).sum()) + bool(len(ordered))

    def by_row(self, columns: Any) -> Any:
        """Sparse float64[units, n] summed over the units of each row: sparse float64[rows, n]."""
        from scipy import sparse

        place, rows = numbered(self.row)
        units = len(self.row)
        if rows == units and (np.diff(place) > 0).all():
            return columns
        return sparse.csr_matrix((np.ones(units), (place, np.arange(units))), shape=(rows, units)) @ columns

    def parts(self, parts: int) -> Iterator[Counted]:
        """The units of each of the parts 0..parts-1."""
        order = np.argsort(self.part, kind="stable")
        edges = np.searchsorted(self.part[order], np.arange(parts + 1))
        for begin, end in pairwise(edges.tolist()):
            here = np.sort(order[begin:end])
            yield Counted(self.counts[here], self.size[here], self.row[here], self.part[here])


def counted(ballots: Ballots, *, part: Ints | None = None, least: int = 2) -> Counted:
    """The units with at least `least` ballots; with `part` (int64[ballots], -1: none) ballots meet only inside one."""
    kept, unit = _units(ballots, part)
    cast = np.bincount(unit)
    enough = cast >= least
    place = np.cumsum(enough) - 1
    chosen = enough[unit]
    kept, unit = kept[chosen], place[unit[chosen]]
    units = int(enough.sum())
    row, of_part = np.zeros(units, dtype=np.int64), np.zeros(units, dtype=np.int64)
    row[unit] = ballots.row[kept]
    if part is not None:
        of_part[unit] = part[kept]
    counts = _counts(unit, ballots.label[kept], (units, len(ballots.labels)))
    return Counted(counts, cast[enough].astype(np.float64), row, of_part)


def _counts(unit: Ints, label: Ints, shape: tuple[int, int]) -> Any:
    from scipy import sparse

    counts = sparse.csr_matrix((np.ones(len(unit)), (unit, label)), shape=shape)
    counts.sum_duplicates()
    return counts


def _units(ballots: Ballots, part: Ints | None) -> tuple[Ints, Ints]:
    """The ballots that count, and the number of the unit, or of the unit inside its part, that each is on."""
    if part is None:
        return np.arange(len(ballots)), ballots.unit
    kept = np.flatnonzero(part >= 0)
    parts = int(part.max(initial=0)) + 1
    return kept, distinct(ballots.unit[kept] * parts + part[kept])[1]


def part_of(origin: Ints, codes: Ints) -> Ints:
    """The part of each ballot or answer, by the number of its annotation: int64[n], -1 where it has none.

    `codes`: int64[annotations], the part of each annotation, -1 for none.
    """
    known = (origin >= 0) & (origin < len(codes))
    part = np.full(len(origin), -1, dtype=np.int64)
    part[known] = codes[origin[known]]
    return part


def pairs_within(group: Ints, *, most: int | None = None) -> tuple[Ints, Ints]:
    """All pairs (i, j), i < j, of places with the same group; `group` is sorted.

    Where there are more than about `most`, only places that stand near one another are paired, each with as many others
    as fit; at least with the next one.
    """
    first = np.arange(len(group) - 1) if len(group) else np.zeros(0, dtype=np.int64)
    parts: list[tuple[Ints, Ints]] = []
    step, found = 1, 0
    while len(first):
        first = first[first + step < len(group)]
        first = first[group[first + step] == group[first]]
        if most is not None and parts and found + len(first) > most:
            break
        parts.append((first, first + step))
        found += len(first)
        step += 1
    ones, others = zip(*parts, strict=True) if parts else ((np.zeros(0, dtype=np.int64),),) * 2
    return np.concatenate(ones), np.concatenate(others)


def distinct(values: Ints) -> tuple[Ints, Ints]:
    """The distinct values in order, and which of them each value is; by a hash table, with many repeats faster than
    by sorting."""
    encoded: Any = pa.array(values).dictionary_encode()
    found = encoded.dictionary.to_numpy()
    order = np.argsort(found)
    rank = np.empty(len(found), dtype=np.int64)
    rank[order] = np.arange(len(found))
    return found[order], rank[encoded.indices.to_numpy()]


def numbered(values: Ints) -> tuple[Ints, int]:
    """The values 0 and up (rows) numbered from 0 in their order, and how many different ones there are."""
    there = np.bincount(values) > 0
    return (np.cumsum(there) - 1)[values], int(there.sum())


def summed(group: Ints, weight: ArrayLike, groups: int) -> Floats:
    """The sum of the weights of each group 0..groups-1."""
    return np.bincount(group, np.asarray(weight, dtype=np.float64), minlength=groups).astype(np.float64)

"""Neighbours: the rows that read most like a row, and what they were answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.suspects.bags import in_order
from pipeline.quality.suspects.cells import ROWS_AT_ONCE, SCALE, Cells, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.suspects.cells import Meeting

    Floats32 = NDArray[np.float32]
    Ints = NDArray[np.int64]
    Keys = NDArray[np.uint64]

_MEMBERS_AT_ONCE = 2_048
# As a whole number of 1e-5 likeness fits into 18 bits.
_MIDDLE, _LIKENESS_BITS = 2**17, 18
_SLACK = np.float32(1.5 / SCALE)
# The edge is sought among the best of so many rows each: what it lets through too much costs less than a partition.
_STRIDE = 4


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each row asked for, nearest first.

    Attributes:
        row: int64[queries, count], -1 where there are no more.
        likeness: float32[queries, count], cosine, -1..1; 0 where there is none.
    """

    row: Ints
    likeness: Floats32


def nearest(
    vectors: Floats32, queries: Ints, *, apart: Ints, alike: Ints, count: int = 10, seed: int = 0
) -> Neighbours:
    """The rows whose vectors are most like those of the rows `queries`, none of the own group and no text twice.

    `vectors`: float32[n, d], rows of length 1, n times as many queries as there are below 2^45; `apart`: int64[n], the
    group of each row: rows of one group are no neighbours; `alike`: int64[n], equal for equal texts with equal answers:
    only the first of them counts.
    Exact up to 30,000 rows; beyond, the rows of the ten nearest of n/250 cells are looked through (of n/1,000 cells
    where that is more than 1,000). Ties go to the row that comes first, likeness being rounded to 1e-5, so that the
    last bits of a sum decide nothing.
    """
    from threadpoolctl import threadpool_limits

    wide = min(2 * count + 8, len(vectors))
    if not len(queries) or not wide:
        nothing = np.full((len(queries), min(count, wide)), -1, dtype=np.int64)
        return Neighbours(nothing, np.zeros(nothing.shape, dtype=np.float32))
    search = _Search(vectors, queries, apart, wide)
    # More threads of the linear algebra would add in another order.
    with threadpool_limits(limits=1):
        cells = Cells.of(vectors, queries, seed)
        # The own cell, being the nearest, tells how alike a row must be to matter; in others few are.
        found = list(in_order(search.first, cells.own()))
        found += in_order(search.further, cells.others())
    return _once(*search.best(found), alike, count)


class _Search:
    """Who of the rows of a cell might be among the best of a query."""

    def __init__(self, vectors: Floats32, queries: Ints, apart: Ints, wide: int) -> None:
        self._vectors, self._queries, self._apart, self._wide = vectors, queries, apart, wide
        # A rounded likeness that at least `wide` rows reach, for each query; -inf where that many were not seen yet.
        self._edge = np.full(len(queries), -np.inf, dtype=np.float32)
        self._row_bits = len(vectors).bit_length()

    def first(self, meeting: Meeting) -> Keys:
        """What `further` gives, for the first cell of every query: it tells the edge."""
        return self._hits(meeting, fresh=True)

    def further(self, meeting: Meeting) -> Keys:
        """A key for each row that reaches the edge of a query: uint64, of the query's place, likeness and row."""
        return self._hits(meeting, fresh=False)

    def best(self, found: list[Keys]) -> tuple[Ints, Floats32]:
        """The `wide` most alike rows of every query, -1 where there are fewer, and their likeness, 0 there."""
        keys = np.concatenate([np.zeros(0, dtype=np.uint64), *found])
        found.clear()
        keys.sort()
        count, bits = len(self._queries), self._row_bits + _LIKENESS_BITS
        begin = np.searchsorted(keys, np.arange(count + 1, dtype=np.uint64) << np.uint64(bits))
        place = begin[:-1, None] + np.arange(self._wide)
        there = place < begin[1:, None]
        key = keys[np.minimum(place, len(keys) - 1)].astype(np.int64) if len(keys) else np.zeros(place.shape, np.int64)
        likeness = _MIDDLE - (key >> self._row_bits & (2**_LIKENESS_BITS - 1))
        row = np.where(there, key & (2**self._row_bits - 1), -1)
        return row, np.where(there, likeness, 0).astype(np.float32) / np.float32(SCALE)

    def _hits(self, meeting: Meeting, *, fresh: bool) -> Keys:
        some, members = meeting
        found = []
        for begin in range(0, len(members), _MEMBERS_AT_ONCE):
            inside = members[begin : begin + _MEMBERS_AT_ONCE]
            turned, groups = np.ascontiguousarray(self._vectors[inside].T), self._apart[inside]
            for first in range(0, len(some), ROWS_AT_ONCE):
                own = some[first : first + ROWS_AT_ONCE]
                query, member, likeness = self._block(own, turned, groups, fresh)
                below = np.clip(_MIDDLE - whole(likeness), 0, 2**_LIKENESS_BITS - 1)
                key = (own[query] << _LIKENESS_BITS | below) << self._row_bits | inside[member]
                found.append(key.astype(np.uint64))
        return np.concatenate(found)

    def _block(self, own: Ints, turned: Floats32, groups: Ints, fresh: bool) -> tuple[Ints, Ints, Floats32]:
        """The rows that reach the edge of their query: places in both, and likeness, not rounded."""
        likeness = self._vectors[self._queries[own]] @ turned
        kin = self._apart[self._queries[own]]
        if fresh:
            self._raise(own, likeness, kin, groups)
        query, member = _marked(likeness >= (self._edge[own] - _SLACK)[:, None])
        if len(query) > 4 * self._wide * len(own):
            self._raise(own, likeness, kin, groups)
            query, member = _top(np.round(likeness, 5), self._edge[own], self._wide)
        other = kin[query] != groups[member]
        query, member = query[other], member[other]
        return query, member, likeness.ravel()[query * likeness.shape[1] + member]

    def _raise(self, own: Ints, likeness: Floats32, kin: Ints, groups: Ints) -> None:
        """Raise the edge of these queries to what `wide` of these rows reach; rows of the own group are set to -inf."""
        _without_kin(likeness, kin, groups)
        steps = likeness.shape[1] // _STRIDE
        best = likeness
        if steps > self._wide:
            best = likeness[:, : steps * _STRIDE].reshape(len(own), _STRIDE, steps).max(axis=1)
        if best.shape[1] >= self._wide:
            place = best.shape[1] - self._wide
            edge = np.round(np.partition(best, place, axis=1)[:, place], 5)
            self._edge[own] = np.maximum(self._edge[own], edge)


def _without_kin(likeness: Floats32, kin: Ints, groups: Ints) -> None:
    order = np.argsort(groups, kind="stable")
    low, high = (np.searchsorted(groups[order], kin, side=side) for side in ("left", "right"))
    size = high - low
    query = np.repeat(np.arange(len(kin)), size)
    place = np.arange(len(query)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(low, size)
    likeness[query, order[place]] = -np.inf


def _marked(flags: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Where few flags are set: rows and columns, looked for by eights."""
    columns = flags.shape[1]
    flat = flags.ravel()
    eights = np.flatnonzero(flat[: len(flat) // 8 * 8].view(np.uint64))
    at, bit = np.nonzero(flat[: len(flat) // 8 * 8].reshape(-1, 8)[eights])
    rest = len(flat) // 8 * 8 + np.flatnonzero(flat[len(flat) // 8 * 8 :])
    place = np.concatenate([eights[at] * 8 + bit, rest])
    row = place // columns
    return row, place - row * columns


def _top(found: Floats32, edge: Floats32, count: int) -> tuple[Ints, Ints]:
    """Places of the `count` most alike rows of every query that reach its edge, of equals the first ones."""
    if found.shape[1] > count:
        own = -np.partition(-found, count - 1, axis=1)[:, count - 1]
        edge = np.maximum(edge, own)
    sure, even = found > edge[:, None], (found == edge[:, None]) & np.isfinite(found)
    room = count - sure.sum(axis=1, keepdims=True)
    return _marked(sure | (even & (np.cumsum(even, axis=1) <= room)))


def _once(row: Ints, likeness: Floats32, alike: Ints, count: int) -> Neighbours:
    """The first `count` that are neighbours at all and say nothing that a nearer one says in the same words."""
    same = np.where(row >= 0, alike[row], -1)
    kept = row >= 0
    ordered = np.sort(same, axis=1)
    twice = np.flatnonzero(((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(axis=1))
    some, left = same[twice], kept[twice]
    for at in range(1, row.shape[1]):
        left[:, at] &= ~((some[:, :at] == some[:, at : at + 1]) & left[:, :at]).any(axis=1)
    kept[twice] = left
    order = np.argsort(~kept, axis=1, kind="stable")[:, :count]
    there = np.take_along_axis(kept, order, axis=1)
    rows = np.where(there, np.take_along_axis(row, order, axis=1), -1)
    return Neighbours(rows, np.where(there, np.take_along_axis(likeness, order, axis=1), 0).astype(np.float32))

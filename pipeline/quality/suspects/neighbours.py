"""Neighbours: the rows that read most like a row, and what they were answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.chance import draw
from pipeline.quality.suspects.bags import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats32 = NDArray[np.float32]
    Ints = NDArray[np.int64]

# Up to here every row is compared with every other; beyond, rows are parted into cells around some of them.
_COMPARED_WITH_ALL = 30_000
_CELL_ROWS, _CELLS_ASKED = 1_000, 8
_QUERIES_AT_ONCE = 256  # larger blocks spend half of their time on page faults


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

    `vectors`: float32[n, d], rows of length 1; `apart`: int64[n], the group of each row: rows of one group are no
    neighbours; `alike`: int64[n], equal for equal texts with equal answers: only the first of them counts.
    Exact up to 30,000 rows; beyond, the rows of the eight nearest of n/1,000 cells are looked through. Ties go to the
    row that comes first, likeness being rounded to 1e-5, so that the last bits of a sum decide nothing.
    """
    from threadpoolctl import threadpool_limits

    wide = min(2 * count + 8, len(vectors))
    row = np.full((len(queries), wide), -1, dtype=np.int64)
    likeness = np.full((len(queries), wide), -np.inf, dtype=np.float32)

    def met(meeting: tuple[Ints, Ints]) -> tuple[Ints, Ints, Floats32]:
        some, members = meeting
        own = queries[some]
        found = np.round(vectors[own] @ vectors[members].T, 5)
        found[apart[own][:, None] == apart[members][None, :]] = -np.inf
        return some, *_top(found, members, wide)

    # More threads of the linear algebra would add in another order.
    with threadpool_limits(limits=1):
        for some, rows, best in in_order(met, _meetings(vectors, queries, seed)):
            row[some], likeness[some] = _merged(row[some], likeness[some], rows, best, wide)
    return _once(row, likeness, alike, count)


def _meetings(vectors: Floats32, queries: Ints, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """Which queries (places in `queries`) are to be compared with which rows."""
    if len(vectors) <= _COMPARED_WITH_ALL:
        everyone = np.arange(len(vectors), dtype=np.int64)
        for first in range(0, len(queries), _QUERIES_AT_ONCE):
            yield np.arange(first, min(first + _QUERIES_AT_ONCE, len(queries)), dtype=np.int64), everyone
        return
    chance = np.random.default_rng(draw(seed, "cells"))
    centres = vectors[chance.choice(len(vectors), len(vectors) // _CELL_ROWS, replace=False)]
    asked = np.empty((len(queries), _CELLS_ASKED), dtype=np.int64)
    own = np.empty(len(vectors), dtype=np.int64)
    spans = [(first, first + _QUERIES_AT_ONCE) for first in range(0, len(vectors), _QUERIES_AT_ONCE)]
    for (first, last), cell in zip(
        spans, in_order(lambda at: _cells(vectors[slice(*at)], centres, 1), spans), strict=True
    ):
        own[first:last] = cell[:, 0]
    for first, last in spans:
        if first < len(queries):
            asked[first:last] = _cells(vectors[queries[first:last]], centres, _CELLS_ASKED)
    members = np.argsort(own, kind="stable")
    starts = np.searchsorted(own[members], np.arange(len(centres) + 1))
    callers = np.argsort(asked, axis=None, kind="stable")
    calls = np.searchsorted(asked.ravel()[callers], np.arange(len(centres) + 1))
    for at in range(len(centres)):
        some = callers[calls[at] : calls[at + 1]] // _CELLS_ASKED
        inside = members[starts[at] : starts[at + 1]]
        for start in range(0, len(some) if len(inside) else 0, _QUERIES_AT_ONCE):
            yield some[start : start + _QUERIES_AT_ONCE], inside


def _cells(vectors: Floats32, centres: Floats32, count: int) -> Ints:
    found = np.round(vectors @ centres.T, 5)
    if count == 1:
        return np.asarray(found.argmax(axis=1)[:, None])
    return np.argsort(-found, axis=1, kind="stable")[:, :count]


def _top(found: Floats32, members: Ints, count: int) -> tuple[Ints, Floats32]:
    """The `count` most alike members of every query, in no order."""
    if found.shape[1] <= count:
        return np.broadcast_to(members, found.shape), found
    # Of equals at the edge some are left out; which ones must not depend on how a partition is made.
    edge = -np.partition(-found, count - 1, axis=1)[:, count - 1 : count]
    sure, even = found > edge, found == edge
    room = count - sure.sum(axis=1, keepdims=True)
    taken = sure | (even & (np.cumsum(even, axis=1) <= room))
    place = np.nonzero(taken)[1].reshape(len(found), count)
    return members[place], np.take_along_axis(found, place, axis=1)


def _merged(row: Ints, likeness: Floats32, more: Ints, alike: Floats32, count: int) -> tuple[Ints, Floats32]:
    rows, all_alike = np.concatenate([row, more], axis=1), np.concatenate([likeness, alike], axis=1)
    order = np.lexsort((rows, -all_alike), axis=1)[:, :count]
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(all_alike, order, axis=1)


def _once(row: Ints, likeness: Floats32, alike: Ints, count: int) -> Neighbours:
    """The first `count` that are neighbours at all and say nothing that a nearer one says in the same words."""
    same = np.where(row >= 0, alike[row], -1)
    kept = np.isfinite(likeness) & (row >= 0)
    for at in range(1, row.shape[1]):
        kept[:, at] &= ~((same[:, :at] == same[:, at : at + 1]) & kept[:, :at]).any(axis=1)
    order = np.argsort(~kept, axis=1, kind="stable")[:, :count]
    there = np.take_along_axis(kept, order, axis=1)
    rows = np.where(there, np.take_along_axis(row, order, axis=1), -1)
    return Neighbours(rows, np.where(there, np.take_along_axis(likeness, order, axis=1), 0).astype(np.float32))

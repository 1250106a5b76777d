"""Cells: rows parted by which of some middles they are nearest to, so that few need to be compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pipeline.chance import draw
from pipeline.quality.suspects.bags import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats32 = NDArray[np.float32]
    Ints = NDArray[np.int64]
    Meeting = tuple[Ints, Ints]
    """Queries, and the rows that each of them is compared with."""

# Up to here every row is compared with every other; beyond, with those of the cells that are nearest to it.
_COMPARED_WITH_ALL = 30_000
# Ten cells of 250 rows lose fewer of the nearest than eight of 1,000 around rows as they come: of 100,000 short reviews
# 28 % where those lose 30 %, of 43,000 posts 17 % and 20 %. The centres are moved once, to the mean of some rows each.
_CELL_ROWS, _CELLS_ASKED = 250, 10
# Where all are asked, and where more cells than these would take longer to find than to look through.
_WIDE_CELL_ROWS, _NARROW_CELLS = 1_000, 1_000
_ROWS_TO_CENTRE_BY = 100_000
ROWS_AT_ONCE = 256
"""Larger blocks spend half of their time on page faults."""
SCALE = 100_000
"""Likeness is rounded to 1e-5."""


@dataclass(frozen=True)
class Cells:
    """Rows parted into cells around some of them, and the cells that each query asks, the nearest first.

    Attributes:
        members: int64[n], the rows, cell by cell.
        starts: int64[cells + 1], where each cell begins in them.
        asked: int64[queries, cells asked].
    """

    members: Ints
    starts: Ints
    asked: Ints

    @staticmethod
    def of(vectors: Floats32, queries: Ints, seed: int) -> Cells:
        """The cells of `vectors`, float32[n, d] of length 1, asked by the rows `queries`."""
        everyone = len(vectors) <= _COMPARED_WITH_ALL
        centres = _centres(vectors, seed, everyone)
        own = _by_block(vectors, partial(_nearest_centres, centres, 1))[:, 0]
        count = len(centres) if everyone else min(_CELLS_ASKED, len(centres))
        asked = _by_block(vectors[queries], partial(_nearest_centres, centres, count))
        members = np.argsort(own, kind="stable")
        return Cells(members, np.searchsorted(own[members], np.arange(len(centres) + 1)), asked)

    def own(self) -> Iterator[Meeting]:
        """For every cell the queries (their places) that it is the nearest of, and its rows."""
        return self._meetings(self.asked[:, :1])

    def others(self) -> Iterator[Meeting]:
        """For every cell the queries that ask it, though another is nearer, and its rows."""
        return self._meetings(self.asked[:, 1:])

    def _meetings(self, asked: Ints) -> Iterator[Meeting]:
        width = asked.shape[1]
        callers = np.argsort(asked, axis=None, kind="stable")
        calls = np.searchsorted(asked.ravel()[callers], np.arange(len(self.starts)))
        for at in range(len(self.starts) - 1):
            some, inside = callers[calls[at] : calls[at + 1]], self.members[self.starts[at] : self.starts[at + 1]]
            if len(some) and len(inside):
                yield some // width, inside


def _centres(vectors: Floats32, seed: int, everyone: bool) -> Floats32:
    """The middles of the cells: some of the rows, moved to the mean of those that they are nearest to."""
    rows = len(vectors)
    number = max(rows // _WIDE_CELL_ROWS, 1)
    if not everyone:
        number = max(number, min(rows // _CELL_ROWS, _NARROW_CELLS))
    chosen = np.random.default_rng(draw(seed, "cells")).choice(rows, number, replace=False)
    return vectors[chosen] if everyone else _moved(vectors[chosen], vectors[:: -(-rows // _ROWS_TO_CENTRE_BY)])


def _moved(centres: Floats32, some: Floats32) -> Floats32:
    from scipy import sparse

    own = _by_block(some, partial(_nearest_centres, centres, 1))[:, 0]
    every = np.arange(len(own))
    which = sparse.csr_matrix((np.ones(len(own), dtype=np.float32), (own, every)), shape=(len(centres), len(own)))
    total = which @ some
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(np.where(length > 0, total / np.maximum(length, 1e-12), centres))


def _by_block(vectors: Floats32, function: Callable[[Floats32], Ints]) -> Ints:
    blocks = (vectors[first : first + ROWS_AT_ONCE] for first in range(0, len(vectors), ROWS_AT_ONCE))
    return np.concatenate(list(in_order(function, blocks)))


def _nearest_centres(centres: Floats32, count: int, vectors: Floats32) -> Ints:
    """The nearest centres, of equals the first ones: int64[vectors, count]."""
    if count == 1:
        return np.asarray(np.round(vectors @ centres.T, 5).argmax(axis=1)[:, None])
    key = -whole(vectors @ centres.T) * len(centres) + np.arange(len(centres))
    if count < len(centres):
        key = np.partition(key, count - 1, axis=1)[:, :count]
    return np.asarray(np.sort(key, axis=1) % len(centres))


def whole(likeness: Floats32) -> Ints:
    """Likeness, -1..1, in whole 1e-5: int64."""
    return np.asarray(np.rint(likeness * np.float32(SCALE)).astype(np.int64))

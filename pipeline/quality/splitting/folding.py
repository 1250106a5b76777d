"""Folding: numbers over all rows that are not tested on, for k-fold cross-validation from the same strata and groups.

How to use it: for each fold f learn from the rows of every other fold and score those of f; the test side stays out of
it, for the end. No group, near duplicate or kin is in two folds. A made row is in no fold: learn from it where all its
parents are learned from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.chance import draws
from pipeline.quality.splitting.dealing import deal
from pipeline.quality.splitting.evenness import Dealt, evenness, summary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.splitting.strata import Strata

    Ints = NDArray[np.int64]

FOLDS = pa.schema([pa.field("id", pa.string(), nullable=False), pa.field("fold", pa.int32(), nullable=False)])
"""The table of the folds, sorted by id; fold is 0..k-1."""


def folds(
    ids: pa.Array, strata: Strata, group: Ints, rows: Ints, *, many: int, seed: int
) -> tuple[pa.Table, dict[str, Any]]:
    """The fold of each of `rows` (int64, sorted) as a table (`FOLDS`), and for the report how even they are.

    `group`: int64[all rows], the same for rows that must not be parted.
    """
    names, place = np.unique(group[rows], return_inverse=True)
    place = place.reshape(-1)
    rank = draws(seed, "fold", names=ids.take(pa.array(names)).to_pylist())
    shares = np.full(many, 1.0 / many)
    found = deal(strata.profiles(rows, place, len(ids)), rank, shares)[place]
    fold = np.full(len(ids), -1, dtype=np.int64)
    fold[rows] = found
    wanted = np.tile(shares, (len(ids), 1))
    every = np.full(len(ids), -1, dtype=np.int64)
    dealt = Dealt(fold, group, every, wanted, tuple(map(str, range(many))))
    told = {"folds": many, "rows": np.bincount(found, minlength=many).tolist(), **summary(evenness(strata, dealt))}
    return pa.table([ids.take(pa.array(rows)), pa.array(found, pa.int32())], schema=FOLDS), told

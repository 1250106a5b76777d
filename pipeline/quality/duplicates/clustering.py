"""Clustering: which row stands for which others: by equal keys, by chains of pairs, by direct neighbours only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.duplicates.evidence import EXACT, MISSPELT, NORMALISED, REORDERED, SIMILAR

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from pipeline.quality.duplicates.evidence import Found

    Ints = NDArray[np.int64]

SAME = frozenset({EXACT, NORMALISED, SIMILAR, MISSPELT, REORDERED})
"""Kinds of pairs whose texts ask the same; a contained text may ask less, a semantic one otherwise."""


def canonical(keys: Sequence[str] | pa.Array | pa.ChunkedArray) -> Ints:
    """For each row the first row with the same key: int64[n]. Null keys equal nothing but themselves.

    The key is the text itself for exact duplicates, `pipeline.text.normalised` of it for normalised ones.

    >>> canonical(["a", "b", "a"]).tolist()
    [0, 1, 0]
    """
    column = keys if isinstance(keys, pa.Array | pa.ChunkedArray) else pa.array(keys, pa.large_string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    rows = np.arange(len(column), dtype=np.int64)
    encoded: Any = column if isinstance(column, pa.DictionaryArray) else pc.dictionary_encode(column)
    codes = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    first = np.full(len(encoded.dictionary), len(column), dtype=np.int64)
    np.minimum.at(first, codes[codes >= 0], rows[codes >= 0])
    return np.where(codes >= 0, first[codes] if len(first) else rows, rows)


def components(pairs: Iterable[tuple[int, int]], rows: int) -> Ints:
    """For each row the lowest row it is joined to by any chain of pairs: int64[rows]."""
    parent = list(range(rows))
    for left, right in pairs:
        one, other = _root(parent, left), _root(parent, right)
        parent[max(one, other)] = min(one, other)
    return np.array([_root(parent, row) for row in range(rows)], dtype=np.int64)


def _root(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


def clusters(found: Found, rank: Ints, *, kinds: Collection[str] = SAME) -> Ints:
    """For each row the canonical row that it is a direct neighbour of, or itself: int64[rows].

    Only accepted pairs of `kinds` count. The row of lowest rank becomes canonical, takes its direct neighbours with
    it, then the next row that nobody took; a row with several canonical neighbours goes to the most similar one. So
    no row is taken away for one that it is not a duplicate of, however long the chain. Equal texts are one row here.

    Args:
        found: pairs of the rows.
        rank: int64[rows], all different: the lower, the sooner canonical. The answer depends on it and on the pairs,
            not on the order of the rows.
        kinds: the kinds of pairs that count.
    """
    counted = found.accepted & np.isin(np.array(found.kind, dtype=object).astype(str), sorted(kinds))
    equal = counted & np.isin(np.array(found.kind, dtype=object).astype(str), [EXACT, NORMALISED])
    first = components(zip(found.left[equal].tolist(), found.right[equal].tolist(), strict=True), len(rank))
    best = _best(first, rank)
    near = np.flatnonzero(counted & ~equal)
    neighbours: dict[int, dict[int, float]] = {}
    for at in near.tolist():
        one, other = int(best[first[found.left[at]]]), int(best[first[found.right[at]]])
        for mine, yours in ((one, other), (other, one)) if one != other else ():
            likeness = neighbours.setdefault(mine, {})
            likeness[yours] = max(likeness.get(yours, 0.0), float(found.similarity[at]))
    chosen = _chosen(neighbours, rank)
    found_row = np.arange(len(rank), dtype=np.int64)
    for row, its in neighbours.items():
        if row not in chosen:
            found_row[row] = min((-value, rank[other], other) for other, value in its.items() if other in chosen)[2]
    return np.asarray(found_row[best[first]])


def _best(first: Ints, rank: Ints) -> Ints:
    """For the first row of each group of equal texts, the one of lowest rank in it: int64[rows]."""
    order = np.argsort(-rank, kind="stable")
    best = np.arange(len(rank), dtype=np.int64)
    best[first[order]] = order
    return best


def _chosen(neighbours: dict[int, dict[int, float]], rank: Ints) -> set[int]:
    """The canonical ones among rows that have neighbours: greedily by rank, none a neighbour of another."""
    chosen: set[int] = set()
    for row in sorted(neighbours, key=lambda each: int(rank[each])):
        if chosen.isdisjoint(neighbours[row]):
            chosen.add(row)
    return chosen

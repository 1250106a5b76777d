"""Pairing: every pair of rows that says the same, with its evidence: equal, near, and one inside the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.duplicates import containing
from pipeline.quality.duplicates.clustering import canonical
from pipeline.quality.duplicates.evidence import EXACT, NORMALISED, Found
from pipeline.quality.duplicates.proposing import Narrow
from pipeline.quality.duplicates.recalling import Recall, anew
from pipeline.quality.duplicates.searching import NEAREST, Search

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


def pairs(
    signed: pa.Table,
    texts_of: Callable[[Ints], list[str]],
    *,
    threshold: float = 0.8,
    seed: int = 0,
    ids: Sequence[str] | pa.Array | pa.ChunkedArray | None = None,
    between: Ints | NDArray[np.bool_] | None = None,
    nearest: int = NEAREST,
    contained: bool = True,
    recall: Recall = anew,
) -> Found:
    """Pairs of rows that say the same, and of those that were compared and do not, the nearest ones of each row.

    Rows that are equal once normalised are paired with the first of them, and only that one is compared further.
    Texts long enough are proposed by what they share (`proposing`), and compared word by word. A pair is accepted when
    all that differs is misspelt or swapped, or when its similarity is at least `threshold` and all that differs is a
    common word. Where a number, a negation, a name or another word differs the two stay apart, and so do rows that
    differ in a place that many rows fill differently, so that rows of one template are kept. Texts under
    `SHORTEST_SPACED` (unspaced scripts `SHORTEST_UNSPACED`) characters are compared for equality only. A text that
    stands whole inside a longer one is paired with it as "contained" (`containing`).

    Args:
        signed: `SIGNED` of all rows.
        texts_of: the texts of some rows, asked for those only that are proposed, some thousands at a time.
        threshold: exact Jaccard of character n-grams, 0..1, from which on a common word more or less is let pass.
        seed: of the order in which rows of one template are laid beside one another.
        ids: string[n], all different: with them the pairs do not depend on the order of the rows; without them the
            first of equal rows is the first in the table.
        between: [n], the side of each row: only pairs of two sides are looked for, and then for every copy of a row.
        nearest: of how many rejected pairs, the most alike, each row is told; all others are counted only.
        contained: whether to look for texts inside longer ones.
        recall: how what two texts say of each other is remembered.
    """
    rank = _rank(signed.num_rows, ids)
    side = None if between is None else np.asarray(between).astype(np.int64)
    same = _first(canonical(signed["key"].combine_chunks()), rank)
    first = same if side is None else _first(_numbered(same, side), rank)
    rows = np.unique(first)
    rows = rows[np.argsort(rank[rows])]
    near = Search(texts_of, threshold, seed, nearest, recall).near(Narrow.of(signed, rows, side))
    near = replace(near, left=rows[near.left], right=rows[near.right])
    inside = containing.within(signed, rows, texts_of, side) if contained else Found.listed([])
    found = _each_once(near, inside, signed.num_rows)
    equal = _equal(signed, same, rank, side)
    return Found.joined([equal, found if side is None else _of_copies(found, first)])


def _rank(rows: int, ids: Sequence[str] | pa.Array | pa.ChunkedArray | None) -> Ints:
    """The place of each row in the order of the ids, or of the table: int64[rows]."""
    rank = np.arange(rows, dtype=np.int64)
    if ids is not None:
        column = ids if isinstance(ids, pa.Array | pa.ChunkedArray) else pa.array(ids)
        rank[np.asarray(pc.sort_indices(column)).astype(np.int64)] = np.arange(rows)
    return rank


def _first(group: Ints, rank: Ints) -> Ints:
    """For each row the one of lowest rank in its group: int64[rows]."""
    order = np.argsort(-rank, kind="stable")
    best = np.zeros(len(rank), dtype=np.int64)
    best[group[order]] = order
    return best[group]


def _numbered(*columns: Ints) -> Ints:
    """For each row the number of its combination of values: int64[rows]."""
    found = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes = np.unique(column, return_inverse=True)[1].reshape(-1)
        found = np.unique(found * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1].reshape(-1)
    return found


def _equal(signed: pa.Table, same: Ints, rank: Ints, side: Ints | None) -> Found:
    """Rows of one normalised text: each with the first of them, between sides with the first on every other side."""
    rows = np.arange(len(same), dtype=np.int64)
    if side is None:
        others = rows[same != rows]
        left, right = same[others], others
    else:
        left, right = _equal_across(same, rank, side)
    exact = canonical(signed["exact"].combine_chunks())
    kinds = [EXACT if equal else NORMALISED for equal in (exact[left] == exact[right]).tolist()]
    why = ["the same text" if kind == EXACT else "case, width, spaces or punctuation only" for kind in kinds]
    return Found(left, right, tuple(kinds), np.ones(len(left)), np.ones(len(left), dtype=bool), tuple(why))


def _equal_across(same: Ints, rank: Ints, side: Ints) -> tuple[Ints, Ints]:
    found = [np.zeros((0, 2), dtype=np.int64)]
    for each in np.unique(side).tolist():
        here = np.flatnonzero(side == each)
        first = np.full(len(same), -1, dtype=np.int64)
        order = here[np.argsort(-rank[here], kind="stable")]
        first[same[order]] = order
        others = np.flatnonzero((side != each) & (first[same] >= 0))
        found.append(_oriented(first[same[others]], others, rank))
    whole = np.unique(np.concatenate(found), axis=0)
    return whole[:, 0], whole[:, 1]


def _oriented(one: Ints, other: Ints, rank: Ints) -> Ints:
    """The pairs with the row of lower rank first: int64[pairs, 2]."""
    swapped = rank[one] > rank[other]
    return np.stack([np.where(swapped, other, one), np.where(swapped, one, other)], axis=1)


def _each_once(near: Found, inside: Found, rows: int) -> Found:
    """Both searches together; of a pair that both found what says more: near if accepted, else contained."""
    one, other = (
        np.minimum(found.left, found.right) * rows + np.maximum(found.left, found.right) for found in (near, inside)
    )
    kept = inside.only(~np.isin(other, one[near.accepted]))
    beaten = ~near.accepted & np.isin(one, other[inside.accepted])
    return Found.joined([near.only(~beaten), replace(kept, not_listed=inside.not_listed)])


def _of_copies(found: Found, first: Ints) -> Found:
    """Every pair for all copies of either row on its side, so that each copy knows of a row of the other side."""
    order = np.lexsort((np.arange(len(first)) != first, first))  # the first of each group, then its copies
    sizes = np.bincount(first, minlength=len(first))
    starts = np.cumsum(sizes) - sizes
    parts = [found]
    for rows, left in ((found.left, True), (found.right, False)):
        times = sizes[rows] - 1
        at = np.repeat(np.arange(len(found)), times)
        copies = order[np.arange(len(at)) + np.repeat(starts[rows] - np.cumsum(times) + times + 1, times)]
        more = replace(found.take(at), not_listed=Counter())
        parts.append(replace(more, left=copies) if left else replace(more, right=copies))
    return Found.joined(parts)

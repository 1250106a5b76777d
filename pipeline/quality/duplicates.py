"""Duplicates: which texts say the same thing, by exact keys and by near pairs with their evidence."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.shingles import jaccard, mixed, sets
from pipeline.quality.wording import Wordings
from pipeline.text import is_unspaced, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

# Below these lengths (characters, normalised) one edit is too much of a text: only equal ones are the same.
SHORTEST_SPACED, SHORTEST_UNSPACED = 20, 8
_GRAM_SPACED, _GRAM_UNSPACED = 5, 2
_BANDS, _BAND_ROWS = 40, 3  # proposes a pair of Jaccard .5 with 99.5 %, of .4 with 93 %
_BUCKET, _WINDOW = 40, 8
_TEXTS_AT_ONCE, _PAIRS_AT_ONCE = 2_000, 10_000


@dataclass(frozen=True)
class NearPairs:
    """Pairs of texts that say the same, each once, `left` < `right` unless the texts are equal once normalised.

    Attributes:
        left, right: int64[pairs], row indices.
        similarity: float64[pairs], 0..1, exact Jaccard of their character n-grams; 1 for equal ones.
        kind: per pair "normalised" (equal once normalised), "similar", "misspelt" or "reordered".
    """

    left: Ints
    right: Ints
    similarity: Floats
    kind: tuple[str, ...]


def canonical(keys: Sequence[str] | pa.Array) -> Ints:
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


def near_pairs(texts: Sequence[str] | pa.Array, *, threshold: float = 0.8, seed: int = 0) -> NearPairs:
    """Pairs of texts that differ in case, width, punctuation, a slip of the pen, two swapped words, or very little.

    Texts that are equal once normalised are paired with the first of them. Among the first ones MinHash proposes pairs
    and equal bags of words propose reordered ones; then both are compared word by word. A pair is kept when all that
    differs is misspelt or swapped, or when the Jaccard similarity is at least `threshold` and all that differs is a
    common word. Where a number, a negation, a name or another word differs the two stay apart, so rows of one template
    do. Near is a likeness of whole texts: one that stands inside a much longer one is not near it, and is not found.
    Texts under `SHORTEST_SPACED` (unspaced scripts `SHORTEST_UNSPACED`) characters are compared for equality only.

    Very large buckets (templates) are searched among neighbours in alphabetical order only, so that time stays
    linear. Method: Broder 1997, doi 10.1109/SEQUEN.1997.666900; Hernandez and Stolfo 1995, doi 10.1145/223784.223807.
    """
    column: list[str] = texts.to_pylist() if isinstance(texts, pa.Array | pa.ChunkedArray) else list(texts)
    # A text of punctuation only has nothing left once normalised: it is compared as it is.
    keys = [normalised(text) or text for text in column]
    first = canonical(keys)
    copies = np.flatnonzero(first != np.arange(len(column)))
    spaced, unspaced = _long_enough(column, keys, np.flatnonzero(first == np.arange(len(column))))
    parts = [_Found(first[copies], copies, np.ones(len(copies)), ["normalised"] * len(copies))]
    for rows, size in ((spaced, _GRAM_SPACED), (unspaced, _GRAM_UNSPACED)):
        parts.append(_near(rows, column, keys, size=size, threshold=threshold, seed=seed))
    return _joined(parts)


@dataclass(frozen=True)
class _Found:
    left: Ints
    right: Ints
    similarity: Floats
    kind: list[str]


def _joined(parts: list[_Found]) -> NearPairs:
    left = np.concatenate([part.left for part in parts])
    right = np.concatenate([part.right for part in parts])
    similarity = np.concatenate([part.similarity for part in parts])
    kind = [kind for part in parts for kind in part.kind]
    order = np.lexsort((right, left))
    return NearPairs(left[order], right[order], similarity[order], tuple(kind[at] for at in order))


def _long_enough(texts: list[str], keys: list[str], rows: Ints) -> tuple[Ints, Ints]:
    """Rows of spaced and of unspaced texts that are long enough to be compared for nearness."""
    spaced, unspaced = [], []
    for row in rows.tolist():
        if len(keys[row]) < SHORTEST_UNSPACED:
            continue
        if is_unspaced(texts[row]):
            unspaced.append(row)
        elif len(keys[row]) >= SHORTEST_SPACED:
            spaced.append(row)
    return np.array(spaced, dtype=np.int64), np.array(unspaced, dtype=np.int64)


def _near(rows: Ints, texts: list[str], keys: list[str], *, size: int, threshold: float, seed: int) -> _Found:
    wordings = Wordings.of([texts[row] for row in rows])
    own = [keys[row] for row in rows]
    left, right = _proposed(own, wordings, size=size, seed=seed)
    plausible = [wordings.plausible(*pair) for pair in zip(left.tolist(), right.tolist(), strict=True)]
    left, right = left[np.array(plausible, dtype=bool)], right[np.array(plausible, dtype=bool)]
    similarity = _similarities(own, left, right, size)
    kinds = [
        wordings.verdict(a, b, similar=value >= threshold)
        for a, b, value in zip(left.tolist(), right.tolist(), similarity.tolist(), strict=True)
    ]
    kept = np.array([bool(kind) for kind in kinds], dtype=bool)
    return _Found(rows[left[kept]], rows[right[kept]], similarity[kept], [kind for kind in kinds if kind])


def _proposed(keys: list[str], wordings: Wordings, *, size: int, seed: int) -> tuple[Ints, Ints]:
    """Candidate pairs, each once, left < right: rows that share a band of their MinHash, or their bag of words."""
    bands = _bands(keys, size, seed)
    alphabetical = np.argsort(np.array(keys, dtype=object), kind="stable") if keys else np.zeros(0, dtype=np.int64)
    reverse = np.argsort(np.array([key[::-1] for key in keys], dtype=object), kind="stable") if keys else alphabetical
    proposals = [_bucketed(bands[:, at], reverse if at % 2 else alphabetical) for at in range(bands.shape[1])]
    proposals.append(_bucketed(wordings.bags, alphabetical))
    pairs = np.unique(np.concatenate(proposals))
    return np.divmod(pairs, max(len(keys), 1))


def _bands(keys: list[str], size: int, seed: int) -> NDArray[np.uint64]:
    """One hash per text and band: uint64[texts, bands]."""
    from rensa import RMinHash

    blocks = [np.zeros((0, _BANDS), dtype=np.uint64)]
    for start in range(0, len(keys), _TEXTS_AT_ONCE):
        hashes, starts = sets(keys[start : start + _TEXTS_AT_ONCE], size)
        signed = RMinHash.digest_matrix_from_flat_token_hashes
        matrix = signed(hashes, starts.astype(np.uint64), _BANDS * _BAND_ROWS, seed)
        digests = np.array(matrix.to_rows(), dtype=np.uint64).reshape(-1, _BANDS, _BAND_ROWS)
        band = np.zeros(digests.shape[:2], dtype=np.uint64)
        for row in range(_BAND_ROWS):
            band = mixed(band + digests[:, :, row])
        blocks.append(band)
    return np.concatenate(blocks)


def _bucketed(hashes: NDArray[np.uint64], order: Ints) -> Ints:
    """Pairs of rows with one hash as left * rows + right; in buckets over `_BUCKET` only near neighbours in `order`."""
    rows = len(hashes)
    ordered = order[np.argsort(hashes[order], kind="stable")]
    starts = np.flatnonzero(np.concatenate([[True], hashes[ordered][1:] != hashes[ordered][:-1], [True]]))
    sizes = np.diff(starts)
    bucket = np.repeat(np.arange(len(sizes)), sizes)
    reach = np.where(sizes > _BUCKET, _WINDOW, sizes - 1)[bucket] if rows else np.zeros(0, dtype=np.int64)
    last = starts[1:][bucket] - 1 if rows else reach
    parts = [np.zeros(0, dtype=np.int64)]
    for step in range(1, int(reach.max(initial=0)) + 1):
        at = np.flatnonzero((reach >= step) & (np.arange(rows) + step <= last))
        one, other = ordered[at], ordered[at + step]
        parts.append(np.minimum(one, other) * rows + np.maximum(one, other))
    return np.concatenate(parts)


def _similarities(keys: list[str], left: Ints, right: Ints, size: int) -> Floats:
    """Exact Jaccard of each pair, a block of pairs at a time so that memory does not grow with them."""
    parts = [np.zeros(0)]
    for start, end in pairwise(_cuts(len(left))):
        rows, place = np.unique(np.concatenate([left[start:end], right[start:end]]), return_inverse=True)
        hashes, starts = sets([keys[row] for row in rows], size)
        parts.append(jaccard(hashes, starts, *np.split(place.reshape(-1), 2)))
    return np.concatenate(parts)


def _cuts(length: int) -> Iterator[int]:
    yield from range(0, length, _PAIRS_AT_ONCE)
    yield length

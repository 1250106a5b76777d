"""Proposing: which pairs of rows are worth comparing, found by what they have in common, in time linear in the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

# In a bucket of more rows than this (a template) every row is compared with its next neighbours only.
BUCKET, WINDOW = 40, 8
_ENTRIES_AT_ONCE = 4_000_000
_MOST_SLOTS = 1 << 22


@dataclass(frozen=True)
class Narrow:
    """The signed columns of the rows that are searched, as arrays.

    Attributes:
        rows: int64[n], which row of the caller each is.
        exact: uint64[n, 2], the hash of the text as it stands.
        key: uint64[n], half the hash of the normalised text: an order of the rows that is not one of the file.
        units: int64[n], how many words each text has.
        words, starts: the codes of the first of them, uint64[m], and where each row's begin, int64[n + 1].
        bag: uint64[n], hash of all words in any order.
        bands: uint32[long rows, bands], and `banded`: int64[long rows], whose they are.
        sketches: uint8[very long rows, hashes], and `sketched`: int64[n], which of them is whose, -1 for no one's.
        side: int64[n] or None: only pairs of two sides are proposed.
    """

    rows: Ints
    exact: Hashes
    key: Hashes
    units: Ints
    words: Hashes
    starts: Ints
    bag: Hashes
    bands: NDArray[np.uint32]
    banded: Ints
    sketches: NDArray[np.uint8]
    sketched: Ints
    side: Ints | None

    @classmethod
    def of(cls, signed: pa.Table, rows: Ints, side: Ints | None) -> Narrow:
        """The columns of some rows."""
        chosen = signed.select(["exact", "key", "units", "words", "bag", "bands", "sketch"]).take(rows).combine_chunks()
        words, starts = flat(chosen["words"])
        bands, edges = flat(chosen["bands"])
        banded = np.flatnonzero(np.diff(edges))
        sketches, ends = flat(chosen["sketch"])
        has = np.diff(ends) > 0
        return cls(
            rows,
            _whole(chosen["exact"]),
            _whole(chosen["key"])[:, 0],
            chosen["units"].to_numpy(),
            words,
            starts,
            chosen["bag"].to_numpy(),
            bands.reshape(len(banded), -1) if len(banded) else np.zeros((0, 0), dtype=np.uint32),
            banded,
            sketches.reshape(int(has.sum()), -1) if has.any() else np.zeros((0, 0), dtype=np.uint8),
            np.where(has, np.cumsum(has) - 1, -1),
            None if side is None else side[rows],
        )

    def __len__(self) -> int:
        return len(self.rows)


def flat(lists: pa.ChunkedArray) -> tuple[NDArray[Any], Ints]:
    """All members of lists and where each list's begin: int64[lists + 1]."""
    whole = lists.combine_chunks()
    offsets = np.asarray(whole.offsets).astype(np.int64)
    return np.asarray(whole.flatten()), offsets - offsets[0] if len(offsets) else np.zeros(1, dtype=np.int64)


def _whole(hashes: pa.ChunkedArray) -> Hashes:
    """128-bit hashes: uint64[n, 2]."""
    whole = hashes.combine_chunks()
    data = np.frombuffer(whole.buffers()[1], dtype=np.uint64) if len(whole) else np.zeros(0, dtype=np.uint64)
    return np.asarray(data.reshape(-1, 2)[whole.offset : whole.offset + len(whole)])


def proposed(narrow: Narrow, seed: int) -> tuple[Ints, Ints]:
    """Pairs of indices into `narrow`, each once, left < right, of rows long enough to be near one another.

    Rows of the same words but one, or of the same words in any order, are all proposed (each word of a short text is
    left out in turn, as Mor and Fraenkel 1982 do with letters), and rows that share an LSH band. In large buckets a row
    meets only its neighbours, in an order of the rows that depends on `seed` and their texts.
    """
    rows = max(len(narrow), 1)
    found = [np.zeros(0, dtype=np.int64)]
    for keys, owners in (*_without_a_word(narrow), *_by_band(narrow)):
        order = np.lexsort((mixed(narrow.key[owners] ^ np.uint64(seed)), keys))
        found.append(_distinct(_bucketed(keys[order], owners[order], rows, narrow.side)))
        if sum(map(len, found)) > _ENTRIES_AT_ONCE:
            found = [_distinct(np.concatenate(found))]
    left, right = np.divmod(_distinct(np.concatenate(found)), rows)
    return left, right


def _without_a_word(narrow: Narrow) -> Iterator[tuple[Hashes, Ints]]:
    """The bag of each text, and its bag without each of its words, a share of all of them at a time."""
    known = np.flatnonzero(narrow.units <= np.diff(narrow.starts))
    chosen = np.intersect1d(known, narrow.banded)
    sizes = np.diff(narrow.starts)[chosen]
    parts = 1 + int(sizes.sum()) // _ENTRIES_AT_ONCE
    owners = np.concatenate([chosen, np.repeat(chosen, sizes)])
    place = np.arange(int(sizes.sum())) + np.repeat(narrow.starts[chosen] - np.cumsum(sizes) + sizes, sizes)
    keys = mixed(np.concatenate([narrow.bag[chosen], narrow.bag[owners[len(chosen) :]] - mixed(narrow.words[place])]))
    for part in range(parts):
        here = keys % np.uint64(parts) == part
        yield _shared(keys[here], owners[here])


def _by_band(narrow: Narrow) -> Iterator[tuple[Hashes, Ints]]:
    for band in range(narrow.bands.shape[1]):
        yield _shared(narrow.bands[:, band].astype(np.uint64), narrow.banded)


def _shared(keys: Hashes, owners: Ints) -> tuple[Hashes, Ints]:
    """Only the entries whose key another entry has too: by a table of counts first, as most keys are alone."""
    often = not_alone(keys)
    return keys[often], owners[often]


def not_alone(keys: Hashes) -> NDArray[np.bool_]:
    """False for keys that surely stand there once; true for all others, and for a few that share a slot: bool[keys]."""
    room = min(4 << len(keys).bit_length(), _MOST_SLOTS)
    slots = (mixed(keys) & np.uint64(room - 1)).astype(np.int64)
    return np.asarray(np.bincount(slots, minlength=room)[slots] > 1)


def _bucketed(keys: Hashes, owners: Ints, rows: int, side: Ints | None) -> Ints:
    """Pairs of different owners of one key as left * rows + right; entries are sorted by key."""
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1], [True]])) if len(keys) else np.zeros(1, int)
    sizes = np.diff(starts)
    bucket = np.repeat(np.arange(len(sizes)), sizes)
    reach = np.where(sizes > BUCKET, WINDOW, sizes - 1)[bucket]
    last = starts[1:][bucket] - 1
    parts = [np.zeros(0, dtype=np.int64)]
    for step in range(1, int(reach.max(initial=0)) + 1):
        at = np.flatnonzero((reach >= step) & (np.arange(len(keys)) + step <= last))
        parts.append(_paired(owners[at], owners[at + step], rows, side))
    if side is not None:
        parts.append(_across(owners, bucket, sizes, rows, side))
    return np.concatenate(parts)


def _paired(one: Ints, other: Ints, rows: int, side: Ints | None) -> Ints:
    apart = one != other
    if side is not None:
        apart &= side[one] != side[other]
    one, other = one[apart], other[apart]
    return np.minimum(one, other) * rows + np.maximum(one, other)


def _across(owners: Ints, bucket: Ints, sizes: Ints, rows: int, side: Ints) -> Ints:
    """In large buckets: every row beside its next neighbours on other sides, which may be few among many of its own."""
    large = np.flatnonzero(sizes[bucket] > BUCKET)
    parts = [np.zeros(0, dtype=np.int64)]
    for each in np.unique(side[owners[large]]).tolist():
        mine, others = (large[chosen] for chosen in (side[owners[large]] == each, side[owners[large]] != each))
        after = np.searchsorted(others, mine)
        for step in range(-WINDOW // 2, WINDOW // 2):
            at = (after + step).clip(0, max(len(others) - 1, 0))
            near = bucket[others[at]] == bucket[mine] if len(others) else np.zeros(len(mine), dtype=bool)
            parts.append(_paired(owners[mine[near]], owners[others[at[near]]], rows, side))
    return np.concatenate(parts)


def _distinct(pairs: Ints) -> Ints:
    ordered = np.sort(pairs)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered

"""Bags: the character and word n-grams of many texts, weighted by how rare they are, in little memory."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pipeline.quality.shingles import code_points, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]
    Range = tuple[int, int]
    Shard = tuple[NDArray[np.int32], NDArray[np.uint8], Ints]

_CHARACTER_GRAMS = range(1, 6)
_WORD_GRAMS = (1, 2)
_HASH_BITS = 22
_HASHES = 2**_HASH_BITS
# So few that their n-grams stay in the cache; the number of a text and a hash fit into 32 bits.
_TEXTS_AT_ONCE = 512
# The most columns: those that most texts have. Sets of 10,000 short texts have fewer than half as many.
_COLUMNS = 2**17
# 5 bytes each: 2 GB. Where texts have more, only n-grams whose hash falls into a share of all are kept, in every text.
_MOST_GRAMS = 400_000_000
ROWS_AT_ONCE = 10_000
# Their products with a wide matrix stay in the cache.
_ROWS_IN_BLOCK = 2_000

T = TypeVar("T")
R = TypeVar("R")


def in_order(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What `function` gives for every item, in their order, worked on by two threads and never far ahead."""
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        waiting = []
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 2:
                yield waiting.pop(0).result()
        for each in waiting:
            yield each.result()


@dataclass(frozen=True)
class Bags:
    """The n-grams of every text, in shards of successive texts.

    Attributes:
        bounds: the shards: first text and one after the last.
        shards: per shard the columns (int32), how often (uint8, 255 for more), and where each text's begin (int64).
        weight: float32[columns], log((1 + n) / (1 + texts that have it)) + 1.
        lengths: per shard float32[texts], by which the weighted counts of each text are divided.
    """

    bounds: tuple[Range, ...]
    shards: list[Shard]
    weight: NDArray[np.float32]
    lengths: list[NDArray[np.float32]]

    def __len__(self) -> int:
        return self.bounds[-1][1] if self.bounds else 0

    def rows(self, shard: int) -> Any:
        """TF-IDF of a shard's texts, rows of length 1: scipy sparse float32[texts, columns]."""
        from scipy import sparse

        columns, _, starts = self.shards[shard]
        value = _weighted(self.shards[shard], self.weight)
        value /= np.repeat(self.lengths[shard], np.diff(starts))
        return sparse.csr_matrix((value, columns, starts), shape=(len(starts) - 1, len(self.weight)))


_DAMPED = np.concatenate([[0], 1 + np.log(np.arange(1, 256))]).astype(np.float32)


def blocks(rows: Any) -> list[Any]:
    """Sparse rows in blocks of a few, each by column: what `times` takes."""
    return [rows[first : first + _ROWS_IN_BLOCK].tocsc() for first in range(0, rows.shape[0], _ROWS_IN_BLOCK)]


def times(by_column: Sequence[Any], dense: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sparse rows (see `blocks`) by a wide dense matrix: float32[rows, dense columns].

    Each row of the matrix, of which there are too many for the cache, is read once for all rows of a block. The sums
    are those of `rows @ dense`, to the bit.
    """
    if not by_column:
        return np.zeros((0, dense.shape[1]), dtype=np.float32)
    return np.concatenate([block @ dense for block in by_column])


def _weighted(shard: Shard, weight: NDArray[np.float32]) -> NDArray[np.float32]:
    columns, counts, _ = shard
    return np.asarray(_DAMPED.take(counts) * weight.take(columns))


def _lengths(shard: Shard, weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """The length of each text as a vector: float32[texts]."""
    starts = shard[2]
    row = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    squares = np.bincount(row, weights=_weighted(shard, weight).astype(np.float64) ** 2, minlength=len(starts) - 1)
    return np.maximum(np.sqrt(squares), 1e-12).astype(np.float32)


def bags(texts: Sequence[str], bounds: Sequence[Range]) -> Bags:
    """The n-grams of texts: characters 1 to 5, words 1 and 2; those that one text alone has are left out.

    `bounds`: the shards, successive and without gaps, at most `ROWS_AT_ONCE` texts each.
    """
    per_character = len(_CHARACTER_GRAMS) + 1
    share = -(-sum(map(len, texts)) * per_character // _MOST_GRAMS) or 1
    shards = list(in_order(lambda bound: _shard(texts[bound[0] : bound[1]], share), bounds))
    had = np.zeros(_HASHES, dtype=np.int64)
    for columns, _, _ in shards:
        had += np.bincount(columns, minlength=_HASHES)
    kept = _kept(had)
    place = np.full(_HASHES, -1, dtype=np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    weight = (np.log((1 + len(texts)) / (1 + had[kept])) + 1).astype(np.float32)
    for at, shard in enumerate(shards):
        shards[at] = _narrowed(shard, place)
    return Bags(tuple(bounds), shards, weight, [_lengths(shard, weight) for shard in shards])


def _kept(had: Ints) -> Ints:
    """The hashes that at least two texts have, at most `_COLUMNS`: the most frequent."""
    found = np.flatnonzero(had >= 2)
    if len(found) > _COLUMNS:
        found = np.sort(found[np.argsort(-had[found], kind="stable")[:_COLUMNS]])
    return found


def _narrowed(shard: Shard, place: NDArray[np.int32]) -> Shard:
    columns, counts, starts = shard
    moved = place.take(columns)
    kept = np.flatnonzero(moved >= 0)
    return moved[kept], counts[kept], np.searchsorted(kept, starts)


def _shard(texts: Sequence[str], share: int) -> Shard:
    """The distinct hashed n-grams of every text, in order, and how often each stands there."""
    words = [text.casefold().split() for text in texts]
    ends = np.cumsum([0, *map(len, words)])
    hashed = _word_hashes(words)
    parts = []
    for first in range(0, len(texts), _TEXTS_AT_ONCE):
        some = words[first : first + _TEXTS_AT_ONCE]
        starts = ends[first : first + len(some) + 1]
        points = code_points([f" {' '.join(each)} " for each in some])
        parts.append(_counted(points, (hashed[starts[0] : starts[-1]], starts - starts[0]), share))
    columns, counts, sizes = (np.concatenate(column) for column in zip(*parts, strict=True))
    return columns, counts, np.concatenate([[0], np.cumsum(sizes)])


def _counted(
    points: tuple[Hashes, Ints], words: tuple[Hashes, Ints], share: int
) -> tuple[NDArray[np.int32], NDArray[np.uint8], Ints]:
    """The n-grams of a few texts, how often each stands there, and how many distinct ones every text has."""
    # Other salts than those of characters: a word of one letter is not that letter.
    found = [*_keys(points, _CHARACTER_GRAMS, 0, share), *_keys(words, _WORD_GRAMS, 0xABCDEF, share)]
    key = np.concatenate(found)
    key.sort()
    fresh = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, dtype=np.int64)
    counts = np.diff(fresh, append=len(key))
    distinct = key[fresh]
    sizes = np.bincount(distinct >> np.uint32(_HASH_BITS), minlength=len(points[1]) - 1)
    columns = (distinct & np.uint32(_HASHES - 1)).astype(np.int32)
    return columns, np.minimum(counts, 255).astype(np.uint8), sizes


def _keys(items: tuple[Hashes, Ints], sizes: Sequence[int], salt: int, share: int) -> Iterator[NDArray[np.uint32]]:
    """The n-grams of each size of a few texts, each as the number of its text before its hash."""
    hashed, starts = items
    length = np.diff(starts)
    text: NDArray[np.uint32] = np.repeat(np.arange(len(length), dtype=np.uint32), length) << np.uint32(_HASH_BITS)
    left = np.repeat(starts[1:], length) - np.arange(len(hashed))
    for size, run in zip(sizes, runs(hashed, len(sizes)), strict=True):
        whole = np.flatnonzero(left[: len(run)] >= size)
        found = run[whole] ^ np.uint64(salt)
        if share > 1:
            kept = np.flatnonzero((found >> np.uint64(40)) % np.uint64(share) == 0)
            found, whole = found[kept], whole[kept]
        found &= np.uint64(_HASHES - 1)
        yield np.asarray(text[whole] + found.astype(np.uint32))


def _word_hashes(words: list[list[str]]) -> NDArray[np.uint64]:
    flat = list(chain.from_iterable(words))
    vocabulary: dict[str, int] = {}
    for word in set(flat):
        digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        vocabulary[word] = int.from_bytes(digest, "big")
    return np.fromiter(map(vocabulary.__getitem__, flat), dtype=np.uint64, count=len(flat))

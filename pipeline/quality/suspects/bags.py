"""Bags: the character and word n-grams of many texts, weighted by how rare they are, in little memory."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pipeline.quality.shingles import code_points, grams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Range = tuple[int, int]

_CHARACTER_GRAMS = range(1, 6)
_WORD_GRAMS = (1, 2)
_HASHES = 2**22
# The most columns: those that most texts have. Sets of 10,000 short texts have fewer than half as many.
_COLUMNS = 2**17
# 5 bytes each: 2 GB. Where texts have more, only n-grams whose hash falls into a share of all are kept, in every text.
_MOST_GRAMS = 400_000_000
ROWS_AT_ONCE = 10_000

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
    """

    bounds: tuple[Range, ...]
    shards: list[tuple[NDArray[np.int32], NDArray[np.uint8], Ints]]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return self.bounds[-1][1] if self.bounds else 0

    def rows(self, shard: int) -> Any:
        """TF-IDF of a shard's texts, rows of length 1: scipy sparse float32[texts, columns]."""
        from scipy import sparse

        columns, counts, starts = self.shards[shard]
        value = _DAMPED[counts] * self.weight[columns]
        row = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        length = np.sqrt(np.bincount(row, weights=value.astype(np.float64) ** 2, minlength=len(starts) - 1))
        value /= np.maximum(length, 1e-12)[row].astype(np.float32)
        return sparse.csr_matrix((value, columns, starts), shape=(len(starts) - 1, len(self.weight)))


_DAMPED = np.concatenate([[0], 1 + np.log(np.arange(1, 256))]).astype(np.float32)


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
    for at, shard in enumerate(shards):
        shards[at] = _narrowed(shard, place)
    weight = np.log((1 + len(texts)) / (1 + had[kept])) + 1
    return Bags(tuple(bounds), shards, weight.astype(np.float32))


def _kept(had: Ints) -> Ints:
    """The hashes that at least two texts have, at most `_COLUMNS`: the most frequent."""
    found = np.flatnonzero(had >= 2)
    if len(found) > _COLUMNS:
        found = np.sort(found[np.argsort(-had[found], kind="stable")[:_COLUMNS]])
    return found


def _narrowed(
    shard: tuple[NDArray[np.int32], NDArray[np.uint8], Ints], place: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.uint8], Ints]:
    columns, counts, starts = shard
    moved = place[columns]
    kept = moved >= 0
    before = np.concatenate([[0], np.cumsum(kept)])
    return moved[kept], counts[kept], before[starts]


def _shard(texts: Sequence[str], share: int) -> tuple[NDArray[np.int32], NDArray[np.uint8], Ints]:
    """The distinct hashed n-grams of every text, in order, and how often each stands there."""
    found, rows = zip(*_grams([" " + " ".join(text.casefold().split()) + " " for text in texts]), strict=True)
    hashed, row = np.concatenate(found), np.concatenate(rows)
    if share > 1:
        kept = (hashed >> np.uint64(40)) % np.uint64(share) == 0
        hashed, row = hashed[kept], row[kept]
    key = np.sort((row << 22) | (hashed % np.uint64(_HASHES)).astype(np.int64))
    fresh = np.flatnonzero(np.diff(key, prepend=-1))
    counts = np.diff(fresh, append=len(key))
    distinct = key[fresh]
    starts = np.searchsorted(distinct, np.arange(len(texts) + 1, dtype=np.int64) << 22)
    return (distinct % _HASHES).astype(np.int32), np.minimum(counts, 255).astype(np.uint8), starts.astype(np.int64)


def _grams(texts: list[str]) -> Iterator[tuple[NDArray[np.uint64], Ints]]:
    points, starts = code_points(texts)
    for size in _CHARACTER_GRAMS:
        yield grams(points, starts, size)
    words = [text.split() for text in texts]
    counts = np.fromiter((len(each) for each in words), dtype=np.int64, count=len(words))
    word_points = _word_hashes(words)
    for size in _WORD_GRAMS:
        # Other salts than those of characters: a word of one letter is not that letter.
        found, row = grams(word_points, np.concatenate([[0], np.cumsum(counts)]), size)
        yield found ^ np.uint64(0xABCDEF), row


def _word_hashes(words: list[list[str]]) -> NDArray[np.uint64]:
    vocabulary: dict[str, int] = {}
    for word in (word for each in words for word in each):
        if word not in vocabulary:
            digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            vocabulary[word] = int.from_bytes(digest, "big")
    total = sum(map(len, words))
    return np.fromiter((vocabulary[word] for each in words for word in each), dtype=np.uint64, count=total)

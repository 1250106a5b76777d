"""Frequency: in how many texts each word stands, and how often two characters stand side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.duplicates.wording import UNSPACED
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

_CELLS_AT_ONCE = 4_000_000
_MOST_SLOTS = 1 << 23


@dataclass(frozen=True)
class Frequencies:
    """How common words are among texts.

    Attributes:
        rows: how many texts there are.
        codes, counts: every word, sorted by its code, and in how many texts it stands: [words] each.
        beside: uint32[2, slots], how often two neighbouring unspaced characters stand somewhere, by two hashes of both:
            the lower of the two counts is seldom too high (Cormode and Muthukrishnan 2005).
    """

    rows: int
    codes: Codes
    counts: Ints
    beside: NDArray[np.uint32]

    @classmethod
    def of(cls, codes: Codes, starts: Ints) -> Frequencies:
        """Count the words of texts: uint64[words], int64[texts + 1]."""
        text = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        unspaced = codes & np.uint64(UNSPACED) > 0
        either = (unspaced[1:] | unspaced[:-1]) & (text[1:] == text[:-1])
        at = np.flatnonzero(either)
        room = min(16 << len(at).bit_length(), _MOST_SLOTS) if len(at) else 1
        slots = _slots(codes[at], codes[at + 1], room)
        beside = np.stack([np.bincount(each, minlength=room).astype(np.uint32) for each in slots])
        word, words = _numbered(codes)
        counts, order = _texts_of(word, starts, len(words)), np.argsort(words)
        return cls(len(starts) - 1, words[order], counts[order], beside)

    def __call__(self, words: Codes) -> Ints:
        """In how many texts each word stands: int64[words]."""
        if not len(self.codes):
            return np.zeros(len(words), dtype=np.int64)
        at = np.searchsorted(self.codes, words).clip(max=len(self.codes) - 1)
        return np.where(self.codes[at] == words, self.counts[at], 0)

    def together(self, one: int, other: int) -> int:
        """How often two words, one of them an unspaced character, stand side by side."""
        pair = np.array([one, other], dtype=np.uint64)
        slots = _slots(pair[:1], pair[1:], self.beside.shape[1])
        return int(min(counts[at[0]] for counts, at in zip(self.beside, slots, strict=True)))


def _slots(one: Codes, other: Codes, room: int) -> tuple[Ints, Ints]:
    hashes = mixed(mixed(one) + other)
    low, high = hashes & np.uint64(room - 1), (hashes >> np.uint64(32)) & np.uint64(room - 1)
    return low.astype(np.int64), high.astype(np.int64)


def rarest(codes: Codes, starts: Ints, most: int) -> Ints:
    """In how many texts the rarest word of each text stands, at most `most`: int64[texts]; `most` without words."""
    word, words = _numbered(codes)
    counts = _texts_of(word, starts, len(words))
    found = np.full(len(starts) - 1, most, dtype=np.int64)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        found[filled] = np.minimum(np.minimum.reduceat(counts[word], starts[filled]), most)
    return found


def _numbered(codes: Codes) -> tuple[NDArray[np.int32], Codes]:
    """The number of each word, and the distinct words by number."""
    encoded: Any = pc.dictionary_encode(pa.array(codes))
    return np.asarray(encoded.indices), np.asarray(encoded.dictionary)


def _texts_of(word: NDArray[np.int32], starts: Ints, words: int) -> Ints:
    """In how many texts each word stands: int64[words]; the words of each text are sorted, texts of one length at once.

    A word that stands in its text twice stands beside itself then.
    """
    counts, sizes = np.bincount(word, minlength=words), np.diff(starts)
    order, at = np.argsort(sizes, kind="stable"), int((sizes < 2).sum())
    while at < len(order):
        last = int(np.searchsorted(sizes, sizes[order[at]], side="right", sorter=order))
        here = order[at : min(last, at + max(1, _CELLS_AT_ONCE // int(sizes[order[at]])))]
        cells = np.sort(word[starts[here][:, None] + np.arange(sizes[here[0]])], axis=1)
        counts -= np.bincount(cells[:, 1:][cells[:, 1:] == cells[:, :-1]], minlength=words)
        at += len(here)
    return counts

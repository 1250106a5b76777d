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

_WORDS_AT_ONCE = 4_000_000
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
        found, counts = _counted(codes, text)
        return cls(len(starts) - 1, found, counts, beside)

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
    text = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    word, words = _numbered(codes)
    counts = _texts_of(word, text, len(words))
    found = np.full(len(starts) - 1, most, dtype=np.int64)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        found[filled] = np.minimum(np.minimum.reduceat(counts[word], starts[filled]), most)
    return found


def _counted(codes: Codes, text: Ints) -> tuple[Codes, Ints]:
    """The distinct words, sorted, and the texts of each."""
    word, words = _numbered(codes)
    counts = _texts_of(word, text, len(words))
    order = np.argsort(words)
    return words[order], counts[order]


def _numbered(codes: Codes) -> tuple[Ints, Codes]:
    """The number of each word, and the distinct words by number."""
    encoded: Any = pc.dictionary_encode(pa.array(codes))
    return np.asarray(encoded.indices).astype(np.int64), np.asarray(encoded.dictionary)


def _texts_of(word: Ints, text: Ints, words: int) -> Ints:
    """In how many texts each word stands: int64[words], a share of the words at a time."""
    texts, parts = int(text.max(initial=0)) + 1, 1 + len(word) // _WORDS_AT_ONCE
    counts = np.zeros(words, dtype=np.int64)
    for part in range(parts):
        cells = np.sort((word * texts + text)[word % parts == part])
        fresh = np.ones(len(cells), dtype=bool)
        fresh[1:] = cells[1:] != cells[:-1]
        counts += np.bincount(cells[fresh] // texts, minlength=words)
    return counts

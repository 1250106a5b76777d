"""Frequency: in how many texts each word stands, and how often two characters stand side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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


def _counted(codes: Codes, text: Ints) -> tuple[Codes, Ints]:
    """The distinct words and the texts of each, a share of the words at a time."""
    parts = 1 + len(codes) // _WORDS_AT_ONCE
    found = []
    for part in range(parts):
        here = mixed(codes) % np.uint64(parts) == part
        order = np.lexsort((text[here], codes[here]))
        words, texts = codes[here][order], text[here][order]
        fresh = np.ones(len(words), dtype=bool)
        fresh[1:] = (words[1:] != words[:-1]) | (texts[1:] != texts[:-1])
        found.append(np.unique(words[fresh], return_counts=True))
    codes, counts = np.concatenate([one for one, _ in found]), np.concatenate([many for _, many in found])
    order = np.argsort(codes)
    return codes[order], counts[order]

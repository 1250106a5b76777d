"""Traces: keyed hashes of words, so that erased texts can be looked for in any file without being kept anywhere.

A text is folded (width, case, spaces and punctuation aside) and read as numbers x[0..n). The hash of a stretch of it is
sum of m(x[i+k]) * B^k mod 2^64, for a random odd B and a random table m, so that the hashes of all stretches of one
length come from one running sum (Karp and Rabin 1987, https://doi.org/10.1147/rd.312.0249).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Points = NDArray[np.uint32]

SPACED, UNSPACED = 24, 10
"""Letters and digits in a stretch that is looked for: about five English words, about six Chinese ones.

Stretches that others share are left out (see `erasing.proof`). Of 5,315 stretches of 5 % of GoEmotions, 27 stood in
others and 6 more in rows that nobody had looked at; with 16 and 7 letters it was 258 and 96, with 32 and 14 10 and 2.
"""
LEAST = {SPACED: 10, UNSPACED: 5}
"""A whole text shorter than this says nothing of whom it is from: it is not looked for by its words."""
BETWEEN, MOST = 60, 12
"""A stretch is taken from the beginning, the end, and about every so many letters, at most so many of one text."""
CHUNK_CHARS = 1 << 18
_OVERLAP = 512
_UNSPACED = re.compile("[぀-ヿ㐀-䶿一-鿿豈-﫿฀-๿຀-໿ក-៿က-႟\U00020000-\U0003ffff]")
_BITS = 20


def folded(text: str) -> str:
    """What is left of a text when width, case, spaces and punctuation are set aside; NUL parts texts.

    >>> folded("Ｈello,  <b>World</b>_1!")
    'hellobworldb1'
    """
    return _kept(text).tobytes().decode("utf-32-le", "surrogatepass")


def _kept(text: str) -> Points:
    """The code points that are left of a text."""
    points = _points(unicodedata.normalize("NFKC", text).casefold())
    kept: Points = points[_letters()[points]]
    return kept


@cache
def _letters() -> NDArray[np.bool_]:
    """Which code points are letters, digits, or the NUL between texts."""
    return np.fromiter((not at or chr(at).isalnum() for at in range(0x110000)), dtype=bool, count=0x110000)


def stretches(text: str) -> list[str]:
    """The stretches of a folded text that are looked for: of one length, or the whole of a short one; none of a word.

    >>> stretches("abcdefghijkl"), stretches("abc")
    (['abcdefghijkl'], [])
    """
    size = UNSPACED if 2 * len(_UNSPACED.findall(text)) > len(text) else SPACED
    if len(text) <= size:
        return [text] if len(text) >= LEAST[size] else []
    last = len(text) - size
    steps = min(MOST - 1, 1 + last // BETWEEN)
    return [text[at : at + size] for at in sorted({round(last * step / steps) for step in range(steps + 1)})]


class Hasher:
    """Hashes under one key of 32 bytes: without it they say nothing, and others cannot look theirs up among them."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        base, self._mix, self._names = (int.from_bytes(key[at : at + 8], "little") for at in (0, 8, 16))
        base |= 1
        self._powers = _powers(base)
        self._inverse = _powers(pow(base, -1, 2**64))

    def names(self, values: Sequence[str]) -> Hashes:
        """The hash of every whole value (ids, places), uint64[n]: SipHash under a part of the key."""
        import pandas as pd

        key = f"{self._names:016x}"
        array = np.array([*values, None], dtype=object)[:-1]
        found: Hashes = pd.util.hash_array(array, hash_key=key, categorize=False)
        return found

    def wholes(self, texts: Sequence[str]) -> Hashes:
        """The hash of every folded text, uint64[n]; none may be longer than CHUNK_CHARS."""
        found = [np.zeros(0, dtype=np.uint64)]
        for joined in chunks(texts):
            points = _points(joined)
            ends = np.append(np.flatnonzero(points == 0), len(points))
            found.append(self._between(self._sums(points), np.append(0, ends[:-1] + 1), ends))
        return np.concatenate(found)

    def within(self, points: Points, sizes: Iterable[int]) -> Iterator[Hashes]:
        """The hashes of all stretches of these lengths and of all whole texts in the code points of a chunk."""
        sums, zeros = self._sums(points), np.append(0, np.cumsum(points == 0))
        for size in sizes:
            starts = np.flatnonzero(zeros[size:] == zeros[: max(0, len(zeros) - size)])
            yield self._between(sums, starts, starts + size)
        ends = np.append(np.flatnonzero(points == 0), len(points))
        yield self._between(sums, np.append(0, ends[:-1] + 1), ends)

    def _sums(self, points: Points) -> Hashes:
        values = _mixed(points.astype(np.uint64) + np.uint64(self._mix & 0xFFFFFFFF), self._mix)
        return np.append(np.zeros(1, np.uint64), np.cumsum(values * self._powers[: len(points)], dtype=np.uint64))

    def _between(self, sums: Hashes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Hashes:
        found: Hashes = (sums[ends] - sums[starts]) * self._inverse[starts]
        return found ^ _mixed((ends - starts).astype(np.uint64), self._mix)


def _powers(base: int) -> Hashes:
    steps = np.full(CHUNK_CHARS + 1, base, dtype=np.uint64)
    steps[0] = 1
    return np.cumprod(steps, dtype=np.uint64)


def _mixed(values: Hashes, key: int) -> Hashes:
    """Numbers far apart for numbers that are near: the finaliser of SplitMix64."""
    found = values + np.uint64(key)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


def _points(text: str) -> Points:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def chunks(texts: Sequence[str]) -> Iterator[str]:
    """Texts joined by NUL, in order, up to CHUNK_CHARS at a time; a longer one is cut, some of it on both sides."""
    if sum(map(len, texts)) + len(texts) <= CHUNK_CHARS:
        yield from ("\0".join(texts),) if texts else ()
    elif len(texts) == 1:
        yield from _pieces(texts[0])
    else:
        yield from chunks(texts[: len(texts) // 2])
        yield from chunks(texts[len(texts) // 2 :])


def _pieces(text: str) -> Iterator[str]:
    if len(text) <= CHUNK_CHARS // 2:
        yield text
        return
    step = CHUNK_CHARS // 2 - _OVERLAP
    for start in range(0, len(text), step):
        yield text[start : start + step + _OVERLAP]


class Known:
    """A set of hashes that many are held against: a table of bits lets most of them pass at once."""

    def __init__(self, hashes: Hashes) -> None:
        self.hashes = np.unique(hashes)
        self._bits = np.zeros(1 << _BITS, dtype=bool)
        self._bits[self.hashes >> np.uint64(64 - _BITS)] = True

    def __len__(self) -> int:
        return len(self.hashes)

    def among(self, hashes: Hashes) -> Hashes:
        """Those of `hashes` that are known, in order."""
        if not len(self.hashes):
            return self.hashes
        maybe = hashes[self._bits[hashes >> np.uint64(64 - _BITS)]]
        place = np.minimum(np.searchsorted(self.hashes, maybe), len(self.hashes) - 1)
        found: Hashes = maybe[self.hashes[place] == maybe]
        return found


def points_of(joined: str) -> Iterator[Points]:
    """The code points of a chunk of texts, folded; in parts where folding made it longer, as it does with ligatures."""
    found, step = _kept(joined), CHUNK_CHARS - SPACED
    for start in range(0, max(1, len(found)), step):
        yield found[start : start + CHUNK_CHARS]

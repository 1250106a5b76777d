"""Units: the words of spaced scripts, the characters of unspaced ones, folded, and their n-grams, as hashes in numpy.

An n-gram begins at every unit and reaches so far that its units weigh enough: `words` words, `characters` characters of
an unspaced script, or a mixture of both in proportion, so that a text in two scripts has no seams. Numbers, symbols and
single letters weigh a quarter: sums and formulas are much the same everywhere ("5 * 3 = 15").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.quality.shingles import mixed
from pipeline.text import UNSPACED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

GAP, SKIPPED, WORD, SINGLE, SYMBOL, MARK, BREAK = range(7)
"""A character: parts words; is not there; is part of a word; is a unit; is one that says less; ends a sentence; a line.
"""
SENTENCE, LINE = 1, 2
"""What begins at a unit: a sentence; a line, or the text."""
LIGHT = 4
"""How many numbers, symbols or single letters weigh as much as a word or a character."""
# Apostrophes join (Janet's, don't), whichever sign is used; a word stays one when it is cut by a soft hyphen.
_APOSTROPHES = "'\u2018\u2019\u02bc`\u00b4"
_LINES = "\n\r\u2028\u2029"
_MARKS = _LINES + '.!?;:\u2026\u3002\uff01\uff1f\uff1b\uff1a"\u201c\u201d\u300c\u300d'
_PART_CHARS = 1 << 18
_LAST = 0x32400  # no letters lie above it, but for a few private planes
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2^64
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_DIGITS = np.frombuffer(b"0123456789", dtype=np.uint8)
_MINUS, _SLASH, _STAR, _SPACE = (ord(sign) for sign in "-/* ")
_DASHES = np.array([0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212], dtype=np.uint32)


class Size(NamedTuple):
    """How long an n-gram is: in words, or in characters of unspaced scripts."""

    words: int
    characters: int

    @property
    def weight(self) -> int:
        """What the units of an n-gram weigh together, at least."""
        return self.words * self.characters


@dataclass(frozen=True)
class Units:
    """The u units of many texts, one text after another."""

    hashes: Hashes
    """uint64[u]"""
    before: Ints
    """What all units before each weigh: int64[u + 1]."""
    opens: NDArray[np.uint8]
    """What begins at the unit: SENTENCE, LINE, or 0: uint8[u + 1]; at the last, as at the end of a text, LINE."""
    starts: Ints
    """Where the units of each text begin: int64[texts + 1]."""
    sums: Hashes
    """Of hash times power of the base, over all units before each: uint64[u + 1]."""
    chars: Ints
    """Where each unit lies in the folded texts, one after another: int64[u, 2]."""
    joined: Hashes
    """The hash of each text as if it had no spaces (pay day is payday): uint64[texts]."""

    def stretch(self, start: Ints, end: Ints) -> Hashes:
        """The hashes of stretches of units, half-open: equal where the units are."""
        return mixed((self.sums[end] - self.sums[start]) * _powers(_INVERSE, len(self.sums))[start] + _BASE)

    def wholes(self) -> Hashes:
        """The hash of every whole text: uint64[texts]."""
        return self.stretch(self.starts[:-1], self.starts[1:])

    def lengths(self) -> Ints:
        """How many units each text has: int64[texts]."""
        return np.diff(self.starts)

    def weights(self) -> Ints:
        """What each text weighs: int64[texts]."""
        return self.before[self.starts[1:]] - self.before[self.starts[:-1]]

    def grams(self, size: Size) -> tuple[Hashes, Ints, Ints]:
        """All n-grams: their hashes, the unit that each begins at, and the one that it ends before."""
        text_end = np.repeat(self.starts[1:], self.lengths())
        end = np.searchsorted(self.before, self.before[:-1] + size.weight)
        start = np.flatnonzero(end <= text_end)
        end = end[start]
        return self.stretch(start, end), start, end


def units(texts: Sequence[str], size: Size) -> Units:
    """The units of the texts: width, case, punctuation and invisible characters left aside, symbols kept."""
    return _units(*_flat([folded(text) for text in texts]), size)


def parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in parts that take little memory, however long each text is."""
    begin, chars = 0, 0
    for at, text in enumerate(texts):
        if chars and chars + len(text) > _PART_CHARS:
            yield texts[begin:at]
            begin, chars = at, 0
        chars += len(text)
    if begin < len(texts):
        yield texts[begin:]


def folded(text: str) -> str:
    """The text in one width and case.

    >>> folded("Ｈello Ⅷ")
    'hello viii'
    """
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def spelled(text: str, size: Size) -> tuple[str, Ints]:
    """The folded text without what is skipped, and where each of its units lies there: int64[units, 2]."""
    points, _ = _flat([folded(text)])
    made = units([text], size)
    return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass"), made.chars


def _flat(texts: Sequence[str]) -> tuple[NDArray[np.uint32], Ints]:
    """All code points but the skipped ones, and where each text starts."""
    flat = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    kept = _kinds()[np.minimum(flat, _LAST)] != SKIPPED
    return flat[kept], np.concatenate([[0], np.cumsum(kept)])[starts]


def _units(points: NDArray[np.uint32], starts: Ints, size: Size) -> Units:
    first = np.zeros(len(points) + 1, dtype=bool)
    first[starts[:-1]] = True
    first = first[: len(points)]
    kind = _with_signs(points, _kinds()[np.minimum(points, _LAST)], first)
    points = np.where(np.isin(points, _DASHES), np.uint32(_MINUS), points)
    word = kind == WORD
    begins = word & (first | ~np.concatenate([[False], word[:-1]])) | (kind == SINGLE) | (kind == SYMBOL)
    start = np.flatnonzero(begins)
    ends = ~word | np.concatenate([first[1:], [True]])
    stops = np.flatnonzero(ends | np.concatenate([begins[1:], [True]]))
    end = stops[np.searchsorted(stops, start)] + 1 if len(start) else start
    end = np.where(word[start] & ~word[np.maximum(end - 1, 0)], end - 1, end)
    sums = _sums(mixed(points.astype(np.uint64) + _BASE))
    hashes = mixed((sums[end] - sums[start]) * _powers(_INVERSE, len(sums))[start])
    weight = _weights(points, kind, start, end, size)
    text_starts = np.searchsorted(start, starts)
    opens = _opens(kind, start)
    opens[text_starts] = LINE
    before = np.concatenate([[0], np.cumsum(weight)])
    chars, joined = np.stack([start, end], axis=1), _joined(points, starts, (kind != GAP) & (kind < MARK))
    return Units(hashes, before, opens, text_starts, _sums(hashes), chars, joined)


def _opens(kind: NDArray[np.uint8], start: Ints) -> NDArray[np.uint8]:
    """What begins at each unit by the marks between it and the one before: uint8[u + 1]."""
    opens = np.zeros(len(start) + 1, dtype=np.uint8)
    for level, marks in ((SENTENCE, (kind == MARK) | (kind == BREAK)), (LINE, kind == BREAK)):
        upto = np.concatenate([[0], np.cumsum(marks)])[start]
        opens[1:-1][np.diff(upto) > 0] = level
    return opens


def local_sums(hashes: Hashes, starts: Ints) -> tuple[Hashes, Ints]:
    """What `same_stretch` needs of texts that lie one after another: sums, uint64[u + 1], and the place of each unit in
    its text, int64[u]."""
    place = np.arange(len(hashes)) - np.repeat(starts[:-1], np.diff(starts))
    powers = _powers(_BASE, int(place.max(initial=0)) + 1)
    sums = np.cumsum(hashes * powers[place], dtype=np.uint64)
    return np.concatenate([np.zeros(1, dtype=np.uint64), sums]), place


def stretch_of(sums: Hashes, place: Ints, start: Ints, end: Ints) -> Hashes:
    """The hashes of stretches of units by `local_sums`, as `Units.stretch` gives them; `place`: where each begins in
    its text."""
    powers = _powers(_INVERSE, int(place.max(initial=0)) + 1)
    return mixed((sums[end] - sums[start]) * powers[place] + _BASE)


def _joined(points: NDArray[np.uint32], starts: Ints, kept: Flags) -> Hashes:
    """The hash of the kept characters of each text."""
    sums = _sums(mixed(points[kept].astype(np.uint64) + _BASE))
    begin = np.concatenate([[0], np.cumsum(kept)])[starts]
    return mixed((sums[begin[1:]] - sums[begin[:-1]]) * _powers(_INVERSE, len(sums))[begin[:-1]])


def _weights(points: NDArray[np.uint32], kind: NDArray[np.uint8], start: Ints, end: Ints, size: Size) -> Ints:
    """What each unit weighs; words that begin with a digit and single letters are light, and so are symbols."""
    word = kind[start] == WORD
    light = (kind[start] == SYMBOL) | (word & ((end - start == 1) | _are_digits(points[start])))
    full = np.where(word, size.characters, size.words)
    return np.where(light, np.maximum(1, full // LIGHT), full)


def _are_digits(points: NDArray[np.uint32]) -> Flags:
    return np.asarray((points >= _DIGITS[0]) & (points <= _DIGITS[-1]))


def _with_signs(points: NDArray[np.uint32], kind: NDArray[np.uint8], first: Flags) -> NDArray[np.uint8]:
    """Minus and slash right before a digit, and a star before one, are units: 5 - 3 may be a list, 5 -3 is not."""
    digit = _are_digits(points)
    goes_on = np.append(~first[1:], False)[: len(points)]  # the text does, after the character
    after = np.append(digit[1:], False)[: len(points)] & goes_on
    space = np.append(points[1:] == _SPACE, False)[: len(points)] & goes_on
    later = space & np.append(after[1:], False)[: len(points)]
    minus = (points == _MINUS) | np.isin(points, _DASHES)
    letter = np.append(False, ((kind == WORD) & ~digit)[:-1])[: len(points)] & ~first  # before the character: w-2
    signs = after & (minus & ~letter | (points == _SLASH)) | ((points == _STAR) & (after | later))
    return np.where(signs, np.uint8(SYMBOL), kind)


def _sums(hashes: Hashes) -> Hashes:
    powers = _powers(_BASE, len(hashes) + 1)[: len(hashes)]
    return np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(hashes * powers, dtype=np.uint64)])


_made: dict[int, Hashes] = {}


def _powers(base: np.uint64, count: int) -> Hashes:
    """The first powers of `base` modulo 2^64, `count` of them or more."""
    known = _made.get(int(base))
    if known is None or len(known) < count:
        steps = np.full(max(1 << 16, 2 * count), base, dtype=np.uint64)
        steps[0] = 1
        known = _made[int(base)] = np.multiply.accumulate(steps)
    return known


@lru_cache(maxsize=1)
def _kinds() -> NDArray[np.uint8]:
    """What every character is, by its code point: uint8[_LAST + 1]."""
    unspaced = re.compile(f"[{UNSPACED}]")
    found = bytearray(_LAST + 1)
    for point in range(_LAST):
        sign = chr(point)
        category = unicodedata.category(sign)
        if sign in _MARKS:
            found[point] = BREAK if sign in _LINES else MARK
        elif category == "Cf" or sign in _APOSTROPHES:
            found[point] = SKIPPED
        elif unspaced.match(sign) and category[0] in "LNM":
            found[point] = SINGLE
        elif category[0] in "LNM":
            found[point] = WORD
        elif category in ("Sm", "Sc", "So"):
            found[point] = SYMBOL
    return np.frombuffer(bytes(found), dtype=np.uint8)

"""Folding: many texts at once as code points, with what each code point is; the keys of `pipeline.text.normalised`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.text import SHORT_CHARS, UNSPACED, normalised, same_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Points = NDArray[np.uint32]

KNOWN, KEPT, LETTER, DIGIT, CHARACTER, SIGN, NUMERIC, MARK, UPPER = (1 << bit for bit in range(9))
"""What a code point may be: CHARACTER one of an unspaced script, SIGN a symbol that says something."""
APOSTROPHE, POINT, DASH, EYES, MOUTH, ENDING = (1 << bit for bit in range(9, 15))
"""What marks are for: POINT inside a number, DASH before or inside one, faces, ENDING before a new sentence."""
_MARKS = {
    APOSTROPHE: "'\u2019",
    POINT: ".,:/",
    DASH: "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    EYES: ":;=",
    MOUTH: "-'o()[]dp/|*",
    ENDING: " \t\n\r\0.!?:\"'",
}
_END = "\0"  # stands between two texts, and in none
_UNSPACED = re.compile(f"[{UNSPACED}]")
_KEPT_SIGNS = frozenset("%#@&*")
# Han characters that are numbers; many more have a numeric value, but say something else in most words (什么, 参加).
_HAN_NUMBERS = frozenset("零〇一二三四五六七八九十百千万亿萬億两兩半壹贰叁肆柒捌玖佰仟廿卅")
_CODE_POINTS = 0x110000
_table = np.zeros(_CODE_POINTS, dtype=np.uint16)


@dataclass(frozen=True)
class Folded:
    """Texts in NFKC and folded case, one after another, each followed by a code point 0.

    Attributes:
        text: all of it; `points` the same as uint32[characters].
        classes: uint16[characters], the flags of each code point, with UPPER where it was a capital.
        ends: int64[texts], where the 0 after each text stands.
    """

    text: str
    points: Points
    classes: NDArray[np.uint16]
    ends: Ints

    @classmethod
    def of(cls, texts: Sequence[str]) -> Folded:
        """Fold `texts`."""
        joined = _END.join((*texts, ""))
        if joined.count(_END) != len(texts):
            joined = _END.join((*(text.replace(_END, " ") for text in texts), ""))
        plain = unicodedata.normalize("NFKC", joined)
        text = plain.casefold()
        if len(text) != len(plain):  # ß is two letters once folded: it has to be so before, to stay in step
            plain = "".join(each if len(each.casefold()) == 1 else each.casefold() for each in plain)
        points = _points(text)
        kinds = classes(points)
        if text != plain:
            changed = np.flatnonzero(_points(plain) != points)
            kinds[changed] |= classes(_points(plain)[changed]) & np.uint16(UPPER)
        return cls(text, points, kinds, np.flatnonzero(points == 0))

    def rows(self) -> Ints:
        """The text that each code point belongs to: int64[characters]."""
        return np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=-1))

    def starts(self) -> Ints:
        """Where each text begins: int64[texts]."""
        return np.concatenate([[0], self.ends[:-1] + 1])[: len(self.ends)]


def keys(texts: Sequence[str], folded: Folded) -> list[str]:
    """`pipeline.text.same_key` of each text."""
    kept = (folded.classes & KEPT > 0) | (folded.points == 0)
    text = folded.points[kept].astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    found = unicodedata.normalize("NFKC", text).split(_END)[:-1]
    for row in np.unique(folded.rows()[_delicate(folded)]).tolist():
        found[row] = normalised(texts[row])
    for row in np.flatnonzero(np.array([len(key) < SHORT_CHARS for key in found], dtype=bool)).tolist():
        found[row] = same_key(texts[row])
    return [key or text for key, text in zip(found, texts, strict=True)]


def _delicate(folded: Folded) -> Bools:
    """Where a mark may be part of a number or of a face, so that it may have to be kept."""
    classes, after = folded.classes[:-1], folded.classes[1:]
    digit = classes & DIGIT > 0
    dot, space = folded.points == ord("."), folded.points == ord(" ")
    marks = (classes & (POINT | DASH) > 0) & ((after & DIGIT > 0) | dot[1:])
    apart = space[:-1] & np.concatenate([[False], digit])[: len(digit)] & ((after & DIGIT > 0) | space[1:])
    faces = (classes & EYES > 0) & (after & MOUTH > 0)
    private = folded.points[:-1] >> 8 == 0xE0  # where `normalised` has its stand-ins for such marks
    return np.concatenate([marks | apart | faces | private, [False]])[: len(folded.points)]


def _points(text: str) -> Points:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def classes(points: Points) -> NDArray[np.uint16]:
    """The flags of each code point; what one is, is looked up once."""
    found = _table[points]
    if not found.all():
        for point in np.unique(points[found == 0]).tolist():
            _table[point] = _class(chr(point))
        found = _table[points]
    return found


def _class(character: str) -> int:
    kind = unicodedata.category(character)
    kept = kind[0] in "LNM" or character in _KEPT_SIGNS or (kind[0] == "S" and character not in "`^´¨~")
    flags = KNOWN | KEPT * kept | UPPER * (kind in ("Lu", "Lt"))
    flags |= sum(flag for flag, marks in _MARKS.items() if character in marks)
    numeric = unicodedata.numeric(character, None) is not None
    if _UNSPACED.match(character):
        numeric = character in _HAN_NUMBERS or (numeric and kind[0] == "N")
        return flags | NUMERIC * numeric | (CHARACTER if kept else 0)
    flags |= NUMERIC * numeric
    if kind == "Nd":
        return flags | DIGIT
    if kind[0] == "M":
        return flags | MARK
    return flags | (LETTER if kind[0] in "LN" else SIGN) * kept

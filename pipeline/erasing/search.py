"""Search: which marks of erased rows stand in the strings of a file."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.erasing.traces import SPACED, UNSPACED, Known, chunks, points_of
from pipeline.text import is_unspaced

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.erasing.files import Piece
    from pipeline.erasing.marks import Marks

    Hashes = NDArray[np.uint64]

ID_CHARS = 200
PREFIXED, ID, PLACE, WORDS, CLOSED = "id of the source", "id", "place", "words", "cannot be looked into"


@dataclass
class Looked:
    """What was looked at in one place, and what was found there by kind."""

    files: int = 0
    strings: int = 0
    found: Counter[str] = field(default_factory=Counter)

    def add(self, other: Looked) -> None:
        """Take in what was looked at elsewhere."""
        self.files += other.files
        self.strings += other.strings
        self.found.update(other.found)

    @property
    def left(self) -> int:
        """How much was found, or could not be looked into."""
        return self.found.total()


@dataclass(frozen=True)
class Others:
    """What records hold that are not erased, and what may stay, as it is theirs: hashes of words and of places.

    `longer` are their ids that begin with one that is erased: `s/1-2` is no trace of `s/1`.
    """

    words: set[int] = field(default_factory=set)
    places: set[int] = field(default_factory=set)
    longer: set[str] = field(default_factory=set)


class Search:
    """The marks of all targets, looked for at once.

    `free` are the columns that hold the words of rows: a text may begin like an id, so only ids that are known count
    in them, and places do not. What `others` hold is not looked for.
    """

    def __init__(self, marks: Sequence[Marks], free: Collection[str], *, others: Others | None = None) -> None:
        others = others or Others()
        self._free = frozenset(free)
        self._hasher = marks[0].hasher if marks else None
        self._ids = Known(_hashes(hashed for one in marks for hashed in one.found["id"]))
        places = {hashed for one in marks for hashed in one.found["place"]}
        self._places = Known(_hashes(iter(places.difference(others.places))))
        words = {hashed: chars for one in marks for hashed, chars in one.found["words"].items()}
        words = {hashed: chars for hashed, chars in words.items() if hashed not in others.words}
        self._words = {
            size: Known(_hashes(hashed for hashed, chars in words.items() if chars == size))
            for size in (SPACED, UNSPACED)
        }
        self._short_sizes = sorted({chars for chars in words.values() if chars not in self._words})
        self._short = Known(_hashes(hashed for hashed, chars in words.items() if chars not in self._words))
        self._prefixes = tuple(one.target.prefix for one in marks if one.target.kind == "source")
        self._anchors = _anchors(marks)
        self._longer = tuple(others.longer)
        self._lengths = sorted({chars for one in marks for chars in one.found["id"].values()}, reverse=True)

    def places(self, values: pa.Array) -> Hashes:
        """Those of the places that are looked for which stand among `values`."""
        return self._places.among(self._hasher.names(values.to_pylist())) if self._hasher else _hashes(())

    def at_places(self, values: pa.Array) -> pa.Array:
        """Which of `values` are places that are looked for: bool[n]."""
        names = self._hasher.names(values.to_pylist()) if self._hasher else np.zeros(len(values), np.uint64)
        return pa.array(np.isin(names, self._places.hashes))

    def take(self, piece: Piece) -> Counter[str]:
        """In how many different strings of a piece each kind of mark stands, and how many marks of words."""
        found: Counter[str] = Counter()
        if self._hasher is None or not len(piece.values):
            return found
        is_free, values = piece.column in self._free, piece.values.unique()
        texts = values.to_pylist()
        names = self._hasher.names(texts)
        found[ID] = len(self._ids.among(names))
        if piece.tabular and not is_free:
            found[PLACE] = len(self._places.among(names))
        if not is_free:
            found[PREFIXED] = max(0, self._prefixed(values) - found[ID])
        if not found.total():
            found[ID] = self._within(texts)
        found[WORDS] = sum(len(hashes) for hashes in self.words(texts))
        return +found

    def _prefixed(self, values: pa.Array) -> int:
        """How many whole values read like an id of an erased source."""
        found = 0
        for prefix in self._prefixes:
            like = f"^{re.escape(prefix)}\\S{{1,{ID_CHARS}}}$"
            starts = values.filter(pc.starts_with(values, prefix))
            found += sum(bool(re.match(like, value)) for value in starts.to_pylist())
        return found

    def _within(self, texts: Sequence[str]) -> int:
        """How many known ids stand within longer strings, not as a part of a longer id or word."""
        if self._anchors is None or self._hasher is None:
            return 0
        candidates: list[str] = []
        joined = "\0".join(texts)
        for at in self._anchors.finditer(joined):
            candidates += _cuts(joined, at.start(), self._lengths, longer=self._longer)
        return len(self._ids.among(self._hasher.names(candidates)))

    def words(self, texts: Sequence[str], *, inside: bool = False) -> Iterator[Hashes]:
        """The marks of words that stand in texts, as often as they do.

        Those of whole short texts (a name that was marked, a short answer) are looked for as whole texts only, or also
        `inside` longer ones.
        """
        sizes = [size for size, known in self._words.items() if len(known)]
        if self._hasher is None or not (sizes or len(self._short)):
            return
        for joined in chunks(texts):
            for points in points_of(joined):
                *inner, wholes = self._hasher.within(points, [*sizes, *(self._short_sizes if inside else ())])
                yield from (self._words[size].among(hashes) for size, hashes in zip(sizes, inner, strict=False))
                yield from (self._short.among(hashes) for hashes in (*inner[len(sizes) :], wholes))


def _hashes(values: Iterator[int] | tuple[()]) -> Hashes:
    return np.fromiter(values, dtype=np.uint64)


def _anchors(marks: Sequence[Marks]) -> re.Pattern[str] | None:
    """Where an id may begin."""
    starts = sorted({re.escape(one.target.prefix) for one in marks})
    return re.compile("|".join(starts)) if starts else None


def _cuts(text: str, start: int, lengths: Sequence[int], *, longer: tuple[str, ...]) -> Iterator[str]:
    """What may be an id there: of a length that ids have, and no part of a longer word, path or id.

    Scripts without spaces go on right after an id: only a `longer` one that is known tells it from a part of that.
    """
    before = text[start - 1 : start]
    if _goes_on(before) or (before and before in "_./-"):
        return
    known = max(
        (len(one) for one in longer if text.startswith(one, start) and _ends(text, start + len(one))), default=0
    )
    for length in lengths:
        end = start + length
        if length >= known and _ends(text, end):
            yield text[start:end]


def _ends(text: str, end: int) -> bool:
    """Whether a word may end there."""
    return end <= len(text) and not _goes_on(text[end : end + 1])


def _goes_on(character: str) -> bool:
    """Whether a letter or digit, of a script with spaces, makes what stands beside it a part of a longer word."""
    return character.isalnum() and not is_unspaced(character)

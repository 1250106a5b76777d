"""Reading: the texts of proposed pairs are fetched, a block of pairs at a time, and each pair is ruled on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.duplicates import ruling
from pipeline.quality.duplicates.comparing import OPEN, compared
from pipeline.quality.duplicates.evidence import Found
from pipeline.quality.duplicates.folding import Folded, keys
from pipeline.quality.duplicates.parts import Text
from pipeline.quality.duplicates.signing import key_grams
from pipeline.quality.duplicates.wording import Wordings
from pipeline.quality.shingles import distinct, jaccard

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pipeline.quality.duplicates.frequency import Frequencies
    from pipeline.quality.duplicates.proposing import Narrow

    Ints = NDArray[np.int64]
    Line = tuple[int, int, str, float, bool, str]

_PAIRS_AT_ONCE = 4_000
_NOT_MARKS = re.compile("[^\ue000-\ue0ff]+")  # where `pipeline.text.normalised` keeps marks that have a meaning


@dataclass(frozen=True)
class Read:
    """The texts of a block of pairs: their words, in how many texts each stands, and their n-grams."""

    wordings: Wordings
    counts: Ints
    hashes: NDArray[np.uint64]
    starts: Ints
    marks: list[str]

    @classmethod
    def of(cls, texts: list[str], frequencies: Frequencies) -> Read:
        """Read `texts`."""
        folded = Folded.of(texts)
        wordings = Wordings.of(folded)
        names = keys(texts, folded)
        grams = distinct(*key_grams(names), len(texts))
        return cls(wordings, frequencies(wordings.codes), *grams, [_NOT_MARKS.sub("", name) for name in names])

    def text(self, at: int) -> Text:
        """One of the texts, as it is ruled on."""
        first, last = self.wordings.starts[at : at + 2].tolist()
        return Text(self.wordings, self.counts, at, first, last - first, self.marks[at])


@dataclass(frozen=True)
class Reading:
    """How pairs are read: where their texts are, how common words are, from which similarity on a pair is alike."""

    texts_of: Callable[[Ints], list[str]]
    frequencies: Frequencies
    threshold: float

    def rulings(self, narrow: Narrow, left: Ints, right: Ints, state: Ints, crowd: Ints) -> Found:
        """What is decided about pairs of rows of `narrow`, by index; `state`: see `comparing`; `crowd`: `ruling`."""
        lines: list[Line] = []
        for start in range(0, len(left), _PAIRS_AT_ONCE):
            at = slice(start, start + _PAIRS_AT_ONCE)
            lines += self._block(narrow, left[at], right[at], state[at].tolist(), crowd[at].tolist())
        return Found.listed(lines)

    def _block(self, narrow: Narrow, left: Ints, right: Ints, state: list[int], crowd: list[int]) -> list[Line]:
        rows, place = np.unique(np.concatenate([left, right]), return_inverse=True)
        read = Read.of(self.texts_of(narrow.rows[rows]), self.frequencies)
        one, other = np.split(place.reshape(-1), 2)
        similarity = jaccard(read.hashes, read.starts, one, other).tolist()
        region = compared(read.wordings.codes, read.wordings.starts, one, other)
        regions = np.stack([region.start, region.mine, region.yours], axis=1).tolist()
        texts = [read.text(at) for at in range(len(rows))]
        lines = []
        for at, (a, b) in enumerate(zip(one.tolist(), other.tolist(), strict=True)):
            alike = similarity[at] >= self.threshold
            if state[at] == OPEN:
                found = ruling.rule(
                    texts[a], texts[b], regions[at], similar=alike, crowd=crowd[at], frequencies=self.frequencies
                )
            else:
                found = ruling.apart(texts[a], texts[b], regions[at], state=state[at], crowd=crowd[at])
            lines.append((int(left[at]), int(right[at]), found.kind, similarity[at], found.accepted, found.why))
        return lines

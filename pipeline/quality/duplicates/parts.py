"""Parts: the words of one text that stand where another text has others, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from pipeline.quality.duplicates.wording import UNSPACED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.quality.duplicates.wording import Wordings

_TOLD_WORDS = 6


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a pair, the `number`th of a block: its words are the `length` ones from `first` on.

    Attributes:
        wordings: of the block of texts; `counts`: int64[words], in how many texts of all each word stands.
        marks: faces, and the marks of numbers, that `pipeline.text.normalised` keeps.
    """

    wordings: Wordings
    counts: NDArray[np.int64]
    number: int
    first: int
    length: int
    marks: str


@dataclass(frozen=True, slots=True)
class Part:
    """The words of one text that stand where the other text has others: half-open [start, end)."""

    text: Text
    start: int
    end: int
    words: list[str]
    codes: list[int]
    flags: int

    @classmethod
    def of(cls, text: Text, start: int, end: int) -> Part:
        """Some words of a text."""
        codes = text.wordings.codes[text.first + start : text.first + end].tolist()
        words = text.wordings.words(text.number, start, end) if codes else []
        return cls(text, start, end, words, codes, reduce(or_, codes, 0))

    @property
    def names(self) -> list[str]:
        """Those of the words that are names."""
        named = self.text.wordings.named[self.text.first + self.start : self.text.first + self.end].tolist()
        return [word for word, name in zip(self.words, named, strict=True) if name]

    @property
    def counts(self) -> list[int]:
        """In how many texts each of the words stands."""
        return [*map(int, self.text.counts[self.text.first + self.start : self.text.first + self.end])]

    @property
    def written(self) -> str:
        """The words as they stand in the folded text, contracted or not."""
        places = self.text.wordings.places[self.text.first + self.start : self.text.first + self.end]
        return self.text.wordings.folded.text[int(places[0, 0]) : int(places[-1, 1])] if len(places) else ""

    def are(self, flag: int) -> list[str]:
        """The words that are something: a number, a negation, an unspaced character."""
        if not self.flags & flag:
            return []
        return [word for word, code in zip(self.words, self.codes, strict=True) if code & flag]

    def around(self, reach: int) -> Part:
        """The words with those before and after them."""
        return Part.of(self.text, max(self.start - reach, 0), min(self.end + reach, self.text.length))

    def __len__(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        told = self.words[:_TOLD_WORDS]
        joined = ("" if self.are(UNSPACED) else " ").join(told) or "-"
        return joined + (" ..." if len(self) > _TOLD_WORDS else "")

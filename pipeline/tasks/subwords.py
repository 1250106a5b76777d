"""The first token of every word: what token heads learn from and are asked at."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.tasks.spans import Edges

NOT_LEARNED = -100
"""The target that the loss leaves out."""


class Subwords:
    """What a model reads of a text and its words.

    `inputs` are lists of numbers by name, at most `max_tokens` each; `cut` says whether the limit took something away.
    `heads` maps the position of a word's first token to the word. Words without characters, words that the tokenizer
    drops, and those that the limit cuts have no head.

    The text is tokenized as it stands. Only where a token would cover more than one word (Chinese in multilingual
    models, "'s") it is cut between them first, whatever the answer is: a token can carry one tag.

    With `before`, the model reads that text before the other, as the first of a pair; none of its tokens is a word's.
    """

    def __init__(
        self, text: str, words: Sequence[Edges], tokenizer: Any, max_tokens: int, *, before: str | None = None
    ) -> None:
        self.words = words
        self._solid = [at for at, (start, end) in enumerate(words) if start < end]
        self._starts, self._ends = ([words[at][edge] for at in self._solid] for edge in (0, 1))
        cuts: set[int] = set()
        inputs, places = _coded(text, cuts, tokenizer, None, before)
        while more := self._straddled(places) - cuts:
            cuts |= more
            inputs, places = _coded(text, cuts, tokenizer, None, before)
        self.cut = len(places) > max_tokens
        if self.cut:
            inputs, places = _coded(text, cuts, tokenizer, max_tokens, before)
        self.inputs = inputs
        read = max((end for _, end in places), default=0) if self.cut else len(text)
        self.heads = self._heads(places, read)

    def _straddled(self, places: Sequence[Edges]) -> set[int]:
        """The ends of words inside tokens that go on into another word."""
        return {
            self._ends[word]
            for start, end in places
            if start < end
            for word in range(bisect_right(self._ends, start), bisect_left(self._starts, end) - 1)
        }

    def _heads(self, places: Sequence[Edges], read: int) -> dict[int, int]:
        """A token that also covers the space before a word begins where the word before ends, so it is the word's."""
        heads: dict[int, int] = {}
        following = 0
        for token, (start, end) in enumerate(places):
            word = bisect_right(self._ends, start)
            begins = following <= word < len(self._solid) and self._starts[word] < end and self._ends[word] <= read
            if start < end and begins:
                heads[token] = self._solid[word]
                following = word + 1
        return heads

    def spread(self, told: Sequence[str]) -> list[str]:
        """The IOB2 tag of every word from the tag of every head; a word without one goes on only within an entity."""
        spread = ["O"] * len(self.words)
        reached = 0
        for word, tag in zip(self.heads.values(), told, strict=True):
            if tag.startswith("I-"):
                spread[reached:word] = [tag] * (word - reached)
            spread[word] = tag
            reached = word + 1
        return spread


def _coded(
    text: str, cuts: set[int], tokenizer: Any, max_tokens: int | None, before: str | None
) -> tuple[dict[str, list[int]], list[Edges]]:
    """Model inputs, and where each token stands in the text; special tokens, and those of `before`, stand nowhere."""
    options = {} if max_tokens is None else {"truncation": True, "max_length": max_tokens}
    edges = [0, *sorted(cuts), len(text)]
    parts = [text[start:end] for start, end in pairwise(edges)]
    shown: list[Any] = [parts if cuts else text]
    if before is not None:
        shown.insert(0, [before] if cuts else before)
    coded = tokenizer(*shown, is_split_into_words=bool(cuts), return_offsets_mapping=True, verbose=False, **options)
    offsets = coded["offset_mapping"]
    inputs = {name: list(values) for name, values in coded.items() if name != "offset_mapping"}
    begins = [edges[part] if cuts and part is not None else 0 for part in coded.word_ids()]
    places = [(at + start, at + end) for at, (start, end) in zip(begins, offsets, strict=True)]
    if before is not None:
        places = [place if of == 1 else (0, 0) for place, of in zip(places, coded.sequence_ids(), strict=True)]
    return inputs, places

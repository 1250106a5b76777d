"""The first token of every word: what token heads learn from and are asked at."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.tasks.spans import Edges

NOT_LEARNED = -100
"""The target that the loss leaves out."""


class Subwords:
    """What a model reads of a text and its words.

    `inputs` are lists of numbers by name, at most `max_tokens` each; `cut` says whether the limit took something away.
    `heads` maps the position of a first token to the half-open range of `words` that it stands for: several where one
    token covers them. Words without characters, and those that the limit cuts, have no head.
    """

    def __init__(self, text: str, words: Sequence[Edges], tokenizer: Any, max_tokens: int) -> None:
        self.words = words
        coded = _coded(text, tokenizer, None)
        self.cut = len(coded["input_ids"]) > max_tokens
        if self.cut:
            coded = _coded(text, tokenizer, max_tokens)
        places = [_bare(text, int(start), int(end)) for start, end in coded.pop("offset_mapping")]
        self.inputs = {name: list(values) for name, values in coded.items()}
        read = max((end for _, end in places), default=0) if self.cut else len(text)
        self.heads = self._heads(places, read)

    def _heads(self, places: Sequence[Edges], read: int) -> dict[int, tuple[int, int]]:
        """The first token of each word: of several words without a token of their own, the one that covers them."""
        solid = [at for at, (start, end) in enumerate(self.words) if start < end]
        ends = [self.words[at][1] for at in solid]
        heads: dict[int, tuple[int, int]] = {}
        following = 0
        for token, (start, end) in enumerate(places):
            if start >= end:
                continue
            first = max(bisect_right(ends, start), following)
            last = first
            while last < len(solid) and self.words[solid[last]][0] < end and ends[last] <= read:
                last += 1
            if first < last:
                heads[token] = (solid[first], solid[last - 1] + 1)
                following = last
        return heads

    def spread(self, told: Sequence[str]) -> list[str]:
        """The IOB2 tag of every word from the tag of every head; a word without one goes on only within an entity."""
        spread = ["O"] * len(self.words)
        reached = 0
        for (first, last), tag in zip(self.heads.values(), told, strict=True):
            inside = f"I-{tag[2:]}" if tag != "O" else tag
            if tag == inside:
                spread[reached:first] = [tag] * (first - reached)
            spread[first:last] = [tag, *[inside] * (last - first - 1)]
            reached = last
        return spread


def _coded(text: str, tokenizer: Any, max_tokens: int | None) -> dict[str, Any]:
    limit = {} if max_tokens is None else {"truncation": True, "max_length": max_tokens}
    return dict(tokenizer(text, return_offsets_mapping=True, verbose=False, **limit))


def _bare(text: str, start: int, end: int) -> Edges:
    """A token's edges without the space before it, which some tokenizers count as its own."""
    while start < end and text[start].isspace():
        start += 1
    return start, end


def shared_target(told: Sequence[str | None], index: Mapping[str, int]) -> int:
    """The class of a token that stands for these words, if they are outside or of one span together."""
    head, rest = told[0], set(told[1:])
    if head is None or rest - {"O" if head == "O" else f"I-{head[2:]}"}:
        return NOT_LEARNED
    return index.get(head, NOT_LEARNED)

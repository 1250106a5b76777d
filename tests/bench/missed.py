"""Worlds of one mistake made often: mentions that were left unmarked wherever they stand, and labels misread."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

from tests.bench.spans import conll, relations, spoilt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.spans import Sentence

    Given = tuple[list[str], list[str], list[str]]
    """Tokens, tags as given, tags as they are right."""

SETS: dict[str, Callable[[], list[Sentence]]] = {
    "wikigold": lambda: conll("ner_english/wikigold/CONLL-format/data/wikigold.conll.txt"),
    "wnut": lambda: conll("ner_english/WNUT17/CONLL-format/data/train/wnut17train.conll"),
    "conll04": relations,
}
OFTEN, SHARE, USUAL = 3, 0.1, 0.03
"""Surfaces that stand so often; of all mentions so many are left out that way, and so many of the others by chance."""


def world(name: str, how: str) -> Iterator[Given]:
    """A set with errors: "missed" (most places of some surfaces are unmarked), or as `spoilt`."""
    right = SETS[name]()
    wrong = missed(right) if how == "missed" else spoilt(right, how)[0]
    for (_, tokens, marks), (_, _, given) in zip(right, wrong, strict=True):
        yield tokens, _tags(len(tokens), given), _tags(len(tokens), marks)


def missed(sentences: list[Sentence], seed: int = 1) -> list[Sentence]:
    """The sentences with mentions of some surfaces left out."""
    chance = random.Random(seed)
    seen = Counter(_read(tokens, mark) for _, tokens, marks in sentences for mark in marks)
    often = sorted(name for name, count in seen.items() if count >= OFTEN)
    chance.shuffle(often)
    room, shares = SHARE * seen.total(), {}
    for name in often:
        if room > 0:
            shares[name] = chance.uniform(0.3, 0.9)
            room -= seen[name] * shares[name]
    return [
        (group, tokens, [one for one in marks if chance.random() >= shares.get(_read(tokens, one), USUAL)])
        for group, tokens, marks in sentences
    ]


def _read(tokens: list[str], mark: tuple[int, int, str]) -> tuple[str, str]:
    return " ".join(tokens[mark[0] : mark[1]]).casefold(), mark[2]


def _tags(size: int, marks: list[tuple[int, int, str]]) -> list[str]:
    tags = ["O"] * size
    for start, end, label in marks:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags

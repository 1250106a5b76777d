"""Texts for the tests of contamination: items of many different words, in English and Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.contamination import Size, build, judged, search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.quality.contamination import Finding, Index

SIZE = Size(5, 8)
LEAST = 0.4
CONSONANTS, VOWELS = "bcdfghjklmnpqrstvwz", "aeiou"


def word(number: int) -> str:
    """A made word; every number has its own."""
    made = ""
    for _ in range(3):
        number, one = divmod(number, len(CONSONANTS))
        number, two = divmod(number, len(VOWELS))
        made += CONSONANTS[one] + VOWELS[two]
    return made


def english(seed: int, words: int) -> str:
    """A text of so many made words."""
    chosen = np.random.default_rng(seed).integers(0, 500_000, words)
    return " ".join(word(int(one)) for one in chosen)


def chinese(seed: int, chars: int) -> str:
    """A text of so many characters."""
    return "".join(chr(int(one)) for one in np.random.default_rng(seed).integers(0x4E00, 0x9000, chars))


def indexed(items: Sequence[str], sets: Sequence[int] | None = None) -> Index:
    """The index of items, of one set unless said otherwise."""
    return build(items, np.array(sets or [0] * len(items), dtype=np.int64), SIZE)


def found(items: Sequence[str], texts: Sequence[str], *, rows: int | None = None) -> Finding:
    """What is found of the items in the texts."""
    index = indexed(items)
    hits = search(texts, index, least_share=LEAST)
    return judged(hits, index, texts=rows or len(texts), least_share=LEAST).found


def pairs(items: Sequence[str], texts: Sequence[str]) -> list[tuple[int, int]]:
    """(text, item) of all that is found, sorted."""
    made = found(items, texts)
    return sorted(zip(made.text.tolist(), made.item.tolist(), strict=True))

"""Ruling: whether two texts that look alike say the same, difference by difference, and what keeps them apart."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pipeline.quality.duplicates.comparing import (
    CHANGED_NEGATION,
    CHANGED_NUMBER,
    CHANGED_SIGN,
    EVERY,
    LONGEST_SWAP,
    SLOT,
    SLOT_WORDS,
)
from pipeline.quality.duplicates.lexicon import FILLERS
from pipeline.quality.duplicates.parts import Part
from pipeline.quality.duplicates.slips import misspelt, misspelt_small_word, slipped_character
from pipeline.quality.duplicates.wording import DECISIVE, NEGATION, NUMBER, QUESTION, SYMBOL, UNSPACED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.quality.duplicates.frequency import Frequencies
    from pipeline.quality.duplicates.parts import Text

_COMMON_SHARE, _COMMON_ROWS = 0.005, 20
CROWD = 3  # a text, a slip in it and another slip; from the next on the place is a slot of a template
_TOLD_BY = {
    CHANGED_NUMBER: (NUMBER, "number"),
    CHANGED_NEGATION: (NEGATION, "negation"),
    CHANGED_SIGN: (SYMBOL, "sign"),
}
LONG_WORDS = 100  # from so many words on, one common word for another does not make another text


@dataclass(frozen=True)
class Ruling:
    """What is decided about a pair: its kind, whether it says the same, and why, in words."""

    kind: str
    accepted: bool
    why: str


def rule(
    one: Text, other: Text, region: tuple[int, int, int], *, similar: bool, crowd: int, frequencies: Frequencies
) -> Ruling:
    """Whether two texts say the same.

    Args:
        one, other: the texts.
        region: how many words they share at the beginning, and how many differ from there in either.
        similar: whether their n-grams overlap enough for a common word more or less to be let pass.
        crowd: how many texts are the same but for the few words in which these two differ.
        frequencies: of words among all texts.
    """
    kinds, told, slots = [], [], []
    most = min(one.length, other.length) // EVERY
    for count, (mine, yours) in enumerate(_differences(one, other, region)):
        kind, slot = _difference(mine, yours, similar=similar, frequencies=frequencies)
        slot_like = 0 < len(mine) == len(yours) <= SLOT_WORDS and crowd > CROWD
        if slot_like and not (mine.flags | yours.flags) & DECISIVE:
            kind, slot = "", f"slot filled {crowd} times: {mine} / {yours}"
        if count > most or (count and mine.are(UNSPACED) + yours.are(UNSPACED)):
            kind, slot = "", slot or f"words {mine} / {yours}"
        slots += [] if kind else [slot]
        kinds.append(kind)
        told.append(f"{mine} / {yours}")
    if len(kinds) > 1 and "similar" in kinds and not similar:
        slots.append(f"words {told[0]}")  # fillers are let pass one at a time where the texts are not alike
    if one.marks != other.marks:
        slots.append("sign: a face or a mark of a number")
    if slots:
        return Ruling("similar", False, slots[0])
    kind = next((kind for kind in ("similar", "misspelt", "reordered") if kind in kinds), "similar")
    return Ruling(kind, True, "; ".join(told) or "one is contracted, or marks only")


def apart(one: Text, other: Text, region: tuple[int, int, int], *, state: int, crowd: int) -> Ruling:
    """What keeps two texts apart of which the comparison of their words has shown that they are; see `comparing`."""
    start, size, length = region
    mine, yours = Part.of(one, start, start + size), Part.of(other, start, start + length)
    if state in _TOLD_BY:
        flag, name = _TOLD_BY[state]
        why = f"{name} {' '.join(mine.are(flag)) or '-'} / {' '.join(yours.are(flag)) or '-'}"
    else:
        why = f"slot filled {crowd} times: {mine} / {yours}" if state == SLOT else _named(mine, yours)
    return Ruling("similar", False, why)


def _named(mine: Part, yours: Part) -> str:
    """Both parts, and whether they are names, a word or several."""
    name = "name" if mine.names != yours.names else "word" if max(len(mine), len(yours)) < 2 else "words"
    return f"{name} {mine} / {yours}"


def _differences(one: Text, other: Text, region: tuple[int, int, int]) -> Iterator[tuple[Part, Part]]:
    """Where the two differ, longest shared runs left out; the same places whichever of the two is the first."""
    start, mine, yours = region
    left, right = Part.of(one, start, start + mine), Part.of(other, start, start + yours)
    if mine <= 1 or yours <= 1 or (mine <= LONGEST_SWAP and sorted(left.words) == sorted(right.words)):
        if mine or yours:
            yield left, right
        return
    turned = left.words > right.words
    first, second = (right.words, left.words) if turned else (left.words, right.words)
    for kind, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind != "equal":
            here, there = ((c, d), (a, b)) if turned else ((a, b), (c, d))
            yield Part.of(one, start + here[0], start + here[1]), Part.of(other, start + there[0], start + there[1])


def _difference(mine: Part, yours: Part, *, similar: bool, frequencies: Frequencies) -> tuple[str, str]:
    """What one difference is: its kind, or an empty string and the slot that keeps the texts apart."""
    if len(mine) == len(yours) and sorted(mine.words) == sorted(yours.words):
        return ("reordered", "") if _swapped(mine, yours) else ("", f"order {mine} / {yours}")
    if misspelt_small_word(mine, yours):
        return "misspelt", ""
    if decided := _decisive(mine, yours):
        return "", decided
    same = "".join(mine.words) == "".join(yours.words)
    if same or misspelt(mine, yours) or slipped_character(mine, yours, frequencies):
        return ("similar" if _filler(mine, yours) else "misspelt"), ""
    if _filler(mine, yours) or (similar and _small(mine, yours, frequencies)):
        return "similar", ""
    return "", _named(mine, yours)


def _decisive(mine: Part, yours: Part) -> str:
    """The number, negation or sign in which two parts differ, or an empty string."""
    if not (mine.flags | yours.flags) & DECISIVE:
        return ""
    for flag, name in _TOLD_BY.values():
        if mine.are(flag) != yours.are(flag):
            return f"{name} {' '.join(mine.are(flag)) or '-'} / {' '.join(yours.are(flag)) or '-'}"
    return ""


def _filler(mine: Part, yours: Part) -> bool:
    return len(mine) + len(yours) == 1 and {*mine.words, *yours.words} <= FILLERS


def _swapped(mine: Part, yours: Part) -> bool:
    """Whether two neighbouring parts changed places, not two names or numbers around a word."""
    if len(mine) > LONGEST_SWAP or len({*mine.names, *mine.are(DECISIVE)}) > 1:
        return False
    words, others = list(mine.words), list(yours.words)
    return any(words[at:] + words[:at] == others for at in range(1, len(words)))


def _small(mine: Part, yours: Part, frequencies: Frequencies) -> bool:
    """Whether a common word more or less (in very long texts: or another) is all that differs."""
    if mine.are(QUESTION) or yours.are(QUESTION) or mine.names or yours.names:
        return False
    common = max(_COMMON_ROWS, _COMMON_SHARE * frequencies.rows)
    counts = [*mine.counts, *yours.counts]
    if any(count < common for count in counts):
        return False
    return len(counts) == 1 or (
        min(mine.text.length, yours.text.length) >= LONG_WORDS and len(mine) < 2 and len(yours) < 2
    )

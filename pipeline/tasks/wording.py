"""What of a question may be said in other words: all but code, quotations, numbers and what the reply takes up."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.text import UNSPACED, units

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

# What an edit leaves alone: code, quotations, links, numbers, placeholders, and the words that turn a request round.
FIXED = (
    r"```.*?(?:```|\Z)", r"`[^`\n]+`", r'"[^"\n]*"', r"“[^”\n]*”", r"‘[^’\n]*’",
    r"「[^」\n]*」", r"『[^』\n]*』", r"《[^》\n]*》",
    r"\w+://\S+", r"[\w.+-]+@[\w-]+\.\w+", r"[<\[{][^<>\[\]{}\n]*[>\]}]", r"[-+]?[\d０-９][\d０-９.,:/%]*",
    r"(?<!\w)(?:not?|never|none|without|except|only|unless|but|neither|nor|all|any|\w+n['’]t|cannot)(?!\w)",
    r"[不没无未非莫勿别只仅除]",
)  # fmt: skip
MIN_EVIDENCE = 4
"""Characters of a word that stands in question and reply and so is left alone."""
_UNSPACED = re.compile(f"[{UNSPACED}]")


def fixed(keep_words: Iterable[str]) -> re.Pattern[str]:
    """Finds what stays as it is whatever the reply says: FIXED and the guideline's own words, longest first."""
    own = [re.escape(word) for word in sorted(keep_words, key=lambda word: (-len(word), word)) if word]
    return re.compile("|".join([*FIXED, *own]), re.DOTALL | re.IGNORECASE)


class Evidence:
    """The words of the other turns, which a question must keep where it has them."""

    def __init__(self, said: str) -> None:
        self.words = {said[start:end].casefold() for start, end in _long_words(said)}
        self.neighbours = {one + other for one, other in pairwise(said)}

    def free(self, text: str, fixed: re.Pattern[str]) -> list[tuple[int, int]]:
        """Where the pieces of `text` stand that may change."""
        kept = [found.span() for found in fixed.finditer(text)] + _shared_runs(text, self.neighbours)
        kept += [(start, end) for start, end in _long_words(text) if text[start:end].casefold() in self.words]
        return _between(kept, len(text))


def _long_words(text: str) -> list[tuple[int, int]]:
    """The longer words of spaced scripts: names and things that a reply may take up from its question."""
    return [(start, end) for start, end in units(text) if end - start >= MIN_EVIDENCE]


def _shared_runs(text: str, neighbours: AbstractSet[str]) -> list[tuple[int, int]]:
    """Where unspaced characters stand of which each two are neighbours in the reply too; runs of two and more."""
    runs, start = [], 0
    for at in range(1, len(text) + 1):
        pair = text[at - 1 : at + 1]
        if len(pair) == 2 and pair in neighbours and all(map(_UNSPACED.match, pair)):
            continue
        if at - start > 1:
            runs.append((start, at))
        start = at
    return runs


def _between(kept: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    free, at = [], 0
    for start, end in sorted([*kept, (length, length)]):
        if at < start:
            free.append((at, start))
        at = max(at, end)
    return free

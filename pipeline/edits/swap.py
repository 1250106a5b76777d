"""Swap: neighbouring words change places, never across punctuation or what must stay.

After Wei & Zou 2019, "EDA: easy data augmentation", doi 10.18653/v1/D19-1670; Chinese words by jieba.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.chance import draw
from pipeline.edits import door
from pipeline.edits.words import Run, cut, dealt

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Swap:
    """See `pipeline.edits.Edit`."""

    name: str = "swap"
    languages: frozenset[str] = frozenset({"en", "zh"})

    def reword(self, pieces: Sequence[str], *, language: str, share: float, seed: int) -> list[str] | None:
        """See `pipeline.edits.Edit`."""
        text = cut(pieces, language=language)
        runs = text.runs
        counts = dealt(runs, share / 2, room=[len(run.words) // 2 for run in runs], seed=seed)
        made = [
            _swapped(run, count, draw(seed, number))
            for number, (run, count) in enumerate(zip(runs, counts, strict=True))
        ]
        if None in made or made == runs:
            return None
        return text.joined([run for run in made if run is not None])


def _swapped(run: Run, count: int, seed: int) -> Run | None:
    """The run with `count` pairs of neighbours swapped; None where words were lost or came in."""
    if not count:
        return run
    augmenter = door.words("random").RandomWordAug(action="swap", aug_min=count, aug_max=count, **door.tokenizers())
    words = door.through(augmenter, run.words, seed=seed)
    if Counter(map(str.casefold, words)) != Counter(map(str.casefold, run.words)):
        return None
    return Run(tuple(words), run.gaps)


EDIT = Swap()

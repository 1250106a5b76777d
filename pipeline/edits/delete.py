"""Delete: words are left out, never the last one between two marks of punctuation.

After Wei & Zou 2019, "EDA: easy data augmentation", doi 10.18653/v1/D19-1670; Chinese words by jieba.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.chance import draw
from pipeline.edits import door
from pipeline.edits.words import Run, cut, dealt

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Delete:
    """See `pipeline.edits.Edit`."""

    name: str = "delete"
    languages: frozenset[str] = frozenset({"en", "zh"})

    def reword(self, pieces: Sequence[str], *, language: str, share: float, seed: int) -> list[str] | None:
        """See `pipeline.edits.Edit`."""
        text = cut(pieces, language=language)
        runs = text.runs
        counts = dealt(runs, share, room=[len(run.words) - 1 for run in runs], seed=seed)
        made = [
            _shortened(run, count, draw(seed, number))
            for number, (run, count) in enumerate(zip(runs, counts, strict=True))
        ]
        if None in made or made == runs:
            return None
        return text.joined([run for run in made if run is not None])


def _shortened(run: Run, count: int, seed: int) -> Run | None:
    """The run without `count` words; None where nlpaug left out more or did anything else.

    nlpaug brings the second word back where it was to leave out the first two, so there may be one word more.
    """
    if not count:
        return run
    augmenter = door.words("random").RandomWordAug(action="delete", aug_min=count, aug_max=count, **door.tokenizers())
    words = door.through(augmenter, run.words, seed=seed)
    places = _places(words, run.words)
    if places is None or not len(run.words) - count <= len(words) < len(run.words):
        return None
    return Run(tuple(words), tuple(run.gaps[place - 1] for place in places[1:]))


def _places(left: Sequence[str], words: Sequence[str]) -> list[int] | None:
    """Where the words that are left stood; None where they are not some of the words in their order."""
    places: list[int] = []
    for word in left:
        start = places[-1] + 1 if places else 0
        found = (place for place in range(start, len(words)) if words[place].casefold() == word.casefold())
        place = next(found, None)
        if place is None:
            return None
        places.append(place)
    return places


EDIT = Delete()

"""What the edits that misspell words have in common: as many words come back as went in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.edits import door
from pipeline.edits.words import Run, amount, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def reword(
    augmenter: Callable[[], Any], pieces: Sequence[str], *, language: str, share: float, seed: int
) -> list[str] | None:
    """The pieces with some words misspelled by an nlpaug augmenter of characters."""
    text = cut(pieces, language=language)
    words = [word for run in text.runs for word in run.words]
    if not words:
        return None
    tool = augmenter()
    tool.aug_word_min = tool.aug_word_max = amount(share, len(words))
    made = door.through(tool, words, seed=seed)
    if len(made) != len(words) or made == words:
        return None
    return text.joined(list(_dealt_back(text.runs, made)))


def _dealt_back(runs: Sequence[Run], words: Sequence[str]) -> Iterator[Run]:
    done = 0
    for run in runs:
        yield Run(tuple(words[done : done + len(run.words)]), run.gaps)
        done += len(run.words)

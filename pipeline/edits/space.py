"""Space: a stray space inside a word, as line breaks and hasty typing leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.edits import door
from pipeline.edits.words import Run, amount, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Space:
    """See `pipeline.edits.Edit`; words of four letters and more."""

    name: str = "space"
    languages: frozenset[str] = frozenset({"en"})

    def reword(self, pieces: Sequence[str], *, language: str, share: float, seed: int) -> list[str] | None:
        """See `pipeline.edits.Edit`."""
        text = cut(pieces, language=language)
        words = [word for run in text.runs for word in run.words]
        if not words:
            return None
        count = amount(share, len(words))
        augmenter = door.words("split").SplitAug(aug_min=count, aug_max=count, min_char=4, **door.tokenizers())
        parts = _parts(door.through(augmenter, words, seed=seed), words)
        if parts is None or parts == words:
            return None
        rest = iter(parts)
        return text.joined([Run(tuple(next(rest) for _ in run.words), run.gaps) for run in text.runs])


def _parts(made: Sequence[str], words: Sequence[str]) -> list[str] | None:
    """Each word as it is or in two parts with a space; None where the parts do not make up the words."""
    rest: Iterator[str] = iter(made)
    parts: list[str] = []
    for word in words:
        part = next(rest, "")
        if part != word:
            second = next(rest, "")
            if part + second != word:
                return None
            part = f"{part} {second}"
        parts.append(part)
    return parts if next(rest, None) is None else None


EDIT = Space()

"""OCR: characters replaced by those that a scanner takes them for (o and 0, l and 1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.edits import door, spelling

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Ocr:
    """See `pipeline.edits.Edit`; one character of every word it touches, words of three letters and more."""

    name: str = "ocr"
    languages: frozenset[str] = frozenset({"en"})

    def reword(self, pieces: Sequence[str], *, language: str, share: float, seed: int) -> list[str] | None:
        """See `pipeline.edits.Edit`."""
        return spelling.reword(_augmenter, pieces, language=language, share=share, seed=seed)


@lru_cache(maxsize=1)
def _augmenter() -> Any:
    return door.characters().OcrAug(aug_char_min=1, aug_char_max=1, min_char=3, **door.tokenizers())


EDIT = Ocr()

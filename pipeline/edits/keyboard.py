"""Keyboard: letters replaced by their neighbours on the keyboard, as in typing errors.

After Belinkov & Bisk 2018, "Synthetic and natural noise both break neural machine translation", arXiv 1711.02173.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.edits import door, spelling

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Keyboard:
    """See `pipeline.edits.Edit`; one letter of every word it touches, words of four letters and more."""

    name: str = "keyboard"
    languages: frozenset[str] = frozenset({"en"})

    def reword(self, pieces: Sequence[str], *, language: str, share: float, seed: int) -> list[str] | None:
        """See `pipeline.edits.Edit`."""
        return spelling.reword(_augmenter, pieces, language=language, share=share, seed=seed)


@lru_cache(maxsize=1)
def _augmenter() -> Any:
    return door.characters().KeyboardAug(
        aug_char_min=1,
        aug_char_max=1,
        include_special_char=False,
        include_numeric=False,
        include_upper_case=False,
        min_char=4,
        **door.tokenizers(),
    )


EDIT = Keyboard()

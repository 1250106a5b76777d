"""Naming: the label that a file means, by the guideline's names and aliases, however it is spelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.text import nfc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import Guideline


def spellings(guideline: Guideline) -> dict[str, str]:
    """The label that every spelling stands for; exact spellings win over those that differ only in case."""
    spelled = [(word, label.name) for label in guideline.label for word in (*label.aliases, label.name)]
    return {word.casefold(): name for word, name in spelled} | dict(spelled)


def label(given: Any, guideline: Guideline, known: Mapping[str, str]) -> str:
    """The label that `given` names; any text where the guideline lists none. `known` are its `spellings`.

    Raises:
        Unfit: `unknown_label`, it is no text, or no label or alias.
    """
    if not isinstance(given, str) or not given.strip():
        raise Unfit("unknown_label", f"{given!r:.80} is no label")
    spelling = nfc(given.strip())
    if not guideline.label:
        return spelling
    if found := known.get(spelling) or known.get(spelling.casefold()):
        return found
    raise Unfit("unknown_label", f"{spelling!r:.80} is no label or alias of guideline {guideline.version}")

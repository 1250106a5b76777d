"""The first list of suspects: kept answers that a quick model, which did not see the row, finds least likely."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.quality.suspects import out_of_fold, suspicion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.settings import AuditSettings

SUSPECTS = pa.schema(
    [
        ("id", pa.string()),
        ("score", pa.float64()),
        ("given", pa.string()),
        ("likely", pa.string()),
        ("flagged", pa.bool_()),
        ("why", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Guess:
    """A part of a kept answer that a quick model can check: its row, the row's group, what is read, the label given."""

    row: str
    group: str
    context: str
    label: str


def suspects(guesses: Sequence[Guess], settings: AuditSettings) -> list[dict[str, Any]]:
    """The rows whose answer a model that did not see them finds least likely, at most `suspect_share` of all."""
    labels = sorted({guess.label for guess in guesses})
    code = {label: number for number, label in enumerate(labels)}
    given = np.array([code[guess.label] for guess in guesses], dtype=np.int64)
    texts, groups = [guess.context for guess in guesses], [guess.group for guess in guesses]
    probabilities = out_of_fold(
        texts, given, groups, seed=settings.seed, folds=settings.suspect_folds, classes=len(labels)
    )
    found = suspicion(probabilities, given)
    room = math.ceil(settings.suspect_share * len({guess.row for guess in guesses}))
    lines: dict[str, dict[str, Any]] = {}
    for at in np.argsort(found.rank, kind="stable"):
        guess = guesses[at]
        if len(lines) >= room or not np.isfinite(found.score[at]):
            break
        lines.setdefault(guess.row, _suspect(guess, labels, probabilities[at]))
        lines[guess.row]["flagged"] |= bool(found.flagged[at])
    return list(lines.values())


def _suspect(guess: Guess, labels: list[str], probabilities: Any) -> dict[str, Any]:
    best, own = int(probabilities.argmax()), float(probabilities[labels.index(guess.label)])
    told = f"'{guess.label}' {own:.0%}, '{labels[best]}' {probabilities[best]:.0%}"
    return {
        "id": guess.row,
        "score": 1 - own,
        "given": guess.label,
        "likely": labels[best],
        "flagged": False,
        "why": f"a model that did not see the row gives {told}: {guess.context[:160]}",
    }


def not_checked(guesses: Sequence[Guess], settings: AuditSettings) -> str:
    """Why there is no list of suspects, so that an empty one is not taken for a clean data set; empty if there is."""
    if not settings.suspects:
        return "not checked: the recipe turns suspects off"
    if settings.suspect_share == 0:
        return "not checked: the recipe gives the list no room (suspect_share = 0)"
    if not guesses:
        return "not checked: the task has no part that the quick model could guess"
    if len({guess.group for guess in guesses}) < 2 * settings.suspect_folds:
        return "not checked: too few groups of rows to hold some out"
    if len({guess.label for guess in guesses}) < 2:
        return "not checked: there are no two labels to tell apart"
    return ""

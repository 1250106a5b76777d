"""Answers to inputs that are nearly the same: whether they agree once the difference in wording is allowed for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.tasks import Task
    from pipeline.twinning.asked import Asked

CLOSE = 0.05
"""Ratings as near as this, as a share of the scale, agree: half the width in which equal inputs are compared."""
ALIKE = 0.6
"""From which likeness on (difflib) a surface may be the other with a slip in it: short names with one have .67."""
NUMERIC = ("interval", "ratio")


@dataclass(frozen=True)
class Agreeing:
    """Whether the answers of two rows, given by their places in `rows`, say the same though the inputs differ a little.

    Attributes:
        rows: the positions of the rows that are compared.
        answers, meanings: by position, the canonical answer and what it says apart from how the text is written.
        asked: what was asked.
    """

    task: Task
    rows: Sequence[int]
    answers: Sequence[str | None]
    meanings: Sequence[str | None]
    asked: Asked

    def __call__(self, one: int, other: int) -> bool:
        """Labels are the same or not; ratings may be a little apart; marks are compared by label and surface."""
        left, right = self.rows[one], self.rows[other]
        first, second = self.answers[left] or "null", self.answers[right] or "null"
        if first == second:
            return True
        if self.task.measure in NUMERIC:
            return self.task.distance(json.loads(first), json.loads(second)) <= CLOSE
        mine, yours = (self.task.spoken(self.meanings[row] or "[]") for row in (left, right))
        if mine is None or yours is None or len(mine) != len(yours):
            return False
        text, other_text = map(normalised, self.asked.of([left, right]))
        return all(
            label == other_label and (surface == other_surface or _reworded(surface, text, other_surface, other_text))
            for (surface, label), (other_surface, other_label) in zip(mine, yours, strict=True)
        )


def _reworded(surface: str, text: str, other: str, other_text: str) -> bool:
    """Whether two surfaces differ because the texts do: neither could have been marked in the other text.

    >>> _reworded("obama", "obamaspoke", "obma", "obmaspoke"), _reworded("york", "newyork", "newyork", "newyorks")
    (True, False)
    """
    if surface in other_text or other in text:
        return False
    return SequenceMatcher(None, surface, other, autojunk=False).ratio() >= ALIKE

"""Figures: one measured value with its interval, what it was counted on, and how it is told in a report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

DECIMALS = 6
"""Reports carry so many decimals: the last bits differ from processor to processor."""


@dataclass(frozen=True)
class Agreement:
    """Chance-corrected agreement.

    Attributes:
        alpha: at most 1 (perfect); 0 is what chance gives; nan where it is not defined (see `note`).
        low, high: interval of `alpha` when rows are drawn anew; nan where it is not defined.
        rows: rows with at least one unit that two or more ballots were cast on.
        labels_counted: ballots on such units; the others say nothing about agreement.
        note: in words, why a value is missing or not to be trusted; empty if there is nothing to say.
    """

    alpha: float
    low: float
    high: float
    rows: int
    labels_counted: int
    note: str

    def figure(self, name: str) -> Figure:
        """The same under the name of the measure."""
        return Figure(name, self.alpha, self.low, self.high, self.rows, self.labels_counted, self.note)


@dataclass(frozen=True)
class Figure:
    """One measure of agreement.

    Attributes:
        name: the measure, as a reader knows it.
        value: nan where it is not defined.
        low, high: percentile interval when rows are drawn anew; nan where there is none.
        rows: rows that it was measured on.
        answers: ballots, spans or texts that it was measured on.
        note: in words, how it was measured or why it is missing; empty if there is nothing to say.
    """

    name: str
    value: float
    low: float
    high: float
    rows: int
    answers: int
    note: str = ""

    def told(self) -> dict[str, Any]:
        """For JSON: rounded, None for nan."""
        numbers = {"value": number(self.value), "low": number(self.low), "high": number(self.high)}
        return {"name": self.name, **numbers, "rows": self.rows, "answers": self.answers, "note": self.note}


def number(value: float) -> float | None:
    """A number for JSON, which has no nan; rounded.

    >>> number(float("nan")), number(0.12345678)
    (None, 0.123457)
    """
    return round(float(value), DECIMALS) if math.isfinite(value) else None

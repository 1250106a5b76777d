"""Remaining: how many errors are left among lines that nobody has judged, with an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.chance import draw
from pipeline.quality.reviewed.recalibrating import DRAWS, nodes
from pipeline.quality.reviewed.weighing import LIKENESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.reviewed.recalibrating import Recalibrated

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

EDGES = (0.025, 0.975)


@dataclass(frozen=True)
class Left:
    """Errors among so many lines: `draws` is float64[draws], how many there may be.

    `given` is what the scores said of the same lines before they were held against what people found.
    """

    lines: int
    draws: Floats
    given: float

    def __add__(self, other: Left) -> Left:
        """Both together, draw by draw: what scores mean is the same in both where they are of one model."""
        return Left(self.lines + other.lines, self.draws + other.draws, self.given + other.given)

    @property
    def value(self) -> float:
        """The middle of what may be."""
        return float(np.median(self.draws)) if len(self.draws) else 0.0

    @property
    def edges(self) -> tuple[float, float]:
        """The 95 % interval."""
        low, high = np.quantile(self.draws, EDGES) if len(self.draws) else (0.0, 0.0)
        return float(low), float(high)

    def told(self) -> dict[str, Any]:
        """For JSON."""
        low, high = self.edges
        numbers = {"value": self.value, "low": low, "high": high, "given": self.given}
        return {"lines": self.lines, **{name: round(number, 3) for name, number in numbers.items()}}


NONE = Left(0, np.zeros(DRAWS), 0.0)


def left(
    scores: Floats, group: Ints, model: Recalibrated, *, seed: int, about: str = "", likeness: float = LIKENESS
) -> Left:
    """How many of the lines with these scores are wrong.

    `group`: int64[lines], lines of one group tend to be wrong together; -1 is in none. The draws hold both that the
    scores may be off and that each line is wrong or not: for the second a Poisson number of equal heaps, with the mean
    and the variance that lines and groups have.
    """
    if not len(scores):
        return NONE
    expected = model.sums(scores)
    usual = model.middle(scores)
    variance = float((usual * (1 - usual)).sum()) + _together(np.sqrt(usual * (1 - usual)), group, likeness)
    heap = max(variance / max(float(usual.sum()), 1e-12), 1e-9)
    chance = np.random.Generator(np.random.PCG64(draw(seed, "left", about)))
    drawn = heap * chance.poisson(np.minimum(expected / heap, 1e15))
    return Left(len(scores), np.minimum(drawn, len(scores)), float(np.sum(scores)))


def _together(deviation: Floats, group: Ints, likeness: float) -> float:
    """What is added to the variance because lines of one group are alike."""
    inside = group >= 0
    if not inside.any():
        return 0.0
    sums = np.bincount(group[inside], weights=deviation[inside])
    return likeness * max(0.0, float((sums**2).sum() - (deviation[inside] ** 2).sum()))


def rows_share(scores: Floats, row: Ints, model: Recalibrated) -> float:
    """How many rows are expected to hold the errors, for each error of a line: 0..1; several may stand in one row."""
    usual = np.clip(model.middle(scores), 0.0, 1 - 1e-12)
    if not len(usual) or not usual.sum():
        return 1.0
    rows = -np.expm1(np.bincount(row, weights=np.log1p(-usual)))
    return float(rows.sum() / usual.sum())


def rate(confirmed: int, remaining: Sequence[Floats], rows: int) -> dict[str, float | None]:
    """The share of rows that are wrong: those confirmed, and what may be left (draws of numbers of rows)."""
    if not rows:
        return {"value": None, "low": None, "high": None}
    total = np.clip((confirmed + np.sum(remaining, axis=0)) / rows, 0.0, 1.0) if len(remaining) else np.zeros(1)
    low, high = np.quantile(total, EDGES)
    numbers = {"value": float(np.median(total)), "low": float(low), "high": float(high)}
    return {name: round(number, 6) if math.isfinite(number) else None for name, number in numbers.items()}


__all__ = ["NONE", "Left", "left", "nodes", "rate", "rows_share"]

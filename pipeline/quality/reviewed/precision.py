"""Precision: what share of the judged lines was wrong, as a curve down the list, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.acceptance import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

Z = 1.959964
POINTS = 60
DECIMALS = 6
# Bets on log odds from hardly any difference from what is supposed to a great one, both ways.
_BETS = np.concatenate([-np.geomspace(0.05, 6.4, 29), np.geomspace(0.05, 6.4, 29)])
_GRID = np.linspace(0.0, 1.0, 1001)


@dataclass(frozen=True, slots=True)
class Point:
    """The first so many lines of a list.

    Attributes:
        lines: how many lines were judged up to here; looks: by how many acts of people.
        wrong: how many of the lines were confirmed wrong; share: wrong / lines.
        low, high: interval of the share that holds for one look, acts being drawn anew.
        by_look: the mean over acts of the share that each found.
        always_low, always_high: the interval of the probability that `by_look` estimates, at all looks at once.
        score: of the last line.
    """

    lines: int
    looks: int
    wrong: int
    share: float
    low: float
    high: float
    by_look: float
    always_low: float
    always_high: float
    score: float

    def told(self) -> dict[str, Any]:
        """For JSON."""
        numbers = {name: getattr(self, name) for name in self.__slots__}
        return {name: _number(value) if isinstance(value, float) else value for name, value in numbers.items()}


def curve(wrong: Bools, act: Ints, score: Floats, *, points: int = POINTS) -> list[Point]:
    """The share wrong among the first lines of a list, at up to `points` lengths of it, the whole list last.

    `wrong`: bool[lines] in the order of the list; `act`: int64[lines], lines that one act decided; `score`:
    float64[lines], nan where it is not known.
    `low` and `high` are Wilson's for as many lines as acts are worth: (sum of sizes)^2 / sum of sizes^2 (Kish 1965).
    """
    lines = len(wrong)
    if not lines:
        return []
    _, of_act = np.unique(act, return_inverse=True)
    of_act = of_act.reshape(-1)
    ends = np.unique(np.ceil(np.linspace(0, lines, min(points, lines) + 1)[1:]).astype(np.int64))
    return [_point(wrong[:end], of_act[:end], float(score[end - 1])) for end in ends.tolist()]


def _point(wrong: Bools, of_act: Ints, score: float) -> Point:
    size = np.bincount(of_act)
    found = np.bincount(of_act, weights=wrong)[size > 0]
    size = size[size > 0]
    lines, bad = len(wrong), int(wrong.sum())
    worth = lines**2 / float((size.astype(np.float64) ** 2).sum())
    once = wilson(bad / lines * worth, worth)
    by_look = float((found / size).mean())
    ever = always(by_look * len(size), len(size))
    return Point(lines, len(size), bad, bad / lines, once.low, once.high, by_look, ever.low, ever.high, score)


def wilson(wrong: float, checked: float, *, z: float = Z) -> Interval:
    """The two-sided 95 % interval of a share for one look; numbers need not be whole.

    Method: Wilson 1927, doi:10.1080/01621459.1927.10502953. It errs to the safe side where lines are not equally likely
    to be wrong, as down a list they are not: the sum varies less then (Hoeffding 1956, doi:10.1214/aoms/1177728178).

    >>> [round(edge, 3) for edge in wilson(0, 20)], wilson(0, 0)
    ([0.0, 0.161], Interval(low=0.0, high=1.0))
    """
    if checked <= 0:
        return Interval(0.0, 1.0)
    share, much = wrong / checked, z * z / checked
    middle = (share + much / 2) / (1 + much)
    reach = z * math.sqrt(max(share * (1 - share) / checked + much / (4 * checked), 0.0)) / (1 + much)
    return Interval(max(0.0, middle - reach), min(1.0, middle + reach))


def always(wrong: float, looks: int, *, confidence: float = 0.95) -> Interval:
    """The interval of the mean probability of being wrong over the looks so far, valid at all looks at once.

    `wrong` is the sum over the looks of what each found, 0..1. The bounds of `pipeline.quality.anytime` are for rows
    drawn at random; down a list the probability falls from line to line. Here it may be another at every look: the
    product of the moment generating functions of the looks is at most that of as many looks at their mean (Jensen), so
    exp(b wrong) / (1 - p + p exp(b))^looks is below a martingale for each b, and so is a mixture over many b; Ville's
    inequality then bounds how often it ever reaches 1 / risk where p is the mean.
    """
    if not looks:
        return Interval(0.0, 1.0)
    bets = _BETS[:, None]
    logs = bets * wrong - looks * np.log1p(_GRID[None, :] * np.expm1(bets))
    most = logs.max(axis=0)
    mixed = most + np.log(np.exp(logs - most).mean(axis=0))
    left = np.flatnonzero(mixed < -math.log(1 - confidence))
    if not len(left):
        return Interval(wrong / looks, wrong / looks)
    step = _GRID[1]
    return Interval(max(0.0, float(_GRID[left[0]] - step)), min(1.0, float(_GRID[left[-1]] + step)))


def _number(value: float) -> float | None:
    return round(value, DECIMALS) if math.isfinite(value) else None

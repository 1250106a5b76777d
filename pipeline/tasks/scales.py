"""Numbers on a scale: how they are spelled, in which stretch of the scale they lie, how right guesses at them are."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

STEPS = 5
"""Into so many stretches of equal width a bounded scale is cut."""
EXACT_DIGITS = 6
"""A number that a model gives is rounded to a millionth of the scale: its 32 bits say no more."""
LARGEST, LEAST = 1e15, 2.0**-20
"""No rating is larger, and what is smaller than a millionth is counted as 0: text and models keep no more digits."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+]?\d*,\d+")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_BETWEEN = " to "


def number(given: Any) -> float:
    """The number that was given, as a number or as text: 3, "3.0", "3,5", "３．５" and "−2" are read.

    A comma before the last digits is a decimal comma, unless it may as well part thousands: 1,000 is refused, because
    nobody can tell what it is; so are shares (80 %), fractions (4/5) and words.

    Raises:
        Unfit: `wrong_type`.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise Unfit("wrong_type", f"a rating is a number, not {given!r:.80}")
    text = unicodedata.normalize("NFKC", str(given)).strip().replace("\u2212", "-")
    if _THOUSANDS.fullmatch(text):
        raise Unfit("wrong_type", f"{given!r:.80} may be {text.replace(',', '.')} or {text.replace(',', '')}")
    if _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    found = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not abs(found) <= LARGEST:  # nan is not, either
        raise Unfit("wrong_type", f"a rating is a number, not {given!r:.80}")
    return found + 0.0  # -0.0 + 0.0 is 0.0


def spelled(value: float) -> str:
    """The one spelling of a number.

    >>> spelled(3.0), spelled(-0.0), spelled(2.5)
    ('3', '0', '2.5')
    """
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < LARGEST else repr(value)


@dataclass(frozen=True)
class Scale:
    """The numbers from `low` to `high`, both included; None where there is no bound."""

    low: float | None
    high: float | None

    @property
    def name(self) -> str:
        """How it is spelled: "1 to 5"."""
        ends = ("any number" if end is None else spelled(end) for end in (self.low, self.high))
        return _BETWEEN.join(ends)

    def holds(self, value: float) -> bool:
        """Whether a number lies on it."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def clipped(self, value: float) -> float:
        """The number of the scale that is nearest to `value`."""
        value = value if self.low is None else max(value, self.low)
        return value if self.high is None else min(value, self.high)

    def apart(self, one: float, other: float) -> float:
        """How far apart two numbers are, 0 to 1: as a share of the scale, or, without bounds, of what both come to."""
        if self.low is not None and self.high is not None:
            return min(abs(one - other) / (self.high - self.low), 1.0)
        both = abs(one) + abs(other)
        return abs(one - other) / both if both else 0.0

    def stretch(self, value: float) -> Scale:
        """The stretch of the scale with a number: a fifth, or, without bounds, from one power of two to the next."""
        if self.low is None or self.high is None:
            return _octave(value)
        width = (self.high - self.low) / STEPS
        at = min(max(int((value - self.low) / width), 0), STEPS - 1)
        edges = [round(self.low + step * width, 10) for step in (at, at + 1)]
        return Scale(*edges)

    # -- for a model, which learns numbers from about -1 to about 1
    def shrunk(self, value: float) -> float:
        """The number with the middle of the scale as 0 and its ends as -1 and 1."""
        middle, half = self._halves()
        return (value - middle) / half

    def grown(self, value: float) -> float:
        """What was shrunk, as it was, to a millionth of the scale."""
        middle, half = self._halves()
        return round(middle + half * value, EXACT_DIGITS - math.floor(math.log10(2 * half))) + 0.0

    def _halves(self) -> tuple[float, float]:
        low, high = (end if end is not None else usual for end, usual in ((self.low, -1.0), (self.high, 1.0)))
        return (low + high) / 2, (high - low) / 2


def _octave(value: float) -> Scale:
    if abs(value) < LEAST:
        return Scale(0.0, 0.0)
    edge = 2.0 ** math.floor(math.log2(abs(value)))
    return Scale(edge, 2 * edge) if value > 0 else Scale(-2 * edge, -edge)


def named(name: str) -> Scale | None:
    """The scale that a name of one spells; None where it spells none."""
    low, between, high = name.partition(_BETWEEN)
    if not between or not all(_NUMBER.fullmatch(end) for end in (low, high)):
        return None
    return Scale(float(low), float(high))


def spanning(names: Iterable[str]) -> Scale:
    """The scale from the lowest to the highest end of stretches, by their names; from -1 to 1 where there are none."""
    ends = [end for name in names if (one := named(name)) for end in (one.low, one.high) if end is not None]
    low, high = min(ends, default=-1.0), max(ends, default=1.0)
    return Scale(low, high) if low < high else Scale(low - 1, high + 1)


# -- how right


def scores(gold: Sequence[float], found: Sequence[float]) -> dict[str, float]:
    """Spearman's and Pearson's correlation (-1 to 1), the mean absolute and the root mean square error.

    Spearman 1904, DOI 10.2307/1412159, with mean ranks for equal numbers. Where one side never changes there is no
    correlation: it counts as 1 if every number is right, else as 0.
    """
    true, said = np.asarray(gold, dtype=np.float64), np.asarray(found, dtype=np.float64)
    if not len(true):
        return {"spearman": 0.0, "pearson": 0.0, "mae": 0.0, "rmse": 0.0}
    off = said - true
    steady = np.ptp(true) == 0 or np.ptp(said) == 0
    return {
        "spearman": float(not off.any()) if steady else correlation(ranks(true), ranks(said)),
        "pearson": float(not off.any()) if steady else correlation(true, said),
        "mae": float(np.abs(off).mean()),
        "rmse": float(np.sqrt(np.square(off).mean())),
    }


def ranks(values: Numbers) -> Numbers:
    """Ranks from 1, equal numbers sharing the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[places.reshape(-1)]
    return mean


def correlation(one: Numbers, other: Numbers) -> float:
    """Pearson's correlation of two columns of numbers; 0 where one of them never changes."""
    left, right = one - one.mean(), other - other.mean()
    spread = np.sqrt(np.square(left).sum() * np.square(right).sum())
    return float(np.clip((left * right).sum() / spread, -1.0, 1.0)) if spread else 0.0

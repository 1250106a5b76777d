"""Pace: how long people take for a line, what an error that they confirm costs in minutes, and in money."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PAUSE_MEDIANS, PAUSE_SECONDS = 10.0, 60.0
"""Longer than ten usual times, and than a minute, is no longer looking: a telephone, a meal, a tab left open.

Such a time is cut down to that bound and not left out, as the line did take a while. The bound hangs on the median,
which single long pauses do not move, so that it fits lines of two seconds and conversations of five minutes.
"""
ASSUMED_LOOKS = 5.0
"""The time that the recipe assumes counts as much as so many looks, until it is known better."""
ASSUMED_SPREAD = 1.0
"""The standard deviation of assumed times, in means: times of people have long tails."""


@dataclass(frozen=True)
class Pace:
    """How long acts take.

    Attributes:
        looks: acts; timed: of those, with a time; cut: with one that was cut down as a pause.
        seconds: of all acts, pauses cut down; acts without a time count as the mean.
        each: seconds of one act, mean, drawn to what was assumed while few are known; spread: its standard error.
        cap: seconds beyond which a time is a pause; None where no time is known.
    """

    looks: int
    timed: int
    cut: int
    seconds: float
    each: float
    spread: float
    cap: float | None

    def draws(self, size: int, chance: np.random.Generator) -> Floats:
        """What one act may take on average: float64[size] seconds, of a Gamma distribution."""
        shape = (self.each / max(self.spread, 1e-6 * self.each)) ** 2
        return np.asarray(chance.gamma(shape, self.each / shape, size=size))

    def told(self) -> dict[str, Any]:
        """For JSON."""
        numbers = {"seconds": self.seconds, "each": self.each, "spread": self.spread}
        counts = {"looks": self.looks, "timed": self.timed, "cut": self.cut}
        return counts | {name: round(value, 3) for name, value in numbers.items()} | {"cap": self.cap}


def pace(seconds: Floats, assumed: float) -> Pace:
    """From the seconds of each act (float64[acts], nan where no time was taken) and what an act is assumed to take.

    >>> pace(np.array([6.0, 8.0, 7.0, 9.0, 4000.0, np.nan]), 8.0).told()["cap"]
    80.0
    """
    known = seconds[np.isfinite(seconds)]
    cap = max(PAUSE_MEDIANS * float(np.median(known)), PAUSE_SECONDS) if len(known) else None
    kept = np.minimum(known, math.inf if cap is None else cap)
    total = len(kept) + ASSUMED_LOOKS
    each = (math.fsum(kept) + ASSUMED_LOOKS * assumed) / total
    squares = math.fsum((kept - each) ** 2) + ASSUMED_LOOKS * ((ASSUMED_SPREAD * assumed) ** 2 + (assumed - each) ** 2)
    spent = math.fsum(kept) + each * (len(seconds) - len(known))
    cut = int((known > kept).sum())
    return Pace(len(seconds), len(known), cut, spent, each, math.sqrt(squares / total / total), cap)


@dataclass(frozen=True, slots=True)
class Cost:
    """Minutes for one confirmed error: `value` and the 95 % interval; None where it may be any, or is not known."""

    value: float | None
    low: float | None
    high: float | None

    def told(self) -> dict[str, float | None]:
        """For JSON."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if number is None else round(number, 4) for name, number in numbers.items()}

    def priced(self, rate_per_hour: float) -> Cost:
        """The same in money."""
        ends = (self.value, self.low, self.high)
        return Cost(*(None if number is None else number * rate_per_hour / 60 for number in ends))


def cost_so_far(minutes: float, errors: Floats) -> Cost:
    """Minutes spent for each error confirmed; `errors` is float64[acts], how many each act confirmed.

    The interval is that of a Poisson number (Garwood 1936) of as many acts as the errors are worth: (sum)^2 / sum of
    squares, so that one act on forty lines is one stroke of luck. It holds for acts drawn anew, in the time spent.
    """
    from scipy.special import gammaincinv

    found = float(errors.sum())
    if minutes <= 0:
        return Cost(None, None, None)
    worth = found**2 / float((errors**2).sum()) if found else 0.0
    most = float(gammaincinv(worth + 1, 0.975)) * (found / worth if worth else 1.0)
    least = float(gammaincinv(worth, 0.025)) * found / worth if worth else 0.0
    return Cost(minutes / found if found else None, minutes / most, minutes / least if least > 0 else None)

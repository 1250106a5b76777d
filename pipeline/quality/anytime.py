"""Bounds that may be looked at after every check: whoever stops when he likes what he sees is not misled.

A look after every check is a chance to be lucky, so the bounds of `pipeline.quality.acceptance` do not hold for it.
Here the checked rows are a bet against every number of wrong rows that there may be: the probability of what was seen
under a mixture of smaller shares, over that under this number. Were the number true, the bet would ever grow
1 / risk-fold with a probability of at most the risk, however long one goes on (Ville's inequality); numbers that lost
so are out.
Rows are drawn without being put back, so a set that was checked whole leaves one number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.quality.acceptance import Interval, log_choose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MIXTURE = 0.5
"""The Beta(1/2, 1/2) mixture of Jeffreys and of Krichevsky and Trofimov, cut at the number that is bet against.

Cut so, it follows the scale of that number by itself and needs no guess of the true share. With 0.25 a clean set of
10,000 rows needs 167 checks for "at most 2 %" instead of 185, and one with three wrong 549 instead of 525; 1 needs
219 and 517.
"""


def log_bet(wrong: int, checked: int, rows: int, bad: Floats) -> Floats:
    """The logarithm of what a bet against each number of wrong rows in `bad` has grown to: float64[...].

    `bad` lies between `wrong` and rows - (checked - wrong); others are impossible by now.
    Method: mixture martingale against draws without replacement (Waudby-Smith and Ramdas 2020, "Confidence sequences
    for sampling without replacement", NeurIPS), its mixture cut to smaller shares.
    """
    likely = log_choose(rows - checked, bad - wrong) - log_choose(rows, bad)
    return np.asarray(_log_mixture(wrong, checked, bad / rows) - likely)


def _log_mixture(wrong: int, checked: int, below: Floats) -> Floats:
    """The log probability of one order of what was seen, under the mixture of shares from 0 to `below`."""
    from scipy.special import betaln

    one, other = MIXTURE + wrong, MIXTURE + checked - wrong
    share = np.where(below > 0, below, 1.0)
    part = _log_part(one, other, share) - _log_part(MIXTURE, MIXTURE, share)
    whole = betaln(one, other) - betaln(MIXTURE, MIXTURE) + part
    return np.asarray(np.where(below > 0, whole, 0.0 if wrong == 0 else -np.inf))


def _log_part(one: float, other: float, share: Floats) -> Floats:
    """The log of the incomplete beta function; where it is too small for a number, of the first term of its series.

    All terms are positive (DLMF 8.17.8), so the bet is never taken for more than it is.
    """
    from scipy.special import betainc, betaln, xlog1py

    first = one * np.log(share) + xlog1py(other, -np.minimum(share, 1 - 1e-16)) - math.log(one) - betaln(one, other)
    with np.errstate(divide="ignore"):
        return np.asarray(np.maximum(np.log(betainc(one, other, share)), first))


def upper(wrong: int, checked: int, rows: int, *, confidence: float = 0.95) -> float:
    """The largest share wrong, 0..1, that is left possible; holds at all looks at once with this confidence.

    >>> upper(0, 0, 1000), upper(0, 149, 1000), upper(0, 186, 10_000), upper(3, 100, 100)
    (1.0, 0.022, 0.0199, 0.03)
    """
    return _most_bad(wrong, checked, rows, -math.log(1 - confidence)) / rows


def lower(wrong: int, checked: int, rows: int, *, confidence: float = 0.95) -> float:
    """The smallest share wrong that is left possible: `upper`, of the rows that are fine."""
    return 1 - upper(checked - wrong, checked, rows, confidence=confidence)


def interval(wrong: int, checked: int, rows: int, *, confidence: float = 0.95) -> Interval:
    """The two-sided interval: each side fails with half of 1 - confidence."""
    each = (1 + confidence) / 2
    return Interval(lower(wrong, checked, rows, confidence=each), upper(wrong, checked, rows, confidence=each))


def _most_bad(wrong: int, checked: int, rows: int, limit: float) -> int:
    """The largest number of wrong rows that the bet has not thrown out.

    Above the share that was seen the bet grows with the number, so halving finds where it passes the limit.
    """

    def is_out(bad: int) -> bool:
        return bool(log_bet(wrong, checked, rows, np.array([float(bad)]))[0] >= limit)

    most = rows - (checked - wrong)
    low, high = max(wrong, min(most, round(rows * (wrong + MIXTURE) / (checked + 2 * MIXTURE)))), most
    if is_out(low):  # nearly all rows were checked
        low = wrong
    while low < high:
        middle = (low + high + 1) // 2
        if is_out(middle):
            high = middle - 1
        else:
            low = middle
    return low


def checks_needed(
    wrong: Callable[[int], int], at_most: float, rows: int, *, confidence: float = 0.95, first: int = 0
) -> int | None:
    """The fewest checks, at least `first`, that show "at most this share is wrong" where `wrong(checks)` were found.

    None where not even all rows would.
    """
    low, high = first, rows
    if upper(min(wrong(high), high), high, rows, confidence=confidence) > at_most + 1e-12:
        return None
    while low < high:
        middle = (low + high) // 2
        if upper(min(wrong(middle), middle), middle, rows, confidence=confidence) <= at_most + 1e-12:
            high = middle
        else:
            low = middle + 1
    return low


def stops(at_most: float, rows: int, *, confidence: float = 0.95, most_wrong: int = 5) -> list[int | None]:
    """After how many checks to stop if 0, 1, 2 ... are wrong: list of most_wrong + 1."""
    return [
        checks_needed(lambda _, found=found: found, at_most, rows, confidence=confidence, first=found)  # type: ignore[misc]
        for found in range(most_wrong + 1)
    ]


def expected_checks(stopping: Sequence[int | None], share: float) -> tuple[float, float]:
    """How many checks it takes on average where `share` is wrong, and how likely it stops by this table at all.

    `stopping` says after how many checks to stop if 0, 1, 2 ... are wrong (see `stops`); the average is over the runs
    that stop so. Exact for draws from many rows.
    """
    from scipy.special import bdtr

    open_, before, average, ended = np.ones(1), 0, 0.0, 0.0
    for found, checks in enumerate(stopping):
        if checks is None:
            break
        # There are never more wrong ones than checks: beyond that the distribution is not defined.
        steps = np.minimum(np.arange(len(stopping) + 1, dtype=np.float64), checks - before)
        chance = np.diff(np.asarray(bdtr(steps, checks - before, share)), prepend=0.0)
        open_ = np.convolve(open_, chance)[: len(stopping) + 1]
        stopped = float(open_[: found + 1].sum())
        average, ended = average + stopped * checks, ended + stopped
        open_[: found + 1] = 0.0
        before = checks
    return (average / ended if ended else math.inf), ended


@dataclass(frozen=True, slots=True)
class Ratio:
    """Wald's test of two shares wrong: `good` should pass, `bad` should not.

    Pass at or below `slope * checked - passing` wrong, fail at or above `slope * checked + failing`; else go on.
    Method: Wald 1945, doi:10.1214/aoms/1177731118. `risk` is the chance to pass `bad`, `miss` that to fail `good`.
    """

    good: float
    bad: float
    risk: float = 0.05
    miss: float = 0.1

    @property
    def _gain(self) -> tuple[float, float]:
        """What a wrong row and a fine one add to the log ratio of bad over good."""
        return math.log(self.bad / self.good), math.log((1 - self.bad) / (1 - self.good))

    @property
    def slope(self) -> float:
        """Wrong rows per check on both lines."""
        wrong, fine = self._gain
        return -fine / (wrong - fine)

    @property
    def passing(self) -> float:
        """How far below the slope the line stands at which the set passes."""
        wrong, fine = self._gain
        return math.log((1 - self.miss) / self.risk) / (wrong - fine)

    @property
    def failing(self) -> float:
        """How far above the slope the line stands at which the set fails."""
        wrong, fine = self._gain
        return math.log((1 - self.risk) / self.miss) / (wrong - fine)

    def says(self, wrong: int, checked: int) -> Literal["pass", "fail", "go on"]:
        """What is to be done after so many checks."""
        if wrong <= self.slope * checked - self.passing:
            return "pass"
        return "fail" if wrong >= self.slope * checked + self.failing else "go on"

    def expected_checks(self, share: float) -> float:
        """About how many checks it takes where `share` is wrong (Wald's approximation, the overshoot left out)."""
        fails = {self.good: self.miss, self.bad: 1 - self.risk}.get(share)
        wrong, fine = self._gain
        drift = share * wrong + (1 - share) * fine
        high, low = math.log((1 - self.risk) / self.miss), -math.log((1 - self.miss) / self.risk)
        if fails is None:
            fails = 0.0 if drift < 0 else 1.0
        return (fails * high + (1 - fails) * low) / drift if drift else math.inf

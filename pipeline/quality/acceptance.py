"""Acceptance: what a number of checked rows shows of all of them, and how many must be checked to show it.

Exact for rows drawn at random without being put back: the hypergeometric law where the number of rows is known (a small
data set needs fewer checks), the binomial one where it is not. All bounds hold for one look, after a number of checks
that was settled beforehand; see `pipeline.quality.anytime` for bounds that may be looked at after every check.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CHECKS = 10_000_000
"""No plan asks for more; where rows are not counted, bounds next to nothing would ask for any number."""


class Interval(NamedTuple):
    """A share, 0..1, from low to high."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Check so many rows; good enough if at most `allowed` of them are wrong."""

    checks: int
    allowed: int


def upper(wrong: int, checked: int, *, confidence: float = 0.95, rows: int | None = None) -> float:
    """The largest share wrong, 0..1, that `wrong` of `checked` rows leave possible; 1 where nothing was checked.

    One-sided: whatever the true share, the bound lies below it with a probability of at most 1 - confidence.
    Method: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404; of a finite set of `rows` the same of the
    hypergeometric law (Buonaccorsi 1987, doi:10.1080/00031305.1987.10475484).

    >>> round(upper(0, 149), 4), round(upper(0, 149, rows=1000), 4)
    (0.0199, 0.018)
    """
    _hold_counts(wrong, checked, rows)
    if wrong == checked:
        return 1.0
    if rows is not None:
        return _most_bad(wrong, checked, rows, 1 - confidence) / rows
    from scipy.special import betaincinv

    return float(betaincinv(wrong + 1, checked - wrong, confidence))


def lower(wrong: int, checked: int, *, confidence: float = 0.95, rows: int | None = None) -> float:
    """The smallest share wrong that `wrong` of `checked` rows leave possible: `upper`, of the rows that are fine."""
    return 1 - upper(checked - wrong, checked, confidence=confidence, rows=rows) if wrong else 0.0


def interval(wrong: int, checked: int, *, confidence: float = 0.95, rows: int | None = None) -> Interval:
    """The two-sided interval: each side fails with half of 1 - confidence."""
    each = (1 + confidence) / 2
    low = lower(wrong, checked, confidence=each, rows=rows)
    return Interval(low, upper(wrong, checked, confidence=each, rows=rows))


def single_plan(
    at_most: float,
    *,
    confidence: float = 0.95,
    rows: int | None = None,
    good: float | None = None,
    power: float = 0.9,
) -> Plan:
    """The smallest plan that shows "at most this share is wrong"; with `good`, one that also passes what is good.

    A set with a larger share wrong than `at_most` passes with a probability of at most 1 - confidence (the consumer's
    risk). Without `good` nothing may be wrong among the checked rows: the fewest checks. With it, a set of which that
    share is wrong passes with a probability of at least `power` (1 - the producer's risk).
    Method: Guenther 1969, doi:10.1080/00224065.1969.11980374.

    >>> single_plan(0.02), single_plan(0.02, rows=1000), single_plan(0.02, good=0.005)
    (Plan(checks=149, allowed=0), Plan(checks=132, allowed=0), Plan(checks=456, allowed=4))

    Raises:
        AssayError: `good` is not below `at_most`, or so near to it that no plan can tell them apart.
    """
    if good is not None and good >= at_most:
        raise AssayError("plan", f"good ({good:g}) is not below at_most ({at_most:g})", "make it smaller")
    allowed = 0
    while True:
        checks = _fewest(allowed, at_most, 1 - confidence, rows)
        plan = Plan(checks, allowed)
        if good is None or checks == rows or passes(plan, good, rows=rows) >= power:
            return plan
        if checks >= MOST_CHECKS:
            raise AssayError("plan", f"no plan tells {good:g} from {at_most:g} wrong", "make good smaller")
        allowed += 1


def passes(plan: Plan, share: float, *, rows: int | None = None) -> float:
    """The probability that a set of which `share` is wrong passes the plan (its operating characteristic)."""
    if rows is not None:
        return _below(plan.allowed, plan.checks, rows, math.floor(share * rows + 1e-9))
    from scipy.special import bdtr

    return float(bdtr(plan.allowed, plan.checks, share))


def too_many(share: float, rows: int) -> int:
    """The least number of wrong rows that is more than `share` of `rows`."""
    return math.floor(share * rows + 1e-9) + 1


def log_choose(items: NDArray[np.float64] | float, taken: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The logarithm of the number of ways to take so many of so many: float64[...]."""
    from scipy.special import gammaln

    items, taken = np.asarray(items, dtype=np.float64), np.asarray(taken, dtype=np.float64)
    return np.asarray(gammaln(items + 1) - gammaln(taken + 1) - gammaln(items - taken + 1))


def _below(wrong: int, checked: int, rows: int, bad: int) -> float:
    """The probability of at most `wrong` among `checked` of `rows` of which `bad` are wrong (hypergeometric)."""
    first, last = max(0, checked - (rows - bad)), min(wrong, checked, bad)
    if last < first:
        return 0.0
    if wrong >= min(checked, bad):
        return 1.0
    seen = np.arange(first, last + 1, dtype=np.float64)
    logs = log_choose(bad, seen) + log_choose(rows - bad, checked - seen) - log_choose(rows, checked)
    return float(min(1.0, np.exp(logs).sum()))


def _most_bad(wrong: int, checked: int, rows: int, risk: float) -> int:
    """The largest number of wrong rows under which so few among the checked ones are not rarer than `risk`."""
    low, high = wrong, rows - (checked - wrong)
    while low < high:
        middle = (low + high + 1) // 2
        if _below(wrong, checked, rows, middle) > risk:
            low = middle
        else:
            high = middle - 1
    return low


def _fewest(allowed: int, at_most: float, risk: float, rows: int | None) -> int:
    """The fewest checks of which at most `allowed` may be wrong: a set one row worse than `at_most` hardly passes."""
    low, high = allowed + 1, MOST_CHECKS if rows is None else rows
    bad = 0 if rows is None else too_many(at_most, rows)
    if rows is not None and bad > rows:
        return min(low, rows)
    while low < high:
        middle = (low + high) // 2
        if _risk(allowed, middle, at_most, rows, bad) <= risk:
            high = middle
        else:
            low = middle + 1
    return low


def _risk(allowed: int, checks: int, at_most: float, rows: int | None, bad: int) -> float:
    if rows is not None:
        return _below(allowed, checks, rows, bad)
    from scipy.special import bdtr

    return float(bdtr(allowed, checks, at_most))


def _hold_counts(wrong: int, checked: int, rows: int | None) -> None:
    if not 0 <= wrong <= checked or (rows is not None and checked > rows):
        raise AssayError("acceptance", f"{wrong} wrong of {checked} checked of {rows} rows", "count again")

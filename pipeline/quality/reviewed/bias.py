"""Bias: whether people say what is proposed to them more often when they see it.

Chance deals the lines that are judged without the proposal, so that what differs between them and the others is the
proposal alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.reviewed.precision import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

FEW = 20
"""With fewer judgements on either side than this nothing is said."""
FEW_PAIRS = 20
TELLING = 0.1
"""An interval that holds 0 and reaches no further than this says that there is no great bias."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A share where the proposal was shown, less that where it was not, with its 95 % interval; nan if not known."""

    shown: float
    blind: float
    value: float
    low: float
    high: float

    def told(self) -> dict[str, float | None]:
        """For JSON."""
        numbers = {name: getattr(self, name) for name in self.__slots__}
        return {name: round(number, 6) if math.isfinite(number) else None for name, number in numbers.items()}


NOTHING = Difference(math.nan, math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Bias:
    """How far a proposal sways people.

    Attributes:
        blind, shown: judgements without and with the proposal; pairs: lines judged both ways, by two people.
        same: difference in the share of answers that are the proposed one; confirmed: in the share confirmed wrong.
        paired: as `same`, over the lines that were judged both ways.
        says: what to make of it, in words.
    """

    blind: int
    shown: int
    pairs: int
    same: Difference
    confirmed: Difference
    paired: Difference
    says: str

    def told(self) -> dict[str, Any]:
        """For JSON."""
        counts = {"blind": self.blind, "shown": self.shown, "pairs": self.pairs}
        told = {name: getattr(self, name).told() for name in ("same", "confirmed", "paired")}
        return counts | told | {"says": self.says}


def bias(line: Ints, is_blind: Bools, same: Bools, confirmed: Bools, *, worth: float = 1.0) -> Bias:
    """From one entry for each judgement of one person on one line, made one by one.

    `line` (int64[n]) numbers the lines, `is_blind` says whether it was judged without the proposal, `same` whether the
    answer is the proposed one, `confirmed` whether the line was confirmed wrong. `worth`: how many judgements that know
    nothing of one another each counts as, below 1 where lines are alike.
    """
    there = (int(is_blind.sum()), int((~is_blind).sum()))
    sames, confirms = (_apart(which, is_blind, worth) for which in (same, confirmed))
    both = _pairs(line, is_blind, same)
    paired = newcombe_paired(*both) if sum(both) else NOTHING
    return Bias(*there, sum(both), sames, confirms, paired, _says(*there, sames, sum(both), paired))


def _apart(which: Bools, is_blind: Bools, worth: float) -> Difference:
    shown, blind = which[~is_blind], which[is_blind]
    if not len(shown) or not len(blind):
        return NOTHING
    return newcombe(float(shown.sum()) * worth, len(shown) * worth, float(blind.sum()) * worth, len(blind) * worth)


def newcombe(wrong: float, checked: float, other: float, other_checked: float) -> Difference:
    """The difference of two shares, from Wilson's intervals of each (Newcombe 1998, Statistics in Medicine 17:873-890).

    >>> [round(edge, 4) for edge in newcombe(56, 70, 48, 80).told().values()]
    [0.8, 0.6, 0.2, 0.0524, 0.3339]
    """
    one, two = wrong / checked, other / other_checked
    first, second = wilson(wrong, checked), wilson(other, other_checked)
    down = math.hypot(one - first.low, second.high - two)
    up = math.hypot(first.high - one, two - second.low)
    return Difference(one, two, one - two, one - two - down, one - two + up)


def newcombe_paired(both: int, first: int, second: int, neither: int) -> Difference:
    """The difference of two shares of the same lines (Newcombe 1998, Statistics in Medicine 17:2635-2650, method 10).

    Lines of which both judgements are the proposed answer, only the first, only the second, or neither.

    >>> [round(edge, 3) for edge in newcombe_paired(36, 12, 2, 0).told().values()]
    [0.96, 0.76, 0.2, 0.057, 0.34]
    """
    lines = both + first + second + neither
    one, two = (both + first) / lines, (both + second) / lines
    left, right = wilson(both + first, lines), wilson(both + second, lines)
    like = _likeness(both, first, second, neither)
    down, up = (
        _joined(one - left.low, right.high - two, like),
        _joined(left.high - one, two - right.low, like),
    )
    return Difference(one, two, one - two, one - two - down, one - two + up)


def _joined(one: float, other: float, like: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * like * one * other + other * other))


def _likeness(both: int, first: int, second: int, neither: int) -> float:
    """The correlation of two judgements, corrected for continuity where it is positive; 0 where it is not defined."""
    product = (both + first) * (second + neither) * (both + second) * (first + neither)
    if not product:
        return 0.0
    apart, lines = both * neither - first * second, both + first + second + neither
    return (max(apart - lines / 2, 0.0) if apart > 0 else float(apart)) / math.sqrt(product)


def _pairs(line: Ints, is_blind: Bools, same: Bools) -> tuple[int, int, int, int]:
    """Lines judged both ways: shown and blind said what was proposed, only shown, only blind, neither."""
    lines = int(line.max(initial=-1)) + 1
    said = np.full((2, lines), -1, dtype=np.int64)
    for side in (0, 1):
        here = np.flatnonzero(is_blind == bool(side))
        said[side, line[here]] = same[here]  # of several on one side the last counts
    shown, blind = said[:, (said >= 0).all(axis=0)]
    return (
        int((shown & blind).sum()),
        int((shown & (1 - blind)).sum()),
        int(((1 - shown) & blind).sum()),
        int(((1 - shown) & (1 - blind)).sum()),
    )


def _says(blind: int, shown: int, same: Difference, pairs: int, paired: Difference) -> str:
    """What to make of the two differences."""
    if min(blind, shown) < FEW and pairs < FEW_PAIRS:
        return f"cannot be told: {blind} judgements without the proposal and {shown} with it; {FEW} of each are needed"
    use_pairs = pairs >= FEW_PAIRS and (min(blind, shown) < FEW or paired.high - paired.low < same.high - same.low)
    used, on = (paired, f"on {pairs} lines judged both ways") if use_pairs else (same, f"on {blind} judged without it")
    points = f"{used.value * 100:+.1f} points ({used.low * 100:+.1f} to {used.high * 100:+.1f}), {on}"
    if used.low > 0:
        return f"people say what is proposed more often where they see it: {points}"
    if used.high < 0:
        return f"people say what is proposed less often where they see it: {points}"
    if max(used.high, -used.low) <= TELLING:
        return f"no great bias: {points}"
    return f"cannot be told yet: {points}"

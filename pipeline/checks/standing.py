"""Where the checks stand: overall and in each stratum, what is shown so far, and whether to stop or go on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.checks.targets import Target, tier_limits
from pipeline.quality import acceptance, anytime, strata

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pipeline.checks.population import Population
    from pipeline.settings import PlanSettings

State = Literal["shown", "failed", "go on"]
EPSILON = 1e-9


@dataclass(frozen=True)
class Standing:
    """What the checks show of one target.

    Attributes:
        name: `overall`, or the stratum.
        rows: how many there are; `needed` of them are to be checked if nothing (more) is wrong.
        checked: rows that count: those before the first one that nobody has checked.
        wrong, ambiguous, mended: of the checked ones; mended are wrong ones that were corrected or taken out since.
        estimate: share wrong as it was found, with `low` and `high` of its two-sided interval; None where not known.
        found_bound: at most this share was wrong; `bound`: at most this share is, after what was mended.
        limits: how many rows of each tier are to be checked by now; the list holds them.
        more: checks still needed if no more are wrong, `more_at_rate` if as many are as so far; None: never.
    """

    name: str
    rows: int
    at_most: float
    needed: int
    checked: int
    wrong: int
    ambiguous: int
    mended: int
    estimate: float | None
    low: float
    high: float
    found_bound: float
    bound: float
    state: State
    limits: tuple[int, ...]
    more: int | None
    more_at_rate: int | None

    @property
    def over(self) -> float:
        """The share that may be wrong, over the share that is allowed: 1 or less is shown."""
        return 1.0 if self.state == "shown" else self.bound / self.at_most

    @property
    def said(self) -> str:
        """The standing in one sentence."""
        what = f"{self.name}: {self.wrong} wrong of {self.checked:,} checked of {self.rows:,} rows"
        if self.state == "shown":
            return f"{what}; at most {self.bound:.2%} are wrong: shown, stop."
        if self.state == "failed":
            return f"{what}; between {self.low:.2%} and {self.high:.2%} are wrong: stop, more than {self.at_most:.2%}."
        left = "checking all rows will not show it" if self.more is None else f"{self.more:,} more if none is wrong"
        if not self.checked:
            return f"{self.name}: none of {self.rows:,} rows is checked yet; it takes {left}."
        if self.more_at_rate is None:
            left += "; at this rate never: first correct what is wrong (the suspects in the report), then check anew"
        return f"{what}; at most {self.bound:.2%} are wrong so far: go on, {left}."


def standing(people: Population, target: Target, plan: PlanSettings) -> Standing:
    """Where a target stands."""
    seen = _Seen.of(people, target, plan)
    found_bound = _bound(seen, target, plan)
    bound = seen.after(found_bound)
    allowed = target.at_most * (1 - seen.mended / max(seen.rows, 1)) + seen.mended / max(seen.rows, 1)
    low, high = _interval(seen, plan)
    state = _state(seen, target, plan, bound)
    enough = tuple(part.checked for part in seen.tiers)
    limits = _limits(seen, target, plan, allowed) if state == "go on" else enough
    return Standing(
        name=target.name,
        rows=seen.rows,
        at_most=target.at_most,
        needed=target.needed,
        checked=seen.checked,
        wrong=seen.wrong,
        ambiguous=seen.ambiguous,
        mended=seen.mended,
        estimate=_known(seen),
        low=low,
        high=high,
        found_bound=found_bound,
        bound=bound,
        state=state,
        limits=limits or target.limits,
        more=None if limits is None else sum(limits) - seen.checked,
        more_at_rate=_at_rate(seen, plan, allowed) if state == "go on" else 0,
    )


@dataclass(frozen=True)
class _Seen:
    """The counts of the checked rows that count."""

    rows: int
    checked: int
    wrong: int
    ambiguous: int
    mended: int
    tiers: tuple[strata.Stratum, ...]

    @classmethod
    def of(cls, people: Population, target: Target, plan: PlanSettings) -> _Seen:
        parts, counted = [], []
        for rows, kept in zip(target.tiers, counts(people, target, plan), strict=True):
            found = [people.found[int(at)] for at in rows[:kept]]
            parts.append(strata.Stratum(len(rows), kept, sum(one.verdict == "wrong" for one in found)))
            counted += found
        return cls(
            rows=sum(part.rows for part in parts),
            checked=sum(part.checked for part in parts),
            wrong=sum(part.wrong for part in parts),
            ambiguous=sum(one.verdict == "ambiguous" for one in counted),
            mended=sum(one.verdict == "wrong" and one.mended for one in counted),
            tiers=tuple(parts),
        )

    def after(self, found: float) -> float:
        """The bound once what was mended is counted as fine, of the rows that were not."""
        left = self.rows - self.mended
        return max(0.0, round(found * self.rows) - self.mended) / left if left else 0.0


def counts(people: Population, target: Target, plan: PlanSettings) -> list[int]:
    """How many rows of each tier count: those before the first that nobody has checked; of a fixed plan its own."""
    checked = people.is_checked
    before = [_before_hole(checked[rows]) for rows in target.tiers]
    if plan.sequential:
        return before
    return [min(count, limit) for count, limit in zip(before, target.limits, strict=True)]


def _before_hole(checked: NDArray[np.bool_]) -> int:
    return int(np.argmin(checked)) if len(checked) and not checked.all() else len(checked)


def idle(people: Population, held: Sequence[Target], plan: PlanSettings) -> int:
    """How many verdicts count towards nothing yet: nobody has checked a row that comes before them everywhere."""
    counting = np.zeros(len(people.ids), dtype=bool)
    for target in held:
        for rows, count in zip(target.tiers, counts(people, target, plan), strict=True):
            counting[rows[:count]] = True
    return int((people.is_checked & ~counting).sum())


def _bound(seen: _Seen, target: Target, plan: PlanSettings) -> float:
    """At most this share was wrong. In a fixed plan, rows of it that were not checked yet count as wrong."""
    if len(seen.tiers) > 1:
        return strata.upper(seen.tiers, confidence=plan.confidence)
    if plan.sequential:
        return anytime.upper(seen.wrong, seen.checked, seen.rows, confidence=plan.confidence)
    planned = min(target.needed, seen.rows)
    wrong = seen.wrong + planned - seen.checked
    return acceptance.upper(wrong, planned, confidence=plan.confidence, rows=seen.rows)


def _known(seen: _Seen) -> float | None:
    value = strata.share(seen.tiers)
    return None if math.isnan(value) else value


def _interval(seen: _Seen, plan: PlanSettings) -> tuple[float, float]:
    if len(seen.tiers) > 1:
        return strata.interval(seen.tiers, confidence=plan.confidence)
    if plan.sequential:
        return anytime.interval(seen.wrong, seen.checked, seen.rows, confidence=plan.confidence)
    return acceptance.interval(seen.wrong, seen.checked, confidence=plan.confidence, rows=seen.rows)


def _state(seen: _Seen, target: Target, plan: PlanSettings, bound: float) -> State:
    if bound <= target.at_most + EPSILON:
        return "shown"
    if not plan.sequential and len(seen.tiers) == 1:
        return "failed" if seen.checked >= target.needed or seen.wrong > target.allowed else "go on"
    least = _least(seen, plan.confidence)
    left = max(seen.rows - seen.mended, 1)
    return "failed" if (round(least * seen.rows) - seen.mended) / left > target.at_most else "go on"


def _least(seen: _Seen, confidence: float) -> float:
    """At least this share was wrong."""
    if len(seen.tiers) > 1:
        return strata.lower(seen.tiers, confidence=confidence)
    return anytime.lower(seen.wrong, seen.checked, seen.rows, confidence=confidence)


def _limits(seen: _Seen, target: Target, plan: PlanSettings, allowed: float) -> tuple[int, ...] | None:
    """How many rows of each tier are to be checked if no more are wrong; None: not even all of them would do."""
    if len(seen.tiers) > 1:
        return tier_limits(seen.tiers, allowed, plan)
    if not plan.sequential:
        return target.limits
    wanted = _needed(lambda checks: seen.wrong, seen, plan, allowed)
    return None if wanted is None else (wanted,)


def _at_rate(seen: _Seen, plan: PlanSettings, allowed: float) -> int | None:
    """Checks still to be made if as many are wrong as so far; None: never, or not known."""
    if len(seen.tiers) > 1 or not plan.sequential or not seen.checked:
        return None
    rate = seen.wrong / seen.checked
    wanted = _needed(lambda checks: math.ceil(rate * checks - EPSILON), seen, plan, allowed)
    return None if wanted is None else wanted - seen.checked


def _needed(wrong: Callable[[int], int], seen: _Seen, plan: PlanSettings, allowed: float) -> int | None:
    return anytime.checks_needed(wrong, allowed, seen.rows, confidence=plan.confidence, first=seen.checked)

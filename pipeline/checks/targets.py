"""Targets: of what the bound is to be shown (all rows, each stratum that has enough), and how many checks it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality import acceptance, anytime, strata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.checks.population import Population
    from pipeline.settings import PlanSettings

    Positions = NDArray[np.int64]

OVERALL = "overall"
ENOUGH = 0.5
"""A stratum of which more than this share would have to be checked has too few rows to be held to a bound of its own.

At "at most 2 %" with 95 % confidence that is below 250 rows (200 in a fixed plan). Such strata are held together.
"""
RATES = (0.3, 0.01)
"""Guesses of the share wrong among suspects and others; they say how checks are shared out and bias nothing."""
LEAST_CHECKS = 20


@dataclass(frozen=True)
class Target:
    """What the bound is to be shown of.

    `tiers` hold the positions of its rows in the order in which they are drawn (several only where suspects are checked
    more than others), `limits` how many of each the plan asks for, `needed` all of these; `allowed` may be wrong.
    """

    name: str
    at_most: float
    tiers: tuple[Positions, ...]
    limits: tuple[int, ...]
    allowed: int = 0

    @property
    def needed(self) -> int:
        """How many checks the plan asks for, if nothing is wrong."""
        return sum(self.limits)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(map(len, self.tiers))

    def wanted(self, limits: tuple[int, ...]) -> Positions:
        """The positions of so many rows of each tier, in the order in which they are to be checked."""
        at = [
            ((number + 0.5) / limit, int(row))
            for rows, limit in zip(self.tiers, limits, strict=True)
            for number, row in enumerate(rows[:limit])
        ]
        return np.array([row for _, row in sorted(at)], dtype=np.int64)


def targets(people: Population, plan: PlanSettings) -> tuple[list[Target], list[tuple[str, int]]]:
    """Overall first, then the strata; and the name and size of the strata that have too few rows."""
    everything = np.arange(len(people.ids), dtype=np.int64)
    suspects = people.groups.get(("suspicion", "suspects"))
    held = [_overall(everything, suspects, plan)]
    too_few: list[tuple[str, int]] = []
    for kind in plan.by:
        own = {name: rows for (by, name), rows in people.groups.items() if by == kind}
        if kind == "suspicion" or len(own) < 2:
            continue
        small = {name: rows for name, rows in own.items() if not _has_enough(len(rows), plan)}
        held += [_one(f"{kind} {name}", rows, plan) for name, rows in own.items() if name not in small]
        together = np.unique(np.concatenate([*small.values(), everything[:0]]))
        if len(small) > 1 and len(together) < len(everything) and _has_enough(len(together), plan):
            held.append(_one(f"{kind}: {len(small)} small ones together", together, plan))
        else:
            too_few += [(f"{kind} {name}", len(rows)) for name, rows in small.items()]
    return held, too_few


def _overall(everything: Positions, suspects: Positions | None, plan: PlanSettings) -> Target:
    if suspects is None or len(suspects) == len(everything):
        return _one(OVERALL, everything, plan)
    tiers = (suspects, np.setdiff1d(everything, suspects))
    unseen = [strata.Stratum(len(tier), 0, 0) for tier in tiers]
    return Target(OVERALL, plan.at_most, tiers, tier_limits(unseen, plan.at_most, plan) or tuple(map(len, tiers)))


def tier_limits(seen: Sequence[strata.Stratum], at_most: float, plan: PlanSettings) -> tuple[int, ...] | None:
    """How many rows of each tier are to be checked, those seen among them, if no more are wrong; None: all are too few.

    Shared out as Neyman says: see `strata.allocate`.
    """
    sizes, spread = [one.rows for one in seen], [float(np.sqrt(rate * (1 - rate))) for rate in RATES]

    def given(checks: int) -> tuple[int, ...]:
        shared = strata.allocate(sizes, checks, spread=spread, least=LEAST_CHECKS)
        return tuple(max(number, one.checked) for number, one in zip(shared, seen, strict=True))

    def bound(checks: int) -> float:
        tiers = [strata.Stratum(one.rows, number, one.wrong) for one, number in zip(seen, given(checks), strict=True)]
        return strata.upper(tiers, confidence=plan.confidence)

    low, high = 0, sum(sizes)
    if bound(high) > at_most + 1e-12:
        return None
    while low < high:
        middle = (low + high) // 2
        if bound(middle) <= at_most + 1e-12:
            high = middle
        else:
            low = middle + 1
    return given(low)


def _one(name: str, rows: Positions, plan: PlanSettings) -> Target:
    checks, allowed = needed(len(rows), plan)
    return Target(name, plan.at_most, (rows,), (checks,), allowed)


def needed(rows: int, plan: PlanSettings) -> tuple[int, int]:
    """How many checks show the bound for so many rows if none is wrong; how many may be wrong in a fixed plan."""
    if plan.sequential:
        found = anytime.checks_needed(lambda checks: 0, plan.at_most, rows, confidence=plan.confidence)
        return (rows if found is None else found), 0
    fixed = acceptance.single_plan(plan.at_most, confidence=plan.confidence, rows=rows, good=plan.good)
    return min(fixed.checks, rows), fixed.allowed


def _has_enough(rows: int, plan: PlanSettings) -> bool:
    return rows > 0 and needed(rows, plan)[0] <= ENOUGH * rows

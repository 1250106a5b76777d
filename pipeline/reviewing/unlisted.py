"""Unlisted: what people found in rows that no list shows, as far as those were drawn by chance."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pipeline.chance import draws
from pipeline.checks.ledger import Check, lines, together
from pipeline.checks.plan import plan_of, verdict_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.recipe import Recipe


@dataclass(frozen=True)
class Sample:
    """Rows drawn by chance from those that no list shows, and checked; `wrong` are those found wrong."""

    rows: frozenset[str] = field(default_factory=frozenset)
    wrong: int = 0

    def told(self) -> dict[str, int]:
        """For JSON."""
        return {"checked": len(self.rows), "wrong": self.wrong}


def sample(recipe: Recipe, ids: Sequence[str]) -> Sample:
    """Of these rows those that were checked by the plan (`assay audit-plan`), up to the first that nobody checked.

    The plan draws rows in an order of chance, so those before the first hole are a fair sample, whatever else was
    checked for labels or batches of their own.

    Raises:
        AssayError: the plan or a line of the checks cannot be read.
    """
    plan = plan_of(recipe) if verdict_file(recipe).is_file() else None
    if plan is None:
        return Sample()
    found: dict[str, list[Check]] = defaultdict(list)
    for check in lines(verdict_file(recipe)):
        found[check.row].append(check)
    numbers = draws(plan.seed, "check", names=ids)
    order = np.lexsort((np.array(ids, dtype=str), numbers))
    is_hole = np.array([ids[at] not in found for at in order.tolist()], dtype=bool)
    before = int(np.argmax(is_hole)) if is_hole.any() else len(ids)
    rows = [ids[at] for at in order[:before].tolist()]
    return Sample(frozenset(rows), sum(together(found[row]) == "wrong" for row in rows))


__all__ = ["Sample", "sample"]

"""The share of rows that are wrong, estimated from what the instruments say of each, with an interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SAYS = (
    "what the instruments make of it, fitted without truth, and too low where people err as a model would: an order of "
    "size, whose interval holds chance alone; "
    "only rows that people check (assay audit-plan) prove a bound"
)


def error_rate(wrong: Floats, groups: Sequence[str]) -> dict[str, Any]:
    """The mean of `wrong` (float64[rows], probabilities) with a 95 % interval.

    The interval holds two things: which groups of rows the data happens to have (the variance of a ratio over groups
    drawn anew), and that each row is wrong or not (the variance of a sum of Bernoulli draws). It does not hold that the
    instruments may be off. Nothing depends on the order of the rows.
    """
    rows = len(wrong)
    if not rows:
        return {}
    code = pa.array(groups).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    order = np.lexsort((wrong, code))  # sums of the same numbers in another order differ in their last bits
    total, size = np.bincount(code[order], weights=wrong[order]), np.bincount(code)
    middle = math.fsum(wrong) / rows
    of_groups = math.fsum((total - middle * size) ** 2) * len(size) / max(len(size) - 1, 1)
    of_draws = math.fsum(wrong * (1 - wrong))
    spread = 1.96 * math.sqrt(of_groups + of_draws) / rows
    low, high = max(0.0, middle - spread), min(1.0, middle + spread)
    return {"value": round(middle, 6), "low": round(low, 6), "high": round(high, 6), "note": SAYS}

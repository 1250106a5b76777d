"""The share of rows that are wrong, estimated from what the instruments say of each, with an interval."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 1000
SAYS = (
    "what the instruments make of it, fitted without truth: read it as an order of size; "
    "only rows that people check (assay audit-plan) prove a bound"
)


def error_rate(wrong: Floats, groups: Sequence[str], *, seed: int) -> dict[str, Any]:
    """The mean of `wrong` (float64[rows], probabilities) with a 95 % interval.

    The interval holds two things: which groups of rows the data happens to have (bootstrap over groups), and that each
    row is wrong or not (the variance of the sum of Bernoulli draws). It does not hold that the instruments may be off.
    """
    if not len(wrong):
        return {}
    _, code = np.unique(np.array(groups), return_inverse=True)
    total, size = np.bincount(code, weights=wrong), np.bincount(code)
    key = blake2b(f"error rate {seed}".encode(), digest_size=16).digest()
    chance = np.random.Generator(np.random.PCG64(int.from_bytes(key, "big")))
    # Poisson weights: drawing groups anew without holding a table of draws.
    order = np.lexsort((size, total))
    drawn = [chance.poisson(1.0, len(total)) for _ in range(RESAMPLES)]
    means = np.array([float(times @ total[order]) / max(float(times @ size[order]), 1.0) for times in drawn])
    spread = np.sqrt(np.var(means) + float((wrong * (1 - wrong)).sum()) / len(wrong) ** 2)
    middle = float(wrong.mean())
    low, high = max(0.0, middle - 1.96 * float(spread)), min(1.0, middle + 1.96 * float(spread))
    return {"value": round(middle, 6), "low": round(low, 6), "high": round(high, 6), "note": SAYS}

"""Possible: how near a stratum could come to its goals at best, since its groups cannot be parted.

A lower bound of the largest deviation of any side: what one side gets is a sum of sizes of groups, so it is no nearer
to its goal than the nearest such sum (subset sum by dynamic programming over bits, exact for each side by itself), and
whole rows cannot be shared out better than by the largest remainders. What other strata ask of the same groups is left
out, so no dealing can be better, and one that comes close is as good as can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]


def least(sizes: Ints, allowed: Ints, wants: Floats) -> float:
    """The least that the largest deviation over all sides can be, in rows.

    Args:
        sizes: int64[groups], rows of the stratum in each group that can be dealt.
        allowed: int64[groups], bit mask of the sides open to each; -1 for all, however many.
        wants: float64[sides], rows that each side still lacks; their sum is that of the sizes.
    """
    found = _whole_rows(wants, int(sizes.sum()))
    known: dict[bytes, int | None] = {}
    for side, want in enumerate(wants.tolist()):
        open_ = sizes[allowed >> min(side, 62) & 1 > 0]
        name = open_.tobytes()
        if name not in known:
            known[name] = _sums(open_)
        found = max(found, _nearest(known[name], int(open_.sum()), want))
    return found


def _whole_rows(wants: Floats, rows: int) -> float:
    """The largest remainder of rows that cannot be cut, each side rounded up or down."""
    if (wants < 0).any() or not rows:
        return 0.0
    parts = np.sort(wants - np.floor(wants + 1e-9))
    up = round(rows - float(np.floor(wants + 1e-9).sum()))
    if not 0 <= up <= len(parts):
        return 0.0
    down = len(parts) - up
    return max(float(parts[:down].max(initial=0.0)), float((1 - parts[down:]).max(initial=0.0)), 0.0)


def _sums(sizes: Ints) -> int | None:
    """The sums that some of the sizes have, as bits; None where that is every number up to the sum of all."""
    values, counts = np.unique(sizes[sizes > 0], return_counts=True)
    below = np.cumsum(values * counts)
    # Sorted sizes leave no gap where none is larger than the sum of the smaller ones and one.
    if (values <= np.concatenate([[0], below[:-1]]) + 1).all():
        return None
    bits = 1
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        left, step = count, 1
        while left > 0:  # 1, 2, 4, ... groups at once, and what is left
            taken = min(step, left)
            bits |= bits << (value * taken)
            left -= taken
            step *= 2
    return bits


def _nearest(bits: int | None, total: int, want: float) -> float:
    """How far the nearest possible sum is from what is wanted."""
    low = min(max(int(np.floor(want)), 0), total)
    if bits is None:
        return min(abs(want - low), abs(want - min(low + 1, total)))
    below = (bits & ((1 << (low + 1)) - 1)).bit_length() - 1
    above = bits >> low
    found = abs(want - below)
    if above:
        found = min(found, abs(want - (low + (above & -above).bit_length() - 1)))
        rest = above >> 1
        if rest:
            found = min(found, abs(want - (low + (rest & -rest).bit_length())))
    return found

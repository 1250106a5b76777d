"""Dealing: whole groups of rows to sides, so that every stratum has the wanted shares on all of them.

In the spirit of iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011, doi 10.1007/978-3-642-23808-6_10), with
groups in the place of rows and all strata of a group weighed at once: a group goes where it lowers most, or raises
least, the chi-square distance between what every stratum has and what it should have. One sweep deals, one mends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

Parts = tuple[tuple[int, int], ...]
"""The strata of a group and how many of its rows count towards each."""


def joined(rows: int, labels: Sequence[Ints], pairs: Sequence[tuple[Ints, Ints]]) -> Ints:
    """Rows joined by labels or pairs, over any chain, as groups: int64[rows], the place of the first row of each."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left = [np.arange(rows, dtype=np.int64)]
    right = [np.arange(rows, dtype=np.int64)]
    for codes in labels:
        _, first, place = np.unique(codes, return_index=True, return_inverse=True)
        left.append(np.arange(rows))
        right.append(first[place.reshape(-1)])
    for one, other in pairs:
        left.append(one)
        right.append(other)
    ends = np.concatenate(left), np.concatenate(right)
    graph = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(rows, rows))
    _, component = connected_components(graph, directed=False)
    _, first, place = np.unique(component, return_index=True, return_inverse=True)
    return np.asarray(first[place.reshape(-1)], dtype=np.int64)


def deal(parts: Sequence[Parts], sizes: Ints, rank: NDArray[np.uint64], shares: Floats) -> Ints:
    """The side of every group: int64[groups]; sides with a share of 0 get none.

    Args:
        parts: the strata of each group; a stratum that all rows are in keeps the sizes of the sides right.
        sizes: rows in each group.
        rank: drawn from the group's name; decides between groups that are alike otherwise.
        shares: wanted share of each side, sum 1.
    """
    sides = np.flatnonzero(shares > 0).tolist()
    strata = 1 + max((stratum for own in parts for stratum, _ in own), default=-1)
    totals = [0] * strata
    for own in parts:
        for stratum, count in own:
            totals[stratum] += count
    targets = [[share * total for total in totals] for share in shares.tolist()]
    has = [[0] * strata for _ in targets]
    rarest = np.array([min((totals[stratum] for stratum, _ in own), default=0) for own in parts], dtype=np.int64)
    # Large groups first: the small ones fill the gaps. Then those of rare strata, as long as there is a choice.
    order = np.lexsort((rank, rarest, -sizes)).tolist()
    dealt = [-1] * len(parts)
    for group in order:
        dealt[group] = _best(parts[group], sides, has, targets)
        _move(parts[group], has[dealt[group]], 1)
    for group in reversed(order):
        _move(parts[group], has[dealt[group]], -1)
        dealt[group] = _best(parts[group], [dealt[group], *sides], has, targets)
        _move(parts[group], has[dealt[group]], 1)
    return np.array(dealt, dtype=np.int64)


def _best(own: Parts, sides: Sequence[int], has: list[list[int]], targets: list[list[float]]) -> int:
    """The side whose distance from its targets grows least when it gets these rows; the first of equals."""
    best, least = sides[0], float("inf")
    for side in sides:
        has_now, wanted = has[side], targets[side]
        grows = 0.0
        for stratum, count in own:
            target = wanted[stratum]
            grows += count * (2 * (has_now[stratum] - target) + count) / target
        if grows < least - 1e-12:
            best, least = side, grows
    return best


def _move(own: Parts, has: list[int], sign: int) -> None:
    for stratum, count in own:
        has[stratum] += sign * count

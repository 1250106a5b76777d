"""What a consensus says of every unit, and how a label is read off posteriors without rounding deciding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_TIE = 1e-9


@dataclass(frozen=True)
class Truth:
    """What the ballots say, one entry per unit.

    Attributes:
        label: int64[units], an index into the labels of the ballots.
        posterior: float64[units], 0..1, how sure `label` is (share of votes for `majority`).
        tie: bool[units], another label is as likely; `label` is then the lowest index of them.
        votes: int64[units], ballots on the unit.
        method: the name of the method, as `choose` knows it.
        iterations: rounds of expectation maximisation (0 for `majority`).
        converged: whether the last round changed the posteriors, on average, by no more than the tolerance.
        shares: float64[units, labels], the probability of every label, each row summing to 1; None where there would
            be too many to hold.
    """

    label: Ints
    posterior: Floats
    tie: NDArray[np.bool_]
    votes: Ints
    method: str
    iterations: int = 0
    converged: bool = True
    shares: Floats | None = None


def settled(shares: Floats, votes: Ints, method: str, *, iterations: int = 0, converged: bool = True) -> Truth:
    """The likeliest label of every unit; of labels that are equally likely but for rounding, the first."""
    if not len(shares):
        return Truth(votes, votes.astype(np.float64), votes.astype(bool), votes, method, shares=shares)
    best = shares.max(axis=1)
    close = shares >= best[:, None] - _TIE
    label = close.argmax(axis=1).astype(np.int64)
    return Truth(label, best, close.sum(axis=1) > 1, votes, method, iterations, converged, shares)


def median(shares: Floats, values: Floats, votes: Ints, method: str) -> Truth:
    """The label in the middle of every unit's posterior, labels standing in the order of `values` (float[labels]).

    The median errs least in steps of the scale. Where exactly half lies on either side, the lower label is taken and
    the unit is a tie.
    """
    if not len(shares):
        return settled(shares, votes, method)
    order = np.argsort(values, kind="stable")
    below = np.cumsum(shares[:, order], axis=1)
    place = np.argmax(below >= 0.5 - _TIE, axis=1)
    rows = np.arange(len(shares))
    label = order[place].astype(np.int64)
    return Truth(label, shares[rows, label], np.abs(below[rows, place] - 0.5) <= _TIE, votes, method, shares=shares)

"""Majority: the label with most ballots; and the same as a model, in which everybody is right equally often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.consensus.maximise import maximise
from pipeline.quality.consensus.table import MOST_CELLS, Fit
from pipeline.quality.consensus.truth import Truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.table import Table

    Floats = NDArray[np.float64]

_CELLS_PER_BALLOT = 8
_ABOVE_CHANCE = 1e-3  # a crowd is never taken for worse than chance, or the label with fewest votes would win


def majority(ballots: Ballots) -> Truth:
    """The label with most ballots, every annotator counting the same; memory grows with the ballots only.

    `shares` are the shares of the votes, where they are not too many.
    """
    classes = max(len(ballots.labels), 1)
    votes = np.bincount(ballots.unit, minlength=ballots.units)
    if ballots.units * classes > min(MOST_CELLS, _CELLS_PER_BALLOT * len(ballots)):
        return _sparse(ballots, votes, classes)
    cells = np.bincount(ballots.unit * classes + ballots.label, minlength=ballots.units * classes)
    counts = cells.reshape(-1, classes)
    label = counts.argmax(axis=1).astype(np.int64)
    top = counts[np.arange(len(counts)), label]
    tie = (counts == top[:, None]) @ np.ones(classes) > 1
    cast = np.maximum(votes, 1)
    return Truth(label, top / cast, tie, votes, "majority", shares=counts / cast[:, None])


def _sparse(ballots: Ballots, votes: NDArray[np.int64], classes: int) -> Truth:
    """The same where most labels were given to no more than a few units."""
    cells, count = np.unique(ballots.unit * classes + ballots.label, return_counts=True)
    unit, label = np.divmod(cells, classes)
    order = np.lexsort((label, -count, unit))
    unit, label, count = unit[order], label[order], count[order]
    first = np.flatnonzero(np.diff(unit, prepend=-1))
    best, top = np.zeros(ballots.units, dtype=np.int64), np.zeros(ballots.units, dtype=np.int64)
    best[unit[first]], top[unit[first]] = label[first], count[first]
    tie = top == 0
    later = np.setdiff1d(np.arange(len(unit)), first)
    tie[unit[later[count[later] == top[unit[later]]]]] = True
    shares = None
    if ballots.units * classes <= MOST_CELLS:
        shares = np.zeros((ballots.units, classes))
        shares[unit, label] = count / votes[unit]
    return Truth(best, top / np.maximum(votes, 1), tie, votes, "majority", shares=shares)


def alike(counts: Floats, table: Table) -> tuple[Floats, Floats]:
    """Everybody is right with one probability and errs evenly: log and mean float64[annotators, given, true]."""
    classes = table.classes
    total = counts.sum(axis=0)
    right = (np.trace(total) + 1) / (total.sum() + classes)
    right = max(right, 1 / classes + _ABOVE_CHANCE)
    mean = np.full(counts.shape, (1 - right) / max(classes - 1, 1))
    mean[:, np.arange(classes), np.arange(classes)] = right
    return np.log(mean), mean


def fit_alike(table: Table, *, iterations: int = 100) -> Fit:
    """The majority as a model, with even base rates: its likeliest label is the one with most ballots."""
    return maximise(table, alike, evenness=1.0, iterations=iterations)

"""Distances between labels: what a distance answers, and those with a closed form: nominal, ordinal, interval.

A distance answers sums over all pairs of labels without holding a table of them: labels that are whole answers (sets,
numbers) come by the thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pipeline.quality.agreement.counting import counted
from pipeline.quality.agreement.tables import Matrix, Ratio

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Distance(Protocol):
    """How far apart labels are: symmetric, 0 between a label and itself."""

    @property
    def closed(self) -> bool:
        """Whether `toward` costs as much as there are labels, not their square."""
        ...

    @property
    def widest(self) -> float:
        """The largest distance between two labels."""
        ...

    def only(self, labels: Ints) -> Distance:
        """The distances of these labels, in this order."""
        ...

    def apart(self, one: Ints, other: Ints) -> Floats:
        """Distances float64[n] of n pairs of labels."""
        ...

    def toward(self, given: Floats) -> Floats:
        """For every label the sum of its distances to the labels given: float64[labels, n] to the same shape."""
        ...

    def within(self, counts: Any) -> Floats:
        """Per unit the distances of all ordered pairs of its ballots: sparse [units, labels] to float64[units]."""
        ...


def between(distance: Distance, given: Floats) -> Floats:
    """The distances of all ordered pairs of the labels given: float64[labels, n] to float64[n]."""
    return np.asarray((given * distance.toward(given)).sum(axis=0))


@dataclass(frozen=True)
class Nominal:
    """Labels without order: 0 to itself, 1 to any other."""

    closed: bool = True
    widest: float = 1.0

    def only(self, labels: Ints) -> Nominal:
        """See `Distance`."""
        return self

    def apart(self, one: Ints, other: Ints) -> Floats:
        """See `Distance`."""
        return np.asarray(one != other, dtype=np.float64)

    def toward(self, given: Floats) -> Floats:
        """See `Distance`."""
        return np.asarray(given.sum(axis=0) - given)

    def within(self, counts: Any) -> Floats:
        """See `Distance`."""
        size = np.asarray(counts.sum(axis=1)).reshape(-1)
        return np.asarray(size**2 - np.asarray(counts.multiply(counts).sum(axis=1)).reshape(-1))


class Scale:
    """Squared differences of the numbers that labels stand for, `values`: float[labels]."""

    closed = True

    def __init__(self, values: ArrayLike) -> None:
        """Numbers are taken from their middle, so that large ones lose no digits."""
        values = np.asarray(values, dtype=np.float64)
        self.values: Floats = values - values.mean() if len(values) else values

    def only(self, labels: Ints) -> Scale:
        """See `Distance`."""
        return Scale(self.values[labels])

    @property
    def widest(self) -> float:
        """See `Distance`."""
        return float(np.ptp(self.values)) ** 2 if len(self.values) else 0.0

    def apart(self, one: Ints, other: Ints) -> Floats:
        """See `Distance`."""
        return np.asarray((self.values[one] - self.values[other]) ** 2)

    def toward(self, given: Floats) -> Floats:
        """See `Distance`."""
        values = self.values[:, None]
        return np.asarray(
            values**2 * given.sum(axis=0) - 2 * values * (values * given).sum(axis=0) + (values**2 * given).sum(axis=0)
        )

    def within(self, counts: Any) -> Floats:
        """See `Distance`."""
        size = np.asarray(counts.sum(axis=1)).reshape(-1)
        return np.asarray(np.maximum(2 * (size * (counts @ self.values**2) - (counts @ self.values) ** 2), 0.0))


def nominal(labels: int = 0) -> Distance:
    """Distances of labels without order: 0 to itself, 1 to any other."""
    return Nominal()


def interval(values: ArrayLike) -> Distance:
    """Squared differences of labels that are numbers; `values`: float[labels]."""
    return Scale(values)


def ratio(values: ArrayLike) -> Distance:
    """Squared relative differences of labels that are numbers of 0 and more; `values`: float[labels]."""
    return Ratio(values)


def ordinal(ballots: Ballots, values: ArrayLike | None = None) -> Distance:
    """Krippendorff's ordinal distances; `values` (float[labels]) rank the labels, which else stand in their order.

    They depend on how often each label was given where ballots overlap, and are held fixed when rows are drawn anew.
    Labels of the same value are one rank.
    """
    ranks = np.arange(len(ballots.labels)) if values is None else np.unique(np.asarray(values), return_inverse=True)[1]
    given = np.asarray(counted(ballots).counts.sum(axis=0)).reshape(-1)
    of_rank = np.bincount(ranks.reshape(-1), given)
    return Scale((np.cumsum(of_rank) - of_rank / 2.0)[ranks.reshape(-1)])


def distance_of(given: Distance | ArrayLike | None, labels: int) -> Distance:
    """A distance as it was given, as a table of distances, or by default nominal."""
    if given is None:
        return Nominal()
    return Matrix(given, labels) if isinstance(given, np.ndarray) else _as_distance(given)


def _as_distance(given: Any) -> Distance:
    distance: Distance = given
    return distance

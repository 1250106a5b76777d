"""Tables: distances without a closed form: given ones, ratios, and MASI and Jaccard for sets of labels."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.agreement.counting import pairs_within, summed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_BLOCK = 512
_PAIR_BLOCK = 1_000_000


class _Table(ABC):
    """Distances without a closed form: asked for in blocks of labels, never all at once."""

    closed = False
    widest = 1.0

    @abstractmethod
    def __len__(self) -> int:
        """How many labels there are."""

    @abstractmethod
    def apart(self, one: Ints, other: Ints) -> Floats:
        """See `Distance`."""

    @abstractmethod
    def block(self, start: int, stop: int) -> Floats:
        """Distances float64[stop - start, labels] of some labels to all."""

    def toward(self, given: Floats) -> Floats:
        """See `Distance`."""
        found = np.zeros((len(self), given.shape[1]))
        for start in range(0, len(self), _BLOCK):
            stop = min(start + _BLOCK, len(self))
            found[start:stop] = self.block(start, stop) @ given
        return found

    def within(self, counts: Any) -> Floats:
        """See `Distance`."""
        unit = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        one, other = pairs_within(unit)
        total = np.zeros(counts.shape[0])
        for start in range(0, len(one), _PAIR_BLOCK):
            left, right = one[start : start + _PAIR_BLOCK], other[start : start + _PAIR_BLOCK]
            apart = self.apart(counts.indices[left], counts.indices[right])
            weight = 2 * counts.data[left] * counts.data[right] * apart
            total += summed(unit[left], weight, len(total))
        return total


class Matrix(_Table):
    """Distances given as a table, float64[labels, labels].

    Raises:
        AssayError: it is no symmetric square with 0 on its diagonal.
    """

    def __init__(self, table: ArrayLike, labels: int | None = None) -> None:
        """`labels`: how many there must be."""
        self.table: Floats = np.asarray(table, dtype=np.float64)
        labels = len(self.table) if labels is None else labels
        square = self.table.shape == (labels, labels)
        if not square or np.diag(self.table).any() or not np.array_equal(self.table, self.table.T):
            raise AssayError(
                "agreement",
                f"distances of shape {self.table.shape} for {labels} labels",
                "give a symmetric square, 0 on its diagonal",
            )
        self.widest = float(self.table.max(initial=0.0))

    def __len__(self) -> int:
        return len(self.table)

    def only(self, labels: Ints) -> Matrix:
        """See `Distance`."""
        return Matrix(self.table[np.ix_(labels, labels)])

    def apart(self, one: Ints, other: Ints) -> Floats:
        """See `Distance`."""
        return np.asarray(self.table[one, other])

    def block(self, start: int, stop: int) -> Floats:
        """See `_Table`."""
        return self.table[start:stop]


class Ratio(_Table):
    """Numbers with a true zero: ((a - b) / (a + b))^2, 0 between two zeros; `values`: float[labels].

    Raises:
        AssayError: a number is below zero, where a ratio means nothing.
    """

    def __init__(self, values: ArrayLike) -> None:
        """Numbers of 0 and more."""
        self.values: Floats = np.asarray(values, dtype=np.float64)
        if (self.values < 0).any():
            lowest = self.values.min()
            raise AssayError("agreement", f"ratios of numbers below zero ({lowest:g})", 'use measure = "interval"')

    def __len__(self) -> int:
        return len(self.values)

    def only(self, labels: Ints) -> Ratio:
        """See `Distance`."""
        return Ratio(self.values[labels])

    def apart(self, one: Ints, other: Ints) -> Floats:
        """See `Distance`."""
        return _ratios(self.values[one], self.values[other])

    def block(self, start: int, stop: int) -> Floats:
        """See `_Table`."""
        return _ratios(self.values[start:stop, None], self.values)


def _ratios(one: Floats, other: Floats) -> Floats:
    total = one + other
    return np.asarray(((one - other) / np.where(total > 0, total, 1.0)) ** 2)


class Sets(_Table):
    """Sets of labels: MASI (Passonneau 2006) or Jaccard; two empty sets are the same.

    Jaccard is 1 - |both| / |either|. MASI multiplies the likeness by 1 for equal sets, 2/3 where one contains the
    other, 1/3 where they overlap.
    """

    def __init__(self, members: Any, *, masi: bool = True) -> None:
        """`members`: sparse float64[labels, elements], 1 where the element is in the set that the label is."""
        self.masi = masi
        self.members = members
        self.sizes: Floats = np.asarray(members.sum(axis=1), dtype=np.float64).reshape(-1)

    @staticmethod
    def of(answers: Sequence[str], *, masi: bool = True) -> Sets:
        """From whole answers in canonical JSON, each a list of labels."""
        return Sets(_members([json.loads(answer) for answer in answers]), masi=masi)

    def __len__(self) -> int:
        return len(self.sizes)

    def only(self, labels: Ints) -> Sets:
        """See `Distance`."""
        return Sets(self.members[labels], masi=self.masi)

    def apart(self, one: Ints, other: Ints) -> Floats:
        """See `Distance`."""
        both = np.asarray(self.members[one].multiply(self.members[other]).sum(axis=1), dtype=np.float64).reshape(-1)
        return self._distance(both, self.sizes[one], self.sizes[other])

    def block(self, start: int, stop: int) -> Floats:
        """See `_Table`."""
        both = (self.members[start:stop] @ self._across).toarray()
        return self._distance(both, self.sizes[start:stop, None], self.sizes)

    @cached_property
    def _across(self) -> Any:
        return self.members.T.tocsr()

    def _distance(self, both: Floats, one: Floats, other: Floats) -> Floats:
        either = one + other - both
        likeness = np.where(either > 0, both / np.maximum(either, 1), 1.0)
        if self.masi:
            contained = np.where(both == np.minimum(one, other), 2 / 3, 1 / 3)
            likeness = likeness * np.where(either == both, 1.0, contained)
        return np.asarray(1.0 - likeness)


def _members(sets: Sequence[Sequence[str]]) -> Any:
    """Sparse float64[sets, elements], 1 where the element is in the set."""
    from scipy import sparse

    distinct = [sorted(set(map(str, each))) for each in sets]
    names = {name: at for at, name in enumerate(sorted({name for each in distinct for name in each}))}
    column = [names[name] for each in distinct for name in each]
    row = np.repeat(np.arange(len(distinct)), [len(each) for each in distinct])
    return sparse.csr_matrix((np.ones(len(column)), (row, column)), shape=(len(distinct), max(len(names), 1)))

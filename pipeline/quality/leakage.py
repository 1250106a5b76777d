"""Leakage: texts of a held-out side that stand, alike or nearly, on another side as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.duplicates import NearPairs, canonical
from pipeline.quality.duplicates.evidence import CONTAINED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

TRAIN, VALIDATION, TEST = 0, 1, 2
UNDEALT = -1


@dataclass(frozen=True)
class Leaks:
    """Rows that have a twin on another side, each with one twin per other side.

    Attributes:
        row: int64[leaks], the row on the side held out from the other (test before validation before train).
        twin: int64[leaks], the row like it on the lower side.
        kind: per leak what they share: "exact" or "normalised" text, or the kind of the near pair.
        similarity: float64[leaks], 0..1; 1 for exact and normalised ones.
    """

    row: Ints
    twin: Ints
    kind: tuple[str, ...]
    similarity: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row)


def leaks(
    sides: Sequence[int] | Ints,
    texts: Sequence[str] | pa.Array,
    keys: Sequence[str] | pa.Array,
    near: NearPairs | None = None,
) -> Leaks:
    """Every row that a row of a lower side gives away, with the strongest evidence for it.

    `sides`: int64[n], 0 train, 1 validation, 2 test, -1 not dealt; `texts`: what is compared exactly; `keys`: what is
    compared once normalised (`pipeline.text.normalised`); `near`: pairs of the same rows (`duplicates.near_pairs`). A
    near pair speaks for all copies of its two texts. One leak is reported per row and lower side, by the first of
    exact, normalised, near.

    Raises:
        AssayError: the columns differ in length.
    """
    side = np.asarray(sides, dtype=np.int64)
    if not len(side) == len(texts) == len(keys):
        raise AssayError("leakage", f"{len(side)} sides, {len(texts)} texts, {len(keys)} keys", "give one of each")
    found: dict[tuple[int, int], tuple[int, str, float]] = {}
    for kind, column in (("exact", texts), ("normalised", keys)):
        for row, twin in _across(side, canonical(column)):
            found.setdefault((row, int(side[twin])), (twin, kind, 1.0))
    for row, twin, kind, value in _near_across(side, canonical(keys), near):
        found.setdefault((row, int(side[twin])), (twin, kind, value))
    order = sorted(found)
    return Leaks(
        np.array([row for row, _ in order], dtype=np.int64),
        np.array([found[at][0] for at in order], dtype=np.int64),
        tuple(found[at][1] for at in order),
        np.array([found[at][2] for at in order], dtype=np.float64),
    )


def _first_on_side(side: Ints, group: Ints) -> dict[int, dict[int, int]]:
    """Per group with rows on several sides or not: side -> its first row."""
    first: dict[int, dict[int, int]] = {}
    for row in np.flatnonzero(side != UNDEALT).tolist():
        first.setdefault(int(group[row]), {}).setdefault(int(side[row]), row)
    return first


def _across(side: Ints, group: Ints) -> list[tuple[int, int]]:
    """(row, first row of its group on a lower side), for every row and lower side."""
    spread = _spread(side, group)
    first = _first_on_side(np.where(spread, side, UNDEALT), group)
    return [
        (row, twin)
        for row in np.flatnonzero(spread).tolist()
        for lower, twin in sorted(first[int(group[row])].items())
        if lower < side[row]
    ]


def _spread(side: Ints, group: Ints) -> NDArray[np.bool_]:
    """Which rows are dealt and in a group that stands on more than one side: bool[n]."""
    dealt = side != UNDEALT
    lowest = np.full(len(side), np.iinfo(np.int64).max)
    highest = np.full(len(side), -1, dtype=np.int64)
    np.minimum.at(lowest, group[dealt], side[dealt])
    np.maximum.at(highest, group[dealt], side[dealt])
    return np.asarray(dealt & (lowest < highest)[group])


def _near_across(side: Ints, group: Ints, near: NearPairs | None) -> list[tuple[int, int, str, float]]:
    """(row, twin, kind, similarity) of near pairs across sides, nearest first, for all copies of both texts."""
    if near is None:
        return []
    members: dict[int, list[int]] = {}
    for row in np.flatnonzero(side != UNDEALT).tolist():
        members.setdefault(int(group[row]), []).append(row)
    first = _first_on_side(side, group)
    found = []
    # A contained text says less of the other than one that is near it as a whole, however much of it it is.
    part = np.array([kind == CONTAINED for kind in near.kind], dtype=bool)
    for at in np.lexsort((near.right, near.left, -near.similarity, part)).tolist():
        one, other = int(group[near.left[at]]), int(group[near.right[at]])
        for held, low in ((one, other), (other, one)) if one != other else ():
            for row in members.get(held, ()):
                found += [
                    (row, twin, near.kind[at], float(near.similarity[at]))
                    for lower, twin in sorted(first.get(low, {}).items())
                    if lower < side[row]
                ]
    return found

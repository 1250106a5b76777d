"""Published: how far an official split, as it was delivered, gives held-out rows away, by the pairs of the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lock import SIDES
from pipeline.quality.duplicates import canonical
from pipeline.quality.duplicates.evidence import CONTAINED, EXACT, NORMALISED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

LEVELS = ("exact", "normalised", "near", "contained")


def overlaps(rows: pa.Table, pairs: pa.Table) -> dict[str, dict[str, int]]:
    """Rows of each official side that another one (or the same) has as well: "test in train" to how many, by likeness.

    A row counts once, under the first of exact, normalised, near and contained that it meets; in its own side only if
    an earlier row, by id, is meant. Rows that the audit merged away count like all others.

    Args:
        rows: columns id, split, of all rows as they were delivered, and key: equal where their texts are, null for
            rows of no pair.
        pairs: columns left, right, kind, of accepted pairs.
    """
    ids = rows["id"].combine_chunks()
    side = pc.fill_null(pc.index_in(rows["split"].combine_chunks(), value_set=pa.array(SIDES)), -1)
    ends = [pc.index_in(pairs[name].combine_chunks(), value_set=ids) for name in ("left", "right")]
    there = np.asarray(pc.and_(*(pc.is_valid(end) for end in ends)))
    left, right = (np.asarray(pc.fill_null(end, 0)).astype(np.int64)[there] for end in ends)
    level = _levels(pairs["kind"], there)
    # Two rows that are equal need not be a pair: both may be one with the row that stands for them.
    first = canonical(rows["key"])
    again = np.flatnonzero(first != np.arange(len(first)))
    left, right = np.concatenate([first[again], left]), np.concatenate([again, right])
    level = np.concatenate([np.zeros(len(again), dtype=np.int64), level])
    return _counted(np.asarray(side).astype(np.int64), left, right, level)


def _levels(kinds: pa.ChunkedArray, there: Flags) -> Ints:
    places = {EXACT: 1, NORMALISED: 1, CONTAINED: 3}
    return np.array([places.get(kind, 2) for kind in kinds.to_pylist()], dtype=np.int64)[there]


def _counted(side: Ints, left: Ints, right: Ints, level: Ints) -> dict[str, dict[str, int]]:
    """Each level adds pairs: equal ones join classes, near and contained ones are between two of them."""
    from pipeline.quality.splitting.ties import joined

    done = np.zeros((len(side), len(SIDES)), dtype=bool)
    found: dict[str, dict[str, int]] = {}
    for at, name in enumerate(LEVELS):
        same = level <= min(at, 1)
        of = joined(len(side), left[same], right[same])
        between = (level == at) & (at > 1)
        for other, by in enumerate(SIDES):
            seen = _seen(side == other, of, left[between], right[between]) & ~done[:, other] & (side >= 0)
            done[:, other] |= seen
            for own, whose in enumerate(SIDES):
                if count := int((seen & (side == own)).sum()):
                    found.setdefault(f"{whose} in {by}", {})[name] = count
    return dict(sorted(found.items()))


def _seen(there: Flags, of: Ints, left: Ints, right: Ints) -> Flags:
    """Which rows are in a class with one that is `there`, or next to one; of those themselves all but the first."""
    nobody = len(of)
    first = np.full(nobody, nobody)
    np.minimum.at(first, of[there], np.flatnonzero(there))
    beside = np.full(nobody, nobody)
    np.minimum.at(beside, of[left], first[of[right]])
    np.minimum.at(beside, of[right], first[of[left]])
    own, rows = np.minimum(first, beside)[of], np.arange(nobody)
    return np.asarray(np.where(there, own < rows, own < nobody))

"""Kin: what joins rows so that they are never parted: a group, a text, or a key of their task in common.

A key that very many rows have is a template ("Translate into English:") and joins nothing: all rows would go to one
side for it. The split and the gates ask here, so that they see the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.duplicates import canonical, near_pairs
from pipeline.quality.duplicates.recalling import Recall, anew

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pipeline.settings import SplitSettings

    Ints = NDArray[np.int64]

TEMPLATE_ROWS, TEMPLATE_SHARE = 50, 0.02
LISTED = 20


def most_rows(rows: int) -> int:
    """How many of `rows` rows may have a key in common before it is a template.

    >>> most_rows(1_000), most_rows(100_000)
    (50, 2000)
    """
    return max(TEMPLATE_ROWS, int(TEMPLATE_SHARE * rows))


def templates(keys: pa.Array | pa.ChunkedArray) -> dict[str, int]:
    """The keys that too many rows share, with how many do; `keys`: list<string> of each row, no key of a row twice."""
    counted = pc.value_counts(pc.list_flatten(keys))
    common = counted.filter(pc.greater(counted.field("counts"), most_rows(len(keys))))
    return dict(sorted((one["values"].as_py(), one["counts"].as_py()) for one in common))


@dataclass(frozen=True)
class Keyed:
    """Which row has which key: row, code of the key (int64[links] each), and the keys by their codes."""

    row: Ints
    code: Ints
    names: pa.Array

    @classmethod
    def of(cls, keys: pa.Array | pa.ChunkedArray, without: Mapping[str, int] | None = None) -> Keyed:
        """All keys (list<string> of each row) but those in `without`."""
        row, values = _flat(keys)
        encoded: Any = pc.dictionary_encode(values)
        code = np.asarray(encoded.indices).astype(np.int64)
        if without:
            kept = ~np.asarray(pc.is_in(values, pa.array(list(without), values.type)))
            row, code = row[kept], code[kept]
        return cls(row, code, encoded.dictionary)

    def only(self, rows: NDArray[np.bool_]) -> Keyed:
        """The links of some rows: bool[n]."""
        return Keyed(self.row[rows[self.row]], self.code[rows[self.row]], self.names)

    def first(self) -> Ints:
        """The first row that has each key, or the largest integer there is: int64[keys]."""
        first = np.full(len(self.names), np.iinfo(np.int64).max)
        np.minimum.at(first, self.code, self.row)
        return first

    def shared(self) -> int:
        """How many keys several rows have."""
        return int((np.bincount(self.code) > 1).sum()) if len(self.code) else 0


def same_text(rows: pa.Table, settings: SplitSettings, *, recall: Recall = anew) -> tuple[Ints, Ints, Counter[str]]:
    """Pairs of rows (columns key, text) that say the same, or one of which holds the other whole, and how many of each
    kind; where near duplicates may part only those of one key."""
    if settings.near_duplicates:
        how: Any = {"threshold": settings.near_threshold, "seed": settings.seed, "recall": recall}
        near = near_pairs(rows["text"], contained=True, **how)
        return near.left, near.right, Counter(near.kind)
    first = canonical(rows["key"])
    copies = np.flatnonzero(first != np.arange(len(first)))
    return first[copies], copies, Counter({"normalised": len(copies)} if len(copies) else {})


def alike(rows: pa.Table, settings: SplitSettings, pairs: pa.Table | None) -> tuple[Ints, Ints, Counter[str]]:
    """`same_text` of rows (column id as well), from `pairs` (left, right, kind) if given; some may be of other rows."""
    if pairs is None or not settings.near_duplicates:
        return same_text(rows, settings)
    ids = _whole(rows["id"])
    if not pairs.num_rows:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), Counter()
    both = pc.index_in(pa.concat_arrays([_whole(pairs[side]) for side in ("left", "right")]), value_set=ids)
    ends = both[: pairs.num_rows], both[pairs.num_rows :]
    there = pc.and_(*(pc.is_valid(end) for end in ends))
    left, right = (np.asarray(pc.filter(end, there)).astype(np.int64) for end in ends)
    return left, right, Counter(pc.filter(_whole(pairs["kind"]), there).to_pylist())


def groups(group: pa.ChunkedArray, also_in: pa.ChunkedArray) -> Keyed:
    """The groups of rows: their own (string) and those merged into them (list<string>)."""
    row, others = _flat(also_in)
    names = pa.concat_arrays([_whole(group), others])
    codes: Any = pc.dictionary_encode(names)
    rows = np.concatenate([np.arange(len(group), dtype=np.int64), row])
    return Keyed(rows, np.asarray(codes.indices).astype(np.int64), codes.dictionary)


def _flat(lists: pa.Array | pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """The row of every member of the lists, and the members."""
    whole = _whole(lists)
    return np.asarray(pc.list_parent_indices(whole)).astype(np.int64), pc.list_flatten(whole)


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def told(not_joined: Mapping[str, int], rows: int) -> dict[str, Any]:
    """For the report: how many keys join nothing, from how many rows on, and the commonest of them."""
    commonest = sorted(not_joined.items(), key=lambda one: (-one[1], one[0]))[:LISTED]
    return {
        "count": len(not_joined),
        "most_rows": most_rows(rows),
        "examples": [{"key": key, "rows": count} for key, count in commonest],
    }

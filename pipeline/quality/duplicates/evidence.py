"""Evidence: every pair of rows that was compared, what it is, and why it is or is not the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PAIRS = pa.schema(
    [
        pa.field("left", pa.string(), nullable=False),
        pa.field("right", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("similarity", pa.float64(), nullable=False),
        pa.field("accepted", pa.bool_(), nullable=False),
        pa.field("why", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
    ]
)
"""A pair of rows by their ids; `similarity` is 0..1: exact Jaccard of character n-grams, for `contained` the share of
the longer text, for `semantic` the cosine; `why` says what differs, in words; `outcome` what was done, empty before."""

EXACT, NORMALISED, SIMILAR, MISSPELT, REORDERED, CONTAINED, SEMANTIC = KINDS = (
    "exact",
    "normalised",
    "similar",
    "misspelt",
    "reordered",
    "contained",
    "semantic",
)


@dataclass(frozen=True)
class Found:
    """Pairs of rows that were compared, each once, in the order of their rows.

    Attributes:
        left, right: int64[pairs], row indices; of equal texts `left` is the first, of contained ones the longer.
        kind: what each is or would be, one of `KINDS`.
        similarity: float64[pairs], 0..1, see `PAIRS`.
        accepted: bool[pairs], whether the two say the same.
        why: what differs, in words; for rejected ones the slot that keeps them apart.
        not_listed: rejected pairs that are only counted, by what keeps them apart.
    """

    left: Ints
    right: Ints
    kind: tuple[str, ...]
    similarity: Floats
    accepted: Bools
    why: tuple[str, ...]
    not_listed: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.left)

    @classmethod
    def listed(cls, lines: Sequence[tuple[int, int, str, float, bool, str]]) -> Found:
        """Pairs given one by one."""
        left, right, kind, similarity, accepted, why = zip(*lines, strict=True) if lines else ((),) * 6
        return cls(
            np.array(left, dtype=np.int64),
            np.array(right, dtype=np.int64),
            tuple(kind),
            np.array(similarity, dtype=np.float64),
            np.array(accepted, dtype=bool),
            tuple(why),
        )

    @classmethod
    def joined(cls, parts: Sequence[Found]) -> Found:
        """All pairs of several searches, sorted by their rows."""
        left = np.concatenate([part.left for part in parts])
        right = np.concatenate([part.right for part in parts])
        kind = [each for part in parts for each in part.kind]
        why = [each for part in parts for each in part.why]
        similarity = np.concatenate([part.similarity for part in parts])
        accepted = np.concatenate([part.accepted for part in parts])
        counted: Counter[str] = sum((part.not_listed for part in parts), Counter())
        whole = cls(left, right, tuple(kind), similarity, accepted, tuple(why), counted)
        return whole.take(np.lexsort((right, left)))

    def only(self, chosen: Bools) -> Found:
        """Some of the pairs: bool[pairs]."""
        return self.take(np.flatnonzero(chosen))

    def take(self, pairs: Ints) -> Found:
        """Some of the pairs, by their places: int64[any]."""
        kind, why = (tuple(column[at] for at in pairs.tolist()) for column in (self.kind, self.why))
        rest = (self.similarity[pairs], self.accepted[pairs])
        return Found(self.left[pairs], self.right[pairs], kind, *rest, why, self.not_listed)

    def table(self, ids: pa.Array | pa.ChunkedArray) -> pa.Table:
        """The pairs by the ids of their rows: `PAIRS`, sorted by them, so that the order of rows does not show."""
        columns = [
            ids.take(pa.array(self.left)).cast(pa.string()),
            ids.take(pa.array(self.right)).cast(pa.string()),
            pa.array(self.kind, pa.string()),
            pa.array(self.similarity, pa.float64()),
            pa.array(self.accepted, pa.bool_()),
            pa.array(self.why, pa.string()),
            pa.array([""] * len(self), pa.string()),
        ]
        table = pa.Table.from_arrays(columns, schema=PAIRS)
        return table.sort_by([("left", "ascending"), ("right", "ascending"), ("kind", "ascending")])

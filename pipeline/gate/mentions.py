"""Mentions: how many of the names that are held out were learned, so that finding them may be memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.gate.known import codes, members

if TYPE_CHECKING:
    from pipeline.gate.known import Known

LISTED = 5


@dataclass(frozen=True)
class Learned:
    """How much of what is marked in validation and test is marked in train as well.

    Attributes:
        share: 0..1 of the distinct (kind, surface) held out, surfaces normalised; None where nothing is marked.
        seen: the counts, and the commonest that are known, in words.
    """

    share: float | None
    seen: str


def learned(known: Known) -> Learned:
    """What train knows of the mentions that are held out; copies count as well, for they are learned."""
    row, mentions = members(known.column("mentions"))
    kind, surface = mentions.flatten()
    kinds, surfaces = codes(kind), codes(surface)
    said = kinds * (int(surfaces.max(initial=0)) + 1) + surfaces
    _, first, same = np.unique(said, return_index=True, return_inverse=True)
    train = known.train[row]
    held = np.bincount(same[~train], minlength=len(first))
    in_train = np.bincount(same[train], minlength=len(first)) > 0
    distinct = int((held > 0).sum())
    if not distinct or not in_train.any():
        return Learned(None, "")
    both = np.flatnonzero((held > 0) & in_train)
    at = pa.array(first[both])
    counted = zip(kind.take(at).to_pylist(), surface.take(at).to_pylist(), held[both].tolist(), strict=True)
    commonest = sorted(counted, key=lambda one: (-one[2], one[0], one[1]))[:LISTED]
    shown = ", ".join(f"{surface} ({kind}) {count}" for kind, surface, count in commonest)
    return Learned(len(both) / distinct, f"{len(both)} of {distinct} distinct mentions held out: {shown}")

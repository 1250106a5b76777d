"""Near: the pairs of texts that say the same, from texts alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.quality.duplicates.evidence import EXACT, NORMALISED
from pipeline.quality.duplicates.pairing import pairs
from pipeline.quality.duplicates.recalling import Recall, anew
from pipeline.quality.duplicates.signing import SIGNED, digests, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

_TEXTS_AT_ONCE = 2_000


@dataclass(frozen=True)
class NearPairs:
    """Pairs of texts that say the same, each once, `left` < `right`.

    Attributes:
        left, right: int64[pairs], row indices.
        similarity: float64[pairs], 0..1, exact Jaccard of their character n-grams; 1 for equal ones; for contained
            ones the share of the longer text.
        kind: per pair "normalised" (equal once normalised), "similar", "misspelt", "reordered" or "contained".
    """

    left: Ints
    right: Ints
    similarity: NDArray[np.float64]
    kind: tuple[str, ...]


def near_pairs(
    texts: Sequence[str] | pa.Array | pa.ChunkedArray,
    *,
    threshold: float = 0.8,
    seed: int = 0,
    contained: bool = False,
    recall: Recall = anew,
) -> NearPairs:
    """Pairs of texts that differ in case, width, punctuation, a slip of the pen, two swapped words, or very little.

    The accepted pairs of `pairs`, which says more of them; texts that stand whole inside longer ones only where
    `contained` is asked for. `recall`: how what was made of a text is remembered.
    """
    column = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(texts, pa.large_string())
    whole = column.cast(pa.large_string())
    text = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
    given = pa.RecordBatch.from_arrays([digests(text.to_pylist()), text], names=["key", "text"])
    found = pairs(
        pa.Table.from_batches([recall(_signed, given)], schema=SIGNED),
        lambda rows: text.take(pa.array(rows)).to_pylist(),
        threshold=threshold,
        seed=seed,
        nearest=0,
        contained=contained,
    )
    low, high = np.minimum(found.left, found.right), np.maximum(found.left, found.right)
    order = np.lexsort((high, low))
    kinds = tuple(NORMALISED if found.kind[at] == EXACT else found.kind[at] for at in order.tolist())
    return NearPairs(low[order], high[order], found.similarity[order], kinds)


def _signed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """`signed`, some texts at a time."""
    parts = [signed(batch.slice(start, _TEXTS_AT_ONCE)) for start in range(0, batch.num_rows, _TEXTS_AT_ONCE)]
    return pa.concat_batches(parts) if parts else signed(batch)

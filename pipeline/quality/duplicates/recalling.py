"""Recalling: what was made of a pair of texts, and of nothing else, need not be made again in the next build."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

Recall = Callable[[Callable[[pa.RecordBatch], pa.RecordBatch], pa.RecordBatch], pa.RecordBatch]
"""What a function makes of a batch, line by line, made now or remembered by its first column, `key`: 16 bytes that
stand for everything that the function reads of a line, here or elsewhere."""


def anew(function: Callable[[pa.RecordBatch], pa.RecordBatch], given: pa.RecordBatch) -> pa.RecordBatch:
    """Nothing is remembered."""
    return function(given)


def pair_keys(exact: Hashes, left: Ints, right: Ints, more: Hashes) -> pa.Array:
    """A key of two texts in this order and a number: binary(16)[pairs].

    Args:
        exact: uint64[texts, 2], a hash of each text as it stands.
        left, right: int64[pairs], the texts.
        more: uint64[pairs], what else is read of the pair.
    """
    said = mixed(more)[:, None]
    keys = mixed(mixed(exact[left] + said) + exact[right])
    data = pa.py_buffer(np.ascontiguousarray(keys))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(left), [None, data])

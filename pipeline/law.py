"""The law of every stage: each row that comes in, or is made, goes out, is joined to another, or is rejected."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


def hold_law(stage: str, counts: Mapping[str, Any]) -> None:
    """Raise unless every row that came in, or was made, was kept, joined to another, or rejected."""
    there, gone = counts["in"] + counts["made"], counts["kept"] + counts["rejected"] + counts["joined"]
    if there != gone:
        raise AssayError(
            f"stage '{stage}'",
            f"{there} rows came in or were made, but {gone} are accounted for",
            "this is a fault in Assay: please report it",
        )


class Ids:
    """Order-free fingerprints of sets of ids: the sum of 64-bit hashes, in constant memory."""

    def __init__(self) -> None:
        self._sums: Counter[str] = Counter()

    def add(self, ids: pa.Array, *, side: str) -> None:
        """Take in the ids that go to `side`."""
        values = np.array(ids.to_pylist(), dtype=object)
        if len(values):
            self._sums[side] += int(pd.util.hash_array(values, categorize=False).sum(dtype=np.uint64))

    def sum(self, *sides: str) -> int:
        """The fingerprint of all ids on these sides, modulo 2^64."""
        return sum(self._sums[side] for side in sides) % 2**64


def hold_ids(stage: str, given: int, out: int) -> None:
    """Raise unless the very ids that came in, or were made, went out: equal counts alone could hide a swap.

    Both are fingerprints (`Ids.sum`).
    """
    if given != out:
        raise AssayError(
            f"stage '{stage}'",
            "the ids that went out are not those that came in",
            "this is a fault in Assay: please report it",
        )

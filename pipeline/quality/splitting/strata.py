"""Strata: what rows count towards, as numbers: every row towards "all", and towards what its task and recipe say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pipeline.quality.splitting.dealing import Profiles, profiles

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Strata:
    """Which row counts towards which stratum.

    Attributes:
        names: of the strata, sorted, behind "all".
        row, code: int64[links], rows and places in `names` other than 0; sorted by row.
    """

    names: tuple[str, ...]
    row: Ints
    code: Ints

    @classmethod
    def of(cls, lists: pa.ChunkedArray) -> Strata:
        """The strata of rows: list<string>, no name twice in one row."""
        whole = lists.combine_chunks()
        row = np.asarray(pc.list_parent_indices(whole)).astype(np.int64)
        encoded: Any = pc.dictionary_encode(pc.list_flatten(whole))
        found: list[str] = encoded.dictionary.to_pylist()
        names = sorted(found)
        place = {name: at + 1 for at, name in enumerate(names)}
        code = np.array([place[name] for name in found], dtype=np.int64)[np.asarray(encoded.indices)]
        return cls(("all", *names), row, code.astype(np.int64))

    def profiles(self, rows: Ints, group: Ints, total: int) -> Profiles:
        """The profiles of groups of some rows: `group`: int64[len(rows)], 0.. ; `total`: how many rows there are."""
        place = np.full(total, -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        kept = place[self.row] >= 0
        return profiles(group, place[self.row[kept]], self.code[kept], strata=len(self.names))

    def counts(self, values: Ints, many: int) -> Ints:
        """Rows of every stratum by value (int64[rows], 0..many-1; rows of -1 are not counted): int64[strata, many]."""
        whole = np.bincount(values[values >= 0], minlength=many)
        kept = values[self.row] >= 0
        code, value = self.code[kept], values[self.row[kept]]
        found = np.bincount(code * many + value, minlength=len(self.names) * many).reshape(-1, many)
        found[0] = whole
        return found.astype(np.int64)

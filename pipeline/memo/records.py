"""Raw records in lists: a key for all that a record says, wherever it stands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pipeline.memo.keys import KEY_BYTES, keys_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Item = TypeVar("Item")
SPELLED = (datetime, date, time, Decimal)
"""Values that tables hold and JSON does not, all of which their `repr` tells apart."""


class Items(Generic[Item]):
    """Batches that are lists, of things whose keys hold all that is to be known of them."""

    def told(self, batch: Sequence[Item]) -> str:
        """Nothing."""
        return ""

    def pick(self, batch: Sequence[Item], rows: NDArray[np.int64]) -> list[Item]:
        """The records at these places."""
        return [batch[row] for row in rows.tolist()]

    def join(self, batches: Sequence[Sequence[Item]]) -> list[Item]:
        """All records of several batches."""
        return [item for batch in batches for item in batch]


@dataclass(frozen=True)
class Records(Items[Item]):
    """Batches that are lists of records; `said` gives what a record says, as plain values."""

    said: Callable[[Item], Any]

    def keys(self, batch: Sequence[Item]) -> NDArray[np.uint64]:
        """A key for every record: uint64[records, 2]."""
        return keys_of(record_key(self.said(item)) for item in batch)


def record_key(said: Any) -> bytes:
    """16 bytes: equal for equal values of equal types, in the same order; never for values of a type not known here."""
    try:
        spelled = json.dumps(said, separators=(",", ":"), default=_spelled).encode()
    except (TypeError, ValueError, RecursionError):
        spelled = os.urandom(KEY_BYTES)
    return blake2b(spelled, digest_size=KEY_BYTES).digest()


def _spelled(value: Any) -> Any:
    """A value that tables hold and JSON does not, as a list that no record holds: it begins with an empty object."""
    if isinstance(value, SPELLED):
        return [{}, type(value).__qualname__, repr(value)]
    raise TypeError(type(value).__qualname__)

"""Copies: rows that were made of others follow their parents into train, or leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.quality.duplicates.recalling import Recall, anew
from pipeline.quality.kin import same_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.quality.kin import Keyed
    from pipeline.settings import SplitSettings

    Ints = NDArray[np.int64]

TRAIN, GONE = 0, -1


def copies(
    made: pa.Table, originals: pa.Table, sides: Ints, keyed: Keyed, settings: SplitSettings, *, recall: Recall = anew
) -> tuple[Ints, dict[int, tuple[str, str]]]:
    """The side of every row that was made of others (0, train, or -1), and why those go that go.

    They go to train if all their parents are there and they neither come near a held-out row nor share a key with one.

    Args:
        made: columns id, parents, kin, key, text.
        originals: columns id, key, text.
        sides: int64[originals], 0 train, 1 validation, 2 test, -1 gone.
        keyed: the keys of the originals, templates aside.
        recall: how what was made of a text is remembered.
    """
    found = np.full(made.num_rows, TRAIN, dtype=np.int64)
    reasons: dict[int, tuple[str, str]] = {}
    if not made.num_rows:
        return found, reasons
    side_of = dict(zip(originals["id"].to_pylist(), sides.tolist(), strict=True))
    for row, parents in enumerate(made["parents"].to_pylist()):
        away = [parent for parent in parents if side_of.get(parent, GONE) != TRAIN]
        if away:
            found[row], reasons[row] = GONE, ("parent_held_out", ", ".join(map(str, away)))
    for row, key, twin in _keys_held_out(made, originals, sides, found, keyed):
        found[row], reasons[row] = GONE, ("leaks_into_held_out", f"shares '{key}' with {twin}")
    for row, twin in _near_held_out(made, originals, sides, found, settings, recall=recall):
        found[row], reasons[row] = GONE, ("leaks_into_held_out", f"says the same as {twin}")
    return found, reasons


def _near_held_out(
    made: pa.Table, originals: pa.Table, sides: Ints, found: Ints, settings: SplitSettings, *, recall: Recall
) -> list[tuple[int, str]]:
    """Copies that say the same as a held-out row, with that row."""
    kept, held = np.flatnonzero(found == TRAIN), np.flatnonzero(sides > TRAIN)
    here, columns = originals.take(pa.array(held)), ["key", "text"]
    both = pa.concat_tables([here.select(columns), made.take(pa.array(kept)).select(columns)])
    left, right, _ = same_text(both, settings, recall=recall)
    ids = here["id"].to_pylist()
    pairs = zip(np.minimum(left, right).tolist(), np.maximum(left, right).tolist(), strict=True)
    twins = {int(kept[high - len(held)]): ids[low] for low, high in pairs if low < len(held) <= high}
    return sorted(twins.items())


def _keys_held_out(
    made: pa.Table, originals: pa.Table, sides: Ints, found: Ints, keyed: Keyed
) -> Iterator[tuple[int, str, str]]:
    """Copies that share a key with a held-out row, the key, and that row."""
    first = keyed.only(sides > TRAIN).first()
    ids = originals["id"]
    held = {keyed.names[code].as_py(): int(first[code]) for code in np.flatnonzero(first < len(ids)).tolist()}
    for row, keys in enumerate(made["kin"].to_pylist()):
        shared = next((key for key in keys if key in held), None)
        if shared is not None and found[row] == TRAIN:
            yield row, shared, ids[held[shared]].as_py()

"""What the tests of duplicates share: texts signed, pairs looked for, pairs as sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.quality.duplicates import SIGNED, Found, pairs, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

ENGLISH = "could you please tell me when the next delivery of my parcel will arrive at home"
CHINESE = "请问我上周购买的那台冰箱什么时候能够送到家里来"


def signatures(texts: Sequence[str | None], at_once: int = 1_000) -> pa.Table:
    """All texts signed, some at once."""
    batches = pa.table({"text": pa.array(texts, pa.string())}).to_batches(max_chunksize=at_once)
    return pa.Table.from_batches([signed(batch) for batch in batches], schema=SIGNED)


def search(texts: Sequence[str], **options: Any) -> Found:
    """The pairs among texts."""
    return pairs(signatures(texts), lambda rows: [texts[row] for row in rows.tolist()], **options)


def accepted(found: Found) -> set[tuple[int, int, str]]:
    """Accepted pairs: lower row, higher row, kind."""
    lines = zip(found.left.tolist(), found.right.tolist(), found.kind, found.accepted.tolist(), strict=True)
    return {(min(one, other), max(one, other), kind) for one, other, kind, said in lines if said}


def whys(found: Found) -> dict[tuple[int, int], str]:
    """Why each pair is what it is."""
    lines = zip(found.left.tolist(), found.right.tolist(), found.why, strict=True)
    return {(min(one, other), max(one, other)): why for one, other, why in lines}

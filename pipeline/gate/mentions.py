"""Mentions: how many of the names that are held out were learned, so that finding them may be memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.gate.facts import Facts

LISTED = 5


@dataclass(frozen=True)
class Known:
    """How much of what is marked in validation and test is marked in train as well.

    Attributes:
        share: 0..1 of the distinct (kind, surface) held out, surfaces normalised; None where nothing is marked.
        seen: the counts, and the commonest that are known, in words.
    """

    share: float | None
    seen: str


def known(facts: Sequence[Facts]) -> Known:
    """What train knows of the mentions that are held out; copies count as well, for they are learned."""
    held: Counter[tuple[str, str]] = Counter()
    train: set[tuple[str, str]] = set()
    for row in facts:
        own = [(kind, normalised(surface) or surface) for kind, surface in row.mentions]
        if row.split == "train":
            train.update(own)
        else:
            held.update(own)
    if not held or not train:
        return Known(None, "")
    both = {one: count for one, count in held.items() if one in train}
    commonest = sorted(both, key=lambda one: (-both[one], one))[:LISTED]
    shown = ", ".join(f"{surface} ({kind}) {both[kind, surface]}" for kind, surface in commonest)
    return Known(len(both) / len(held), f"{len(both)} of {len(held)} distinct mentions held out: {shown}")

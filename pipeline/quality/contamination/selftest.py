"""Self-test: how many planted copies are found, and how many lookalikes are left alone, by kind and script."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.quality.annotators.skill import clopper_pearson
from pipeline.quality.contamination.index import PHRASE_GRAMS, SHORT_GRAMS, build
from pipeline.quality.contamination.matching import search
from pipeline.quality.contamination.planting import (
    BARE,
    COPIES,
    EMBEDDED,
    EXCERPT,
    HALVED,
    LOOKALIKES,
    MUST,
    REWORDED,
    SCRIPTS,
    plants,
)
from pipeline.quality.contamination.units import Size, units
from pipeline.quality.contamination.verdict import judged
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.quality.contamination.planting import Planted

LEAST = 0.95
"""Recall of copies that nothing was changed in but their form, and precision over all, that the test asks for."""
GRAMS = {EMBEDDED: PHRASE_GRAMS, EXCERPT: PHRASE_GRAMS, REWORDED: SHORT_GRAMS, HALVED: 2 * SHORT_GRAMS + 0.4}
"""How long an item must be, in n-grams, to be found as such a copy: what is shorter only counts as a whole."""


class Line(NamedTuple):
    """One kind of row in one script: how many were planted, found (lookalikes: left alone), and the 95 % interval."""

    kind: str
    script: str
    rows: int
    good: int
    share: float
    low: float
    high: float
    right_item: float | None
    """Of the copies that were found, how many were put down to the item that they copy; none for lookalikes."""


@dataclass(frozen=True)
class Proof:
    """The result of a self-test."""

    lines: list[Line]
    precision: Line
    """Of all rows that were found, how many are copies."""
    really_there: int
    """Lookalikes that hold another item whole or stand whole in one, and so are none: counted nowhere."""
    passed: bool


def prove(texts: Sequence[str], *, size: Size, least_share: float, most: int = 300, seed: int = 1) -> Proof:
    """Plant copies and lookalikes of held-out items, search, and count."""
    made = plants(texts, long_enough=partial(_long_enough, size=size), most=most, seed=seed)
    index = build(made.items, np.array(made.sets, dtype=np.int64), size)
    hits = search([row.text for row in made.rows], index, least_share=least_share)
    found = judged(hits, index, texts=len(made.rows), least_share=least_share).found
    items: list[set[int]] = [set() for _ in made.rows]
    for text, item in zip(found.text.tolist(), found.item.tolist(), strict=True):
        items[text].add(item)
    there = {at for at, row in enumerate(made.rows) if row.item < 0 and _is_there(row, items[at], made.items)}
    seen = [(row, items[at]) for at, row in enumerate(made.rows) if at not in there]
    lines = [line for kind in (*COPIES, *LOOKALIKES) for line in _lines(kind, seen)]
    flagged = [row for row, hit in seen if hit]
    copies = sum(row.item >= 0 for row in flagged)
    precision = _line("all rows that were found", "", len(flagged), copies, None)
    missed = [line for line in lines if line.kind in MUST and line.share < LEAST]
    return Proof(lines, precision, len(there), passed=not missed and bool(flagged) and precision.share >= LEAST)


def _is_there(row: Planted, found: set[int], items: Sequence[str]) -> bool:
    """Whether one of the items that were found stands in the row, or it in one, as a plain comparison sees it; a frame
    is to be left alone though it does."""
    text = normalised(row.text)
    wholes = [normalised(items[item]) for item in found]
    return any(one in text for one in wholes) or (row.kind != BARE and any(text in one for one in wholes))


def _long_enough(text: str, kind: str, *, size: Size) -> bool:
    weight = int(units([text], size).weights()[0])
    return weight > 0 and weight >= GRAMS.get(kind, 0) * size.weight


def _lines(kind: str, seen: Sequence[tuple[Planted, set[int]]]) -> list[Line]:
    lines = []
    for script in SCRIPTS:
        rows = [(row, hit) for row, hit in seen if row.kind == kind and row.script == script]
        found = [(row, hit) for row, hit in rows if hit]
        right = sum(row.item in hit for row, hit in found)
        if rows and kind in COPIES:
            lines.append(_line(kind, script, len(rows), len(found), right / len(found) if found else None))
        elif rows:
            lines.append(_line(kind, script, len(rows), len(rows) - len(found), None))
    return lines


def _line(kind: str, script: str, rows: int, good: int, right: float | None) -> Line:
    low, high = (
        (float(bound[0]) for bound in clopper_pearson(np.array([good]), np.array([rows]))) if rows else (0.0, 1.0)
    )
    return Line(kind, script, rows, good, good / rows if rows else 0.0, low, high, right)

"""Overlaps: rows of one split that say what another row says, and held-out rows that train has seen."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.quality import kin, leakage
from pipeline.quality.duplicates import near_pairs
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.gate.facts import Facts

TRAIN = "train"
SIDES = {TRAIN: leakage.TRAIN, "validation": leakage.VALIDATION, "test": leakage.TEST}
Found = dict[int, int]
"""Row index to the index of the row that it repeats."""


def repeats(facts: Sequence[Facts]) -> dict[str, Found]:
    """Train rows that repeat the answered input of an earlier one, as it stands or once normalised, or contradict one.

    Columns: duplicate_exact, duplicate_normalised (not exact), conflict.
    """
    train = [at for at, row in enumerate(facts) if row.split == TRAIN]
    exact = _later(train, [(row.shown, row.answer) for row in facts])
    same = _later(train, [(_key(row.shown), row.answer) for row in facts])
    return {
        "duplicate_exact": exact,
        "duplicate_normalised": {at: first for at, first in same.items() if at not in exact},
        "conflict": _contradictions(train, facts),
    }


def leaks(facts: Sequence[Facts], *, threshold: float, left_out: Sequence[Sequence[str]] = ()) -> dict[str, Found]:
    """Held-out rows that another split gives away: by the same text, the same once normalised, a near one, or a group.

    A row stands under the first of exact, normalised and near that it meets; groups, and what their task says that
    rows of one group have in common (`Task.kin`), are counted on their own.

    Args:
        facts: of every row of the finished split.
        threshold: Jaccard of character n-grams from which on two texts are near, 0..1.
        left_out: the kin of the rows that the split rejected: it counted them too when it told templates.
    """
    texts = [row.shown for row in facts]
    sides = [SIDES[row.split] for row in facts]
    near = near_pairs(texts, threshold=threshold)
    given_away = leakage.leaks(sides, texts, [_key(text) for text in texts], near)
    found: dict[str, Found] = {"leak_exact": {}, "leak_normalised": {}, "leak_near": {}}
    for row, twin, kind in zip(given_away.row.tolist(), given_away.twin.tolist(), given_away.kind, strict=True):
        found[f"leak_{kind if kind in ('exact', 'normalised') else 'near'}"].setdefault(row, twin)
    _without(found["leak_normalised"], found["leak_exact"])
    _without(found["leak_near"], found["leak_exact"], found["leak_normalised"])
    return {**found, "leak_group": _shared_groups(facts, _templates(facts, left_out))}


def _without(found: Found, *stronger: Found) -> None:
    for row in set().union(*stronger) & found.keys():
        del found[row]


def _key(text: str) -> str:
    """The normalised text; a text of nothing but punctuation is its own key."""
    return normalised(text) or text


def _later(rows: Iterable[int], keys: Sequence[tuple[str, str]]) -> Found:
    first: dict[tuple[str, str], int] = {}
    found = {at: first.setdefault(keys[at], at) for at in rows}
    return {at: other for at, other in found.items() if at != other}


def _contradictions(rows: Iterable[int], facts: Sequence[Facts]) -> Found:
    by_text: dict[str, list[int]] = defaultdict(list)
    for at in rows:
        by_text[facts[at].shown].append(at)
    found: Found = {}
    for members in by_text.values():
        for at in members if len(members) > 1 else ():
            other = next((other for other in members if facts[other].answer != facts[at].answer), None)
            if other is not None:
                found[at] = other
    return found


def _templates(facts: Sequence[Facts], left_out: Sequence[Sequence[str]]) -> set[str]:
    """The keys of kin that too many rows have to say anything; copies made of rows do not count."""
    keys = [list(row.kin) for row in facts if not row.parents] + [list(own) for own in left_out]
    return set(kin.templates(pa.array(keys, pa.list_(pa.string()))))


def _shared_groups(facts: Sequence[Facts], templates: set[str]) -> Found:
    """Held-out rows with a row of one of their groups, or with a key of kin in common, on a lower side."""
    ties = [_ties(row, templates) for row in facts]
    first: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for at, row in enumerate(facts):
        for tie in ties[at]:
            first[tie].setdefault(SIDES[row.split], at)
    found: Found = {}
    for at, row in enumerate(facts):
        for tie in ties[at]:
            lowest = min(first[tie])
            if lowest < SIDES[row.split]:
                found.setdefault(at, first[tie][lowest])
    return found


def _ties(row: Facts, templates: set[str]) -> list[tuple[str, str]]:
    """All that keeps a row on the side of others: the groups it stands for, its keys of kin."""
    groups = [("group", name) for name in (row.group or row.id, *row.also_in)]
    return groups + [("kin", key) for key in row.kin if key not in templates]

"""Overlaps: rows of one split that say what another row says, and held-out rows that train has seen."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality import kin, leakage
from pipeline.quality.duplicates import NearPairs, near_pairs
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.gate.facts import Facts

TRAIN = "train"
LEVELS = ("exact", "normalised", "near", "contained")
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


def leaks(
    facts: Sequence[Facts],
    *,
    threshold: float,
    left_out: Sequence[Sequence[str]] = (),
    pairs: pa.Table | None = None,
) -> dict[str, Found]:
    """Held-out rows that another split gives away: by the same text, the same once normalised, a near one, or a group.

    A row stands under the first of exact, normalised, near and contained (the text of one stands whole in the other)
    that it meets; groups, and what their task says that
    rows of one group have in common (`Task.kin`), are counted on their own.

    Args:
        facts: of every row of the finished split.
        threshold: Jaccard of character n-grams from which on two texts are near, 0..1.
        pairs: columns left, right, kind: the rows that say the same, as the split was told; searched for where None.
        left_out: the kin of the rows that the split rejected: it counted them too when it told templates.
    """
    texts = [row.shown for row in facts]
    sides = [SIDES[row.split] for row in facts]
    near = _near(facts, texts, threshold, pairs)
    given_away = leakage.leaks(sides, texts, [_key(text) for text in texts], near)
    found: dict[str, Found] = {f"leak_{kind}": {} for kind in LEVELS}
    for row, twin, kind in zip(given_away.row.tolist(), given_away.twin.tolist(), given_away.kind, strict=True):
        found[f"leak_{kind if kind in LEVELS else 'near'}"].setdefault(row, twin)
    for at, kind in enumerate(LEVELS):
        _without(found[f"leak_{kind}"], *(found[f"leak_{stronger}"] for stronger in LEVELS[:at]))
    return {**found, "leak_group": _shared_groups(facts, _templates(facts, left_out))}


def _near(facts: Sequence[Facts], texts: Sequence[str], threshold: float, pairs: pa.Table | None) -> NearPairs:
    """Near and contained pairs. Whether two texts are near depends on the texts around them, so what the audit found
    among all rows counts; only copies, which it never saw, are compared with what is held out."""
    if pairs is None:
        return near_pairs(texts, threshold=threshold, contained=True)
    ids = pa.array([row.id for row in facts], pa.string())
    ends = [pc.fill_null(pc.index_in(pairs[name].combine_chunks(), value_set=ids), -1) for name in ("left", "right")]
    left, right = (np.asarray(end).astype(np.int64) for end in ends)
    there = (left >= 0) & (right >= 0)
    kinds = [kind for kind, kept in zip(pairs["kind"].to_pylist(), there.tolist(), strict=True) if kept]
    rows = np.array([at for at, row in enumerate(facts) if row.parents or row.split != TRAIN], dtype=np.int64)
    made = near_pairs([texts[at] for at in rows.tolist()], threshold=threshold, contained=True)
    copied = np.array([bool(row.parents) for row in facts], dtype=bool)
    one, other = rows[made.left], rows[made.right]
    kept = copied[one] | copied[other]
    kinds += [kind for kind, is_kept in zip(made.kind, kept.tolist(), strict=True) if is_kept]
    ones = np.ones(int(there.sum()))
    return NearPairs(
        np.concatenate([left[there], one[kept]]),
        np.concatenate([right[there], other[kept]]),
        np.concatenate([ones, made.similarity[kept]]),
        tuple(kinds),
    )


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

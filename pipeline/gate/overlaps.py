"""Overlaps: rows of one split that say what another row says, and held-out rows that train has seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality import kin, leakage
from pipeline.quality.duplicates import NearPairs, canonical, near_pairs
from pipeline.quality.duplicates.recalling import Recall, anew

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pipeline.gate.known import Known

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

LEVELS = ("exact", "normalised", "near", "contained")
NONE = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Found:
    """Rows that repeat another one, and that one: int64[found] each, in the order of the rows."""

    row: Ints
    twin: Ints

    def without(self, rows: Ints) -> Found:
        """All but some rows."""
        kept = ~np.isin(self.row, rows)
        return Found(self.row[kept], self.twin[kept])


def repeats(known: Known) -> dict[str, Found]:
    """Train rows that repeat the answered input of an earlier one, as it stands or once normalised, or contradict one.

    Columns: duplicate_exact, duplicate_normalised (not exact), conflict.
    """
    train = np.flatnonzero(known.train)
    text, key, answer = (known.codes(name)[train] for name in ("text", "key", "answer"))
    exact = _later(train, _joined(text, answer))
    return {
        "duplicate_exact": exact,
        "duplicate_normalised": _later(train, _joined(key, answer)).without(exact.row),
        "conflict": _contradictions(train, text, answer),
    }


def _joined(one: Ints, other: Ints) -> Ints:
    """One number for each pair of numbers."""
    return one * (int(other.max(initial=0)) + 1) + other


def _later(rows: Ints, keys: Ints) -> Found:
    """The rows whose key an earlier one has, with the first that has it."""
    first = canonical(pa.array(keys))
    later = np.flatnonzero(first != np.arange(len(first)))
    return Found(rows[later], rows[first[later]])


def _contradictions(rows: Ints, text: Ints, answer: Ints) -> Found:
    """The rows of whose text another one has another answer, with the first that has."""
    first = canonical(pa.array(text))
    differs = np.flatnonzero(answer != answer[first])
    other = np.full(len(rows), NONE)
    np.minimum.at(other, first[differs], differs)
    twin = np.where(answer == answer[first], other[first], first)
    found = np.flatnonzero(twin != NONE)
    return Found(rows[found], rows[twin[found]])


def leaks(
    known: Known,
    *,
    texts: Callable[[Flags], pa.Array],
    threshold: float,
    left_out: Sequence[Sequence[str]] = (),
    pairs: pa.Table | None = None,
    recall: Recall = anew,
) -> dict[str, Found]:
    """Held-out rows that another split gives away: by the same text, the same once normalised, a near one, or a group.

    A row stands under the first of exact, normalised, near and contained (the text of one stands whole in the other)
    that it meets; groups, and what their task says that rows of one group have in common (`Task.kin`), are counted on
    their own.

    Args:
        known: all rows of the finished split.
        texts: gives what annotators read of some rows.
        threshold: Jaccard of character n-grams from which on two texts are near, 0..1.
        pairs: columns left, right, kind: the rows that say the same, as the split was told; searched for where None.
        left_out: the kin of the rows that the split rejected: it counted them too when it told templates.
        recall: how what was made of a text, or of two, is remembered.
    """
    near = _near(known, texts, threshold, pairs, recall)
    row, twin, kinds = _given_away(known.side, known.codes("text"), known.codes("key"), near)
    found: dict[str, Found] = {}
    seen = np.zeros(0, dtype=np.int64)
    for level in LEVELS:
        here = kinds == level if level != "near" else ~np.isin(kinds, [one for one in LEVELS if one != "near"])
        first = _first_of_each(row[here], twin[here])
        found[f"leak_{level}"] = first.without(seen)
        seen = np.concatenate([seen, first.row])
    return {**found, "leak_group": _shared_groups(known, _templates(known, left_out))}


def _first_of_each(row: Ints, twin: Ints) -> Found:
    """Each row once, with the first of its twins."""
    rows, at = np.unique(row, return_index=True)
    return Found(rows, twin[at])


def _given_away(side: Ints, text: Ints, key: Ints, near: NearPairs) -> tuple[Ints, Ints, NDArray[np.str_]]:
    """Row, twin and kind of every leak, told from the rows alone that share a text or have a near one."""
    first = canonical(pa.array(key))
    lowest, highest = np.full(len(side), NONE), np.full(len(side), -1)
    np.minimum.at(lowest, first, side)
    np.maximum.at(highest, first, side)
    concerned = lowest < highest
    concerned[first[near.left]] = concerned[first[near.right]] = True
    rows = np.flatnonzero(concerned[first])
    ends = np.searchsorted(rows, near.left), np.searchsorted(rows, near.right)
    among = NearPairs(*ends, near.similarity, near.kind)
    found = leakage.leaks(side[rows], pa.array(text[rows]), pa.array(key[rows]), among)
    return rows[found.row], rows[found.twin], np.array(found.kind, dtype=str)


def _near(
    known: Known, texts: Callable[[Flags], pa.Array], threshold: float, pairs: pa.Table | None, recall: Recall
) -> NearPairs:
    """Near and contained pairs. Whether two texts are near depends on the texts around them, so what the audit found
    among all rows counts; only copies, which it never saw, are compared with what is held out."""
    search = partial(near_pairs, threshold=threshold, contained=True, recall=recall)
    if pairs is None:
        return search(texts(np.ones(len(known), dtype=bool)))
    ids = known.column("id")
    ends = [pc.fill_null(pc.index_in(pairs[name].combine_chunks(), value_set=ids), -1) for name in ("left", "right")]
    left, right = (np.asarray(end).astype(np.int64) for end in ends)
    there = (left >= 0) & (right >= 0)
    kinds = pairs["kind"].filter(pa.array(there)).to_pylist()
    concerned = known.copied | ~known.train
    rows = np.flatnonzero(concerned)
    made = search(texts(concerned))
    one, other = rows[made.left], rows[made.right]
    kept = known.copied[one] | known.copied[other]
    kinds += [kind for kind, is_kept in zip(made.kind, kept.tolist(), strict=True) if is_kept]
    return NearPairs(
        np.concatenate([left[there], one[kept]]),
        np.concatenate([right[there], other[kept]]),
        np.concatenate([np.ones(int(there.sum())), made.similarity[kept]]),
        tuple(kinds),
    )


def _templates(known: Known, left_out: Sequence[Sequence[str]]) -> dict[str, int]:
    """The keys of kin that too many rows have to say anything; copies made of rows do not count."""
    keys = known.column("kin")
    own = keys.filter(pa.array(~known.copied))
    return kin.templates(pa.concat_arrays([own, pa.array([list(one) for one in left_out], keys.type)]))


def _shared_groups(known: Known, templates: dict[str, int]) -> Found:
    """Held-out rows with a row of one of their groups, or with a key of kin in common, on a lower side."""
    row, tie = _ties(known, templates)
    side = known.side[row]
    lowest = np.full(int(tie.max(initial=-1)) + 1, NONE)
    np.minimum.at(lowest, tie, side)
    first = np.full(len(lowest), NONE)
    on_lowest = side == lowest[tie]
    np.minimum.at(first, tie[on_lowest], row[on_lowest])
    leaking = side > lowest[tie]
    return _first_of_each(row[leaking], first[tie[leaking]])


def _ties(known: Known, templates: dict[str, int]) -> tuple[Ints, Ints]:
    """All that keeps rows on the side of others: row and number of every tie, its own group first, its kin last."""
    group = known.column("group")
    own = pc.if_else(pc.equal(pc.fill_null(group, ""), ""), known.column("id"), group)
    groups = kin.groups(pa.chunked_array([own]), pa.chunked_array([known.column("also_in")]))
    keys = kin.Keyed.of(known.column("kin"), templates)
    return np.concatenate([groups.row, keys.row]), np.concatenate([groups.code, keys.code + len(groups.names)])

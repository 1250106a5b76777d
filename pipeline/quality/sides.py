"""Sides: the side of every row, decided on narrow columns: official splits kept, groups whole, copies only in train."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.chance import draw
from pipeline.quality.dealing import deal, joined
from pipeline.quality.duplicates import canonical, near_pairs
from pipeline.quality.evenness import evenness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.dealing import Parts
    from pipeline.settings import SplitSettings

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

SIDES = ("train", "validation", "test")
TRAIN, NONE, GONE = 0, -1, -1
LISTED = 50
"""How many leaks the report lists."""
JUDGED_ROWS = 50
"""Strata with fewer rows say nothing about how even the split is."""


@dataclass
class Verdicts:
    """What becomes of every row, in the order the rows came: place of its side in `SIDES`, or -1 and why."""

    sides: Ints
    reasons: dict[int, tuple[str, str]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Rows:
    """The narrow columns of the originals, in the order of their ids, and the group of each."""

    ids: list[str]
    official: Ints
    source: Ints
    strata: list[list[str]]
    group: Ints
    wanted: Floats = field(default_factory=lambda: np.zeros(0))
    """float64[rows, sides]: the shares that each row was dealt with."""


def decide(facts: pa.Table, settings: SplitSettings) -> Verdicts:
    """The side of every row of `facts` (columns id, group, split, source, parents, strata, text).

    Rows with parents are copies: they follow their parents into train or leave. The order of the rows does not matter.
    """
    order = np.asarray(pc.sort_indices(facts["id"])).astype(np.int64)
    facts = facts.take(pa.array(order))
    copy = np.asarray(pc.greater(pc.list_value_length(facts["parents"]), 0))
    originals = facts.filter(pa.array(~copy))
    left, right, kinds = _same(originals, settings)
    rows = _rows(originals, left, right)
    leaks = _leaks(rows)
    sides = _dealt(rows, settings)
    reasons: dict[int, tuple[str, str]] = {}
    for row, evidence in leaks.items():
        sides[row], reasons[row] = GONE, ("leaks_into_held_out", evidence)
    copy_sides, copy_reasons = _copies(facts.filter(pa.array(copy)), originals, sides, settings)
    details = _details(rows, sides, copy_sides, kinds, reasons)
    where, copies_at = order[~copy], order[copy]
    found = np.full(len(order), GONE, dtype=np.int64)
    found[where], found[copies_at] = sides, copy_sides
    said = {int(where[row]): reason for row, reason in reasons.items()}
    said |= {int(copies_at[row]): reason for row, reason in copy_reasons.items()}
    return Verdicts(found, said, details)


def _same(originals: pa.Table, settings: SplitSettings) -> tuple[Ints, Ints, Counter[str]]:
    """Pairs of rows that say the same, and how many of each kind."""
    if settings.near_duplicates:
        near = near_pairs(originals["text"], threshold=settings.near_threshold, seed=settings.seed)
        return near.left, near.right, Counter(near.kind)
    first = canonical(originals["text"])
    copies = np.flatnonzero(first != np.arange(len(first)))
    return first[copies], copies, Counter({"normalised": len(copies)} if len(copies) else {})


def _codes(column: pa.ChunkedArray) -> Ints:
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices).astype(np.int64)


def _rows(originals: pa.Table, left: Ints, right: Ints) -> _Rows:
    official = np.array(
        [NONE if name is None else SIDES.index(name) for name in originals["split"].to_pylist()], dtype=np.int64
    )
    return _Rows(
        ids=originals["id"].to_pylist(),
        official=official,
        source=_codes(originals["source"]),
        strata=originals["strata"].to_pylist(),
        group=joined(originals.num_rows, [_codes(originals["group"])], [(left, right)]),
    )


def _held_out_side(rows: _Rows) -> Ints:
    """For every row the official held-out side of its group, test before validation, or -1."""
    side = np.full(len(rows.ids), NONE, dtype=np.int64)
    np.maximum.at(side, rows.group, np.where(rows.official > TRAIN, rows.official, NONE))
    return side[rows.group]


def _leaks(rows: _Rows) -> dict[int, str]:
    """Official training rows that share a group with an official held-out row, with the first such row."""
    held = np.flatnonzero(rows.official > TRAIN)
    witness = dict(zip(rows.group[held][::-1].tolist(), held[::-1].tolist(), strict=True))
    return {
        row: f"shares a group or a text with {rows.ids[witness[group]]} ({SIDES[rows.official[witness[group]]]})"
        for row, group in enumerate(rows.group.tolist())
        if group in witness and rows.official[row] == TRAIN
    }


def _dealt(rows: _Rows, settings: SplitSettings) -> Ints:
    """The side of every row: the official one, or that of its group, or one that it is dealt to."""
    sides = np.where(rows.official > TRAIN, rows.official, _held_out_side(rows))
    rows.wanted = np.zeros((len(rows.ids), len(SIDES)))
    rows.wanted[np.arange(len(sides)), np.maximum(sides, 0)] = 1.0
    allowed = _allowed(rows)
    for mask in np.unique(allowed[sides < 0]).tolist():
        members = np.flatnonzero((sides < 0) & (allowed == mask))
        shares = np.array([getattr(settings, name) if mask >> at & 1 else 0.0 for at, name in enumerate(SIDES)])
        shares /= shares.sum()
        rows.wanted[members] = shares
        sides[members] = _dealt_alike(rows, members, shares, settings.seed)
    return sides


def _allowed(rows: _Rows) -> Ints:
    """The sides that every row's group may go to, as a bit mask; train always.

    An official held-out set stays as it is: rows of the same source do not join it, and official training rows join
    only a side that has no official rows anywhere.
    """
    taken = np.zeros(int(rows.source.max(initial=0)) + 1, dtype=np.int64)
    held = rows.official > TRAIN
    np.bitwise_or.at(taken, rows.source[held], 1 << rows.official[held])
    anywhere = int(np.bitwise_or.reduce(taken)) if len(taken) else 0
    closed = np.where(rows.official == TRAIN, anywhere, taken[rows.source])
    in_group = np.zeros(len(rows.ids), dtype=np.int64)
    np.bitwise_or.at(in_group, rows.group, closed)
    return (0b111 & ~in_group[rows.group]) | 1


def _dealt_alike(rows: _Rows, members: Ints, shares: Floats, seed: int) -> Ints:
    """The sides of rows (int64[members]) whose groups may all go to the same sides."""
    names, place, sizes = np.unique(rows.group[members], return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    parts = _parts(rows, members, place, len(names))
    rank = np.array([draw(seed, "split", rows.ids[name]) for name in names.tolist()], dtype=np.uint64)
    return deal(parts, sizes, rank, shares)[place]


def _parts(rows: _Rows, members: Ints, place: Ints, groups: int) -> list[Parts]:
    """The strata of every group, with "all rows" as stratum 0."""
    codes: dict[str, int] = {}
    counts: list[dict[int, int]] = [{} for _ in range(groups)]
    for row, group in zip(members.tolist(), place.tolist(), strict=True):
        own = counts[group]
        own[0] = own.get(0, 0) + 1
        for name in rows.strata[row]:
            code = codes.setdefault(name, len(codes) + 1)
            own[code] = own.get(code, 0) + 1
    return [tuple(own.items()) for own in counts]


def _copies(
    copies: pa.Table, originals: pa.Table, sides: Ints, settings: SplitSettings
) -> tuple[Ints, dict[int, tuple[str, str]]]:
    """Copies go to train if all their parents are there and they come near no held-out row."""
    found = np.full(copies.num_rows, TRAIN, dtype=np.int64)
    reasons: dict[int, tuple[str, str]] = {}
    if not copies.num_rows:
        return found, reasons
    side_of = dict(zip(originals["id"].to_pylist(), sides.tolist(), strict=True))
    for row, parents in enumerate(copies["parents"].to_pylist()):
        away = [parent for parent in parents if side_of.get(parent, GONE) != TRAIN]
        if away:
            found[row], reasons[row] = GONE, ("parent_held_out", ", ".join(map(str, away)))
    for row, twin in _near_held_out(copies, originals, sides, found, settings):
        found[row], reasons[row] = GONE, ("leaks_into_held_out", f"says the same as {twin}")
    return found, reasons


def _near_held_out(
    copies: pa.Table, originals: pa.Table, sides: Ints, found: Ints, settings: SplitSettings
) -> list[tuple[int, str]]:
    """Copies that say the same as a held-out row, with that row."""
    kept, held = np.flatnonzero(found == TRAIN), np.flatnonzero(sides > TRAIN)
    here = originals.take(pa.array(held))
    texts = pa.chunked_array([*here["text"].chunks, *copies["text"].take(pa.array(kept)).chunks], pa.string())
    left, right, _ = _same(pa.table({"text": texts}), settings)
    ids = here["id"].to_pylist()
    pairs = zip(np.minimum(left, right).tolist(), np.maximum(left, right).tolist(), strict=True)
    twins = {int(kept[high - len(held)]): ids[low] for low, high in pairs if low < len(held) <= high}
    return sorted(twins.items())


def _details(
    rows: _Rows, sides: Ints, copy_sides: Ints, kinds: Counter[str], leaks: dict[int, tuple[str, str]]
) -> dict[str, Any]:
    """For the report: rows, groups and copies per side; every stratum's shares beside the wanted ones; leaks."""
    strata = evenness(rows.strata, sides, rows.wanted, SIDES)
    judged = {name: one["deviation_points"] for name, one in strata.items() if one["rows"] >= JUDGED_ROWS}
    shown = sorted(leaks.items(), key=lambda leak: rows.ids[leak[0]])[:LISTED]
    return {
        "sides": {
            name: {
                "rows": int((sides == at).sum()),
                "groups": len(np.unique(rows.group[sides == at])),
                "made": int((copy_sides == at).sum()),
            }
            for at, name in enumerate(SIDES)
        },
        "strata": strata,
        "max_deviation_points": max(judged.values(), default=0.0),
        "worst_stratum": max(judged, key=lambda name: (judged[name], name), default=None),
        "judged_rows": JUDGED_ROWS,
        "near_pairs": dict(sorted(kinds.items())),
        "largest_group_rows": int(np.bincount(rows.group).max(initial=0)),
        "official_rows": int((rows.official != NONE).sum()),
        "official_leaks": len(leaks),
        "official_leaks_listed": [{"id": rows.ids[row], "evidence": said} for row, (_, said) in shown],
        "official_held_out_sets_share_groups": _shared(rows),
    }


def _shared(rows: _Rows) -> int:
    """Groups with official rows in validation and in test: they stay where the official split put them."""
    return len(np.intersect1d(rows.group[rows.official == 1], rows.group[rows.official == 2]))

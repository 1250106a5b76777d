"""Sides: the side of every row, decided on narrow columns: official splits kept, kin together, copies only in train."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.chance import draw
from pipeline.quality import kin
from pipeline.quality.copies import copies
from pipeline.quality.dealing import deal, joined
from pipeline.quality.evenness import evenness
from pipeline.quality.kin import Keyed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

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
    """The narrow columns of the originals, in the order of their ids, and what joins them."""

    ids: list[str]
    official: Ints
    source: Ints
    strata: list[list[str]]
    close: Ints
    """The first row of those of one group or one text, over any chain."""
    keyed: Keyed
    """Who has which key in common, templates aside."""
    group: Ints
    """The first row of those that are dealt as one: close ones, and those with a key in common."""
    wanted: Floats = field(default_factory=lambda: np.zeros(0))
    """float64[rows, sides]: the shares that each row was dealt with."""


def decide(facts: pa.Table, settings: SplitSettings) -> Verdicts:
    """The side of every row of `facts` (columns id, group, also_in, kin, split, source, parents, strata, text).

    Rows with parents are copies: they follow their parents into train or leave. The order of the rows does not matter.
    """
    order = np.asarray(pc.sort_indices(facts["id"])).astype(np.int64)
    facts = facts.take(pa.array(order))
    copy = np.asarray(pc.greater(pc.list_value_length(facts["parents"]), 0))
    originals = facts.filter(pa.array(~copy))
    left, right, kinds = kin.same_text(originals["text"], settings)
    not_joined = kin.templates(originals["kin"])
    rows = _rows(originals, left, right, not_joined)
    leaks = _leaks(rows)
    rows.group = _dealt_as_one(rows, leaks)
    leaks = _led_to(rows) | leaks
    sides = _dealt(rows, leaks, settings)
    reasons = {row: ("leaks_into_held_out", evidence) for row, evidence in leaks.items()}
    copy_sides, copy_reasons = copies(facts.filter(pa.array(copy)), originals, sides, rows.keyed, settings)
    details = _details(rows, sides, copy_sides, kinds, reasons)
    details["kin_joined"] = rows.keyed.shared()
    details["kin_not_joined"] = kin.told(not_joined, originals.num_rows)
    where, copies_at = order[~copy], order[copy]
    found = np.full(len(order), GONE, dtype=np.int64)
    found[where], found[copies_at] = sides, copy_sides
    said = {int(where[row]): reason for row, reason in reasons.items()}
    said |= {int(copies_at[row]): reason for row, reason in copy_reasons.items()}
    return Verdicts(found, said, details)


def _codes(column: pa.ChunkedArray) -> Ints:
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices).astype(np.int64)


def _rows(originals: pa.Table, left: Ints, right: Ints, not_joined: dict[str, int]) -> _Rows:
    official = np.array(
        [NONE if name is None else SIDES.index(name) for name in originals["split"].to_pylist()], dtype=np.int64
    )
    same_group = kin.same_group(originals["group"], originals["also_in"])
    close = joined(originals.num_rows, [], [same_group, (left, right)])
    return _Rows(
        ids=originals["id"].to_pylist(),
        official=official,
        source=_codes(originals["source"]),
        strata=originals["strata"].to_pylist(),
        close=close,
        keyed=Keyed.of(originals["kin"], not_joined),
        group=close,
    )


def _held_out_side(rows: _Rows) -> Ints:
    """For every row the official held-out side of its group, test before validation, or -1."""
    side = np.full(len(rows.ids), NONE, dtype=np.int64)
    np.maximum.at(side, rows.group, np.where(rows.official > TRAIN, rows.official, NONE))
    return side[rows.group]


def _leaks(rows: _Rows) -> dict[int, str]:
    """Official training rows that an official held-out row gives away, with the first such row.

    They are close to one or have a key in common with one; a chain of keys is no leak: half of a set of text pairs
    hangs together over such chains, and need not go for it.
    """
    found = {row: f"shares a group or a text with {_named(rows, held)}" for row, held in _held_in(rows, rows.close)}
    first = rows.keyed.only(rows.official > TRAIN).first()
    for row, code in zip(rows.keyed.row.tolist(), rows.keyed.code.tolist(), strict=True):
        if rows.official[row] == TRAIN and first[code] < len(rows.ids):
            found.setdefault(row, f"shares '{rows.keyed.names[code]}' with {_named(rows, int(first[code]))}")
    return found


def _dealt_as_one(rows: _Rows, leaks: dict[int, str]) -> Ints:
    """The group of every row; those that leave join the others by no key."""
    stays = np.ones(len(rows.ids), dtype=bool)
    stays[list(leaks)] = False
    return joined(len(rows.ids), [rows.close], [rows.keyed.only(stays).pairs()])


def _led_to(rows: _Rows) -> dict[int, str]:
    """Official training rows that undealt rows, which follow the held-out ones, lead to."""
    return {row: f"is joined by other rows to {_named(rows, held)}" for row, held in _held_in(rows, rows.group)}


def _held_in(rows: _Rows, group: Ints) -> Iterator[tuple[int, int]]:
    """Every official training row in a group (int64[rows]) with official held-out rows, and the first of these."""
    held = np.flatnonzero(rows.official > TRAIN)
    witness = dict(zip(group[held][::-1].tolist(), held[::-1].tolist(), strict=True))
    for row in np.flatnonzero(rows.official == TRAIN).tolist():
        if int(group[row]) in witness:
            yield row, witness[int(group[row])]


def _named(rows: _Rows, row: int) -> str:
    return f"{rows.ids[row]} ({SIDES[rows.official[row]]})"


def _dealt(rows: _Rows, gone: Collection[int], settings: SplitSettings) -> Ints:
    """The side of every row: the official one, or that of its group, or one it is dealt to; those gone have none."""
    sides = np.where(rows.official > TRAIN, rows.official, _held_out_side(rows))
    open_ = sides < 0
    open_[list(gone)] = False
    rows.wanted = np.zeros((len(rows.ids), len(SIDES)))
    rows.wanted[np.arange(len(sides)), np.maximum(sides, 0)] = 1.0
    allowed = _allowed(rows)
    for mask in np.unique(allowed[open_]).tolist():
        members = np.flatnonzero(open_ & (allowed == mask))
        shares = np.array([getattr(settings, name) if mask >> at & 1 else 0.0 for at, name in enumerate(SIDES)])
        shares /= shares.sum()
        rows.wanted[members] = shares
        sides[members] = _dealt_alike(rows, members, shares, settings.seed)
    sides[list(gone)] = GONE
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

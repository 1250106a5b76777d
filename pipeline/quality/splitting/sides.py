"""Sides: the side of every row, decided on narrow columns: what is settled stays, kin together, copies in train."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lock import SIDES
from pipeline.quality import kin
from pipeline.quality.duplicates.recalling import Recall, anew
from pipeline.quality.kin import Keyed
from pipeline.quality.splitting import sourced, timely, told
from pipeline.quality.splitting.chancy import ByChance, shares_of
from pipeline.quality.splitting.copies import copies
from pipeline.quality.splitting.evenness import Dealt, evenness, summary
from pipeline.quality.splitting.folding import folds
from pipeline.quality.splitting.past import Past
from pipeline.quality.splitting.pins import ALL, NONE, TEST, TRAIN, Pins, open_to, pins
from pipeline.quality.splitting.placing import placed
from pipeline.quality.splitting.strata import Strata
from pipeline.quality.splitting.ties import Ties, texts
from pipeline.quality.splitting.timely import ByTime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.lock import Lock
    from pipeline.quality.splitting.placing import Dealer
    from pipeline.settings import SplitSettings

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

GONE = -1


@dataclass
class Verdicts:
    """What becomes of every row.

    Attributes:
        sides: int64[rows], in the order the rows came: place in `SIDES`, or -1.
        reasons: by row why it has no side: (reason, evidence).
        details: for the report.
        lock: the lock that is to stand there next; None where the recipe wants none.
        folds: the table of the folds (`folding.FOLDS`); None where the recipe wants none.
    """

    sides: Ints
    reasons: dict[int, tuple[str, str]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    lock: Lock | None = None
    folds: pa.Table | None = None


@dataclass(frozen=True)
class _Rows:
    """The narrow columns of the originals, in the order of their ids."""

    ids: pa.Array
    official: Ints
    sources: pa.Array
    source: Ints
    locked: Ints
    handed: Flags
    strata: Strata
    seconds: Floats
    ties: Ties


def decide(
    facts: pa.Table,
    settings: SplitSettings,
    *,
    pairs: pa.Table | None = None,
    lock: Lock | None = None,
    merged: pa.Table | None = None,
    recall: Recall = anew,
) -> Verdicts:
    """The side of every row of `facts` (columns: `split.FACTS`).

    Rows with parents are copies: they follow their parents into train or leave. The order of the rows does not matter.
    `pairs`: columns left, right (ids), kind of rows that say the same; searched for where None. `lock`: the sides of
    rows that keep one; with the lock that comes of it everything is decided the same again. `merged`: columns left,
    right, kind, outcome of pairs, some of which became one row, whoever searches for those that are kept on one side.
    `recall`: how what was made of a text is remembered.
    """
    order = np.asarray(pc.sort_indices(facts["id"])).astype(np.int64)
    facts = facts.take(pa.array(order))
    copy = np.asarray(pc.greater(pc.list_value_length(facts["parents"]), 0))
    originals = facts.filter(pa.array(~copy))
    not_joined = kin.templates(originals["kin"])
    keyed = Keyed.of(originals["kin"], not_joined)
    near = kin.alike(originals, settings, pairs)
    marks = np.asarray(originals["mark"].combine_chunks()).astype(np.int64)
    past = Past.of(lock, settings.edition, originals["id"].combine_chunks(), marks, merged)
    rows = _rows(originals, keyed, near[:2], past)
    done = _decided(rows, settings, past.fixed(settings))
    made = facts.filter(pa.array(copy))
    copy_sides, copy_reasons = copies(made, originals, done.sides, keyed, settings, recall=recall)
    where, copies_at = order[~copy], order[copy]
    found = Verdicts(np.full(len(order), GONE, dtype=np.int64))
    found.sides[where], found.sides[copies_at] = done.sides, copy_sides
    found.reasons = {int(where[row]): reason for row, reason in done.reasons.items()}
    found.reasons |= {int(copies_at[row]): reason for row, reason in copy_reasons.items()}
    if settings.lock:
        found.lock = past.following(settings, rows.ids, done.settled, done.pins.overruled)
        # As the next build will see it: what is said of a row must not depend on which build says it.
        rows = replace(rows, locked=np.where(done.settled == NONE, past.side, done.settled))
    closed = found.lock.change.frozen if found.lock else ()
    found.details = _details(rows, done, settings, copy_sides, tuple(map(SIDES.index, closed)))
    found.details |= {"near_pairs": dict(sorted(near[2].items())), "kin_joined": keyed.shared()}
    found.details["kin_not_joined"] = kin.told(not_joined, originals.num_rows)
    found.details["lock"] = told.lock_told(found.lock, done.sides, rows.locked) if found.lock else None
    if settings.folds:
        found.folds, found.details["folds"] = _folds(rows, done.sides, settings)
    return found


def _rows(originals: pa.Table, keyed: Keyed, near: tuple[Ints, Ints], past: Past) -> _Rows:
    official = pc.fill_null(pc.index_in(originals["split"].combine_chunks(), value_set=pa.array(SIDES)), NONE)
    source: Any = originals["source"].combine_chunks().dictionary_encode()
    seconds = originals["seconds"].combine_chunks().fill_null(np.nan)
    groups = kin.groups(originals["group"], originals["also_in"])
    return _Rows(
        ids=originals["id"].combine_chunks(),
        official=np.asarray(official).astype(np.int64),
        sources=source.dictionary,
        source=np.asarray(source.indices).astype(np.int64),
        locked=past.side,
        handed=past.handed,
        strata=Strata.of(originals["strata"]),
        seconds=np.asarray(seconds).astype(np.float64),
        ties=Ties.of(groups, texts(originals["key"]), near, keyed),
    )


@dataclass(frozen=True)
class _Done:
    """Rows with sides: what was settled of them before, what is settled now (for the lock), and why some have none."""

    pins: Pins
    official: Ints
    sides: Ints
    settled: Ints
    reasons: dict[int, tuple[str, str]]


def _decided(rows: _Rows, settings: SplitSettings, fixed: tuple[int, ...]) -> _Done:
    shares = np.array([getattr(settings, name) for name in SIDES])
    official, blocked = _official(rows, settings, shares, fixed)
    whole = settings.by == "source" and not _named(settings)
    settled = pins(official, rows.source, rows.locked, fixed, rows.ties, whole=whole)
    settled.left[blocked] = True
    bound = rows.ties.touched(np.where(official > TRAIN, 1, 0)) > 0
    sides = placed(settled, rows.ties, _dealer(rows, settings, shares, settled, ~bound))
    reasons = told.reasons(rows.ids, sides, official, settled, rows.ties)
    # A source that was dealt is settled whole: its rows that leave have a line as well, or it would be dealt again.
    keeps = np.where((sides == NONE) & ~blocked, official if whole else NONE, sides)
    return _Done(settled, official, sides, keeps, reasons)


def _named(settings: SplitSettings) -> bool:
    return bool(settings.validation_sources or settings.test_sources)


def _official(rows: _Rows, settings: SplitSettings, shares: Floats, fixed: tuple[int, ...]) -> tuple[Ints, Flags]:
    """The official side of every row, or the one that its source has, and rows that no side is open to."""
    nobody = np.zeros(len(rows.source), dtype=bool)
    if settings.by != "source":
        return rows.official, nobody
    if _named(settings):
        return np.where(
            rows.official == NONE, sourced.named(rows.sources, settings)[rows.source], rows.official
        ), nobody
    known = np.where(rows.official == NONE, rows.locked, rows.official)
    open_ = ALL & ~sum(1 << at for at in fixed)
    own = sourced.voted(len(rows.sources), rows.source, known, rows.handed & (rows.official == NONE))
    side = sourced.dealt(rows.sources, rows.source, own, rows.strata, open_=open_, shares=shares, seed=settings.seed)[
        rows.source
    ]
    blocked = (known == NONE) & np.isin(side, fixed)
    return np.where(known == NONE, np.where(blocked, NONE, side), known), blocked


def _dealer(rows: _Rows, settings: SplitSettings, shares: Floats, settled: Pins, counted: Flags) -> Dealer:
    if settings.by == "time":
        return ByTime(rows.seconds, settled.deal, counted, shares)
    return ByChance(rows.ids, rows.strata, settled.deal, counted, shares, settings.seed)


def _folds(rows: _Rows, sides: Ints, settings: SplitSettings) -> tuple[pa.Table, dict[str, Any]]:
    used = (sides != NONE) & (sides != TEST)
    group = rows.ties.components(used)
    return folds(rows.ids, rows.strata, group, np.flatnonzero(used), many=settings.folds, seed=settings.seed)


def _details(
    rows: _Rows, done: _Done, settings: SplitSettings, copy_sides: Ints, closed: tuple[int, ...]
) -> dict[str, Any]:
    """For the report: sides, every stratum's shares beside the wanted and the possible ones, leaks."""
    group = rows.ties.components(done.sides != NONE)
    dealt = _shares(rows, done, settings, group, closed)
    strata = evenness(rows.strata, dealt, bounded=settings.by == "chance")
    found = {
        "by": settings.by,
        "sides": told.sides_told(done.sides, group, copy_sides),
        "strata": strata,
        **summary(strata),
        "largest_group_rows": int(np.bincount(group[done.sides != NONE]).max(initial=0)),
        **told.leaks_told(rows.ids, rows.official, rows.locked, done.reasons),
        "official_held_out_sets_share_groups": _shared(rows, done.sides),
    }
    if settings.by == "time":
        found["time"] = timely.told(rows.seconds, done.sides, SIDES)
    if settings.by == "source":
        found["apart_from_their_source"] = sourced.apart(rows.source, done.sides)
    return found


def _shares(rows: _Rows, done: _Done, settings: SplitSettings, group: Ints, closed: tuple[int, ...]) -> Dealt:
    """The shares that each row was dealt with; where it had to be (an official side, a frozen one) that side whole."""
    shares = np.array([getattr(settings, name) for name in SIDES])
    _, open_ = open_to(done.official, rows.source, whole=settings.by == "source" and not _named(settings))
    of_group = np.full(len(group), ALL, dtype=np.int64)
    np.bitwise_and.at(of_group, group, open_)
    allowed = of_group[group] & ~sum(1 << at for at in closed) | 1
    bound = np.zeros(len(group), dtype=bool)
    np.logical_or.at(bound, group, done.official > TRAIN)
    set_ = bound[group] | np.isin(done.sides, closed)
    wanted = np.zeros((len(group), len(SIDES)))
    for mask in np.unique(allowed).tolist():
        wanted[allowed == mask] = shares_of(mask, shares)
    wanted[set_] = np.eye(len(SIDES))[np.maximum(done.sides[set_], 0)]
    return Dealt(done.sides, group, allowed, wanted, SIDES)


def _shared(rows: _Rows, sides: Ints) -> int:
    """Rows on one held-out side that are tied to rows on the other, and stay: both are official, or frozen."""
    held = np.where(sides > TRAIN, 1 << np.maximum(sides, 0), 0)
    return int(((held > 0) & (rows.ties.touched(held) == (1 << 1 | 1 << TEST))).sum())

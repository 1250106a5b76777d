"""The past: what the lock says of the rows that are here, and the lock that is to stand there next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lock import SIDES, Change, Lock, lock_of
from pipeline.quality.duplicates.evidence import EXACT, NORMALISED
from pipeline.quality.splitting.ties import joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.settings import SplitSettings

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

NONE = -1


@dataclass(frozen=True)
class Past:
    """What the lock says of the rows that are here.

    Attributes:
        lock: the lock as it stands, of whatever edition; None where there is none.
        here: it, if it is of the edition that the recipe asks for.
        place: int64[rows], the line of each row, -1 where it has none.
        side: int64[rows], the side of each row in `here`, -1 of the others.
        mark: int64[rows], what the lock keeps of what each row asks.
        handed: bool[rows], rows that have the side of another row.
    """

    lock: Lock | None
    here: Lock | None
    place: Ints
    side: Ints
    mark: Ints
    handed: Flags

    @classmethod
    def of(cls, lock: Lock | None, edition: str, ids: pa.Array, mark: Ints, pairs: pa.Table | None) -> Past:
        """The past of the rows `ids`, which are sorted.

        A row without a line takes the side of a row that was merged into it, that asked the same and lost to it in a
        conflict, or that asked the same and is away: it is that row, under another name. Of several the one that is
        held out most. `mark`: int64[rows]; `pairs`: columns left, right, kind, outcome.
        """
        nothing, nobody = np.full(len(ids), NONE, dtype=np.int64), np.zeros(len(ids), dtype=bool)
        if lock is None:
            return cls(None, None, nothing, nothing, mark, nobody)
        place = lock.places(ids)
        if lock.edition != edition:
            return cls(lock, None, place, nothing, mark, nobody)
        side = np.append(lock.sides, NONE)[place]
        if pairs is not None:
            side = _inherited(lock, ids, side, pairs)
        side = _by_text(lock, place, mark, side)
        handed = np.where(place == NONE, side != NONE, np.append(lock.handed, False)[place])
        return cls(lock, lock, place, side, mark, handed)

    def fixed(self, settings: SplitSettings) -> tuple[int, ...]:
        """The sides that get no new rows: those that the recipe freezes, once they have rows."""
        there = set() if self.here is None else set(np.unique(self.here.sides).tolist())
        return tuple(at for at, name in enumerate(SIDES) if name in settings.frozen and at in there)

    def following(self, settings: SplitSettings, ids: pa.Array, settled: Ints, overruled: Flags) -> Lock:
        """The lock after this build: the lines of the one before, of this edition, and of all rows that have a side.

        The one before itself where it says the same. `settled`: int64[rows], -1 for rows without a side.
        """
        known = np.full(len(ids), NONE, dtype=np.int64)
        if self.lock is not None:
            known = np.append(self.lock.sides, NONE)[self.place]
        moved = (known != NONE) & (settled != NONE) & (known != settled)
        fresh = (settled != NONE) & ((known == NONE) | (self.here is None))
        there = np.flatnonzero(settled != NONE)
        dealt = bool(moved.any() or fresh.any()) or self.here is None
        if self.here is not None and not dealt and (self.here.texts[self.place[there]] == self.mark[there]).all():
            return self.here
        frozen = tuple(SIDES[at] for at in self.fixed(settings))
        change = Change(int(fresh.sum()), int(moved.sum()), int((moved & overruled).sum()), frozen)
        # A text that was mended is no change of sides: what the last one was stands.
        told = change if dealt or self.here is None else self.here.change
        names, sides, marks, handed = ids.take(pa.array(there)), settled[there], self.mark[there], self.handed[there]
        if self.here is not None:
            away = self.here.only(_others(self.here, self.place[there]))
            names, sides = pa.concat_arrays([names, away.ids]), np.concatenate([sides, away.sides])
            marks, handed = np.concatenate([marks, away.texts]), np.concatenate([handed, away.handed])
        return lock_of(settings.edition, names, sides, told, texts=marks, handed=handed)


def _others(lock: Lock, place: Ints) -> Flags:
    """The lines that are not among those at `place` (-1 for none): bool[lines]."""
    others = np.ones(len(lock.ids), dtype=bool)
    others[place[place != NONE]] = False
    return others


def _by_text(lock: Lock, place: Ints, mark: Ints, side: Ints) -> Ints:
    """The sides, with those of rows that are away for rows that ask the same: no more such rows than went."""
    away = _others(lock, place) & (lock.texts != NONE)
    names, at, lines = np.unique(lock.texts[away], return_inverse=True, return_counts=True)
    if not len(names):
        return side
    most = np.full(len(names), NONE, dtype=np.int64)
    np.maximum.at(most, at.reshape(-1), lock.sides[away])
    name = np.minimum(np.searchsorted(names, mark), len(names) - 1)
    same = names[name] == mark
    heirs = lines - np.bincount(name[same & (side != NONE)], minlength=len(names))
    rows = np.flatnonzero(same & (side == NONE))
    rows = rows[np.argsort(name[rows], kind="stable")]
    rank = np.arange(len(rows)) - np.searchsorted(name[rows], name[rows])
    rows = rows[rank < heirs[name[rows]]]
    found = side.copy()
    found[rows] = most[name[rows]]
    return found


def _inherited(lock: Lock, ids: pa.Array, side: Ints, pairs: pa.Table) -> Ints:
    equal = pc.is_in(pairs["kind"], pa.array([EXACT, NORMALISED]))
    lost = pc.and_(pc.equal(pairs["outcome"], "conflict"), equal)
    one = pairs.filter(pc.or_(pc.equal(pairs["outcome"], "merged"), lost))
    if not one.num_rows:
        return side
    ends = [one[name].combine_chunks() for name in ("left", "right")]
    names = pc.unique(pa.concat_arrays(ends))
    left, right = (np.asarray(pc.index_in(end, value_set=names)).astype(np.int64) for end in ends)
    cluster = joined(len(names), left, right)
    row = np.asarray(pc.fill_null(pc.index_in(names, value_set=ids), NONE)).astype(np.int64)
    most = np.full(len(names), NONE, dtype=np.int64)
    np.maximum.at(most, cluster, np.where(row == NONE, lock.of(names), NONE))
    found = side.copy()
    there = np.flatnonzero(row != NONE)
    fresh = there[side[row[there]] == NONE]
    found[row[fresh]] = most[cluster[fresh]]
    return found

"""Pins: the rows whose side is settled before anything is dealt: by an official split, a source, or the lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.splitting.ties import Ties

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

TRAIN, VALIDATION, TEST = 0, 1, 2
NONE = -1
ALL = 0b111


@dataclass(frozen=True)
class Pins:
    """What is settled of every row before the others are dealt.

    Attributes:
        side: int64[rows], the side of rows that keep one, -1 of those that do not (yet).
        left: bool[rows], rows that had a side and leave: what they say stands on another side.
        join: int64[rows], bit mask: the sides that a row may follow its kin to.
        deal: int64[rows], bit mask: the sides that it may be dealt to.
        fixed: the sides that are closed to new rows.
        overruled: bool[rows], whose locked side is not what their official split says.
    """

    side: Ints
    left: Flags
    join: Ints
    deal: Ints
    fixed: tuple[int, ...]
    overruled: Flags


def pins(
    official: Ints, source: Ints, locked: Ints, fixed: tuple[int, ...], ties: Ties, *, whole: bool = False
) -> Pins:
    """The pins of rows.

    An official held-out set stays as it is: other rows of its source do not join it unless they are tied to it, and
    official training rows join only a side that has no official rows anywhere. The official split wins over the lock.

    Args:
        official: int64[rows], the official side, -1 where there is none.
        source: int64[rows], a number for each source.
        locked: int64[rows], the side in the lock, -1 where there is none.
        fixed: the sides that are closed to new rows.
        ties: of the rows.
        whole: official training rows stay in train, even if nobody holds out for validation or test.
    """
    held, of_train = official > TRAIN, official == TRAIN
    join, deal = open_to(official, source, whole=whole)
    closed = sum(1 << side for side in fixed)
    against = held & (locked != official) | of_train & ((1 << np.maximum(locked, 0)) & join == 0)
    wanted = np.where(held, official, np.where(against, NONE, locked))
    immovable = held | np.isin(wanted, fixed)
    side, left = _standing(wanted, immovable, ties)
    return Pins(side, left, (join & ~closed) | 1, (deal & ~closed) | 1, fixed, against & (locked >= 0))


def open_to(official: Ints, source: Ints, *, whole: bool) -> tuple[Ints, Ints]:
    """The sides that each row may follow its kin to, and those it may be dealt to, as bit masks: int64[rows] each.

    `whole`: official training rows stay in train, all of them.
    """
    held = official > TRAIN
    taken = np.zeros(int(source.max(initial=0)) + 1, dtype=np.int64)
    np.bitwise_or.at(taken, source[held], 1 << official[held])
    of_train = 1 << TRAIN if whole else ALL & ~int(np.bitwise_or.reduce(taken))
    left_open = np.where(official == TRAIN, of_train, ALL)
    return left_open, (left_open & ~taken[source]) | 1


def _standing(wanted: Ints, immovable: Flags, ties: Ties) -> tuple[Ints, Flags]:
    """Who stays where it is: test before validation before train, and what cannot be moved before all.

    A row leaves if it is tied to a row of another side that stays and comes before it.
    """
    side = np.where(immovable, wanted, NONE)
    left = np.zeros(len(wanted), dtype=bool)
    for level in (TEST, VALIDATION, TRAIN):
        rows = (wanted == level) & ~immovable
        if not rows.any():
            continue
        away = ties.touched(np.where(side >= 0, 1 << np.maximum(side, 0), 0)) & ~(1 << level) != 0
        left |= rows & away
        side = np.where(rows & ~away, wanted, side)
    return side, left

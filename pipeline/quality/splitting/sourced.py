"""By source: whole sources on one side, those that the recipe names or, where it names none, as they are dealt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.chance import draws
from pipeline.errors import AssayError
from pipeline.lock import SIDES
from pipeline.quality.splitting.chancy import shares_of
from pipeline.quality.splitting.dealing import deal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.splitting.strata import Strata
    from pipeline.settings import SplitSettings

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

NONE = -1


def check(settings: SplitSettings, known: Sequence[str]) -> None:
    """Raise unless the sources that the recipe names are there, each on one side, where sources are split by.

    Raises:
        AssayError: a source is unknown or named twice; or sources are named that nothing is split by.
    """
    named = [*settings.validation_sources, *settings.test_sources]
    if settings.by != "source":
        if named:
            problem = "names validation_sources or test_sources, but does not split by them"
            raise AssayError("[split]", problem, 'set by = "source"')
        return
    if unknown := sorted(set(named) - set(known)):
        names = ", ".join(sorted(known))
        raise AssayError("[split]", f"there is no source {', '.join(unknown)}", f"the sources of [ingest] are: {names}")
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise AssayError("[split]", f"sources on two sides: {', '.join(twice)}", "name each once")


def named(sources: pa.Array, settings: SplitSettings) -> Ints:
    """The side of each of `sources` as the recipe names them, train where it names only others: int64[sources]."""
    side_of = dict.fromkeys(settings.validation_sources, 1) | dict.fromkeys(settings.test_sources, 2)
    return np.array([side_of.get(name, 0) for name in sources.to_pylist()], dtype=np.int64)


def voted(count: int, source: Ints, locked: Ints, handed: Flags) -> Ints:
    """The side of each of `count` sources by its rows that have one, -1 where they do not say: int64[count].

    Rows whose side was handed on by another row came from elsewhere and pull no source after them, unless it has no
    others with a side and they are most of it: then it is an old source under a new name.

    Args:
        count: how many sources there are.
        source: int64[rows].
        locked: int64[rows], the side of each row, -1 where it has none.
        handed: bool[rows], whether another row handed it on.
    """
    there = locked >= 0
    own, heirs = (_votes(count, source[chosen], locked[chosen]) for chosen in (there & ~handed, there & handed))
    most = (2 * heirs.sum(axis=1) > np.bincount(source, minlength=count)).reshape(-1, 1)
    votes = np.where(own.any(axis=1).reshape(-1, 1), own, np.where(most, heirs, 0))
    return np.where(votes.any(axis=1), votes.argmax(axis=1), NONE)


def _votes(count: int, source: Ints, side: Ints) -> Ints:
    """How many rows each source has on each side: int64[count, sides]."""
    found = np.zeros((count, len(SIDES)), dtype=np.int64)
    np.add.at(found, (source, side), 1)
    return found


def apart(source: Ints, side: Ints) -> int:
    """How many rows are not on the side where most of their source is (int64[rows] each, -1 for no side)."""
    there = side >= 0
    votes = _votes(int(source.max(initial=-1)) + 1, source[there], side[there])
    return int((votes.sum(axis=1) - votes.max(axis=1, initial=0)).sum())


def dealt(sources: pa.Array, source: Ints, own: Ints, strata: Strata, *, open_: int, shares: Floats, seed: int) -> Ints:
    """The side of each of `sources`: its `own` (int64[sources], see `voted`), or one it is dealt to: int64[sources].

    `source`: int64[rows], places in `sources`; `open_`: bit mask of the sides that a new source may go to.
    """
    side = own.copy()
    fresh = np.flatnonzero(side[source] == NONE)
    if not len(fresh):
        return side
    names, place = np.unique(source[fresh], return_inverse=True)
    rank = draws(seed, "split source", names=sources.take(pa.array(names)).to_pylist())
    has = strata.counts(side[source], len(shares)).astype(np.float64)
    kinds = strata.profiles(fresh, place.reshape(-1), len(source))
    side[names] = deal(kinds, rank, shares_of(open_, shares), has)
    return side

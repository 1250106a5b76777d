"""By source: whole sources on one side, those that the recipe names or, where it names none, as they are dealt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.chance import draws
from pipeline.errors import AssayError
from pipeline.quality.splitting.chancy import shares_of
from pipeline.quality.splitting.dealing import deal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.splitting.strata import Strata
    from pipeline.settings import SplitSettings

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

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


def dealt(
    sources: pa.Array, source: Ints, locked: Ints, strata: Strata, *, open_: int, shares: Floats, seed: int
) -> Ints:
    """The side of each of `sources`: the one that most of its locked rows have, or one it is dealt to: int64[sources].

    `source`: int64[rows], places in `sources`; `locked`: int64[rows], -1 where there is none; `open_`: bit mask of
    the sides that a new source may go to.
    """
    votes = np.zeros((len(sources), len(shares)), dtype=np.int64)
    np.add.at(votes, (source[locked >= 0], locked[locked >= 0]), 1)
    side = np.where(votes.any(axis=1), votes.argmax(axis=1), NONE)
    fresh = np.flatnonzero(side[source] == NONE)
    if not len(fresh):
        return side
    names, place = np.unique(source[fresh], return_inverse=True)
    rank = draws(seed, "split source", names=sources.take(pa.array(names)).to_pylist())
    has = strata.counts(side[source], len(shares)).astype(np.float64)
    kinds = strata.profiles(fresh, place.reshape(-1), len(source))
    side[names] = deal(kinds, rank, shares_of(open_, shares), has)
    return side

"""Blending what several methods believe, with room for the errors that annotators share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from pipeline.quality.consensus.table import Table

    Floats = NDArray[np.float64]

# No ballot shows an error that everybody makes, so some of the belief stays with the plain vote. Between a tenth and
# two fifths the accuracy on 18 public and 114 made-up sets is the same within a tenth of a point.
VOTE_SHARE = 0.2


def blended(shares: Iterable[tuple[float, Floats]], table: Table) -> Floats:
    """The weighted mean of float64[units, labels], calibrated; known units stay certain."""
    total = np.zeros((len(table.votes), table.classes))
    for weight, each in shares:
        total += weight * each
    return calibrated(total, table)


def calibrated(shares: Floats, table: Table) -> Floats:
    """`shares` with a fifth of the belief given to the shares of the votes, one more, even, vote being counted."""
    votes = (table.counts + 1 / table.classes) / (table.votes[:, None] + 1)
    mixed = (1 - VOTE_SHARE) * shares + VOTE_SHARE * votes
    sure = np.flatnonzero(table.known >= 0)
    mixed[sure] = np.eye(table.classes)[table.known[sure]]
    return np.asarray(mixed)

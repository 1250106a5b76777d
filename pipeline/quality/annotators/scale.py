"""Scale: whether an annotator's numbers run high or low, wide or narrow, or loose, beside the others'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.annotators.judged import ratio
from pipeline.quality.annotators.skill import Estimate, discoveries, tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.annotators.beliefs import Cells
    from pipeline.quality.annotators.judged import Judged
    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Scale:
    """Per annotator, against the other ballots on the same units.

    Attributes:
        bias: own value minus the others' mean, in the values' own units; above 0 is too high.
        spread: own standard deviation over that of single other ballots on the same units, 1 in the middle of the
            group; above 1 is too wide.
        follows: correlation with the others' mean, -1..1; group: its median.
        biased, uneven: bool[annotators], bias or spread beyond chance, all annotators tested.
        loose: bool[annotators], the values hardly follow the units: surely less than half the group's correlation,
            and not surely above 0.
    """

    bias: Estimate
    spread: Estimate
    follows: Estimate
    group: float
    biased: Bools
    uneven: Bools
    loose: Bools


def scale(ballots: Ballots, judged: Judged, cells: Cells, values: Floats) -> Scale:
    """Bias, spread and correlation of every annotator; `values` is float64[labels], the number a label stands for.

    Intervals: rows are independent for the bias; the spread's is on the logarithm, with the kurtosis of the values;
    the correlation's is Fisher's.
    """
    own = np.asarray(values, dtype=np.float64)[judged.label]
    every = np.asarray(values, dtype=np.float64)[ballots.label]
    peers = (cells.votes[judged.unit] - 1).astype(np.float64)
    one = np.bincount(ballots.unit, weights=every, minlength=ballots.units)[judged.unit] - own
    two = np.bincount(ballots.unit, weights=every**2, minlength=ballots.units)[judged.unit] - own**2
    mean, variance, rows = judged.clustered(own - one / peers)
    error = np.sqrt(variance)
    bias = Estimate(mean, mean - 1.96 * error, mean + 1.96 * error)
    away = np.where(error > 0, np.abs(np.nan_to_num(mean)) / np.where(error > 0, error, 1.0), 0.0)
    spread, odd = _spread(judged, own, one / peers, two / peers, rows)
    follows = _follows(judged, own, one / peers, rows)
    group = float(np.nanmedian(follows.value)) if np.isfinite(follows.value).any() else float("nan")
    with np.errstate(invalid="ignore"):
        loose = np.asarray((follows.high < group / 2) & (follows.low <= 0))
    return Scale(bias, spread, follows, group, discoveries(2 * tail(away)), odd, loose)


def _spread(judged: Judged, own: Floats, mean: Floats, square: Floats, rows: Floats) -> tuple[Estimate, Bools]:
    centre = judged.mean(own)
    off = own - centre[judged.annotator]
    mine = judged.mean(off**2)
    theirs = judged.mean(square) - judged.mean(mean) ** 2
    many = rows >= 5
    usable = many & (mine > 1e-12) & (theirs > 1e-12)
    kurtosis = ratio(judged.mean(off**4), np.where(usable, mine, np.nan) ** 2)
    # Values bunched on one number have little kurtosis by accident: at least that of a normal one is taken.
    error = np.sqrt((np.maximum(kurtosis, 3.0) - 1) / (4 * np.maximum(rows, 1)) * 1.5)
    log = 0.5 * np.log(np.where(usable, mine, np.nan) / np.where(usable, theirs, np.nan))
    # A few wide ones make all the others' narrow: the middle of the group is where nobody is uneven.
    log = log - (float(np.nanmedian(log)) if usable.any() else 0.0)
    away = np.nan_to_num(np.abs(log) / error)
    estimate = Estimate(np.exp(log), np.exp(log - 1.96 * error), np.exp(log + 1.96 * error))
    return estimate, discoveries(np.where(usable, 2 * tail(away), 1.0)) & usable


def _follows(judged: Judged, own: Floats, others: Floats, rows: Floats) -> Estimate:
    mine, theirs = own - judged.mean(own)[judged.annotator], others - judged.mean(others)[judged.annotator]
    both = np.sqrt(judged.mean(mine**2) * judged.mean(theirs**2))
    value = np.where(rows >= 5, ratio(judged.mean(mine * theirs), np.where(both > 1e-12, both, 0.0)), np.nan)
    middle = np.arctanh(np.clip(value, -0.999999, 0.999999))
    error = 1.96 / np.sqrt(np.maximum(rows - 3, 1))
    return Estimate(value, np.tanh(middle - error), np.tanh(middle + error))

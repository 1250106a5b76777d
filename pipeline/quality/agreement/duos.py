"""Duos: Cohen's kappa of every two annotators, and the alpha of each annotator with the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.agreement.counting import distinct, numbered, pairs_within, summed
from pipeline.quality.agreement.distances import Distance, Nominal, Scale, distance_of
from pipeline.quality.agreement.figures import Figure
from pipeline.quality.agreement.resampling import Draws, linear
from pipeline.quality.agreement.tables import Matrix
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MOST_MEETINGS = 2_000_000
"""Of more pairs of ballots than this (units with hundreds of ballots) so many are taken, spread over the annotators."""
FEW_UNITS = 30
MOST_CELLS = 50_000_000
"""With more duos x labels than this a weighted kappa is not weighted: what is the same counts, and its name says so."""


@dataclass(frozen=True)
class Duos:
    """Every two annotators who voted on the same units.

    Attributes:
        first, second: int64[duos], the two annotators.
        units: int64[duos], on how many units they met.
        same: float64[duos], on what share of these they gave the same label.
        kappa, low, high: float64[duos], Cohen's kappa with its interval; nan where neither ever gave a second label.
        mean: the mean of the kappas that are defined, weighted by `units`.
    """

    first: Ints
    second: Ints
    units: Ints
    same: Floats
    kappa: Floats
    low: Floats
    high: Floats
    mean: Figure


@dataclass(frozen=True)
class _Meetings:
    """Two ballots by two named annotators on one unit: the duo, their labels, the row; and the duos."""

    duo: Ints
    one: Ints
    other: Ints
    row: Ints
    first: Ints
    second: Ints

    def mean(self, values: Floats) -> Floats:
        """The mean of a value of each meeting, by duo."""
        return summed(self.duo, values, len(self.first)) / np.bincount(self.duo)


def duos(
    ballots: Ballots,
    *,
    distance: Distance | ArrayLike | None = None,
    name: str = "kappa (Cohen)",
    seed: int = 0,
    resamples: int = 200,
    level: float = 0.95,
    intervals: int = 200,
) -> Duos:
    """Cohen's kappa of every two annotators, weighted if a `distance` is given, and their mean weighted by overlap.

    Anonymous ballots meet nobody. Method: Cohen 1960, doi 10.1177/001316446002000104; weighted: Cohen 1968, doi
    10.1037/h0026256. Intervals are over rows, to first order in 1 / rows (see `resampling.linear`); of single
    duos only the `intervals` with the most units get one.
    """
    met, draws = _meetings(ballots), Draws(seed, resamples, level)
    if not len(met.duo):
        none, nowhere = np.zeros(0), np.zeros(0, dtype=np.int64)
        mean = Figure(name, np.nan, np.nan, np.nan, 0, 0, "no two named annotators labelled the same unit")
        return Duos(nowhere, nowhere, nowhere, none, none, none, none, mean)
    labels, apart = len(ballots.labels), distance_of(distance, len(ballots.labels))
    plain = not apart.closed and len(met.first) * labels > MOST_CELLS
    kappa, influence = _kappas(met, Nominal() if plain else apart, labels)
    units = np.bincount(met.duo)
    low, high = _intervals(met, kappa, influence / units[met.duo], np.argsort(-units, kind="stable")[:intervals], draws)
    return Duos(
        met.first, met.second, units, met.mean((met.one == met.other) * 1.0), kappa, low, high,
        _mean(met, kappa, influence, f"{name}, exact matches" if plain else name, draws),
    )  # fmt: skip


def _intervals(met: _Meetings, kappa: Floats, influence: Floats, chosen: Ints, draws: Draws) -> tuple[Floats, Floats]:
    """The intervals of the chosen duos, nan for the others."""
    place = np.full(len(kappa), -1)
    place[chosen] = np.arange(len(chosen))
    here = place[met.duo] >= 0
    found = linear(kappa[chosen], met.row[here], place[met.duo[here]], influence[here], draws)
    low, high = np.full(len(kappa), np.nan), np.full(len(kappa), np.nan)
    low[chosen], high[chosen] = found
    return low, high


def _mean(met: _Meetings, kappa: Floats, influence: Floats, name: str, draws: Draws) -> Figure:
    defined = np.isfinite(kappa)
    counts = np.where(defined, np.bincount(met.duo), 0)
    total = int(counts.sum())
    if not total:
        return Figure(name, np.nan, np.nan, np.nan, 0, 0, "no two annotators gave a second label where they met")
    mean = np.array([np.nansum(counts * kappa) / total])
    here = defined[met.duo]
    # The weights change with the draw as well: a meeting adds its duo's kappa.
    grows = (influence[here] + kappa[met.duo[here]] - mean[0]) / total
    low, high = linear(mean, met.row[here], np.zeros(len(grows), dtype=np.int64), grows, draws)
    rows = numbered(met.row[here])[1]
    each = total / int(defined.sum())
    note = (
        f"mean over {int(defined.sum())} pairs of annotators, weighted by the units on which they met, {each:.0f} each"
    )
    if each < FEW_UNITS:
        note += "; on so few the kappa of two annotators tends to be too low: read alpha"
    return Figure(name, float(mean[0]), float(low[0]), float(high[0]), rows, 2 * total, note)


def linear_weights(values: ArrayLike) -> Distance:
    """Differences (not squared) of the numbers that labels stand for: the linear weights of Cohen's kappa."""
    scale = np.asarray(values, dtype=np.float64)
    return Matrix(np.abs(scale[:, None] - scale[None, :]))


def _meetings(ballots: Ballots) -> _Meetings:
    named = np.flatnonzero(ballots.annotator >= 0)
    unit, who, label = ballots.unit[named], ballots.annotator[named], ballots.label[named]
    cast = np.bincount(unit, minlength=ballots.units)
    seat = unit * len(ballots.annotators) + who
    order = np.argsort(seat, kind="stable") if (seat[1:] < seat[:-1]).any() else np.arange(len(seat))
    if (cast * (cast - 1) // 2).sum() > MOST_MEETINGS:
        order = np.lexsort((label, _shuffled(unit, who, label, ballots.units), unit))
    i, j = (order[part] for part in pairs_within(unit[order], most=MOST_MEETINGS))
    i, j = np.where(who[i] <= who[j], i, j), np.where(who[i] <= who[j], j, i)
    apart = who[i] != who[j]
    i, j = i[apart], j[apart]
    keys, duo = distinct(who[i] * len(ballots.annotators) + who[j])
    first, second = np.divmod(keys, max(len(ballots.annotators), 1))
    return _Meetings(duo, label[i], label[j], ballots.row[named][i], first, second)


def _shuffled(unit: Ints, who: Ints, label: Ints, units: int) -> NDArray[np.uint64]:
    """An order of the annotators of each unit that depends on what it was given and not on where it stands."""
    ballot = mixed(mixed(who.astype(np.uint64)) + label.astype(np.uint64))
    of_unit = np.zeros(units, dtype=np.uint64)
    np.add.at(of_unit, unit, ballot)
    return mixed(of_unit[unit] ^ mixed(who.astype(np.uint64)))


def _kappas(met: _Meetings, distance: Distance, labels: int) -> tuple[Floats, Floats]:
    """Kappa by duo, and for each meeting by how much (times the units of its duo) it moves the kappa of its duo."""
    apart = distance.apart(met.one, met.other)
    toward_one, toward_other, expected = _expected(met, distance, labels)
    observed = met.mean(apart)
    possible = expected > 1e-12 * max(distance.widest, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa = np.where(possible, 1 - observed / expected, np.nan)
        at = met.duo
        moved = (toward_one + toward_other - 2 * expected[at]) * observed[at] / expected[at]
        influence = (moved - (apart - observed[at])) / expected[at]
    return kappa, np.where(possible[met.duo], influence, 0.0)


def _expected(met: _Meetings, distance: Distance, labels: int) -> tuple[Floats, Floats, Floats]:
    """For each meeting the mean distance of each label to all labels of the other annotator of the duo; its mean."""
    if isinstance(distance, Nominal):
        return _nominal(met, labels)
    if isinstance(distance, Scale):
        return _scale(met, distance.values)
    duo_count = len(met.first)
    ones, others = (
        np.bincount(label * duo_count + met.duo, minlength=labels * duo_count).reshape(labels, duo_count)
        / np.bincount(met.duo)
        for label in (met.one, met.other)
    )
    toward_one = distance.toward(others)[met.one, met.duo]
    return toward_one, distance.toward(ones)[met.other, met.duo], met.mean(toward_one)


def _nominal(met: _Meetings, labels: int) -> tuple[Floats, Floats, Floats]:
    cells, place = distinct(np.concatenate([met.duo * labels + met.one, met.duo * labels + met.other]))
    ones, others = np.split(place, 2)
    of_cell = cells // labels
    units = np.bincount(met.duo)[of_cell]
    share, share_other = (np.bincount(side, minlength=len(cells)) / units for side in (ones, others))
    same = summed(of_cell, share * share_other, len(met.first))
    return 1 - share_other[ones], 1 - share[others], 1 - same


def _scale(met: _Meetings, values: Floats) -> tuple[Floats, Floats, Floats]:
    one, other = values[met.one], values[met.other]
    mean, mean_other = met.mean(one), met.mean(other)
    square, square_other = met.mean(one**2), met.mean(other**2)
    at = met.duo
    toward_one = one**2 - 2 * one * mean_other[at] + square_other[at]
    toward_other = other**2 - 2 * other * mean[at] + square[at]
    return toward_one, toward_other, np.maximum(square + square_other - 2 * mean * mean_other, 0.0)

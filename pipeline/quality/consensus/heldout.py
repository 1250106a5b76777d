"""Held-out ballots: how likely each method finds ballots that it has not seen, given all the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.chance import draw
from pipeline.quality.consensus.maximise import predicted
from pipeline.quality.consensus.table import FLOOR, checked_known, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.table import Fit, Rates, Table

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Fitter = Callable[[Table], Fit]

FOLDS = 5
# Enough that the score of a method is known to a few thousandths; of more ballots, every so many units are taken.
MOST_BALLOTS = 40_000
_STEADY = 1e-5
_ODD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


@dataclass(frozen=True)
class Held:
    """What was predicted, one entry per held-out ballot and per held-out known unit.

    Attributes:
        likelihood: float64[entries, methods], probability that each method gave to what was held out.
        unit: int64[entries], the unit each is on, numbered within the sample.
        weight: float64[entries], 1 for a ballot; for a known unit as much as it has ballots.
        ballots: how many of the entries, from the first, are ballots.
    """

    likelihood: Floats
    unit: Ints
    weight: Floats
    ballots: int


@dataclass(frozen=True)
class Fold:
    """One part of the ballots, held out of the others.

    Attributes:
        table: all the other ballots.
        test, places: the ballots held out, and where they stand among all.
        hidden, label: known units that are taken for unknown here, and their labels.
    """

    table: Table
    test: Ballots
    places: Ints
    hidden: Ints
    label: Ints


def held_out(
    ballots: Ballots, methods: Mapping[str, Fitter], *, known: Ints | None = None, rates: Rates = "drawn", seed: int = 0
) -> Held:
    """Fit every method on four fifths of the ballots of every unit and score it on the rest, five times over.

    The folds are dealt by a hash of what the ballots on a unit say, and evenly among units on which they say the same,
    so that they do not depend on the order of rows. Units with one ballot are not scored. A known unit is taken for
    unknown in one of the folds, and its label scored as well.
    """
    small, _, folds = dealt(ballots, known=known, rates=rates, seed=seed)
    found = np.full((len(small) + small.units, len(methods)), np.nan)
    for fold in folds:
        for column, fit_method in enumerate(methods.values()):
            fit = fit_method(fold.table)
            found[fold.places, column] = predicted(fit, fold.table, fold.test)
            known_shares = fit.shares(fold.table.classes)[fold.hidden, fold.label]
            found[len(small) + fold.hidden, column] = known_shares
    votes = np.bincount(small.unit, minlength=small.units).astype(np.float64)
    scored = np.isfinite(found).all(axis=1)
    unit, weight = np.append(small.unit, np.arange(small.units)), np.append(np.ones(len(small)), votes)
    return Held(np.maximum(found[scored], FLOOR), unit[scored], weight[scored], int(scored[: len(small)].sum()))


def dealt(ballots: Ballots, *, known: Ints | None, rates: Rates, seed: int) -> tuple[Ballots, Ints, Iterator[Fold]]:
    """The ballots that are scored on, which units they are on (int64[sample]), and the folds, made one by one."""
    known = checked_known(known, ballots.units, max(len(ballots.labels), 1))
    content = _content(ballots, known, seed)
    several = np.bincount(ballots.unit, minlength=ballots.units) > 1
    kept = _sample(content, several, len(ballots), seed)
    small, known, content = _narrowed(ballots, kept), known[kept], content[kept]
    turn = _turns(content)
    of_ballot = _folds(small, content, turn)
    return small, kept, _each_fold(small, known, turn, of_ballot, rates)


def _each_fold(small: Ballots, known: Ints, turn: Ints, of_ballot: Ints, rates: Rates) -> Iterator[Fold]:
    for at in range(int(of_ballot.max(initial=-1)) + 1):
        hidden = (turn == at) & (known >= 0)
        table = table_of(small.only(of_ballot != at), known=np.where(hidden, -1, known), rates=rates)
        test = of_ballot == at
        yield Fold(table, small.only(test), np.flatnonzero(test), np.flatnonzero(hidden), known[hidden])


def sampled(ballots: Ballots, *, seed: int = 0) -> tuple[Ballots, Ints]:
    """The ballots on enough of the units to score on, and which units those are (int64[sample])."""
    content = _content(ballots, np.full(ballots.units, -1), seed)
    several = np.bincount(ballots.unit, minlength=ballots.units) > 1
    kept = _sample(content, several, len(ballots), seed)
    return _narrowed(ballots, kept), kept


def folds_of(ballots: Ballots, *, seed: int = 0) -> Ints:
    """The fold 0..4 in which each ballot is held out, dealt by what the ballots say: int64[ballots]; -1 for none."""
    content = _content(ballots, np.full(ballots.units, -1), seed)
    return _folds(ballots, content, _turns(content))


def stacked(held: Held, *, prior: Floats, rounds: int = 200) -> Floats:
    """Weights of the methods under which what was held out is likeliest when they are averaged: float64[methods].

    `prior` is float64[methods], entries that each method is credited with beforehand.
    Method: stacking of predictive distributions, Yao et al. 2018, doi 10.1214/17-BA1091.
    """
    weights, change = prior / prior.sum(), np.inf
    while rounds and change > _STEADY:
        share = held.likelihood.T @ (held.weight / (held.likelihood @ weights))
        fresh = weights * share + prior
        fresh /= fresh.sum()
        change, weights, rounds = float(np.abs(fresh - weights).max()), fresh, rounds - 1
    return np.asarray(weights)


def clustered(values: Floats, held: Held) -> tuple[float, float]:
    """Weighted mean of `values` (float64[entries]) and its standard error, entries on one unit going together."""
    total = held.weight.sum()
    if not total:
        return float("nan"), float("nan")
    mean = float((values * held.weight).sum() / total)
    of_unit = np.bincount(held.unit, (values - mean) * held.weight)
    return mean, float(np.sqrt((of_unit**2).sum()) / total)


def _content(ballots: Ballots, known: Ints, seed: int) -> NDArray[np.uint64]:
    """A hash of what is said of every unit, whatever the order: uint64[units]."""
    key = np.uint64(draw(seed, "consensus"))
    said = ballots.annotator.astype(np.uint64) * np.uint64(_ODD[0]) + ballots.label.astype(np.uint64)
    total = np.zeros(ballots.units, dtype=np.uint64)
    np.add.at(total, ballots.unit, _mixed(said ^ key))
    return _mixed(total + _mixed(known.astype(np.uint64) + np.uint64(_ODD[1]) * ballots.unit_name.astype(np.uint64)))


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64: every bit of the input moves every bit of the output."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(_ODD[1])
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(_ODD[2])
    return np.asarray(numbers ^ (numbers >> np.uint64(31)))


def _sample(content: NDArray[np.uint64], several: NDArray[np.bool_], size: int, seed: int) -> Ints:
    """The units to score on: all, or every so many of those in the order of their content."""
    step = -(-size // MOST_BALLOTS)
    if step <= 1:
        return np.arange(len(content))
    units = np.flatnonzero(several)
    ranked = units[np.argsort(content[units], kind="stable")]
    return np.sort(ranked[draw(seed, "sample") % step :: step])


def _narrowed(ballots: Ballots, kept: Ints) -> Ballots:
    """The ballots on the units `kept` (sorted), which are numbered anew."""
    if len(kept) == ballots.units:
        return ballots
    place = np.full(ballots.units, -1)
    place[kept] = np.arange(len(kept))
    part = ballots.only(place[ballots.unit] >= 0)
    return replace(part, unit=place[part.unit], unit_row=ballots.unit_row[kept], unit_name=ballots.unit_name[kept])


def _turns(content: NDArray[np.uint64]) -> Ints:
    """In which fold each unit begins; units on which the same is said take turns: int64[units]."""
    order = np.argsort(content, kind="stable")
    first = np.searchsorted(content[order], content[order], side="left")
    turn = np.empty(len(content), dtype=np.int64)
    turn[order] = np.arange(len(content)) - first
    return np.asarray((turn + (content % np.uint64(FOLDS)).astype(np.int64)) % FOLDS)


def _folds(ballots: Ballots, content: NDArray[np.uint64], turn: Ints) -> Ints:
    """The fold of every ballot; -1 where it is the only one on its unit."""
    said = ballots.annotator.astype(np.uint64) * np.uint64(_ODD[1]) + ballots.label.astype(np.uint64)
    order = np.lexsort((_mixed(said ^ content[ballots.unit]), ballots.unit))
    first = np.searchsorted(ballots.unit[order], ballots.unit[order], side="left")
    rank = np.empty(len(ballots), dtype=np.int64)
    rank[order] = np.arange(len(ballots)) - first
    several = np.bincount(ballots.unit, minlength=ballots.units)[ballots.unit] > 1
    return np.asarray(np.where(several, (rank + turn[ballots.unit]) % FOLDS, -1))

"""Copying: pairs of annotators who give the same answers more often than skill and units explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.annotators.beliefs import places, tally
from pipeline.quality.annotators.judged import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.annotators.beliefs import Beliefs, Cells
    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEVEL = 0.01  # chance that any honest pair is named, all pairs tested (Holm)
MOST_PAIRS = 4_000_000  # pairs of ballots looked at; beyond, units are thinned evenly
SHOWN_ROWS = 10
_LEAST_ODD = 3  # same answers against most of the rest, without which nobody is accused
_OVERLAP = 5  # common units below which nothing can be shown
_CANDIDATES = 1000
_UNIT_WEIGHT = 4.0  # ballots that the skills' word counts for beside the rest of a unit's ballots
_LEAST = 0.02  # no answer is rarer than this: somebody may always misread
_TILTS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)


@dataclass(frozen=True)
class Copies:
    """Pairs that agree too much, the surest first; arrays of one length.

    Attributes:
        one, other: int64[k], annotators.
        shared, same: int64[k], common units, and those with the same answer; expected: float64[k] of those.
        odd: int64[k], the same answer where fewer than half of the rest gave it; odd_expected: float64[k].
        chance: float64[k], at most how likely so much agreement is for honest work, all pairs tested.
        rows: int64[<= SHOWN_ROWS] each, where the odd ones are.
        tested: how many pairs had enough in common.
    """

    one: Ints
    other: Ints
    shared: Ints
    same: Ints
    expected: Floats
    odd: Ints
    odd_expected: Floats
    chance: Floats
    rows: tuple[Ints, ...]
    tested: int


@dataclass(frozen=True)
class _Meetings:
    """Two named ballots on one unit, one entry each.

    Ballots, pair code, whether the answers are the same, the chance of that, the share of the rest that gave one of
    them, and how likely they are wrong.
    """

    first: Ints
    second: Ints
    pair: Ints
    same: NDArray[np.bool_]
    chance: Floats
    rest: Floats
    wrong: Floats

    def at(self, kept: Ints, pair: Ints) -> _Meetings:
        return _Meetings(
            self.first[kept],
            self.second[kept],
            pair,
            self.same[kept],
            self.chance[kept],
            self.rest[kept],
            self.wrong[kept],
        )


def copies(ballots: Ballots, cells: Cells, beliefs: Beliefs) -> Copies:
    """Pairs of annotators whose answers go together beyond what skill, habit and the units explain.

    For two ballots on a unit, how likely the second was to repeat the first is told by all other ballots there, by the
    confusions of its annotator and by how often the rest of the unit's ballots gave that answer (hard units make
    everybody err alike). Agreement counts by how unlikely it was, and only pairs whose answers against the rest are
    mostly wrong are named. All pairs together tell how far real crowds stray from that (the empirical null: Efron 2004,
    doi 10.1198/016214504000000089); the pairs beyond are tested with a
    Chernoff bound, which holds for few units too, and Holm's correction over all pairs.
    """
    met = _meetings(ballots, cells, beliefs)
    codes, shared = tally(met.pair, len(ballots.annotators) ** 2)
    at = places(codes, met.pair, len(ballots.annotators) ** 2)
    weight = 1 - met.chance
    excess = np.bincount(at, weights=weight * (met.same - met.chance), minlength=len(codes))
    variance = np.bincount(at, weights=weight**2 * met.chance * (1 - met.chance), minlength=len(codes))
    enough = shared >= _OVERLAP
    score = np.where(enough, excess / np.sqrt(np.maximum(variance, 1e-12)), -np.inf)
    tested = int(enough.sum())
    centre, spread = _null(score[enough])
    likely = np.lexsort((codes, -score))[:_CANDIDATES]
    likely = likely[(score[likely] - centre) / spread > 2]
    place = np.full(len(codes), -1)
    place[likely] = np.arange(len(likely))
    kept = np.flatnonzero(place[at] >= 0)
    some = met.at(kept, place[at[kept]])
    bound = _bounds(some, len(likely), shift=max(centre, 0.0) * np.sqrt(variance[likely])) / spread**2
    order = np.argsort(bound, kind="stable")
    chance = np.exp(np.minimum(bound[order] + np.log(np.maximum(tested - np.arange(len(order)), 1)), 0.0))
    chance = np.maximum.accumulate(chance) if len(chance) else chance
    named = order[(chance < LEVEL) & _in_error(some, len(likely))[order]]
    return _told(ballots, some, named, codes=codes[likely[named]], chance=chance[np.isin(order, named)], tested=tested)


def _meetings(ballots: Ballots, cells: Cells, beliefs: Beliefs) -> _Meetings:
    """Every two named ballots on one unit, by different annotators."""
    named = np.flatnonzero((ballots.annotator >= 0) & (cells.votes[ballots.unit] > 1))
    named = named[np.lexsort((ballots.label[named], ballots.annotator[named], ballots.unit[named]))]
    here = np.bincount(ballots.unit[named], minlength=ballots.units)
    thin = -(-int((here * (here - 1) // 2).sum()) // MOST_PAIRS)
    named = named[ballots.unit[named] % max(thin, 1) == 0]
    unit = ballots.unit[named]
    firsts, seconds = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    left = np.arange(len(named))
    for step in range(1, int(here.max(initial=0))):
        left = left[left + step < len(named)]
        left = left[unit[left] == unit[left + step]]
        firsts.append(named[left])
        seconds.append(named[left + step])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    apart = ballots.annotator[first] != ballots.annotator[second]
    first, second = first[apart], second[apart]
    same = ballots.label[first] == ballots.label[second]
    one, rest_one, true_one = _chance(ballots, cells, beliefs, ballot=second, other=first, same=same)
    other, rest_other, true_other = _chance(ballots, cells, beliefs, ballot=first, other=second, same=same)
    pair = ballots.annotator[first] * len(ballots.annotators) + ballots.annotator[second]
    wrong = 1 - (true_one + true_other) / 2
    return _Meetings(first, second, pair, same, (one + other) / 2, np.maximum(rest_one, rest_other), wrong)


def _chance(
    ballots: Ballots, cells: Cells, beliefs: Beliefs, *, ballot: Ints, other: Ints, same: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """How likely `ballot` was to give the label of `other`, the share of the rest that did, how likely it is true.

    On the scale of log-odds: what the annotator's skill says, moved by how much the rest of the unit's ballots differ
    from what average annotators would have done.
    """
    mine, average, true = beliefs.predicted(ballot, other)
    mine, average = (np.clip(each, _LEAST, 1 - _LEAST) for each in (mine, average))
    rest = (cells.votes[ballots.unit[ballot]] - 2).astype(np.float64)
    gave = (cells.count[cells.of[other]] - 1 - same).astype(np.float64)
    seen = np.clip((gave + _UNIT_WEIGHT * average) / (rest + _UNIT_WEIGHT), _LEAST, 1 - _LEAST)
    odds = mine / (1 - mine) * (seen / (1 - seen)) / (average / (1 - average))
    return np.clip(odds / (1 + odds), _LEAST, 1 - _LEAST), ratio(gave, rest), true


def _null(score: Floats) -> tuple[float, float]:
    """Middle and spread of the scores of honest pairs, taken from the bulk of all pairs."""
    if len(score) < 20:
        return 0.0, 1.0
    low, centre, high = np.quantile(score, [0.25, 0.5, 0.75])
    return float(centre), max(float(high - low) / 1.349, 1.0)


def _bounds(met: _Meetings, pairs: int, *, shift: Floats) -> Floats:
    """Logarithm of a bound on the chance of so much agreement, by pair: Chernoff's, best of several tilts."""
    weight = 1 - met.chance
    seen = np.bincount(met.pair, weights=weight * met.same, minlength=pairs) - shift
    best = np.zeros(pairs)
    for tilt in _TILTS:
        grown = np.log1p(met.chance * np.expm1(tilt * weight))
        best = np.minimum(best, np.bincount(met.pair, weights=grown, minlength=pairs) - tilt * seen)
    return best


def _in_error(met: _Meetings, pairs: int) -> NDArray[np.bool_]:
    """Whether most of what two annotators alone say is wrong: two good ones agree against a poor rest, and rightly."""
    odd = met.same & (np.nan_to_num(met.rest, nan=1.0) < 0.5)
    count = np.bincount(met.pair, weights=odd, minlength=pairs)
    wrong = np.bincount(met.pair, weights=odd * met.wrong, minlength=pairs)
    return np.asarray((count >= _LEAST_ODD) & (wrong > count / 2))


def _told(ballots: Ballots, met: _Meetings, named: Ints, *, codes: Ints, chance: Floats, tested: int) -> Copies:
    pairs = int(met.pair.max(initial=-1)) + 1
    uncommon = np.nan_to_num(met.rest, nan=1.0) < 0.5
    odd = met.same & uncommon

    def total(values: Floats | NDArray[np.bool_]) -> Floats:
        counted = np.bincount(met.pair, weights=np.asarray(values, dtype=np.float64), minlength=pairs)
        return np.asarray(counted[named], dtype=np.float64)

    rows = tuple(np.unique(ballots.row[met.first[odd & (met.pair == pair)]])[:SHOWN_ROWS] for pair in named)
    one, other = np.divmod(codes, max(len(ballots.annotators), 1))
    return Copies(
        one=one, other=other, shared=np.bincount(met.pair, minlength=pairs)[named],
        same=total(met.same).astype(np.int64), expected=total(met.chance), odd=total(odd).astype(np.int64),
        odd_expected=total(met.chance * uncommon), chance=chance, rows=rows, tested=tested,
    )  # fmt: skip

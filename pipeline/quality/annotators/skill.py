"""Skill: how often an annotator is right by the others, beyond chance, on rows this hard, and against known answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.annotators.beliefs import tally
from pipeline.quality.annotators.judged import Judged, ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEVEL = 0.95
_ENOUGH = 10
_BINS = 80
_SPAN = 8.0  # log-odds beyond which a ballot is as good as surely right or wrong
_GRID = (np.arange(400) + 0.5) / 400


@dataclass(frozen=True)
class Estimate:
    """A value per annotator with its interval: float64[annotators] each, nan where nothing is known."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Gold:
    """Answers on units whose truth was known beforehand, per annotator.

    Attributes:
        asked, right: int64[annotators].
        low, high: float64[annotators], Clopper-Pearson interval of the share right; nan where none was asked.
        missed: the ballots that were wrong, int64[k].
    """

    asked: Ints
    right: Ints
    low: Floats
    high: Floats
    missed: Ints


def accuracy(judged: Judged) -> Estimate:
    """Share of right answers by the others' leave-one-out beliefs: mean and Bayesian interval, Jeffreys prior.

    Every ballot is right with the annotator's accuracy a; seen is only how likely it is by the others (`right`), so the
    likelihood is the product of a * right + (1 - a) * (1 - right). Where the others are sure this is the usual Beta
    posterior; where they are not, the ballot says little and the interval widens. Where rows have several units the
    likelihood is flattened by the design effect of rows.
    """
    odds = np.clip(np.log(np.maximum(judged.right, 1e-12)) - np.log(np.maximum(1 - judged.right, 1e-12)), -_SPAN, _SPAN)
    place = np.minimum(((odds + _SPAN) / (2 * _SPAN) * _BINS).astype(np.int64), _BINS - 1)
    counts = np.bincount(judged.annotator * _BINS + place, minlength=judged.annotators * _BINS)
    middle = 1 / (1 + np.exp(-((np.arange(_BINS) + 0.5) / _BINS * 2 - 1) * _SPAN))
    likelihood = np.log(_GRID[None] * middle[:, None] + (1 - _GRID[None]) * (1 - middle[:, None]))
    evidence = counts.reshape(-1, _BINS) @ likelihood / _design(judged)[:, None]
    likeliest = evidence.argmax(axis=1)
    evidence -= 0.5 * np.log(_GRID * (1 - _GRID))
    weight = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    none = judged.total() == 0
    # Where all answers are right (or none), the interval reaches the end: Brown, Cai, DasGupta, 10.1214/ss/1009213286.
    low, high = (_quantile(weight, edge) for edge in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    low, high = np.where(likeliest == 0, 0.0, low), np.where(likeliest == len(_GRID) - 1, 1.0, high)
    return Estimate(*(np.where(none, np.nan, each) for each in (weight @ _GRID, low, high)))


def _quantile(weight: Floats, share: float) -> Floats:
    """Where the distributions over the grid (float64[annotators, grid]) reach `share`, linear inside a step."""
    step = 1 / len(_GRID)
    below = np.cumsum(weight, axis=1)
    at = np.minimum((below < share).sum(axis=1), len(_GRID) - 1)
    rows = np.arange(len(weight))
    inside = (share - below[rows, at] + weight[rows, at]) / np.maximum(weight[rows, at], 1e-300)
    return np.asarray((at + np.clip(inside, 0, 1)) * step)


def _design(judged: Judged) -> Floats:
    """How many times wider the variance is for units that share a row: at least 1."""
    if len(judged.cluster_annotator) == len(judged):
        return np.ones(judged.annotators)
    mean = judged.mean(judged.right)
    off = judged.right - mean[judged.annotator]
    by_row = np.bincount(judged.cluster, weights=off, minlength=len(judged.cluster_annotator))
    between = np.bincount(judged.cluster_annotator, weights=by_row**2, minlength=judged.annotators)
    within = judged.total(off**2)
    pooled = between.sum() / max(float(within.sum()), 1e-12)
    rows = np.bincount(judged.cluster_annotator, minlength=judged.annotators)
    own = np.nan_to_num(ratio(between, within), nan=pooled)
    return np.asarray(np.maximum((rows * own + 20 * pooled) / (rows + 20), 1.0))


def typical(judged: Judged, found: Estimate) -> Floats:
    """Accuracy, as `found`, of a middling annotator on each annotator's units: float64[annotators].

    The median of those with enough answers, so that spammers do not set it, moved by how hard the units are.
    """
    enough = judged.total() >= _ENOUGH
    enough = enough if enough.any() else judged.total() > 0
    middle = float(np.median(found.value[enough])) if enough.any() else float("nan")
    ease = judged.mean(judged.expected)
    centre = float(np.median(ease[enough])) if enough.any() else float("nan")
    return np.asarray(np.clip(middle + ease - centre, 0.0, 1.0))


def kappa(judged: Judged, found: Estimate, classes: int) -> tuple[Estimate, Floats]:
    """Accuracy beyond chance, 0 for answers that have nothing to do with the units, and the accuracy chance gives.

    Chance gives every label as often as the annotator did, whatever the unit: Cohen's kappa, doi
    10.1177/001316446002000104, against what the others believe.
    """
    given, n_given = tally(judged.annotator * classes + judged.label, judged.annotators * classes)
    best, n_best = tally(judged.annotator * classes + judged.best, judged.annotators * classes)
    _, at, to = np.intersect1d(given, best, assume_unique=True, return_indices=True)
    product = n_given[at].astype(np.float64) * n_best[to]
    met = np.bincount(given[at] // max(classes, 1), weights=product, minlength=judged.annotators)
    chance = ratio(met, judged.total() ** 2)
    room = np.where(chance < 1 - 1e-9, 1 - chance, np.nan)
    return Estimate(*((each - chance) / room for each in (found.value, found.low, found.high))), chance


@dataclass(frozen=True)
class Adjusted:
    """How much better an annotator did than average ones would have on the same units, per annotator.

    Attributes:
        raw, error: float64[annotators], the mean difference in score, and its standard error.
        shrunk: the difference drawn to the group's as far as chance explains it, with its interval.
        far: bool[annotators], below or above beyond chance, with all annotators tested (Benjamini-Hochberg, 5 %).
    """

    raw: Floats
    error: Floats
    shrunk: Estimate
    far: NDArray[np.bool_]


def adjusted(judged: Judged) -> Adjusted:
    """Differences from the others on the same units; where the others are split evenly, all have the same score.

    Empirical Bayes: the variance between annotators by Paule and Mandel (1982), doi 10.6028/jres.087.022.
    """
    mean, variance, _ = judged.clustered(judged.score - judged.expected)
    seen = np.isfinite(mean) & (variance > 0)
    centre, between = _centre(mean[seen], variance[seen])
    draw = np.where(seen, between / np.maximum(between + variance, 1e-300), np.nan)
    middle = centre + draw * (mean - centre)
    wide = 1.96 * np.sqrt(draw * variance)
    score = np.where(seen, np.abs(mean - centre) / np.sqrt(np.where(seen, variance, 1.0)), 0.0)
    shrunk = Estimate(middle - centre, middle - centre - wide, middle - centre + wide)
    return Adjusted(np.where(seen, mean - centre, np.nan), np.sqrt(variance), shrunk, discoveries(tail(score) * 2))


def _centre(mean: Floats, variance: Floats) -> tuple[float, float]:
    """The middle of the annotators and the variance between them beyond that of chance."""
    if len(mean) < 2:
        return 0.0, 0.0
    low, high = 0.0, float(np.var(mean)) * 4 + 1e-9
    for _ in range(60):
        between = (low + high) / 2
        weight = 1 / (variance + between)
        centre = float((weight * mean).sum() / weight.sum())
        too_small = float((weight * (mean - centre) ** 2).sum()) > len(mean) - 1
        low, high = (between, high) if too_small else (low, between)
    return centre, low


def tail(score: Floats) -> Floats:
    """Chance of a standard normal above `score`."""
    from scipy.special import ndtr

    return np.asarray(ndtr(-np.asarray(score, dtype=np.float64)))


def discoveries(chance: Floats, *, rate: float = 0.05) -> NDArray[np.bool_]:
    """Which of many tests hold, at most `rate` of them false (Benjamini and Hochberg 1995)."""
    if not len(chance):
        return np.zeros(0, dtype=bool)
    order = np.sort(chance)
    passed = np.flatnonzero(order <= rate * (np.arange(len(order)) + 1) / len(order))
    return np.asarray(chance <= order[passed[-1]]) if len(passed) else np.zeros(len(chance), dtype=bool)


def gold(ballots: Ballots, known: Ints | None) -> Gold:
    """Answers on known units; `known` is int64[units], an index into the labels, -1 where the truth is not known."""
    truth = np.full(ballots.units, -1) if known is None else np.asarray(known, dtype=np.int64)
    at = np.flatnonzero((truth[ballots.unit] >= 0) & (ballots.annotator >= 0))
    hit = ballots.label[at] == truth[ballots.unit[at]]
    size = len(ballots.annotators)
    asked = np.bincount(ballots.annotator[at], minlength=size)
    right = np.bincount(ballots.annotator[at[hit]], minlength=size)
    low, high = clopper_pearson(right, asked)
    return Gold(asked, right, low, high, at[~hit])


def clopper_pearson(right: NDArray[Any], asked: NDArray[Any]) -> tuple[Floats, Floats]:
    """Exact interval of a share, float64[k] twice; nan where nothing was asked. Doi 10.1093/biomet/26.4.404."""
    from scipy.special import betaincinv

    wrong, edge = asked - right, (1 - LEVEL) / 2
    low = np.where(right > 0, betaincinv(np.maximum(right, 1e-3), wrong + 1, edge), 0.0)
    high = np.where(wrong > 0, betaincinv(right + 1, np.maximum(wrong, 1e-3), 1 - edge), 1.0)
    return np.where(asked > 0, low, np.nan), np.where(asked > 0, high, np.nan)

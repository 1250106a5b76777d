"""Beliefs: what the ballots of all the others say about each ballot, its own left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MOST_DENSE = 10_000_000  # ballots x labels, and annotators x labels^2, up to which whole confusions are kept
_BLOCK = 100_000
_SMOOTHING = 8.0  # ballots per true label that the prior of an annotator's confusions counts for, as in `dawid_skene`
_SKILL_WEIGHT = 2.0
_FLOOR = 1e-9


@dataclass(frozen=True)
class Cells:
    """Which (unit, label) cell each ballot is in, and how full cells and units are.

    Attributes:
        of: int64[n], the cell of each ballot.
        unit, label: int64[cells].
        count: int64[cells], ballots in the cell.
        votes: int64[units], ballots on the unit.
    """

    of: Ints
    unit: Ints
    label: Ints
    count: Ints
    votes: Ints


@dataclass(frozen=True)
class Beliefs:
    """Per ballot, what all the other ballots say.

    Attributes:
        given: float64[n], 0..1, how likely the ballot's own label is the true one.
        stray: float64[n], how likely its label is as somebody's error: other labels may be true and lead to it.
        best: int64[n], the label that is most likely.
        sure: float64[n], 0..1, how likely that one is.
    """

    given: Floats
    stray: Floats
    best: Ints
    sure: Floats
    _model: _Whole | _Coin

    def predicted(self, ballot: Ints, other: Ints) -> tuple[Floats, Floats, Floats]:
        """How likely the annotator of `ballot` was to give the label of `other`, on the same unit.

        Known are all ballots there but `ballot` itself. Both are int64[m]; gives float64[m] three times: for that
        annotator, for an average one, and how likely that label is the true one.
        """
        return self._model.predicted(ballot, other)


def tally(code: Ints, size: int) -> tuple[Ints, Ints]:
    """The distinct codes (0..size-1), sorted, and how often each occurs: counted where that is cheap, else sorted."""
    if size > 8 * len(code) + 1_000_000:
        return np.unique(code, return_counts=True)
    count = np.bincount(code, minlength=size)
    found = np.flatnonzero(count)
    return found, count[found]


def places(code: Ints, wanted: Ints, size: int) -> Ints:
    """Where each of `wanted` stands in the distinct sorted codes (0..size-1) that hold them all."""
    if size > 8 * len(wanted) + 1_000_000:
        return np.asarray(np.searchsorted(code, wanted))
    at = np.zeros(size, dtype=np.int64)
    at[code] = np.arange(len(code))
    return at[wanted]


def cells_of(ballots: Ballots) -> Cells:
    """The cells of the ballots, in the order of (unit, label)."""
    classes = max(len(ballots.labels), 1)
    wanted = ballots.unit * classes + ballots.label
    code, count = tally(wanted, ballots.units * classes)
    of = places(code, wanted, ballots.units * classes)
    unit, label = np.divmod(code, classes)
    votes = np.bincount(ballots.unit, minlength=ballots.units)
    return Cells(of, unit, label, count, votes)


def beliefs_of(ballots: Ballots, cells: Cells, *, label: Ints, posterior: Floats, shares: Floats | None) -> Beliefs:
    """Leave-one-out beliefs under fixed confusions.

    `label`, `posterior` and, where known, `shares` (float64[units, labels]) are the truth that all ballots together
    tell: from it each annotator's confusions are taken, drawn towards everybody's. A ballot's own evidence is then left
    out of what its unit says, exactly. With many labels one accuracy per annotator stands for the confusions.
    """
    classes = len(ballots.labels)
    if len(ballots) and max(len(ballots), len(ballots.annotators) * classes, ballots.units) * classes <= MOST_DENSE:
        return _whole(ballots, _shares(ballots.units, classes, label, posterior, shares))
    return _coin(ballots, cells, label)


def _shares(units: int, classes: int, label: Ints, posterior: Floats, shares: Floats | None) -> Floats:
    if shares is not None:
        return np.asarray(shares, dtype=np.float64)
    rest = (1 - posterior) / max(classes - 1, 1)
    filled = np.repeat(rest[:, None], classes, axis=1)
    filled[np.arange(units), label] = posterior
    return filled


@dataclass(frozen=True)
class _Whole:
    """Confusions of every annotator, float64[annotators + 1, given, true], and beliefs float64[n, labels]."""

    who: Ints
    label: Ints
    confusion: Floats
    average: Floats
    belief: Floats

    def predicted(self, ballot: Ints, other: Ints) -> tuple[Floats, Floats, Floats]:
        mine, average = np.empty(len(ballot)), np.empty(len(ballot))
        for start in range(0, len(ballot), _BLOCK):
            part = slice(start, start + _BLOCK)
            belief, label = self.belief[ballot[part]], self.label[other[part]]
            mine[part] = np.einsum("nt,nt->n", belief, self.confusion[self.who[ballot[part]], label])
            average[part] = np.einsum("nt,nt->n", belief, self.average[label])
        return mine, average, self.belief[ballot, self.label[other]]


def _whole(ballots: Ballots, shares: Floats) -> Beliefs:
    from scipy import sparse

    classes, strangers = len(ballots.labels), len(ballots.annotators)
    who = np.where(ballots.annotator < 0, strangers, ballots.annotator)
    place = who * classes + ballots.label
    ones, shape = np.ones(len(ballots)), (ballots.units, (strangers + 1) * classes)
    table = sparse.csr_matrix((ones, (ballots.unit, place)), shape=shape)
    confusion, average = _confusions(np.asarray(table.T @ shares).reshape(-1, classes, classes))
    logs = np.log(confusion).reshape(-1, classes)
    evidence = np.asarray(table @ logs)
    prior = np.log(0.5 * shares.mean(axis=0) + 0.5 / classes)

    blocks = [slice(start, start + _BLOCK) for start in range(0, len(ballots), _BLOCK)]
    belief = np.concatenate([_belief(evidence[ballots.unit[one]] - logs[place[one]] + prior) for one in blocks])
    errors = average * (1 - np.eye(classes)) + _FLOOR
    errors = errors / errors.sum(axis=0)
    np.fill_diagonal(errors, 0.0)
    best = (belief >= belief.max(axis=1, keepdims=True) - _FLOOR).argmax(axis=1)
    given = belief[np.arange(len(ballots)), ballots.label]
    stray = np.einsum("nt,nt->n", belief, errors[ballots.label])
    return Beliefs(
        given=given, stray=stray, best=best, sure=belief.max(axis=1),
        _model=_Whole(who, ballots.label, confusion, average, belief),
    )  # fmt: skip


def _belief(evidence: Floats) -> Floats:
    """Probability of each label from its log-likelihood, up to a constant: float64[k, labels]."""
    others = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    return np.asarray(others / others.sum(axis=1, keepdims=True))


def _confusions(counts: Floats) -> tuple[Floats, Floats]:
    """Probability of each label given a true one: per annotator float64[annotators, given, true], and on average."""
    classes = counts.shape[1]
    same, total = np.eye(classes), counts.sum(axis=0)
    general = float(np.trace(total) / max(total.sum(), 1.0))
    average = total + general * same + (1 - general) / classes
    average = average / average.sum(axis=0)
    errors = average * (1 - same) + _FLOOR
    errors = errors / errors.sum(axis=0)
    right = np.trace(counts, axis1=1, axis2=2)
    skill = (right + _SKILL_WEIGHT * general) / (counts.sum(axis=(1, 2)) + _SKILL_WEIGHT)
    confusion = counts + _SMOOTHING * (skill[:, None, None] * same + (1 - skill)[:, None, None] * errors) + _FLOOR
    return np.asarray(confusion / confusion.sum(axis=1, keepdims=True)), np.asarray(average)


@dataclass(frozen=True)
class _Coin:
    """One accuracy per annotator: evidence of every cell and unit, sparse."""

    ballots: Ballots
    cells: Cells
    accuracy: Floats
    general: float
    weight: Floats
    evidence: Floats
    scale: Floats
    habits: _Habits

    def predicted(self, ballot: Ints, other: Ints) -> tuple[Floats, Floats, Floats]:
        cell, own = self.cells.of[other], self.weight[ballot]
        evidence = self.evidence[cell] - np.where(self.cells.of[ballot] == cell, own, 0.0)
        belief = np.exp(np.minimum(evidence - self.scale[ballot], 0.0))
        wrong = (1 - belief) / max(len(self.ballots.labels) - 1, 1)
        skill = self.accuracy[self.ballots.annotator[ballot]]
        habit, heed = self.habits.of(self.ballots.annotator[ballot], self.ballots.label[other])
        average = belief * self.general + wrong * (1 - self.general)
        return np.maximum(belief * skill + wrong * (1 - skill), belief * heed + habit * (1 - heed)), average, belief


@dataclass(frozen=True)
class _Habits:
    """How often each annotator gives each label, and how much of that heeds the unit: what kappa measures."""

    code: Ints
    share: Floats
    heed: Floats
    classes: int

    def of(self, who: Ints, label: Ints) -> tuple[Floats, Floats]:
        wanted = who * self.classes + label
        place = np.minimum(np.searchsorted(self.code, wanted), len(self.code) - 1)
        return np.where(self.code[place] == wanted, self.share[place], 0.0), self.heed[who]


def _habits(who: Ints, label: Ints, true: Ints, *, accuracy: Floats, classes: int) -> _Habits:
    size = np.maximum(np.bincount(who, minlength=len(accuracy)), 1)
    code, count = tally(who * classes + label, len(accuracy) * classes)
    due, often = tally(who * classes + true, len(accuracy) * classes)
    _, at, to = np.intersect1d(code, due, assume_unique=True, return_indices=True)
    met = np.bincount(code[at] // classes, weights=count[at].astype(np.float64) * often[to], minlength=len(accuracy))
    chance = met / size**2
    heed = np.clip((accuracy - chance) / np.maximum(1 - chance, 1e-9), 0.0, 1.0)
    return _Habits(code, count / size[code // classes], np.where(chance < 1, heed, 0.0), classes)


def _coin(ballots: Ballots, cells: Cells, label: Ints) -> Beliefs:
    classes, strangers = len(ballots.labels), len(ballots.annotators)
    who = np.where(ballots.annotator < 0, strangers, ballots.annotator)
    agreed = ballots.label == label[ballots.unit]
    general = float((agreed.sum() + 1) / (len(ballots) + 2))
    size = np.bincount(who, minlength=strangers + 1)
    right = np.bincount(who, weights=agreed, minlength=strangers + 1)
    accuracy = np.clip((right + _SMOOTHING * general) / (size + _SMOOTHING), 0.01, 0.99)
    weight = np.log(accuracy * max(classes - 1, 1) / (1 - accuracy))[who]
    evidence = np.bincount(cells.of, weights=weight, minlength=len(cells.unit)).astype(np.float64)
    scale = _scale(ballots, cells, evidence, weight)
    given = np.exp(np.minimum(evidence[cells.of] - weight - scale, 0.0))
    best, sure = _best(ballots, cells, evidence, given, scale)
    habits = _habits(who, ballots.label, label[ballots.unit], accuracy=accuracy, classes=max(classes, 1))
    return Beliefs(
        given=given, stray=(1 - given) / max(classes - 1, 1), best=best, sure=sure,
        _model=_Coin(ballots, cells, accuracy, general, weight, evidence, scale, habits),
    )  # fmt: skip


def _scale(ballots: Ballots, cells: Cells, evidence: Floats, weight: Floats) -> Floats:
    """Logarithm of what the evidences of all labels of the unit sum to, without the ballot's own: float64[n]."""
    top = np.zeros(ballots.units)
    np.maximum.at(top, cells.unit, evidence)
    unvoted = len(ballots.labels) - np.bincount(cells.unit, minlength=ballots.units)
    total = np.bincount(cells.unit, weights=np.exp(evidence - top[cells.unit]), minlength=ballots.units).astype(
        np.float64
    )
    total += unvoted * np.exp(-top)
    own, base = evidence[cells.of], top[ballots.unit]
    left = total[ballots.unit] - np.exp(own - base)
    left = np.where(left < 1e-9, np.exp(-base) * np.maximum(unvoted[ballots.unit], 1e-9), left)
    return np.asarray(np.log(left + np.exp(own - weight - base)) + base)


def _best(ballots: Ballots, cells: Cells, evidence: Floats, given: Floats, scale: Floats) -> tuple[Ints, Floats]:
    """The likeliest label without the own ballot: it is the own one, or the best of the other cells."""
    order = np.lexsort((cells.label, -evidence, cells.unit))
    first = order[np.flatnonzero(np.diff(cells.unit[order], prepend=-1))]
    second = np.full(ballots.units, -1)
    later = np.flatnonzero(np.diff(cells.unit[order], prepend=-1) == 0)
    later = later[np.diff(cells.unit[order][later], prepend=-1) != 0]
    second[cells.unit[order[later]]] = order[later]
    top = first[ballots.unit]
    rival = np.where(top == cells.of, second[ballots.unit], top)
    chance = np.where(rival >= 0, np.exp(np.minimum(evidence[rival] - scale, 0.0)), 0.0)
    mine = (given > chance + _FLOOR) | (rival < 0)
    return np.where(mine, ballots.label, cells.label[rival]), np.where(mine, given, chance)

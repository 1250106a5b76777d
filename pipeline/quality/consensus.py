"""Consensus: one label per unit out of several annotators' ballots, with how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]

MOST_CELLS = 100_000_000
_TIE = 1e-9
_FLOOR = 1e-12  # no confusion is impossible, so that no logarithm is infinite
_SPREADS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, np.inf)
_SPREAD_ROUNDS = 5  # the spread is chosen anew in the first rounds, then held, so that the rounds converge
_SKILL_WEIGHT = 2.0  # ballots that the general accuracy counts for in an annotator's own


@dataclass(frozen=True)
class Truth:
    """What the ballots say, one entry per unit.

    Attributes:
        label: int64[units], an index into the labels of the ballots.
        posterior: float64[units], 0..1, how sure `label` is (share of votes for `majority`).
        tie: bool[units], another label is as likely; `label` is then the lowest index of them.
        votes: int64[units], ballots on the unit.
        method: "majority" or "dawid-skene".
        iterations: rounds of expectation maximisation (0 for `majority`).
        converged: whether the last round changed no posterior by more than the tolerance.
    """

    label: NDArray[np.int64]
    posterior: Floats
    tie: NDArray[np.bool_]
    votes: NDArray[np.int64]
    method: str
    iterations: int = 0
    converged: bool = True


def majority(ballots: Ballots) -> Truth:
    """The label with most ballots, every annotator counting the same; memory grows with the ballots only."""
    classes = max(len(ballots.labels), 1)
    cells, count = np.unique(ballots.unit * classes + ballots.label, return_counts=True)
    unit, label = np.divmod(cells, classes)
    order = np.lexsort((label, -count, unit))
    unit, label, count = unit[order], label[order], count[order]
    first = np.flatnonzero(np.diff(unit, prepend=-1))
    votes = np.bincount(ballots.unit, minlength=ballots.units)
    tie = np.zeros(ballots.units, dtype=bool)
    later = np.setdiff1d(np.arange(len(unit)), first)
    top = count[first]
    tie[unit[later[count[later] == top[unit[later]]]]] = True
    return Truth(label[first], top / votes, tie, votes, "majority")


def dawid_skene(
    ballots: Ballots,
    *,
    pooled: Floats | None = None,
    smoothing: float = 8.0,
    iterations: int = 100,
    tolerance: float = 1e-4,
) -> Truth:
    """Most likely label of every unit when annotators differ in how, and how often, they confuse labels.

    Expectation maximisation over a confusion matrix per annotator. Each matrix is drawn towards a prior as if the
    annotator had given `smoothing` more ballots per true label: the annotator's own overall accuracy on the diagonal
    (itself drawn towards everybody's) and the errors that all annotators together make beside it. So an annotator with
    few labels is taken for an average one, a single ballot never gets certainty it has not earned, and no posterior is
    nan. Labels' shares are drawn half way to even ones, or rare labels would vanish.

    Anonymous ballots share one confusion matrix, that of all together drawn half way to plain accuracy. As people err
    alike on the same hard unit, their ballots count for less than as many independent ones would, or two dozen of them,
    evenly split, would look certain: they are Dirichlet-multinomial, with the likeliest spread.

    `pooled` is float64[true, given], the confusions of all annotators if known beforehand (rows are scaled to sum 1).
    Memory: units x labels and annotators x labels^2 floats, a few of each.
    Method: Dawid and Skene 1979, doi 10.2307/2346806; pooling as in Paun et al. 2018, doi 10.1162/tacl_a_00040.

    Raises:
        AssayError: the posteriors or the confusions would hold more than `MOST_CELLS` numbers.
    """
    classes = len(ballots.labels)
    known = None if pooled is None else _given_pooled(pooled, classes)
    votes = np.bincount(ballots.unit, minlength=ballots.units)
    if not len(ballots):
        return Truth(votes, votes.astype(np.float64), votes.astype(bool), votes, "dawid-skene")
    table = _table(ballots)
    named, strangers = table[:, :-classes], _strangers(table, classes)
    posterior = _vote_shares(ballots)
    done, change, spread = 0, np.inf, np.inf
    while done < iterations and change > tolerance:
        confusions = _confusions(table.T @ posterior, classes, smoothing=smoothing, known=known)
        shares = 0.5 * posterior.mean(axis=0) + 0.5 / classes
        evidence = named @ np.log(confusions[:-1]).reshape(-1, classes) + np.log(shares)
        if strangers is not None and done < _SPREAD_ROUNDS:
            spread = _likeliest_spread(evidence, strangers, confusions[-1])
        if strangers is not None:
            evidence += _strangers_evidence(strangers, confusions[-1], spread)
        fresh = _posteriors(evidence)
        change = float(np.abs(fresh - posterior).max())
        posterior, done = fresh, done + 1
    return _settled(posterior, votes, done, change <= tolerance)


def _table(ballots: Ballots) -> Any:
    """How often each (annotator, label) was given to each unit: sparse float64[units, annotators * labels].

    The anonymous ballots stand last, as one annotator.
    """
    from scipy import sparse

    classes, annotators = len(ballots.labels), len(ballots.annotators) + 1
    sizes = {"units x labels": ballots.units * classes, "annotators x labels^2": annotators * classes**2}
    for what, cells in sizes.items():
        if cells > MOST_CELLS:
            raise AssayError("consensus", f"{what} are {cells:,} numbers, more than {MOST_CELLS:,}", "use majority")
    annotator = np.where(ballots.annotator < 0, annotators - 1, ballots.annotator)
    place = (ballots.unit, annotator * classes + ballots.label)
    return sparse.csr_matrix((np.ones(len(ballots)), place), shape=(ballots.units, annotators * classes))


def _vote_shares(ballots: Ballots) -> Floats:
    classes = len(ballots.labels)
    counts = np.bincount(ballots.unit * classes + ballots.label, minlength=ballots.units * classes)
    shares = counts.reshape(ballots.units, classes).astype(np.float64)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _given_pooled(pooled: Floats, classes: int) -> Floats:
    matrix = np.asarray(pooled, dtype=np.float64)
    if matrix.shape != (classes, classes) or (matrix < 0).any() or not (matrix.sum(axis=1) > 0).all():
        problem = f"pooled confusions of shape {matrix.shape}"
        raise AssayError("consensus", problem, f"give {classes} x {classes} shares, no row empty")
    return np.asarray(matrix.T / matrix.sum(axis=1))


def _confusions(counts: Floats, classes: int, *, smoothing: float, known: Floats | None) -> Floats:
    """Probability of each label given a true one: float64[annotators, given, true], each true label summing to 1."""
    counts = np.asarray(counts).reshape(-1, classes, classes)
    total, same = counts.sum(axis=0), np.eye(classes)
    general = float(np.trace(total) / total.sum())
    pooled = total + general * same + (1 - general) / classes
    pooled = pooled / pooled.sum(axis=0) if known is None else known
    errors = pooled * (1 - same) + _FLOOR
    errors /= errors.sum(axis=0)
    right = np.trace(counts, axis1=1, axis2=2)
    skill = (right + _SKILL_WEIGHT * general) / (counts.sum(axis=(1, 2)) + _SKILL_WEIGHT)
    prior = skill[:, None, None] * same + (1 - skill)[:, None, None] * errors
    confusions = counts + smoothing * prior + _FLOOR
    confusions /= confusions.sum(axis=1, keepdims=True)
    # Nobody knows who the anonymous are, and one matrix alone follows chance too far: half of it is accuracy only.
    even = general * same + (1 - general) * (1 - same) / max(classes - 1, 1)
    confusions[-1] = (pooled + even) / 2 + _FLOOR if known is None else pooled + _FLOOR
    return np.asarray(confusions)


def _strangers(table: Any, classes: int) -> Floats | None:
    """How often each label was given to each unit by the anonymous: float64[units, labels]; None if there are none."""
    counts = table[:, -classes:].toarray()
    return counts if counts.any() else None


def _likeliest_spread(evidence: Floats, counts: Floats, confusion: Floats) -> float:
    """The spread of `_SPREADS` under which the ballots of the anonymous are likeliest, all labels considered."""
    likelihood = [
        float(np.logaddexp.reduce(evidence + _strangers_evidence(counts, confusion, spread), axis=1).sum())
        for spread in _SPREADS
    ]
    return _SPREADS[int(np.argmax(likelihood))]


def _strangers_evidence(counts: Floats, confusion: Floats, spread: float) -> Floats:
    """Log-likelihood of the anonymous ballots on each unit given each true label: float64[units, labels].

    Dirichlet-multinomial with mean `confusion` (float64[given, true]) and concentration `spread`: infinite is
    independent ballots, small is ballots that go together on each unit.
    """
    if np.isinf(spread):
        return np.asarray(counts @ np.log(confusion))
    from scipy.special import gammaln

    weights = spread * confusion / confusion.sum(axis=0)
    columns = [
        (gammaln(counts + weights[:, true]) - gammaln(weights[:, true])).sum(axis=1)
        for true in range(confusion.shape[1])
    ]
    total = gammaln(spread) - gammaln(counts.sum(axis=1) + spread)
    return np.asarray(np.stack(columns, axis=1) + total[:, None])


def _posteriors(evidence: Floats) -> Floats:
    """Probability of each label per unit from its log-likelihood, up to a constant: float64[units, labels]."""
    evidence -= evidence.max(axis=1, keepdims=True)
    np.exp(evidence, out=evidence)
    evidence /= evidence.sum(axis=1, keepdims=True)
    return np.asarray(evidence)


def _settled(posterior: Floats, votes: NDArray[np.int64], iterations: int, converged: bool) -> Truth:
    best = posterior.max(axis=1)
    close = posterior >= best[:, None] - _TIE
    # The first close one, so that rounding does not choose between equals.
    label = close.argmax(axis=1).astype(np.int64)
    return Truth(label, best, close.sum(axis=1) > 1, votes, "dawid-skene", iterations, converged)

"""Dawid-Skene: every annotator confuses labels in a way of their own, drawn towards how all confuse them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.consensus.maximise import maximise
from pipeline.quality.consensus.one_coin import drawn_to, errors_of, general_skill, pooled
from pipeline.quality.consensus.table import FLOOR, Fit, table_of, truth_of
from pipeline.quality.consensus.truth import settled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.table import Rates, Table
    from pipeline.quality.consensus.truth import Truth

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SMOOTHING = 8.0  # ballots per true label that the prior counts for; 2 to 32 give the same within half a point


def dawid_skene(
    ballots: Ballots,
    *,
    pooled: Floats | None = None,
    smoothing: float = SMOOTHING,
    iterations: int = 100,
    tolerance: float = 1e-4,
    known: Ints | None = None,
    rates: Rates = "drawn",
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

    `pooled` is float64[true, given], the confusions of all annotators if known beforehand (rows are scaled to sum 1);
    `known` and `rates` as in `choose`. Memory: units x labels and annotators x labels^2 floats, a few of each.
    Method: Dawid and Skene 1979, doi 10.2307/2346806; pooling as in Paun et al. 2018, doi 10.1162/tacl_a_00040.

    Raises:
        AssayError: the posteriors or the confusions would hold more than `MOST_CELLS` numbers, or `pooled` or `known`
            has another shape than the ballots ask for.
    """
    given = None if pooled is None else _given_pooled(pooled, len(ballots.labels))
    if not len(ballots):
        votes = np.bincount(ballots.unit, minlength=ballots.units)
        return settled(np.zeros((ballots.units, max(len(ballots.labels), 1))), votes, "dawid-skene")
    table = table_of(ballots, known=known, rates=rates)
    fit = fit_dawid_skene(table, pooled=given, smoothing=smoothing, iterations=iterations, tolerance=tolerance)
    return truth_of(fit, table, "dawid-skene")


def fit_dawid_skene(
    table: Table,
    *,
    pooled: Floats | None = None,
    smoothing: float = SMOOTHING,
    iterations: int = 100,
    tolerance: float = 1e-4,
) -> Fit:
    """A confusion matrix per annotator; `pooled` is float64[given, true] here."""

    def confusions(counts: Floats, _: Table) -> tuple[Floats, Floats]:
        mean = smoothed(counts, smoothing=smoothing, general=pooled)
        return np.log(mean), mean

    return maximise(table, confusions, dependent=True, iterations=iterations, tolerance=tolerance)


def smoothed(counts: Floats, *, smoothing: float, general: Floats | None = None) -> Floats:
    """Probability of each label given a true one: float64[annotators, given, true], each true label summing to 1.

    `general` is the confusions of all, float64[given, true], if they are known.
    """
    every = pooled(counts) if general is None else general
    mean = counts + smoothing * drawn_to(counts, errors_of(every)) + FLOOR
    mean /= mean.sum(axis=1, keepdims=True)
    # Nobody knows who the anonymous are, and one matrix alone follows chance too far: half of it is accuracy only.
    right, same = general_skill(counts), np.eye(counts.shape[1])
    even = right * same + (1 - right) * (1 - same) / max(counts.shape[1] - 1, 1)
    mean[-1] = (every + even) / 2 + FLOOR if general is None else every + FLOOR
    return np.asarray(mean)


def _given_pooled(matrix: Floats, classes: int) -> Floats:
    shares = np.asarray(matrix, dtype=np.float64)
    if shares.shape != (classes, classes) or (shares < 0).any() or not (shares.sum(axis=1) > 0).all():
        problem = f"pooled confusions of shape {shares.shape}"
        raise AssayError("consensus", problem, f"give {classes} x {classes} shares, no row empty")
    return np.asarray(shares.T / shares.sum(axis=1))

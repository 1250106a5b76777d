"""One coin per annotator: how often each is right; errors fall evenly, or as everybody's errors fall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.consensus.maximise import maximise
from pipeline.quality.consensus.table import FLOOR, Fit, table_of, truth_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.table import Rates, Table
    from pipeline.quality.consensus.truth import Truth

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_SKILL_WEIGHT = 2.0  # ballots that the general accuracy counts for in an annotator's own
_LEAST = 1e-6


def one_coin(ballots: Ballots, *, known: Ints | None = None, rates: Rates = "drawn") -> Truth:
    """Most likely label when annotators differ in how often they are right, all errors being equally likely.

    An annotator's accuracy is drawn towards the general one as if that were 2 more ballots. `known` and `rates` as
    in `choose`. Method: the homogeneous Dawid-Skene model, as in Li, Yu and Zhou 2013.
    """
    table = table_of(ballots, known=known, rates=rates)
    return truth_of(fit_coin(table), table, "one-coin")


def shared_errors(ballots: Ballots, *, known: Ints | None = None, rates: Rates = "drawn") -> Truth:
    """As `one_coin`, but errors fall where everybody's together fall: people take the same label for another."""
    table = table_of(ballots, known=known, rates=rates)
    return truth_of(fit_shared_errors(table), table, "shared-errors")


def fit_coin(table: Table, *, iterations: int = 100) -> Fit:
    """One accuracy per annotator."""
    return maximise(table, coin, iterations=iterations)


def fit_shared_errors(table: Table, *, iterations: int = 100) -> Fit:
    """One accuracy per annotator, and the errors of all."""
    return maximise(table, coin_and_errors, iterations=iterations)


def coin(counts: Floats, table: Table) -> tuple[Floats, Floats]:
    """Log and mean of how each annotator confuses labels: float64[annotators, given, true]."""
    right = skills(counts)[:, None, None]
    same = np.eye(table.classes)
    mean = right * same + (1 - right) / max(table.classes - 1, 1) * (1 - same)
    return np.log(mean), mean


def coin_and_errors(counts: Floats, table: Table) -> tuple[Floats, Floats]:
    """As `coin`, with the errors that all annotators together make."""
    mean = drawn_to(counts, pooled_errors(counts))
    mean /= mean.sum(axis=1, keepdims=True)
    return np.log(mean), mean


def drawn_to(counts: Floats, errors: Floats) -> Floats:
    """Each annotator's accuracy on the diagonal, `errors` (float64[given, true]) beside it."""
    right = skills(counts)[:, None, None]
    return np.asarray(right * np.eye(counts.shape[1]) + (1 - right) * errors + FLOOR)


def general_skill(counts: Floats) -> float:
    """How often all annotators together are right, 0..1."""
    total = counts.sum(axis=0)
    return float(np.trace(total) / max(total.sum(), FLOOR))


def skills(counts: Floats) -> Floats:
    """How often each annotator is right, drawn towards the general share: float64[annotators]."""
    right, given = np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))
    own = (right + _SKILL_WEIGHT * general_skill(counts)) / (given + _SKILL_WEIGHT)
    return np.asarray(np.clip(own, _LEAST, 1 - _LEAST))


def pooled(counts: Floats) -> Floats:
    """How all annotators together confuse labels: float64[given, true], each true label summing to 1."""
    total, same, general = counts.sum(axis=0), np.eye(counts.shape[1]), general_skill(counts)
    matrix = total + general * same + (1 - general) / counts.shape[1]
    return np.asarray(matrix / matrix.sum(axis=0))


def pooled_errors(counts: Floats) -> Floats:
    """Which label is given when all annotators together err: float64[given, true], each true label summing to 1."""
    return errors_of(pooled(counts))


def errors_of(matrix: Floats) -> Floats:
    """The confusions (float64[given, true]) without their diagonal, each true label summing to 1 again."""
    errors = matrix * (1 - np.eye(len(matrix))) + FLOOR
    return np.asarray(errors / errors.sum(axis=0))

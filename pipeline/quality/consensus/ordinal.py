"""Ordinal labels: errors fall near the truth, and the median of the posterior errs least."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.consensus.dawid_skene import SMOOTHING
from pipeline.quality.consensus.maximise import maximise
from pipeline.quality.consensus.one_coin import drawn_to, errors_of
from pipeline.quality.consensus.table import FLOOR, Fit, table_of
from pipeline.quality.consensus.truth import median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.table import Rates, Table
    from pipeline.quality.consensus.truth import Truth

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# Widths of the fall-off that are tried, in mean steps of the scale; infinite is errors without order.
_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0, np.inf)


def ordinal(ballots: Ballots, values: Floats, *, known: Ints | None = None, rates: Rates = "drawn") -> Truth:
    """Labels with ranks `values` (float[labels]): smoothed confusions with errors that fall off with distance.

    As `dawid_skene`, but an annotator's matrix is drawn towards errors that are the rarer the further from the truth
    they lie; how quickly they fall off is fitted. The label is the posterior's median.
    `known` and `rates` as in `choose`.
    """
    table = table_of(ballots, known=known, rates=rates)
    fit = fit_ordinal(table, values=values)
    return median(fit.shares(table.classes), values, table.votes, "ordinal")


def fit_ordinal(table: Table, *, values: Floats, iterations: int = 100) -> Fit:
    """A confusion matrix per annotator, drawn towards errors near the truth."""
    kernels = [_kernel(values, width) for width in _WIDTHS]

    def confusions(counts: Floats, _: Table) -> tuple[Floats, Floats]:
        errors = counts.sum(axis=0) * (1 - np.eye(table.classes))
        fits = [float((errors * np.log(kernel)).sum()) for kernel in kernels]
        kernel = kernels[int(np.argmax(fits))]
        mean = counts + SMOOTHING * drawn_to(counts, kernel) + FLOOR
        mean /= mean.sum(axis=1, keepdims=True)
        return np.log(mean), mean

    return maximise(table, confusions, iterations=iterations)


def _kernel(values: Floats, width: float) -> Floats:
    """How errors fall, float64[given, true], each true label summing to 1 without its own place."""
    distance = np.abs(np.subtract.outer(values, values)).astype(np.float64)
    step = max(float(np.ptp(values)) / max(len(values) - 1, 1), FLOOR)
    return errors_of(np.exp(-distance / (width * step)) + FLOOR)

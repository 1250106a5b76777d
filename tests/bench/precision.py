"""Precision of a list of suspects: on average over all that are wrong, and among its first 100."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def at_top(wrong: NDArray[np.bool_], score: NDArray[np.float64]) -> tuple[float, float]:
    """Average precision, and precision among the first 100; of equal scores the first rows come first."""
    from sklearn.metrics import average_precision_score

    first = np.argsort(-score, kind="stable")[:100]
    return float(average_precision_score(wrong, score)), float(wrong[first].mean())


def figures(wrong: NDArray[np.bool_], score: NDArray[np.float64]) -> str:
    """Both, as the tables show them: average precision / precision at 100."""
    average, first = at_top(wrong, score)
    return f"{average:.3f}/{first:.2f}"

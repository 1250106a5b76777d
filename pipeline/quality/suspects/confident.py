"""Confident learning: which labels out-of-fold probabilities speak against, and how many are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Probabilities = NDArray[np.float64] | NDArray[np.float32]


@dataclass(frozen=True)
class Suspicion:
    """How much each label looks wrong, one entry per row.

    Attributes:
        score: float64[n], 0 (surely right) to 1 (surely wrong); nan where no model could be asked.
        rank: int64[n], 0 for the most suspicious row; rows that could not be asked stand last.
        flagged: bool[n], the model is confident of another label (confident joint).
        likely: int64[n], the label that the model finds likeliest; -1 where it could not be asked.
    """

    score: Floats
    rank: Ints
    flagged: NDArray[np.bool_]
    likely: Ints


def suspicion(probabilities: Probabilities, labels: Ints) -> Suspicion:
    """Rank labels by self-confidence and flag those off the diagonal of the confident joint.

    The score is 1 - p(given); equal scores are ranked by the margin to the likeliest other label.
    A row is flagged when the model gives another label at least the mean probability that rows of that label get
    for it.
    `probabilities`: float[n, classes], out of fold; `labels`: int64[n].
    Method: Northcutt, Jiang and Chuang 2021, doi 10.1613/jair.1.12125.
    """
    label = np.asarray(labels, dtype=np.int64)
    known, asked = _known(probabilities)
    given = known[np.arange(len(label)), label]
    others = known.copy()
    others[np.arange(len(label)), label] = 0.0
    score = np.where(asked, np.clip(1.0 - given, 0.0, 1.0), np.nan)
    sure = _confident(known, label, asked)
    rank = np.empty(len(label), dtype=np.int64)
    rank[np.lexsort((-others.max(axis=1, initial=0.0), np.where(asked, -score, np.inf)))] = np.arange(len(label))
    likely = np.where(asked, known.argmax(axis=1) if known.shape[1] else -1, -1)
    return Suspicion(score, rank, asked & (sure >= 0) & (sure != label), likely.astype(np.int64))


def margins(probabilities: Probabilities, labels: Ints) -> Floats:
    """Normalised margin, -1 (the model is sure of another label) to 1 (sure of the given one): float64[n], or nan.

    p(given) - the highest p of another label.
    """
    label = np.asarray(labels, dtype=np.int64)
    others = np.array(probabilities, dtype=np.float64)
    given = others[np.arange(len(label)), label]
    others[np.arange(len(label)), label] = -1.0
    return np.asarray(given - others.max(axis=1, initial=-1.0)) if len(label) else np.zeros(0)


def confident_joint(probabilities: Probabilities, labels: Ints) -> Ints:
    """How many rows of each given label (first axis) the model is confident are of each label: int64[classes, classes].

    A label is confident where it gets at least the mean probability that its own rows get; the likeliest of them
    counts. Rows with none, and rows that could not be asked (nan), count nowhere.
    """
    label = np.asarray(labels, dtype=np.int64)
    known, asked = _known(probabilities)
    sure = _confident(known, label, asked)
    counted = sure >= 0
    joint = np.zeros((known.shape[1], known.shape[1]), dtype=np.int64)
    np.add.at(joint, (label[counted], sure[counted]), 1)
    return joint


def calibrated_joint(joint: Ints, counts: Ints) -> Floats:
    """The confident joint scaled so that each given label has its `counts` rows, as shares: float64[classes, classes].

    A label of which no row is counted stands on the diagonal.
    """
    filled = joint.astype(np.float64)
    empty = filled.sum(axis=1) == 0
    filled[empty, empty] = 1.0
    filled *= (counts / np.maximum(filled.sum(axis=1), 1e-300))[:, None]
    return np.asarray(filled / max(float(filled.sum()), 1e-300))


def error_rate(joint: Ints, counts: Ints) -> float:
    """Share of wrong labels by confident learning: what of the calibrated joint is off its diagonal; or nan."""
    return float(1 - np.trace(calibrated_joint(joint, counts))) if counts.sum() else float("nan")


def _known(probabilities: Probabilities) -> tuple[Floats, NDArray[np.bool_]]:
    asked: NDArray[np.bool_] = np.asarray(np.isfinite(probabilities).all(axis=1))
    return np.where(asked[:, None], probabilities, 0.0).astype(np.float64), asked


def _confident(known: Floats, label: Ints, asked: NDArray[np.bool_]) -> Ints:
    """The likeliest of the labels that reach their threshold, -1 where none does: int64[n]."""
    classes = known.shape[1]
    count = np.bincount(label[asked], minlength=classes)
    total = np.bincount(label[asked], weights=known[asked, label[asked]], minlength=classes)
    # A label that no row has can be reached by none.
    threshold = np.where(count > 0, total / np.maximum(count, 1), np.inf)
    reached = np.where(known >= threshold, known, -1.0)
    best = reached.argmax(axis=1) if classes else -1
    return np.asarray(np.where(asked & (reached.max(axis=1, initial=-1.0) >= 0), best, -1))

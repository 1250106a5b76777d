"""Joining: several signals against an answer made one probability that it is wrong, without any truth to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.signals import Signals

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_ROUNDS = 12
_RIDGE = 1e-2
_FARTHEST = 8.0  # standard deviations: one wild value must not rule the fit


@dataclass(frozen=True)
class Joined:
    """What all signals together say.

    Attributes:
        wrong: float64[n], 0..1, the probability that each part is wrong.
        rate: the share of parts that are wrong, estimated.
        weights: how much a standard deviation of each signal adds to the log-odds, by name.
    """

    wrong: Floats
    rate: float
    weights: dict[str, float]


def join(signals: Signals, *, rate: float | None = None) -> Joined:
    """Learn what wrong answers look like from answers that nobody gave.

    The signals of answers that were not given (`flipped`, wrong by construction) are told from those of answers that
    were (`actual`, some of them wrong) by a logistic regression whose weights cannot be negative: no signal that speaks
    against an answer may speak for it. The given answers are a mixture; in every round each counts as right as
    much as it seems to be, and the share of wrong ones is what they add up to, unless a `rate` is given.
    Method: positive-unlabelled learning by expectation maximisation, as in Elkan and Noto 2008,
    doi 10.1145/1401890.1401920, the positives being made.
    """
    values, middle, scale = _scaled(signals.actual, signals.flipped)
    flipped = _placed(signals.flipped, middle, scale)
    counted = np.ones(len(flipped)) if signals.flipped_weight is None else signals.flipped_weight
    counted = counted / max(counted.sum(), 1e-12)
    share = 0.05 if rate is None else rate
    wrong = np.full(len(values), share)
    added = np.zeros(len(values)) if signals.added is None else signals.added
    theta = np.zeros(values.shape[1] + 1)
    for _ in range(_ROUNDS if len(values) else 0):
        right = (1 - wrong) / max((1 - wrong).sum(), 1e-12)
        theta = _fitted(values, right, flipped, counted, theta)
        odds = np.exp(np.clip(_said(values, theta) + added, -30, 30)) * share / (1 - share)
        wrong = odds / (1 + odds)
        share = float(np.clip(wrong.mean(), 1e-4, 0.5)) if rate is None else rate
    return Joined(wrong, share, dict(zip(signals.names, theta[1:].tolist(), strict=True)))


def _scaled(actual: Floats, flipped: Floats) -> tuple[Floats, Floats, Floats]:
    """The signals around 0 with a spread of 1 over given and other answers alike; what was not asked says nothing."""
    whole = np.concatenate([actual, flipped])
    known = np.isfinite(whole)
    count = np.maximum(known.sum(axis=0), 1)
    middle = np.where(known, whole, 0).sum(axis=0) / count
    scale = np.sqrt(np.where(known, (whole - middle) ** 2, 0).sum(axis=0) / count)
    scale = np.where(scale > 0, scale, 1.0)
    return _placed(actual, middle, scale), middle, scale


def _placed(values: Floats, middle: Floats, scale: Floats) -> Floats:
    return np.asarray(np.clip(np.nan_to_num((values - middle) / scale, nan=0.0), -_FARTHEST, _FARTHEST))


def _said(values: Floats, theta: Floats) -> Floats:
    return np.asarray(theta[0] + values @ theta[1:])


def _fitted(actual: Floats, right: Floats, flipped: Floats, counted: Floats, start: Floats) -> Floats:
    """The weights of a logistic regression of other answers (1) against given ones (0); both sides weigh the same."""
    from scipy.optimize import minimize

    def loss(theta: Floats) -> tuple[float, Floats]:
        no, yes = _said(actual, theta), _said(flipped, theta)
        value = right @ np.logaddexp(0, no) + counted @ np.logaddexp(0, -yes) + _RIDGE * theta[1:] @ theta[1:] / 2
        push = right / (1 + np.exp(-np.clip(no, -30, 30)))
        pull = counted / (1 + np.exp(np.clip(yes, -30, 30)))
        slope = np.concatenate([[push.sum() - pull.sum()], actual.T @ push - flipped.T @ pull + _RIDGE * theta[1:]])
        return float(value), slope

    bounds = [(None, None), *[(0, None)] * (len(start) - 1)]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 50}).x)

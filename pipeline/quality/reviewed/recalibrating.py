"""Recalibrating: how probable errors really are, from the scores that a list gives and what people confirmed of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.chance import draw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

DRAWS = 1000
_NODES = np.linspace(-8.0, 7.0, 61)
"""Log odds at which the recalibration is known; a score counts at the nearest."""
_MIDDLE = -2.0
"""Where the log odds of most suspects are: levels and slopes are told from here."""
LEVEL, SLOPE, BEND, REACH = 1.0, 0.3, 0.4, 2.0
"""How far off scores may be before anybody has looked, as standard deviations of log odds: all alike, by each unit of
log odds, and bends that reach so far.

Log odds that are all off by 1 make 0.7 % or 5 % of 2 %.
"""
_ROUNDS = 60


@dataclass(frozen=True)
class Recalibrated:
    """What may be the case: `shares` is float64[nodes, draws], the probability of being wrong at each log odds."""

    shares: Floats

    def sums(self, scores: Floats, counts: Floats | None = None) -> Floats:
        """The expected errors among lines with these scores: float64[draws]; `counts` says how many lines of each."""
        mass = np.bincount(nodes(scores), weights=counts, minlength=len(_NODES))
        return np.asarray(mass @ self.shares, dtype=np.float64)

    def apart(self, spread: float, *, seed: int) -> Recalibrated:
        """The same for lines of another kind, whose log odds may all be off by a normal number of this spread."""
        chance = np.random.Generator(np.random.PCG64(draw(seed, "apart")))
        shift = spread * chance.standard_normal((1, self.shares.shape[1]))
        kept = np.clip(self.shares, 1e-12, 1 - 1e-12)
        return Recalibrated(_share(np.log(kept) - np.log1p(-kept) + shift))

    def middle(self, scores: Floats) -> Floats:
        """The probability that each line is wrong: float64[lines], the median of what may be the case."""
        usual: Floats = np.quantile(self.shares, 0.5, axis=1)
        return np.asarray(usual[nodes(scores)])


def nodes(scores: Floats) -> Ints:
    """The node that each score counts at: int64[...]."""
    kept = np.clip(np.asarray(scores, dtype=np.float64), 1e-9, 1 - 1e-9)
    place = (np.log(kept) - np.log1p(-kept) - _NODES[0]) / (_NODES[1] - _NODES[0])
    return np.asarray(np.clip(np.rint(place), 0, len(_NODES) - 1), dtype=np.int64)


def recalibrate(scores: Floats, wrong: Bools, weight: Floats, *, seed: int, draws: int = DRAWS) -> Recalibrated:
    """What the scores of a list mean, given what people found of the lines that they judged.

    Args:
        scores: float64[judged], probabilities; lines without a score do not belong here.
        wrong: bool[judged], whether the error was confirmed.
        weight: float64[judged], how much each counts (`weighing.weights`).
        seed: of the draws, which depend on nothing else but the lines.

    The log odds of being wrong are those of the score plus a smooth function of them, a Gaussian process whose prior
    stands at "the scores are right" and knows a level, a slope and bends. So few lines move the scores little, many
    move them where they are, and far from what was judged it stays unsure. Posterior: Laplace's approximation
    (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, algorithms 3.1 and 3.2).
    """
    place = nodes(scores)
    seen, bad = (
        np.bincount(place, weights=each, minlength=len(_NODES)).astype(np.float64) for each in (weight, weight * wrong)
    )
    prior = _prior()
    shift, spread = _posterior(prior, seen, bad)
    chance = np.random.Generator(np.random.PCG64(draw(seed, "recalibrate")))
    root = np.linalg.cholesky(spread + 1e-6 * np.eye(len(_NODES)))
    drawn = shift[:, None] + root @ chance.standard_normal((len(_NODES), draws))
    return Recalibrated(_share(_NODES[:, None] + drawn))


def _prior() -> Floats:
    """The covariance of the shift of log odds at the nodes: float64[nodes, nodes]."""
    off = _NODES - _MIDDLE
    apart = _NODES[:, None] - _NODES[None, :]
    return np.asarray(
        LEVEL**2 + SLOPE**2 * off[:, None] * off[None, :] + BEND**2 * np.exp(-(apart**2) / (2 * REACH**2))
    )


def _posterior(prior: Floats, seen: Floats, bad: Floats) -> tuple[Floats, Floats]:
    """The likeliest shift at the nodes, and its covariance: Newton's method, each step halved until it gains."""
    pull = np.zeros(len(_NODES))
    best = _fit(pull, prior, seen, bad)
    for _ in range(_ROUNDS):
        share = _share(_NODES + prior @ pull)
        curve = seen * share * (1 - share)
        root = np.sqrt(curve)
        wanted = curve * (prior @ pull) + bad - seen * share
        inner = np.eye(len(_NODES)) + root[:, None] * prior * root[None, :]
        target = wanted - root * np.linalg.solve(inner, root * (prior @ wanted))
        step = 1.0
        while step > 1e-3 and _fit(pull + step * (target - pull), prior, seen, bad) < best:
            step /= 2
        pull = pull + step * (target - pull)
        gained, best = _fit(pull, prior, seen, bad) - best, _fit(pull, prior, seen, bad)
        if gained < 1e-9:
            break
    share = _share(_NODES + prior @ pull)
    root = np.sqrt(seen * share * (1 - share))
    inner = np.eye(len(_NODES)) + root[:, None] * prior * root[None, :]
    spread = prior - (prior * root) @ np.linalg.solve(inner, root[:, None] * prior)
    return np.asarray(prior @ pull), np.asarray((spread + spread.T) / 2)


def _fit(pull: Floats, prior: Floats, seen: Floats, bad: Floats) -> float:
    """The log of the posterior density at shift = prior @ pull, but for a constant."""
    odds = _NODES + prior @ pull
    return float(bad @ odds - seen @ np.logaddexp(0.0, odds) - pull @ prior @ pull / 2)


def _share(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))))

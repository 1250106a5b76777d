"""Mixture: how probably each part is wrong where errors are of several kinds, learned without any truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.joining import Joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.signals import Signals

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_ROUNDS, _INNER = 4, 20  # average precision hardly moves from 2 to 8 rounds
# From 1e-4 to 3e-3 average precision moves by .01 on real corrections, by .05 where errors are habits.
_RIDGE = 1e-3
_START = 0.01  # the share of each kind of error before anything is seen
_LEAST, _MOST = 1e-4, 0.3
_FARTHEST = 8.0  # standard deviations: one wild value must not rule the fit
_LEARNED = 40_000  # answers of each side that are plenty to fit some twenty weights


def join_kinds(signals: Signals) -> Joined:
    """One probability of being wrong for every part, from signals of which some tell one error and some another.

    A span may have the wrong label though nothing is odd about its edges, but a single weighted sum of all signals asks
    for every sign at once. Here the given answers are a mixture: most are right, and of every kind of error
    (`signals.flipped_kind`) there is some unknown share; `signals.flipped` shows what it looks like. A multinomial
    logistic regression tells the kinds from the given answers (weights cannot be negative: what speaks against an
    answer never speaks for it; only whether a signal could be asked may say either); the shares, and how far each given
    answer counts as right, are found by expectation maximisation. Parts of another
    `signals.state` (marked spans, runs that are not marked) have other signals and are fitted apart.
    Method: positive-unlabelled learning (Elkan and Noto 2008, doi 10.1145/1401890.1401920), the positives being made;
    the shares as in Saerens et al. 2002, doi 10.1162/089976602753284446.
    """
    from threadpoolctl import threadpool_limits

    wrong = np.zeros(len(signals.actual))
    weights = dict.fromkeys(signals.names, 0.0)
    kind = np.zeros(len(signals.flipped), np.int64) if signals.flipped_kind is None else signals.flipped_kind
    side = np.zeros(len(wrong), np.int64) if signals.state is None else signals.state
    flipped_side = np.zeros(len(kind), np.int64) if signals.flipped_state is None else signals.flipped_state
    for number in np.unique(side):
        given, made = side == number, flipped_side == number
        columns = np.flatnonzero(np.isfinite(signals.actual[given]).any(axis=0))
        if not made.any() or not len(columns):
            continue
        beside = _Beside.of(signals, np.flatnonzero(given))
        found = _Kinds(signals.actual[given][:, columns], signals.flipped[made][:, columns], kind[made], beside)
        # More threads of the linear algebra would add in another order.
        with threadpool_limits(limits=1):
            wrong[given] = found.wrong()
        weights |= {signals.names[at]: one for at, one in zip(columns, found.strongest(), strict=True)}
    return Joined(wrong, float(wrong.mean()) if len(wrong) else 0.0, weights)


@dataclass
class _Scale:
    """Signals around 0 with a spread of 1; and, last, for those that are not always asked, whether they were not."""

    middle: Floats
    spread: Floats
    seldom: Bools

    def of(self, values: Floats) -> Floats:
        known = np.isfinite(values)
        flat = np.where(known, (np.nan_to_num(values) - self.middle) / self.spread, 0.0)
        return np.concatenate([np.clip(flat, -_FARTHEST, _FARTHEST), ~known[:, self.seldom]], axis=1)


def _scale(values: Floats) -> _Scale:
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    middle = np.where(known, values, 0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (np.nan_to_num(values) - middle) ** 2, 0).sum(axis=0) / count)
    seldom: Bools = np.asarray(~known.all(axis=0) & known.any(axis=0))
    return _Scale(middle, np.where(spread > 0, spread, 1.0), seldom)


@dataclass(frozen=True)
class _Beside:
    """What is known of given answers beside their signals: log-odds, chances of being wrong, which to learn from."""

    added: Floats
    prior: Floats
    fair: Ints

    @staticmethod
    def of(signals: Signals, parts: Ints) -> _Beside:
        added = np.zeros(len(parts)) if signals.added is None else signals.added[parts]
        prior = np.full(len(parts), np.nan) if signals.prior is None else signals.prior[parts]
        fair = np.arange(len(parts)) if signals.fair is None else np.flatnonzero(signals.fair[parts])
        return _Beside(added, prior, fair)

    def chance(self, share: float) -> Floats:
        """How probable it is that each is wrong before its signals are looked at: float64[n]; `share` if not known."""
        return np.where(np.isnan(self.prior), share, self.prior)


class _Kinds:
    """The mixture of right answers and of each kind of wrong ones that the given answers are."""

    def __init__(self, given: Floats, flipped: Floats, kind: Ints, beside: _Beside) -> None:
        names, self._kind = np.unique(kind, return_inverse=True)
        self._kinds, self._signals = len(names), given.shape[1]
        scale = _scale(np.concatenate([given, flipped]))
        self._given, self._beside = scale.of(given), beside
        some = slice(None, None, -(-len(flipped) // (_LEARNED * self._kinds)))
        self._flipped, self._kind = scale.of(flipped[some]), self._kind[some]
        self._learned = beside.fair[:: max(len(beside.fair) // _LEARNED, 1)]
        self._theta = np.zeros((self._kinds, self._given.shape[1] + 1))

    def wrong(self) -> Floats:
        """How probably each given answer is of one of the kinds of wrong ones: float64[n]."""
        shares = np.full(self._kinds, _START)
        of_kind = np.tile(shares[:, None], (1, len(self._given)))
        for _ in range(_ROUNDS):
            self._fit(1 - of_kind.sum(axis=0))
            ratio = np.exp(np.clip(_odds(self._theta, self._given) + self._beside.added, -30, 30)) * self._kinds
            for _ in range(_INNER):
                before = self._beside.chance(float(shares.sum()))
                of_kind = ratio * (shares / shares.sum())[:, None]
                of_kind *= before
                of_kind /= of_kind.sum(axis=0) + 1 - before
                shares = np.clip(of_kind.take(self._beside.fair, axis=1).mean(axis=1), _LEAST, _MOST / self._kinds * 2)
        return np.asarray(np.clip(of_kind.sum(axis=0), 0.0, 1.0))

    def strongest(self) -> list[float]:
        """What a standard deviation of each signal adds to the log-odds of the kind that it tells best."""
        return [float(one) for one in self._theta[:, 1 : self._signals + 1].max(axis=0)]

    def _fit(self, right: Floats) -> None:
        """Tell the kinds, each weighing the same, from the given answers, each as much as it seems right."""
        from scipy.optimize import minimize

        right = right[self._learned]
        values = np.concatenate([self._given[self._learned], self._flipped])
        size = np.bincount(self._kind, minlength=self._kinds)
        weight = np.concatenate([right / right.sum(), 1 / (self._kinds * size[self._kind])])
        target = np.zeros((self._kinds, len(values)))
        target[self._kind, np.arange(len(right), len(values))] = weight[len(right) :]
        meant = np.column_stack([target.sum(axis=1), target @ values])
        free = values.shape[1] - self._signals
        bounds = [(None, None), *[(0, None)] * self._signals, *[(None, None)] * free] * self._kinds
        fitted = minimize(
            _loss, self._theta.ravel(), args=(values, meant, weight), jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": 60},
        )  # fmt: skip
        self._theta = fitted.x.reshape(self._theta.shape)


def _odds(theta: Floats, values: Floats) -> Floats:
    """Log-odds of each kind against a right answer: float64[kinds, answers]."""
    return np.asarray(theta[:, 1:] @ values.T + theta[:, :1])


def _loss(flat: Floats, values: Floats, meant: Floats, weight: Floats) -> tuple[float, Floats]:
    """The weighted log loss, with a ridge, and its slope; the given answers are the class without weights.

    `meant`: float64[kinds, 1 + signals], the weighted sums of what the made answers of each kind show, 1 before all.
    """
    theta = flat.reshape(meant.shape)
    power = _odds(theta, values)
    top = np.maximum(power.max(axis=0), 0.0)
    power -= top
    np.exp(power, out=power)
    total = power.sum(axis=0) + np.exp(-top)
    loss = weight @ (top + np.log(total)) - (meant * theta).sum() + _RIDGE / 2 * (theta[:, 1:] ** 2).sum()
    power *= weight / total
    slope = np.column_stack([power.sum(axis=1), power @ values + _RIDGE * theta[:, 1:]]) - meant
    return float(loss), slope.ravel()

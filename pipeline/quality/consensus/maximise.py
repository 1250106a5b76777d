"""Expectation maximisation over the ballots, the same for every method of consensus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.consensus.table import Fit, of_labels, vote_shares

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.table import Table

    Floats = NDArray[np.float64]
    Confusions = Callable[[Floats, Table], tuple[Floats, Floats]]

_SPREADS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, np.inf)
_SPREAD_ROUNDS = 5  # the spread is chosen anew in the first rounds, then held, so that the rounds converge
_NAME_WEIGHT = 10.0  # units that the general shares of labels count for in those of one unit name
_EXCLUDED = -1e6  # the log-likelihood of a label that a known unit does not have


def maximise(
    table: Table,
    confusions: Confusions,
    *,
    start: Floats | None = None,
    evenness: float | None = None,
    dependent: bool = False,
    iterations: int = 100,
    tolerance: float = 1e-4,
) -> Fit:
    """Alternate between how annotators confuse labels and what the units' states are, until the latter rest.

    `confusions` makes log and mean float64[annotators, given, states] out of expected counts of the same shape.
    `start` is float64[units, states] (default: the shares of the votes, one state per label). `evenness` 0..1 is how
    far the labels' base rates are drawn to even ones (default: as the table says).
    With `dependent`, anonymous ballots on one unit go together
    (Dirichlet-multinomial with the likeliest spread).
    """
    states = vote_shares(table) if start is None else start
    done, change, spread = 0, np.inf, np.inf
    while done < iterations and change > tolerance:
        counts = np.asarray(table.turned @ states).reshape(table.annotators, table.classes, -1)
        log, mean = confusions(counts, table)
        evidence = _prior(states, table, evenness=table.evenness if evenness is None else evenness)
        strangers = table.strangers if dependent else None
        if strangers is not None:
            log = np.concatenate([log[:-1], np.zeros_like(log[-1:])])
        evidence += np.asarray(table.given @ log.reshape(-1, log.shape[2]))
        if strangers is not None and done < _SPREAD_ROUNDS:
            spread = _likeliest_spread(evidence, strangers, mean[-1])
        if strangers is not None:
            evidence += _strangers_evidence(strangers, mean[-1], spread)
        _clamp(evidence, table)
        fresh = posteriors(evidence)
        change = float(np.abs(of_labels(fresh - states, table.classes)).sum() / max(len(states), 1))
        states, done = fresh, done + 1
    return Fit(states, mean, spread, done, change <= tolerance)


def predicted(fit: Fit, table: Table, ballots: Ballots) -> Floats:
    """Probability of every ballot of `ballots`, none of which is in `table`: float64[ballots]."""
    annotator = np.where(ballots.annotator < 0, table.annotators - 1, ballots.annotator)
    of_state = fit.confusions[annotator, ballots.label]
    if np.isfinite(fit.spread) and table.strangers is not None:
        rows = np.flatnonzero(ballots.annotator < 0)
        seen = table.strangers[ballots.unit[rows]]
        same = seen[np.arange(len(rows)), ballots.label[rows]][:, None]
        of_state[rows] = (same + fit.spread * of_state[rows]) / (seen.sum(axis=1, keepdims=True) + fit.spread)
    return np.asarray((fit.states[ballots.unit] * of_state).sum(axis=1))


def posteriors(evidence: Floats) -> Floats:
    """Probability of each state per unit from its log-likelihood, up to a constant; the array is reused."""
    # Numpy reduces short rows slowly: columns and a product with ones take a fifth of the time.
    top = evidence[:, 0].copy()
    for column in range(1, evidence.shape[1]):
        np.maximum(top, evidence[:, column], out=top)
    evidence -= top[:, None]
    np.exp(evidence, out=evidence)
    evidence /= (evidence @ np.ones(evidence.shape[1]))[:, None]
    return np.asarray(evidence)


def _prior(states: Floats, table: Table, *, evenness: float) -> Floats:
    """Log of the base rates of every unit's states: float64[units, states]."""
    classes = table.classes
    kinds = np.einsum("us->s", states).reshape(classes, -1)
    within = (kinds + 1 / kinds.shape[1]) / (kinds + 1 / kinds.shape[1]).sum(axis=1, keepdims=True)
    # One unit of every label more than there are, so that no label is impossible.
    general = kinds.sum(axis=1) + 1
    general = (1 - evenness) * general / general.sum() + evenness / classes
    if table.names == 1:
        return np.tile((np.log(general)[:, None] + np.log(within)).reshape(-1), (len(states), 1))
    by_label = of_labels(states, classes)
    found = np.stack([np.bincount(table.name, by_label[:, label], table.names) for label in range(classes)], axis=1)
    own = (found + _NAME_WEIGHT * general) / (found.sum(axis=1, keepdims=True) + _NAME_WEIGHT)
    return np.asarray((np.log(own)[:, :, None] + np.log(within)).reshape(table.names, -1)[table.name])


def _clamp(evidence: Floats, table: Table) -> None:
    rows = np.flatnonzero(table.known >= 0)
    if len(rows):
        label = np.repeat(np.arange(table.classes), evidence.shape[1] // table.classes)
        evidence[rows] += np.where(label == table.known[rows, None], 0.0, _EXCLUDED)


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

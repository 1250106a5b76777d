"""Kinds of units: clear and contested ones of every label, on which annotators err together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.consensus.dawid_skene import SMOOTHING
from pipeline.quality.consensus.maximise import maximise
from pipeline.quality.consensus.one_coin import drawn_to, pooled_errors
from pipeline.quality.consensus.table import Fit, table_of, truth_of, vote_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.table import Rates, Table
    from pipeline.quality.consensus.truth import Truth

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

KINDS = 3
_LEAST = 1e-3


def kinds(ballots: Ballots, *, known: Ints | None = None, rates: Rates = "drawn") -> Truth:
    """Most likely label when the units of one label are of several kinds, some of them hard for everybody alike.

    A mixture of 3 kinds of units per label, each with a confusion matrix per annotator, drawn towards the annotator's
    own matrix for the label, bent as everybody's bends on that kind. So units that fool many at once become a kind of
    their label, where plain Dawid-Skene, for which ballots are independent, would make them another label. The kinds
    start as thirds of the units by how clear their vote is, so that nothing is drawn by chance, and confusions enter
    by their expected logarithm (variational Bayes), so that what few ballots say counts for less.
    `known` and `rates` as in `choose`. Method: after EBCC, Li, Rubinstein and Cohn 2019, made hierarchical.
    """
    table = table_of(ballots, known=known, rates=rates)
    return truth_of(fit_kinds(table), table, "kinds")


def fit_kinds(table: Table, *, iterations: int = 100) -> Fit:
    """Three kinds of units per label, each with a confusion matrix per annotator."""
    start = vote_shares(table)[:, :, None] * clearness(table)[:, None, :]
    flat = start.reshape(len(start), -1)
    return maximise(table, _confusions, start=flat, evenness=0.0, iterations=iterations, tolerance=1e-3)


def clearness(table: Table) -> Floats:
    """How much each unit belongs to each kind by its rank in share of the top label: float64[units, kinds]."""
    top = table.counts.max(axis=1, initial=0) / np.maximum(table.votes, 1)
    # Of units with the same share the one with more votes is clearer, by too little to pass another share.
    top = top + 1e-9 * table.votes / (1 + table.votes.max(initial=0))
    ranked = np.sort(top)
    middle = (np.searchsorted(ranked, top, side="left") + np.searchsorted(ranked, top, side="right")) / 2
    place = middle / max(len(top), 1)
    near = np.exp(-((place[:, None] * KINDS - np.arange(KINDS) - 0.5) ** 2))
    return np.asarray(near / near.sum(axis=1, keepdims=True))


def _confusions(counts: Floats, table: Table) -> tuple[Floats, Floats]:
    from scipy.special import digamma

    by_kind = counts.reshape(table.annotators, table.classes, table.classes, KINDS)
    by_label = by_kind.sum(axis=3)
    own = by_label + SMOOTHING * drawn_to(by_label, pooled_errors(by_label))
    own /= own.sum(axis=1, keepdims=True)
    everybody = by_label.sum(axis=0) + _LEAST
    everybody /= everybody.sum(axis=0)
    here = by_kind.sum(axis=0) + SMOOTHING * everybody[:, :, None]
    here /= here.sum(axis=0)
    prior = own[:, :, :, None] * (here / everybody[:, :, None])
    prior /= prior.sum(axis=1, keepdims=True)
    weight = by_kind + SMOOTHING * prior
    total = weight.sum(axis=1, keepdims=True)
    log = digamma(weight + _LEAST) - digamma(total)
    return log.reshape(counts.shape), (weight / total).reshape(counts.shape)

"""Judged ballots: how right each is by the others, and how right the others were on the same unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.annotators.beliefs import beliefs_of, cells_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.annotators.beliefs import Beliefs, Cells
    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_CONTESTED = 2 / 3  # a unit is contested for a ballot if no label has two thirds of the other ballots behind it
_PAIRS_WEIGHT = 2.0  # ordered pairs that everybody's agreement counts for in a unit's own
_LEAST_WEIGHT = 0.05  # what an evenly split unit still weighs, so that an annotator of only such units has a figure
_ROUNDS = 10
_FAR = 4.0  # typical distances beyond which a number is no farther, so that one slip of the pen does not decide


@dataclass(frozen=True)
class Judged:
    """The ballots of named annotators on units where somebody else voted too, one entry per ballot.

    Attributes:
        ballot: int64[m], which ballot it is; annotator, label, unit, row: int64[m], as in the ballots.
        best: int64[m], the label that the others hold most likely; sure: float64[m], how likely.
        right: float64[m], how likely the ballot is right by the others, had right and wrong been as likely before.
        share: float64[m], share of the other ballots that gave the same label.
        score: float64[m], what is compared: `right`, drawn to one half the more evenly the others are split; or for
            numbers minus the distance from the others' mean, in typical distances.
        expected: float64[m], the mean score of the other ballots on the unit, corrected for how skilled they are.
        contested: bool[m], no label has two thirds of the others behind it.
        cluster: int64[m], one number per (annotator, row); cluster_annotator: int64[clusters].
        annotators: how many annotators there are.
    """

    ballot: Ints
    annotator: Ints
    label: Ints
    unit: Ints
    row: Ints
    best: Ints
    sure: Floats
    right: Floats
    share: Floats
    score: Floats
    expected: Floats
    contested: Bools
    cluster: Ints
    cluster_annotator: Ints
    annotators: int

    def __len__(self) -> int:
        return len(self.ballot)

    def total(self, values: Floats | Bools | None = None) -> Floats:
        """Sum of `values` (any[m]; default: 1 each) per annotator: float64[annotators]."""
        weights = None if values is None else np.asarray(values, dtype=np.float64)
        return np.asarray(np.bincount(self.annotator, weights=weights, minlength=self.annotators), dtype=np.float64)

    def mean(self, values: Floats | Bools) -> Floats:
        """Mean of `values` (any[m]) per annotator, nan for those without a ballot: float64[annotators]."""
        return ratio(self.total(values), self.total())

    def clustered(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Mean per annotator, its variance between rows, and for how many rows of equal size it stands.

        Rows, not ballots, are taken for independent. The variance of those with few rows is drawn to everybody's.
        """
        whole = self.total()
        mean = ratio(self.total(values), whole)
        clusters = len(self.cluster_annotator)
        off = np.bincount(self.cluster, weights=values - mean[self.annotator], minlength=clusters)
        heavy = np.bincount(self.cluster, minlength=clusters)
        squares = np.bincount(self.cluster_annotator, weights=off**2, minlength=self.annotators)
        rows = ratio(whole**2, np.bincount(self.cluster_annotator, weights=heavy**2.0, minlength=self.annotators))
        each = ratio(squares, whole**2) * rows  # variance of one row, were it not for the mean's own freedom
        seen = np.isfinite(each)
        pooled = float((each * rows)[seen].sum() / max(float(np.maximum(rows - 1, 1e-9)[seen].sum()), 1e-9))
        each = (each * rows + 4 * pooled) / (np.maximum(rows - 1, 0) + 4)
        return mean, each / rows, rows


def ratio(top: NDArray[Any], bottom: NDArray[Any]) -> Floats:
    """`top / bottom`, nan where `bottom` is 0."""
    out = np.full(np.shape(bottom), np.nan)
    np.divide(top, bottom, out=out, where=np.asarray(bottom) != 0)
    return out


def judge(
    ballots: Ballots, label: Ints, posterior: Floats, *, shares: Floats | None = None, values: Floats | None = None
) -> tuple[Judged, Cells, Beliefs]:
    """Every named ballot judged by the other ballots on its unit.

    `label`, `posterior`: int64[units] and float64[units], the consensus; `shares`: float64[units, labels], its
    posterior; `values`: float64[labels], the numbers or ranks that labels stand for, if they do.
    """
    cells = cells_of(ballots)
    beliefs = beliefs_of(ballots, cells, label=label, posterior=posterior, shares=shares)
    right = ratio(beliefs.given, beliefs.given + beliefs.stray)
    concord, contested = _concord(ballots, cells, _trust(ballots, right))
    # Where the others are split evenly, either side has the same score; on average a point of it is one of accuracy.
    score = 0.5 + concord / max(float(concord.mean()) if len(concord) else 1.0, _LEAST_WEIGHT) * (right - 0.5)
    if values is not None:
        score = _closeness(ballots, cells, np.asarray(values, dtype=np.float64))
    peers = cells.votes[ballots.unit] - 1
    alike = cells.count[cells.of] - 1
    kept = np.flatnonzero((peers > 0) & (ballots.annotator >= 0) & np.isfinite(score))
    expected = _expected(ballots, cells, np.nan_to_num(score))
    cluster, cluster_annotator = _clusters(ballots, kept)
    judged = Judged(
        ballot=kept, annotator=ballots.annotator[kept], label=ballots.label[kept], unit=ballots.unit[kept],
        row=ballots.row[kept], best=beliefs.best[kept], sure=beliefs.sure[kept], right=right[kept],
        share=alike[kept] / peers[kept], score=score[kept], expected=expected[kept], 
        contested=contested[kept], cluster=cluster,
        cluster_annotator=cluster_annotator, annotators=len(ballots.annotators),
    )  # fmt: skip
    return judged, cells, beliefs


def _clusters(ballots: Ballots, kept: Ints) -> tuple[Ints, Ints]:
    """A number for each (annotator, row), per ballot in `kept`, and the annotator of each number."""
    who, row = ballots.annotator[kept], ballots.row[kept]
    # Ballots stand in the order of row and annotator: most often every one is alone, and need not be looked for.
    if ballots.units <= ballots.rows and (np.diff(row * (len(ballots.annotators) + 1) + who) > 0).all():
        return np.arange(len(kept)), who
    pairs, cluster = np.unique(who * max(ballots.rows, 1) + row, return_inverse=True)
    return cluster.reshape(-1), pairs // max(ballots.rows, 1)


def _closeness(ballots: Ballots, cells: Cells, values: Floats) -> Floats:
    own = values[ballots.label]
    total = np.bincount(ballots.unit, weights=own, minlength=ballots.units)[ballots.unit]
    away = np.abs(own - ratio(total - own, (cells.votes[ballots.unit] - 1).astype(np.float64)))
    typical = float(np.nanmean(away)) if np.isfinite(away).any() else 0.0
    return -np.minimum(away / typical, _FAR) if typical > 0 else -away


def _trust(ballots: Ballots, right: Floats) -> Floats:
    """How much each ballot says on whether a unit is contested, 0..1: little for those who hardly follow the others."""
    strangers = len(ballots.annotators)
    who = np.where(ballots.annotator < 0, strangers, ballots.annotator)
    general = float(right.mean()) if len(right) else 0.5
    total = np.bincount(who, weights=right, minlength=strangers + 1) + 5 * general
    # `right` is a half where the label has nothing to do with what the others believe.
    return np.asarray(np.clip(2 * total / (np.bincount(who, minlength=strangers + 1) + 5) - 1, _LEAST_WEIGHT, 1)[who])


def _concord(ballots: Ballots, cells: Cells, trust: Floats) -> tuple[Floats, Bools]:
    """How much the other ballots agree in pairs, and whether they are split: float64[n], bool[n].

    1 where all agree, near 0 where two labels share them evenly, ballots counting by `trust`: blind answers do not make
    a unit contested.
    """
    cell = np.bincount(cells.of, weights=trust, minlength=len(cells.unit))
    square = np.bincount(ballots.unit, weights=trust**2, minlength=ballots.units)
    alike = np.bincount(cells.unit, weights=cell**2, minlength=ballots.units) - square
    whole = np.bincount(ballots.unit, weights=trust, minlength=ballots.units)
    prior = _PAIRS_WEIGHT * float((trust**2).mean()) if len(trust) else 1.0
    general = alike.sum() / max(float((whole**2 - square).sum()), 1e-12)
    same = alike[ballots.unit] - 2 * trust * (cell[cells.of] - trust)
    left = whole[ballots.unit] - trust
    pairs = left**2 - (square[ballots.unit] - trust**2)
    weight = np.maximum(2 * (same + prior * general) / (pairs + prior) - 1, _LEAST_WEIGHT)
    order = np.lexsort((-cell, cells.unit))
    starts = np.diff(cells.unit[order], prepend=-1) != 0
    first, second = np.zeros(ballots.units), np.zeros(ballots.units)
    first[cells.unit[order[starts]]] = cell[order[starts]]
    next_ones = np.flatnonzero(~starts & np.concatenate([[False], starts[:-1]]))
    second[cells.unit[order[next_ones]]] = cell[order[next_ones]]
    own = cell[cells.of]
    rival = np.where(own >= first[ballots.unit], second[ballots.unit], first[ballots.unit])
    split = np.maximum(own - trust, rival) < _CONTESTED * left - 1e-9
    return weight, np.asarray(split & (cells.votes[ballots.unit] > 2))


def _expected(ballots: Ballots, cells: Cells, score: Floats) -> Floats:
    """Mean score of the other ballots on the unit, had they been cast by average annotators: float64[n].

    An additive model of unit and annotator, fitted in a few rounds: what the others got tells how hard the unit is only
    after their own skill is taken off.
    """
    strangers = len(ballots.annotators)
    who = np.where(ballots.annotator < 0, strangers, ballots.annotator)
    peers = np.maximum(cells.votes[ballots.unit] - 1, 1)
    size = np.bincount(who, minlength=strangers + 1)
    skill = np.zeros(strangers + 1)
    expected = np.zeros(len(ballots))
    for _ in range(_ROUNDS):
        plain = score - skill[who]
        total = np.bincount(ballots.unit, weights=plain, minlength=ballots.units)[ballots.unit]
        expected = (total - plain) / peers
        # Two ballots' weight of an average annotator, so that few ballots do not make a skill.
        skill = np.bincount(who, weights=score - expected, minlength=strangers + 1) / (size + 2)
        # Units and annotators together fix their levels only up to a shift: the average annotator is at 0.
        skill -= (skill * size).sum() / max(float(size.sum()), 1e-12)
    return np.asarray(expected)

"""Evidence: what a model and the rows most like a row say against any label that the row might carry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.suspects.confident import confident_joint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.suspects.neighbours import Neighbours

    Floats = NDArray[np.float64]
    Floats32 = NDArray[np.float32]
    Ints = NDArray[np.int64]

# No model is surer than this: log-odds stay within -9.2 and 9.2.
_LEAST = 1e-4
# A neighbour's likeness is 0..1; this makes a difference of a tenth weigh like log-odds of 1.
_LIKENESS = 10.0
# The votes of this many neighbours of likeness 1 are given to all labels by their frequency.
_PRIOR_VOTES = 1.0


def log_odds(probability: Floats) -> Floats:
    """log(p / (1 - p)), p kept within 0.0001 and 0.9999."""
    kept = np.clip(probability, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(kept / (1 - kept)))


@dataclass(frozen=True)
class Evidence:
    """Out-of-fold probabilities, labels given, and neighbours, of rows that carry one label each.

    Attributes:
        probabilities: float32[n, classes], nan in rows where no model could be asked.
        label: int64[n], the label given to each row.
        near: the neighbours of the rows that were asked for.
        place: int64[n], where a row stands in `near`; -1 for rows that were not asked for.
    """

    probabilities: Floats32
    label: Ints
    near: Neighbours
    place: Ints

    NAMES = ("model", "margin", "other", "confusions", "neighbours", "nearest")

    def against(self, row: Ints, label: Ints) -> Floats:
        """How much each signal speaks against each of `label` in each of `row`: float64[len(row), 6], nan if not asked.

        model: log-odds that the label is wrong by the model. margin: log-odds of the likeliest other label against it.
        other: log-odds of the likeliest other label, low where the model is sure of nothing.
        confusions: log-odds that it is wrong, by the model and by how often each label stands for each other one
        (Bayes, with the calibrated confident joint). neighbours: log-odds of the label that most neighbours carry
        against it, their votes weighted by likeness. nearest: how much more alike the nearest row with another label is
        than the nearest one with the same, in tenths.
        """
        given = self.probabilities[row, label].astype(np.float64)
        other = np.where(label == self._best[row], self._second[row], self._first[row])
        model = -log_odds(given)
        margin = np.log(np.maximum(other, _LEAST)) - np.log(np.maximum(given, _LEAST))
        joined = self._by_confusion(row, label)
        asked = np.isfinite(given)
        columns = [np.where(asked, column, np.nan) for column in (model, margin, log_odds(other), joined)]
        return np.column_stack([*columns, *self._by_neighbours(row, label)])

    @cached_property
    def _best(self) -> Ints:
        return np.asarray(np.nan_to_num(self.probabilities, nan=0.0).argmax(axis=1))

    @cached_property
    def _first(self) -> Floats:
        return np.asarray(self.probabilities[np.arange(len(self.label)), self._best].astype(np.float64))

    @cached_property
    def _second(self) -> Floats:
        if self.probabilities.shape[1] < 2:
            return np.zeros(len(self.label))
        return np.asarray(np.partition(self.probabilities, -2, axis=1)[:, -2].astype(np.float64))

    @cached_property
    def counts(self) -> Ints:
        """Rows of every label: int64[classes]."""
        return np.bincount(self.label, minlength=self.probabilities.shape[1])

    @cached_property
    def stands_for(self) -> Floats:
        """How often a row that should carry a label (first axis) is given each label: float64[classes, classes].

        The calibrated confident joint, from whose cells off the diagonal one row each is taken and dealt out evenly
        (absolute discounting, Ney, Essen and Kneser 1994, doi 10.1006/csla.1994.1001): one row is no habit, and must
        not speak for itself. Each true label is shrunk towards "right, or any other label alike" by ten rows.
        """
        joint = confident_joint(self.probabilities, self.label)
        classes = len(joint)
        off = ~np.eye(classes, dtype=bool)
        kept = np.where(off, np.maximum(joint - 1, 0), joint).astype(np.float64)
        spare = np.where(off, joint - kept, 0).sum(axis=0) / max(classes - 1, 1)
        smooth = np.where(off, kept + spare[None, :], kept)
        scale = self.counts / np.maximum(smooth.sum(axis=1), 1e-12)
        meant = (smooth * scale[:, None]).T
        wrong = 1 - np.trace(meant) / meant.sum() if meant.any() and classes > 1 else 0.0
        prior = np.full((classes, classes), wrong / max(classes - 1, 1))
        np.fill_diagonal(prior, 1 - wrong)
        meant = meant + 10 * prior
        return np.asarray(meant / meant.sum(axis=1, keepdims=True))

    def _by_confusion(self, row: Ints, label: Ints) -> Floats:
        found = np.empty(len(row))
        for first in range(0, len(row), 100_000):
            some, own = row[first : first + 100_000], label[first : first + 100_000]
            known = np.maximum(self.probabilities[some].astype(np.float64), 1e-6)
            meant = np.einsum("nj,nj->n", known, self.stands_for.T[own])
            right = known[np.arange(len(some)), own] * self.stands_for[own, own]
            found[first : first + 100_000] = -log_odds(right / meant)
        return found

    def votes(self, row: Ints, label: Ints) -> tuple[Floats, Floats]:
        """Share of the neighbours' votes for each label, and the share of the label that gets most of the others."""
        near, carried, weight = self._near(row)
        own = np.where(carried == label[:, None], weight, 0).sum(axis=1)
        # The most votes of one other label: for every neighbour, the votes of all that carry what it carries.
        alike = (carried[:, :, None] == carried[:, None, :]) & near[:, None, :]
        each = np.where(near & (carried != label[:, None]), (alike * weight[:, None, :]).sum(axis=2), 0)
        frequency = self.counts / max(len(self.label), 1)
        total = weight.sum(axis=1) + _PRIOR_VOTES
        winner = np.where(near & (each > 0), carried, -1)[np.arange(len(row)), each.argmax(axis=1)]
        behind = np.where(winner >= 0, frequency[winner], frequency.max(initial=0.0))
        return (own + _PRIOR_VOTES * frequency[label]) / total, (
            each.max(axis=1, initial=0) + _PRIOR_VOTES * behind
        ) / total

    def likely(self) -> Ints:
        """The label that the model finds likeliest of those not given: int64[n], -1 where it could not be asked."""
        if self.probabilities.shape[1] < 2:
            return np.full(len(self.label), -1, dtype=np.int64)
        others = np.nan_to_num(self.probabilities, nan=0.0)
        others[np.arange(len(self.label)), self.label] = -1
        return np.asarray(np.where(np.isfinite(self._first), others.argmax(axis=1), -1))

    def rows_near(self, row: int) -> list[int]:
        """The neighbours of a row, nearest first."""
        place = int(self.place[row])
        return [int(found) for found in self.near.row[place] if found >= 0] if place >= 0 else []

    def shares(self, row: Ints, label: Ints) -> Floats:
        """Share of the neighbours' votes for each label: float64[len(row)], nan for rows that were not asked for."""
        found = np.full(len(row), np.nan)
        asked = np.flatnonzero(self.place[row] >= 0)
        for first in range(0, len(asked), 20_000):
            some = asked[first : first + 20_000]
            found[some] = self.votes(row[some], label[some])[0]
        return found

    def _near(self, row: Ints) -> tuple[NDArray[np.bool_], Ints, Floats]:
        place = self.place[row]
        found = self.near.row[place]
        there = (found >= 0) & (place >= 0)[:, None]
        weight = np.where(there, np.maximum(self.near.likeness[place], 0).astype(np.float64) ** 2, 0)
        return there, np.where(there, self.label[found], -1), weight

    def _by_neighbours(self, row: Ints, label: Ints) -> tuple[Floats, Floats]:
        votes, nearest = np.full(len(row), np.nan), np.full(len(row), np.nan)
        asked = np.flatnonzero((self.place[row] >= 0) & (len(self.near.row) > 0))
        for first in range(0, len(asked), 20_000):
            some = asked[first : first + 20_000]
            own, other = self.votes(row[some], label[some])
            there, carried, weight = self._near(row[some])
            none = ~there.any(axis=1)
            votes[some] = np.where(none, np.nan, np.log(other) - np.log(own))
            alike = np.sqrt(weight)
            # A label that no neighbour carries is nowhere nearer than the farthest of them.
            farthest = np.where(there, alike, np.inf).min(axis=1, initial=np.inf)
            farthest = np.where(none, 0, farthest)
            same = np.where(there & (carried == label[some][:, None]), alike, -1).max(axis=1, initial=-1)
            others = np.where(there & (carried != label[some][:, None]), alike, -1).max(axis=1, initial=-1)
            apart = np.where(others < 0, farthest, others) - np.where(same < 0, farthest, same)
            nearest[some] = np.where(none, np.nan, _LIKENESS * apart)
        return votes, nearest

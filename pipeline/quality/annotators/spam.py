"""Spam: answers that have nothing to do with the units: at random, always the same label, or in long runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.annotators.beliefs import tally
from pipeline.quality.annotators.judged import ratio
from pipeline.quality.annotators.skill import accuracy, clopper_pearson, discoveries, tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.annotators.beliefs import Cells
    from pipeline.quality.annotators.judged import Judged
    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_ROOM = 0.1  # others must be this much better than chance on the rows, or nothing tells random answers from theirs
_LINED = 0.5  # at least half of the answers given whatever the unit
_LEAST_ANSWERS = 10
_RUN_EXCESS, _RUN_LEAST = 0.15, 5


@dataclass(frozen=True)
class Lines:
    """The commonest label of each annotator, beside how often the others gave it on the same units.

    Attributes:
        label: int64[annotators], -1 without ballots; share, usual: float64[annotators], 0..1.
        blind, least: float64[annotators], the share of answers that must have been given whatever the unit to explain
            the excess, and its lower bound.
        commonest: bool[annotators], it is the commonest label of all.
        found: bool[annotators], straight-lining: surely more than half were given whatever the unit.
    """

    label: Ints
    share: Floats
    usual: Floats
    blind: Floats
    least: Floats
    commonest: Bools
    found: Bools


@dataclass(frozen=True)
class Runs:
    """Answers equal to the one before, in the order of working, per annotator.

    Attributes:
        steps, repeats: int64[annotators]; expected: float64[annotators], repeats that the units explain.
        longest: int64[annotators], length of the longest run; label: int64[annotators], its label.
        found: bool[annotators], far more repeats than explained, all annotators tested (Benjamini-Hochberg).
    """

    steps: Ints
    repeats: Ints
    expected: Floats
    longest: Ints
    label: Ints
    found: Bools


def random_answers(judged: Judged, usual: Floats, chance: Floats) -> Bools:
    """Who answers as if at random: not surely better than chance, and surely nearer to it than to the others.

    `usual` is the accuracy of middling annotators on the same units, `chance` that of the annotator's own labels, dealt
    anew over the units.
    """
    found = accuracy(judged)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (judged.total() >= _LEAST_ANSWERS)
            & (usual - chance >= _ROOM)
            & (found.low <= chance)
            & (found.high < (usual + chance) / 2)
        )


def lines(judged: Judged, cells: Cells, classes: int) -> Lines:
    """Straight-lining: one label far more often than the units explain, by what the others gave there."""
    size = judged.total()
    code, count = tally(judged.annotator * classes + judged.label, judged.annotators * classes)
    who = code // max(classes, 1)
    order = np.lexsort((code, -count, who))
    order = order[np.diff(who[order], prepend=-1) != 0]
    label, top = np.full(judged.annotators, -1), np.zeros(judged.annotators)
    label[who[order]], top[who[order]] = code[order] % classes, count[order]
    usual = judged.mean(_others_share(judged, cells, label[judged.annotator], classes))
    share = ratio(top, size)
    rows = np.bincount(judged.cluster_annotator, minlength=judged.annotators)
    counted = np.nan_to_num(share) * rows  # units of one row are not independent: rows count
    low, _ = clopper_pearson(counted, rows)
    # The others' share is an estimate too: from no fewer ballots than the annotator's own.
    most = np.minimum(usual + 2 * np.sqrt(usual * (1 - usual) / np.maximum(rows, 1)), 1 - 1e-9)
    blind, least = ratio(share - usual, 1 - usual), (low - most) / (1 - most)
    everywhere = np.bincount(judged.label, minlength=classes)
    with np.errstate(invalid="ignore"):
        found = np.asarray(least > _LINED)
    return Lines(label, share, usual, blind, least, label == int(everywhere.argmax()), found)


def _others_share(judged: Judged, cells: Cells, label: Ints, classes: int) -> Floats:
    """Share of the other ballots on each ballot's unit that gave `label` (int64[m]): float64[m]."""
    codes = cells.unit * classes + cells.label
    wanted = judged.unit * classes + label
    place = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    count = np.where(codes[place] == wanted, cells.count[place], 0) - (judged.label == label)
    return np.asarray(count / (cells.votes[judged.unit] - 1))


def runs(ballots: Ballots, judged: Judged, cells: Cells, order: Floats) -> Runs:
    """Runs of one same answer; `order` (float64[m]) says when each judged ballot was given, nan: not known.

    A repeat is explained by the annotator's own share of each label, or, where the units came sorted, by how often the
    others' answers to the two units agree. Only where a row is one unit: inside a row, runs are natural.
    """
    at = np.flatnonzero(np.isfinite(order))
    if len(judged.cluster_annotator) < len(judged):
        at = at[:0]
    at = at[np.lexsort((judged.unit[at], order[at], judged.annotator[at]))]
    who, label = judged.annotator[at], judged.label[at]
    step = np.flatnonzero(who[1:] == who[:-1])
    same = label[step + 1] == label[step]
    steps = np.bincount(who[step], minlength=judged.annotators)
    repeats = np.bincount(who[step[same]], minlength=judged.annotators)
    own = steps * _own_repeats(who, label, len(ballots.labels), judged.annotators)
    spread = np.sqrt(np.maximum(own * (1 - ratio(own, steps.astype(np.float64))), 1e-9))
    suspect = (steps >= _LEAST_ANSWERS) & (repeats - own > 2 * spread)
    step = step[suspect[who[step]]]
    chances = _repeat_chances(ballots, cells, judged.unit[at[step]], judged.unit[at[step + 1]])
    theirs = np.bincount(who[step], weights=chances, minlength=judged.annotators)
    expected = np.maximum(own, theirs)
    longest, of = _longest(who, label, judged.annotators)
    share = ratio(expected, steps.astype(np.float64))
    score = ratio(repeats - expected, np.sqrt(np.maximum(steps * share * (1 - share), 0.25)))
    held = discoveries(np.where(suspect, tail(np.nan_to_num(score)), 1.0))
    found = held & suspect & (repeats - expected >= _RUN_EXCESS * steps) & (longest >= _RUN_LEAST)
    return Runs(steps, repeats, expected, longest, of, found)


def _own_repeats(who: Ints, label: Ints, classes: int, annotators: int) -> Floats:
    """Chance that two of the annotator's answers, picked blindly, are the same: float64[annotators], 0 for few."""
    code, count = tally(who * classes + label, annotators * classes)
    pairs = np.bincount(code // max(classes, 1), weights=count * (count - 1.0), minlength=annotators)
    size = np.bincount(who, minlength=annotators).astype(np.float64)
    return np.nan_to_num(ratio(pairs, size * (size - 1)))


def _repeat_chances(ballots: Ballots, cells: Cells, one: Ints, other: Ints) -> Floats:
    """Chance that a ballot on unit `one` and a ballot on unit `other` agree: float64[k]."""
    from scipy import sparse

    if not len(one):
        return np.zeros(0)
    shape = (ballots.units, len(ballots.labels))
    shares = sparse.csr_matrix((cells.count / cells.votes[cells.unit], (cells.unit, cells.label)), shape=shape)
    return np.asarray(shares[one].multiply(shares[other]).sum(axis=1)).reshape(-1)


def _longest(who: Ints, label: Ints, annotators: int) -> tuple[Ints, Ints]:
    """Length and label of the longest run of each annotator; the earliest of several."""
    longest, of = np.zeros(annotators, dtype=np.int64), np.full(annotators, -1)
    if not len(who):
        return longest, of
    start = np.flatnonzero(np.diff(who, prepend=-1) | np.diff(label, prepend=-1))
    length = np.diff(start, append=len(who))
    order = np.lexsort((start, -length, who[start]))
    order = order[np.diff(who[start][order], prepend=-1) != 0]
    longest[who[start[order]]], of[who[start[order]]] = length[order], label[start[order]]
    return longest, of

"""Straight-lining: annotators who give one label whatever they see, whose ballots say nothing of any unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots

_NEARLY_ALL = 0.97
_BY_CHANCE = 1e-6  # how unlikely such a run must be, so that of a thousand honest annotators none is taken


def straight_liners(ballots: Ballots) -> NDArray[np.bool_]:
    """Who gave one label in 97 % of ballots or more though others do not, on those units or at all: bool[annotators].

    Such a run of ballots must be less likely than one in a million if the label were as common as it is among everybody
    or, where that is more, among the others who labelled the same units: who was handed a batch of one class is fair.
    Many of them, each true to a label of their own, look like a skilled party to every method of consensus.
    """
    from scipy.special import bdtrc

    people, classes = len(ballots.annotators), max(len(ballots.labels), 1)
    named = ballots.annotator >= 0
    who, label, unit = ballots.annotator[named], ballots.label[named], ballots.unit[named]
    given = np.bincount(who * classes + label, minlength=people * classes).reshape(people, classes)
    total, top = given.sum(axis=1), given.max(axis=1, initial=0)
    favourite = given.argmax(axis=1) if people else np.zeros(0, dtype=np.int64)
    common = (np.bincount(ballots.label, minlength=classes) + 1) / (len(ballots) + classes)
    candidates = top >= np.maximum(_NEARLY_ALL * total, 2)
    candidates[candidates] = bdtrc(top[candidates] - 1, total[candidates], common[favourite[candidates]]) < _BY_CHANCE
    if not candidates.any():
        return np.asarray(candidates)
    # What the others say on the units of the candidates, of the label that each of them favours.
    mine = candidates[who]
    who, label, unit = who[mine], label[mine], unit[mine]
    votes = np.bincount(ballots.unit, minlength=ballots.units)
    same = _given_to(ballots, unit, favourite[who]) - (label == favourite[who])
    others = np.where(votes[unit] > 1, same / np.maximum(votes[unit] - 1, 1), common[favourite[who]])
    here = np.bincount(who, others, people) / np.maximum(total, 1)
    chance = np.clip(np.maximum(common[favourite], here), 0, 1)
    return np.asarray(candidates & (bdtrc(top - 1, total, chance) < _BY_CHANCE))


def counting(ballots: Ballots, ignored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which ballots count: bool[ballots]; those of `ignored` (bool[annotators]) only where there are no others."""
    kept = np.ones(len(ballots), dtype=bool)
    named = ballots.annotator >= 0
    kept[named] = ~ignored[ballots.annotator[named]]
    heard = np.bincount(ballots.unit[kept], minlength=ballots.units) > 0
    return np.asarray(kept | ~heard[ballots.unit])


def _given_to(ballots: Ballots, unit: NDArray[np.int64], label: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each label was given to each unit, for pairs of them: int64[pairs]."""
    classes = max(len(ballots.labels), 1)
    cells = np.sort(ballots.unit * classes + ballots.label)
    asked = unit * classes + label
    return np.asarray(np.searchsorted(cells, asked, side="right") - np.searchsorted(cells, asked, side="left"))

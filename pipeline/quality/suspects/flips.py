"""Flips: answers that nobody gave, drawn the way that answers go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.chance import draws
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.suspects.evidence import Evidence

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

KINDS = ("any", "habit", "likely")


def luck(names: Sequence[str], *, seed: int) -> NDArray[np.uint64]:
    """A number for each name that depends on the seed and the name alone: uint64[n]."""
    return draws(seed, "flips", names=names)


def share(numbers: NDArray[np.uint64], turn: int) -> Floats:
    """One of many series of numbers, 0 to below 1, that follow from `luck`: float64[n]."""
    return np.asarray((mixed(numbers + np.uint64(turn)) >> np.uint64(11)) / float(2**53))


def flipped(evidence: Evidence, rows: Ints, numbers: NDArray[np.uint64]) -> tuple[Ints, Ints, Ints]:
    """For each of `rows` one other label of each kind; gives rows, labels and kinds: three int64[m].

    any: each other label alike. habit: as often as the label given is mistaken for it. likely: as likely as the model
    finds it. Rows that no model could be asked about are left out.
    """
    classes = evidence.probabilities.shape[1]
    rows = rows[np.isfinite(evidence.probabilities[rows]).all(axis=1)]
    if classes < 2:
        rows = rows[:0]
    own, count = evidence.label[rows], len(rows)
    even = (own + 1 + (share(numbers[rows], 0) * (classes - 1)).astype(np.int64)) % max(classes, 1)
    found = [even]
    for turn, mass in enumerate((evidence.stands_for[own], evidence.probabilities[rows].astype(np.float64)), 1):
        mass[np.arange(count), own] = 0
        found.append(_drawn(mass, share(numbers[rows], turn), even))
    return np.tile(rows, len(found)), np.concatenate(found), np.repeat(np.arange(len(found)), count)


def _drawn(mass: Floats, at: Floats, otherwise: Ints) -> Ints:
    """A column of each row, as likely as its share of the mass; `otherwise` where a row has none."""
    upto = mass.cumsum(axis=1)
    total = upto[:, -1] if mass.shape[1] else np.zeros(len(mass))
    picked = (upto > (at * total)[:, None]).argmax(axis=1) if mass.shape[1] else otherwise
    return np.asarray(np.where(total > 0, picked, otherwise))

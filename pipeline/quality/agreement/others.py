"""Others: how far each annotator agrees with all the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.agreement.counting import counted, summed
from pipeline.quality.agreement.distances import Distance, Nominal, distance_of
from pipeline.quality.agreement.duos import MOST_CELLS
from pipeline.quality.agreement.figures import Agreement
from pipeline.quality.agreement.resampling import Draws, linear, rows_by_group

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def against_others(
    ballots: Ballots,
    *,
    distance: Distance | ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 200,
    level: float = 0.95,
) -> dict[str, Agreement]:
    """How far each named annotator agrees with the others, beyond chance: by name, in order.

    1 - observed / expected: the mean distance of the annotator's labels to those of the others on the same units, over
    the mean distance if their labels stood on any of these units. It is Cohen's kappa with the others as the second
    annotator: who always gives the same label, however frequent it is, has 0. `labels_counted` is the annotator's own.
    With more than MOST_CELLS annotators x labels the distance is left out: what is the same counts.
    """
    labels, people = len(ballots.labels), len(ballots.annotators)
    others = _Others.of(ballots, Nominal() if people * labels > MOST_CELLS else distance_of(distance, labels))
    value, influence = others.values()
    low, high = linear(value, others.row, others.who, influence, Draws(seed, resamples, level))
    answers = np.bincount(others.who, minlength=len(value))
    rows = rows_by_group(others.row, others.who, len(value))
    return {
        name: _alone(float(value[at]), float(low[at]), float(high[at]), int(rows[at]), int(answers[at]))
        for at, name in enumerate(ballots.annotators)
    }


def _alone(value: float, low: float, high: float, rows: int, answers: int) -> Agreement:
    if not rows:
        note = "nobody else labelled what this annotator labelled"
    elif not np.isfinite(value):
        note = "nobody gave a second label on these rows: agreement beyond chance is not defined"
    else:
        note = ""
    if not np.isfinite(value):
        low = high = float("nan")
    return Agreement(value, low, high, rows, answers, note)


@dataclass(frozen=True)
class _Others:
    """Ballots of named annotators on units that others voted on too.

    `apart`, `toward`: mean distance to the others' labels on the unit, and to all labels of the others on such units;
    `back`: the mean distance of the others' labels on the unit to all labels of the annotator.
    """

    who: Ints
    row: Ints
    apart: Floats
    toward: Floats
    back: Floats
    annotators: int

    @staticmethod
    def of(ballots: Ballots, distance: Distance) -> _Others:
        labels, people = len(ballots.labels), len(ballots.annotators)
        here = counted(ballots)
        cast = np.bincount(ballots.unit, minlength=ballots.units)
        place = np.cumsum(cast > 1) - 1
        kept = np.flatnonzero((cast[ballots.unit] > 1) & (ballots.annotator >= 0))
        unit, who, label = place[ballots.unit[kept]], ballots.annotator[kept], ballots.label[kept]
        ballot, other, weight = _beside(here.counts, unit, label)
        ballots_of = np.maximum(np.bincount(who, minlength=people), 1)
        own = np.bincount(label * people + who, minlength=labels * people).reshape(labels, people) / ballots_of
        met = summed(other * people + who[ballot], weight, labels * people).reshape(labels, people)
        to_own, to_met = distance.toward(own), distance.toward(met / ballots_of)
        mean = len(label)
        apart = summed(ballot, weight * distance.apart(label[ballot], other), mean)
        back = summed(ballot, weight * to_own[other, who[ballot]], mean)
        return _Others(who, ballots.row[kept], apart, to_met[label, who], back, people)

    def values(self) -> tuple[Floats, Floats]:
        """The alpha of each annotator, and by how much each ballot moves it."""
        answers = np.maximum(np.bincount(self.who, minlength=self.annotators), 1)
        observed = summed(self.who, self.apart, self.annotators) / answers
        expected = summed(self.who, self.toward, self.annotators) / answers
        possible = expected > 1e-12
        at = self.who
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(possible, 1 - observed / expected, np.nan)
            moved = (self.toward + self.back - 2 * expected[at]) * observed[at] / expected[at]
            influence = (moved - (self.apart - observed[at])) / expected[at] / answers[at]
        return value, np.where(possible[at], influence, 0.0)


def _beside(counts: Any, unit: Ints, label: Ints) -> tuple[Ints, Ints, Floats]:
    """For each ballot the labels that others gave to its unit, with what share: (ballot, label, share), one a line."""
    length = np.diff(counts.indptr)[unit]
    ballot = np.repeat(np.arange(len(unit)), length)
    ends = np.cumsum(length)
    entry = np.arange(len(ballot)) + np.repeat(counts.indptr[unit] - (ends - length), length)
    other = counts.indices[entry].astype(np.int64)
    given = counts.data[entry] - (other == label[ballot])
    total = np.bincount(ballot, given, minlength=len(unit))
    return ballot, other, given / np.maximum(total, 1)[ballot]

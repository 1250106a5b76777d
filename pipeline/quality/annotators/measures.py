"""Measures: everything that is known of all annotators together, as columns, before it is put in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.annotators import confusion, copying, skill, spam, timing
from pipeline.quality.annotators.drift import Batches, Drift, batches, drift
from pipeline.quality.annotators.judged import Judged, judge
from pipeline.quality.annotators.scale import Scale, scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus import Truth

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Columns:
    """What is known beside the ballots, all optional.

    Attributes:
        shares: float64[units, labels], the posterior of the consensus.
        seconds: float64[annotations] since 1970, indexed by `ballots.origin`; nan is not known.
        batch: int64[annotations], an index into `batch_names`, -1 is not known.
        known: int64[units], the true label of gold units, an index into the labels; -1 is not known.
        values: float64[labels], the numbers or ranks that labels stand for.
        batch_names: what batches are called; row_names: what rows are called, for evidence.
    """

    shares: Floats | None = None
    seconds: Floats | None = None
    batch: Ints | None = None
    known: Ints | None = None
    values: Floats | None = None
    batch_names: tuple[str, ...] = ()
    row_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """int64[annotators] each: ballots judged, on how many rows, against the others, and of those on contested units."""

    judged: Ints
    rows: Ints
    against: Ints
    contested: Ints


@dataclass(frozen=True)
class Measures:
    """The instruments' results, arrays per annotator inside; None where a column was missing."""

    judged: Judged
    counts: Counts
    accuracy: skill.Estimate
    kappa: skill.Estimate
    usual: Floats
    chance: Floats
    adjusted: skill.Adjusted
    gold: skill.Gold
    confusions: confusion.Confusions
    random: Bools
    lines: spam.Lines
    runs: spam.Runs
    copies: copying.Copies
    speed: timing.Speed | None
    drift: Drift
    batches: Batches | None
    scale: Scale | None


def measure(ballots: Ballots, truth: Truth, columns: Columns) -> Measures:
    """All measures of all named annotators.

    Raises:
        AssayError: a column does not have the length it must have.
    """
    _check(ballots, columns)
    values = None if columns.values is None else np.asarray(columns.values, dtype=np.float64)
    judged, cells, beliefs = judge(ballots, truth.label, truth.posterior, shares=columns.shares, values=values)
    classes = max(len(ballots.labels), 1)
    accuracy = skill.accuracy(judged)
    kappa, chance = skill.kappa(judged, accuracy, classes)
    usual = skill.typical(judged, accuracy)
    order = timing.order_of(ballots, columns.seconds)[judged.ballot]
    # With numbers, `expected` is a distance: there, `scale` tells who answers at random.
    by_chance = (
        spam.random_answers(judged, usual, chance) if values is None else np.zeros(judged.annotators, dtype=bool)
    )
    return Measures(
        judged=judged, counts=_counts(judged),
        accuracy=accuracy, kappa=kappa, usual=usual, chance=chance, adjusted=skill.adjusted(judged),
        gold=skill.gold(ballots, columns.known), confusions=confusion.confusions(judged, classes), random=by_chance,
        lines=spam.lines(judged, cells, classes), runs=spam.runs(ballots, judged, cells, order),
        copies=copying.copies(ballots, cells, beliefs), speed=timing.speed(ballots, columns.seconds),
        drift=drift(judged, order), batches=_batches(ballots, judged, columns.batch),
        scale=None if values is None else scale(ballots, judged, cells, values),
    )  # fmt: skip


def _counts(judged: Judged) -> Counts:
    against = judged.label != judged.best
    apart = [judged.total(each).astype(np.int64) for each in (None, against, against & judged.contested)]
    rows = np.bincount(judged.cluster_annotator, minlength=judged.annotators)
    return Counts(judged=apart[0], rows=rows, against=apart[1], contested=apart[2])


def _batches(ballots: Ballots, judged: Judged, batch: Ints | None) -> Batches | None:
    if batch is None:
        return None
    origin = ballots.origin[judged.ballot]
    codes = np.append(np.asarray(batch, dtype=np.int64), -1)
    return batches(judged, codes[np.where(origin >= 0, origin, -1)])


def _check(ballots: Ballots, columns: Columns) -> None:
    annotations = int(ballots.origin.max(initial=-1)) + 1
    needs = {
        "shares": (columns.shares, ballots.units, ballots.units),
        "known": (columns.known, ballots.units, ballots.units),
        "values": (columns.values, len(ballots.labels), len(ballots.labels)),
        "seconds": (columns.seconds, annotations, np.inf),
        "batch": (columns.batch, annotations, np.inf),
    }
    for name, (column, least, most) in needs.items():
        if column is not None and not least <= len(column) <= most:
            problem = f"{name} has {len(column):,} entries for {least:,} of what it describes"
            raise AssayError("annotators", problem, "give one entry each")

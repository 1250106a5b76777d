"""Measured: everything that there is to say about agreement in one set of annotations, by what its task calls for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.agreement import labelled, marked, written
from pipeline.quality.agreement.figures import number
from pipeline.quality.agreement.notes import facts, notes
from pipeline.quality.agreement.others import against_others
from pipeline.quality.agreement.resampling import Draws

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from pipeline.quality.agreement.answers import Answers
    from pipeline.quality.agreement.figures import Agreement, Figure
    from pipeline.quality.agreement.labelled import Parts
    from pipeline.quality.ballots import Ballots

    Ints = NDArray[np.int64]

Measure = Literal["nominal", "ordinal", "interval", "ratio", "sets", "spans", "texts"]
MOST_PAIRS, MOST_ANNOTATORS = 50, 500
"""So many pairs of annotators (those that met most) and annotators (who answered most) are told in a report."""


@dataclass(frozen=True)
class Measured:
    """How far annotators agree.

    Attributes:
        headline: the measure that the task calls for.
        all: all measures, the headline first.
        by_label: for each label its figures, that like the headline first; empty where answers are numbers or texts.
        by_batch, by_guideline: the headline among annotations of one batch, or made under one version; empty where the
            annotations name none.
        pairs: every two annotators that met on a row, those that met most first.
        annotators: the alpha of each annotator with the others, over what was voted on (see `against_others`).
        notes: sentences about what would mislead.
    """

    headline: Figure
    all: Sequence[Figure]
    by_label: Mapping[str, Sequence[Figure]]
    by_batch: Mapping[str, Figure]
    by_guideline: Mapping[str, Figure]
    pairs: Sequence[Pair]
    annotators: Mapping[str, Agreement]
    notes: Sequence[str] = field(default_factory=tuple)

    def told(self) -> dict[str, Any]:
        """For JSON: plain, rounded, None for nan."""
        most = sorted(self.annotators.items(), key=lambda each: (-each[1].labels_counted, each[0]))[:MOST_ANNOTATORS]
        return {
            "headline": self.headline.told(),
            "all": [one.told() for one in self.all],
            "by_label": {
                label: {**first.told(), "also": [one.told() for one in more]}
                for label, (first, *more) in self.by_label.items()
            },
            "by_batch": {name: one.told() for name, one in self.by_batch.items()},
            "by_guideline": {name: one.told() for name, one in self.by_guideline.items()},
            "pairs": [one.told() for one in self.pairs[:MOST_PAIRS]],
            "pairs_of_annotators": len(self.pairs),
            "annotators": {name: one.figure("alpha with the others").told() for name, one in most},
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Pair:
    """Two annotators: on how many units (of spans: rows) they met, and how they agree there."""

    one: str
    other: str
    met: int
    name: str
    value: float
    low: float
    high: float

    def told(self) -> dict[str, Any]:
        """For JSON."""
        numbers = {"value": number(self.value), "low": number(self.low), "high": number(self.high)}
        return {"one": self.one, "other": self.other, "met": self.met, "name": self.name, **numbers}


def measure(
    ballots: Ballots,
    *,
    measure: Measure,
    values: ArrayLike | None = None,
    answers: Answers | None = None,
    distance: Callable[[Any, Any], float] | None = None,
    chars: Ints | None = None,
    batches: Parts | None = None,
    guidelines: Parts | None = None,
    seed: int = 0,
    resamples: int = 200,
    level: float = 0.95,
) -> Measured:
    """Measure agreement by every measure that fits.

    Args:
        ballots: what was voted on; of sets yes or no to each label, of spans the tags of pieces of text.
        measure: how answers differ.
        values: float[labels], the ranks or numbers of `ballots.labels`; for ordinal, interval and ratio.
        answers: the whole answers; for sets (lists of labels), spans (lists of [start, end, label]) and texts.
        distance: of two whole answers, as parsed; for texts.
        chars: int64[rows], the characters of each row's text; for spans, where it can be had.
        batches, guidelines: (codes, names): int64[annotations], an index into names or -1, for the annotations that
            `ballots.origin` and `answers.origin` number.
        seed, resamples, level: how rows are drawn anew for the intervals.

    Raises:
        AssayError: something that the measure needs was not given.
    """
    draws = Draws(seed, resamples, level)
    parts = {"batch": batches or _no_parts(), "guideline version": guidelines or _no_parts()}
    if measure == "sets":
        seen = labelled.sets(ballots, _given(answers, measure, "answers"), parts, draws)
    elif measure == "spans":
        seen = marked.spans_seen(ballots, _given(answers, measure, "answers"), chars, parts, draws)
    elif measure == "texts":
        seen = written.texts_seen(ballots, _given(answers, measure, "answers"), distance, parts, draws)
    else:
        numbers = None if measure == "nominal" else np.asarray(_given(values, measure, "values"), dtype=np.float64)
        seen = labelled.labels(ballots, measure, numbers, parts, draws)
    headline = seen.all[0]
    by_batch, by_guideline = (seen.parts[kind] for kind in parts)
    return Measured(
        headline, seen.all, seen.by_label, by_batch, by_guideline, [Pair(*each) for each in seen.pairs],
        against_others(ballots, distance=seen.distance, seed=seed, resamples=resamples, level=level),
        notes(facts(seen.ballots, answers=seen.answers, never=seen.never), headline, seen.compared, seen.parts),
    )  # fmt: skip


def _no_parts() -> Parts:
    return np.zeros(0, dtype=np.int64), ()


def _given(what: Any, measure: Measure, name: str) -> Any:
    if what is None:
        raise AssayError("agreement", f"no {name} to measure {measure} agreement on", f"give {name}=")
    return what

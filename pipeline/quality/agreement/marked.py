"""Marked: the measures that fit spans: F1 between annotators, unitised alpha, and alpha of the tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.agreement.alpha import alpha
from pipeline.quality.agreement.counting import part_of
from pipeline.quality.agreement.labelled import Seen
from pipeline.quality.agreement.marks import marks_from
from pipeline.quality.agreement.notes import most_given
from pipeline.quality.agreement.spans import NAMES, SpanAgreement, spans
from pipeline.quality.agreement.unitised import unitised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.quality.agreement.answers import Answers
    from pipeline.quality.agreement.figures import Figure
    from pipeline.quality.agreement.labelled import Listed, Parts
    from pipeline.quality.agreement.marks import Marks
    from pipeline.quality.agreement.resampling import Draws
    from pipeline.quality.ballots import Ballots


def spans_seen(
    ballots: Ballots, answers: Answers, chars: NDArray[np.int64] | None, parts: Mapping[str, Parts], draws: Draws
) -> Seen:
    """Spans."""
    options: dict[str, Any] = {"seed": draws.seed, "resamples": draws.resamples, "level": draws.level}
    marks = marks_from(answers)
    exact, partial, edges = (spans(marks, matching=matching, **options) for matching in NAMES)
    units = unitised(marks, chars, **options)
    tags = alpha(ballots, **options).figure("alpha (tags of what anybody marked)")
    by_label = {label: [one, partial.by_label[label], units.by_label[label]] for label, one in exact.by_label.items()}
    return Seen(
        ballots, None,
        [exact.overall, exact.mean, partial.overall, edges.overall, units.all, units.marked, units.coded, tags],
        by_label, {kind: _parts(marks, given, options) for kind, given in parts.items()},
        _listed(exact, marks.annotators), {}, _never(exact.by_label), answers.ballots(),
    )  # fmt: skip


def _never(found: Mapping[str, Figure]) -> list[tuple[str, int]]:
    """The labels that were marked often and never the same span twice."""
    given = np.array([one.answers for one in found.values()], dtype=np.float64)
    value = np.array([one.value for one in found.values()], dtype=np.float64)
    return most_given(list(found), given, value)


def _parts(marks: Marks, given: Parts, options: Mapping[str, Any]) -> dict[str, Figure]:
    codes, names = given
    part = part_of(marks.origin, codes)
    return {name: spans(marks.only(part == at), **options).overall for at, name in enumerate(names)}


def _listed(found: SpanAgreement, annotators: Sequence[str]) -> list[Listed]:
    order = np.argsort(-found.rows, kind="stable")
    columns = (found.first, found.second, found.rows, found.f1)
    nan = float("nan")
    return [
        (annotators[one], annotators[other], rows, found.overall.name, value, nan, nan)
        for one, other, rows, value in zip(*(column[order].tolist() for column in columns), strict=True)
    ]

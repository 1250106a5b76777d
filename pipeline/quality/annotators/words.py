"""Words: what the measures say of one annotator, in sentences with their evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.quality.annotators.measures import Columns, Measures
    from pipeline.quality.ballots import Ballots

    Bools = NDArray[np.bool_]

BELOW, ABOVE, ALIKE, UNKNOWN = "below the others", "above the others", "like the others", "too few answers to say"
UNRANKED = "too few annotators to rank"
LEAST_RANKED = 5
"""With fewer annotators the others are hardly a measure: who is better cannot be told from their answers."""
_ALIKE_WITHIN = 0.1  # a difference in accuracy that no longer matters; for numbers, in typical distances
_ALIKE_ROWS = 10
_NAME_CHARS = 60


def said(name: str) -> str:
    """A name from the data as it can stand in a sentence: in quotes, one line, nothing hidden, not too long."""
    shown = " ".join(visible(name[: _NAME_CHARS * 4]).split())
    return "'" + (shown if len(shown) <= _NAME_CHARS else shown[: _NAME_CHARS - 3] + "...") + "'"


def verdict(measures: Measures, who: int) -> str:
    """One of five verdicts; those that compare only where there are others enough and the interval supports it."""
    found = measures.adjusted
    low, high = found.shrunk.low[who], found.shrunk.high[who]
    if int((measures.counts.judged > 0).sum()) < LEAST_RANKED:
        return UNRANKED
    if found.far[who] and high < 0:
        return BELOW
    if found.far[who] and low > 0:
        return ABOVE
    near = measures.counts.rows[who] >= _ALIKE_ROWS and low > -_ALIKE_WITHIN and high < _ALIKE_WITHIN
    return ALIKE if near else UNKNOWN


def spam_words(ballots: Ballots, measures: Measures, who: int) -> Iterator[str]:
    """What speaks for answers given without reading."""
    lines, runs = measures.lines, measures.runs
    answers = int(measures.counts.judged[who])
    if lines.found[who]:
        label = said(ballots.labels[lines.label[who]])
        habit = ", the commonest label," if lines.commonest[who] else ""
        yield (
            f"always the same label: {label}{habit} is {lines.share[who]:.0%} of {answers} answers; the others gave it "
            f"to the same units in {lines.usual[who]:.0%}: at least {lines.least[who]:.0%} were given whatever the unit"
        )
    elif measures.random[who]:
        yield (
            f"as if at random: right in {measures.accuracy.value[who]:.0%} of {answers} answers where dealing the same "
            f"labels blindly gives {measures.chance[who]:.0%} and others have {measures.usual[who]:.0%} on such units"
        )
    if runs.found[who]:
        yield (
            f"runs of one answer: {runs.repeats[who]} of {runs.steps[who]} answers repeat the one before, "
            f"{runs.expected[who]:.0f} would be expected; the longest run is {runs.longest[who]} times "
            f"{said(ballots.labels[runs.label[who]])}"
        )
    scale = measures.scale
    if scale is not None and scale.loose[who]:
        yield (
            f"the numbers hardly follow the units: correlation with the others {scale.follows.value[who]:.2f}, "
            f"where {scale.group:.2f} is usual"
        )


def copy_words(ballots: Ballots, measures: Measures, who: int, columns: Columns) -> Iterator[str]:
    """With whom the annotator agrees too much, and where."""
    found, good = measures.copies, both_above(measures)
    for at in np.flatnonzero((found.one == who) | (found.other == who))[:3]:
        partner = said(ballots.annotators[found.other[at] if found.one[at] == who else found.one[at]])
        odd = ""
        if found.odd[at]:
            rows = ", ".join(said(_row(int(row), columns)) for row in found.rows[at][:3])
            odd = (
                f"; against most of the rest the two gave one same answer {found.odd[at]} times, "
                f"{found.odd_expected[at]:.1f} would be expected (rows {rows})"
            )
        yield (
            f"answers as {partner} does: {found.same[at]} of {found.shared[at]} common answers are the same, "
            f"{found.expected[at]:.1f} would be expected{odd}; one copied the other, or both one source"
            + (", or, as both are above the others, the two are right and the rest wrong" if good[at] else "")
        )


def both_above(measures: Measures) -> Bools:
    """For each pair that agrees too much, whether both are better than the others: then nobody is blamed for it."""
    found = measures.adjusted
    above = found.far & (np.nan_to_num(found.shrunk.low) > 0)
    return np.asarray(above[measures.copies.one] & above[measures.copies.other])


def _row(row: int, columns: Columns) -> str:
    return columns.row_names[row] if row < len(columns.row_names) else str(row)


def speed_words(measures: Measures, who: int, *, suspect: bool) -> Iterator[str]:
    """Speed, only beside other evidence: quick alone may be skilled."""
    speed = measures.speed
    if speed is not None and suspect and speed.quick[who]:
        yield (
            f"and quick: {speed.median[who]:.1f} seconds an answer where {speed.group:.1f} are usual, "
            f"{speed.hasty[who]:.0%} of the answers within {speed.floor:.1f}, up to {speed.burst[who]} in a row"
        )


def drift_words(measures: Measures, who: int, columns: Columns) -> Iterator[str]:
    """Change over the work, beyond what the rows explain."""
    drift, batches = measures.drift, measures.batches
    unit = "typical distances" if measures.scale is not None else "of the answers"
    if drift.changing[who]:
        word = "worse" if drift.after[who] < drift.before[who] else "better"
        yield (
            f"got {word} after about {drift.cut[who]} of {drift.rows[who]} rows: {_signed(drift.before[who], unit)} "
            f"beside the others before, {_signed(drift.after[who], unit)} after"
        )
    elif drift.trending[who]:
        word = "worse" if drift.trend[who] < 0 else "better"
        yield f"slowly got {word} over {drift.rows[who]} rows: by {_signed(drift.trend[who], unit)} from first to last"
    if batches is not None and batches.varying[who]:
        mine = np.flatnonzero((batches.annotator == who) & (batches.count >= 5))
        worst = mine[np.argmin(batches.excess[mine])]
        code = int(batches.batch[worst])
        name = said(columns.batch_names[code] if code < len(columns.batch_names) else str(code))
        yield f"batches differ: worst is {name}, {_signed(batches.excess[worst], unit)} beside the others"


def _signed(value: float, unit: str) -> str:
    return f"{value:+.0%} {unit}" if unit == "of the answers" else f"{value:+.2f} {unit}"


def scale_words(measures: Measures, who: int) -> Iterator[str]:
    """Numbers that run high or low, wide or narrow."""
    scale = measures.scale
    if scale is None:
        return
    if scale.biased[who]:
        word = "high" if scale.bias.value[who] > 0 else "low"
        yield (
            f"numbers run {word}: by {abs(scale.bias.value[who]):.3g} on average "
            f"({scale.bias.low[who]:.3g} to {scale.bias.high[who]:.3g}) beside the others on the same units"
        )
    if scale.uneven[who]:
        word = "wider" if scale.spread.value[who] > 1 else "narrower"
        yield f"numbers are spread {word}: {scale.spread.value[who]:.2f} times the others' standard deviation"


def gold_words(measures: Measures, who: int) -> Iterator[str]:
    """Known answers, where they show the annotator to be below the others."""
    gold = measures.gold
    asked, right = int(gold.asked[who]), int(gold.right[who])
    rest = int(gold.asked.sum()) - asked
    usual = (int(gold.right.sum()) - right) / rest if rest else float("nan")
    if asked and gold.high[who] < usual:
        yield (
            f"known answers: right in {right} of {asked} ({gold.low[who]:.0%} to {gold.high[who]:.0%}), "
            f"the others in {usual:.0%}"
        )

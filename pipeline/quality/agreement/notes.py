"""Notes: sentences that say what a figure of agreement means where it would mislead."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.agreement.counting import counted, pairs_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.quality.agreement.figures import Figure
    from pipeline.quality.ballots import Ballots

RELIABLE, TENTATIVE = 0.8, 0.667
"""Krippendorff, Content Analysis (2004), p. 241: rely on alpha of .800 and more; conclude tentatively from .667 on.

They are for conclusions from content analysis; he asks for what a wrong conclusion would cost. The bands of Landis and
Koch 1977 ("moderate", "substantial"), doi 10.2307/2529310, are, in their own words, arbitrary, and are not used here.
"""
WIDE, FEW_ROWS = 0.2, 30
"""An interval wider than this spans more than the step from tentative to reliable, and fewer rows make a percentile
interval itself too narrow."""
APART = 0.2
"""Two coefficients that differ by more than this lead to different decisions."""
MANY = 0.8
DOMINANT, FAIR_SHARES = 0.5, 1.5
NEVER_AGREED = 5
"""A label given to units with overlap as often as this, and never by two: with fewer, chance may be enough."""
_NAMED = 5


@dataclass(frozen=True)
class Facts:
    """What is counted beside the figures.

    Attributes:
        rows: rows with an answer; `overlapping` of them with two or more.
        label, share: the label given most often where ballots overlap, and how often, 0..1.
        given: how many different labels were given there.
        never: labels given often and never agreed on, each with how often; empty where answers are numbers or texts.
        annotator, meetings: who takes part in most pairs of ballots, and in which share of them, 0..1.
        fair: the share if all named annotators took part in as many.
    """

    rows: int
    overlapping: int
    label: str
    share: float
    given: int
    never: Sequence[tuple[str, int]]
    annotator: str
    meetings: float
    fair: float


def facts(ballots: Ballots, *, answers: Ballots | None = None, never: Sequence[tuple[str, int]] = ()) -> Facts:
    """Count what notes need; `answers` tell which rows were answered, where ballots are on parts of answers."""
    here, whole = counted(ballots), answers or ballots
    given = np.asarray(here.counts.sum(axis=0)).reshape(-1)
    top = int(given.argmax()) if given.any() else -1
    who, meetings, people = _busiest(whole)
    answered = np.bincount(whole.row) if len(whole) else np.zeros(0, dtype=np.int64)
    return Facts(
        rows=int((answered > 0).sum()),
        overlapping=counted(whole).rows,
        label=ballots.labels[top] if top >= 0 else "",
        share=float(given[top] / given.sum()) if top >= 0 else 0.0,
        given=int((given > 0).sum()),
        never=never,
        annotator=who,
        meetings=meetings,
        fair=2 / people if people else 1.0,
    )


def never_shared(ballots: Ballots) -> list[tuple[str, int]]:
    """The labels that were given often and never by two to the same unit, each with how often; the most often first."""
    counts = counted(ballots).counts
    given = np.asarray(counts.sum(axis=0)).reshape(-1)
    agreed = np.asarray(counts.multiply(counts).sum(axis=0)).reshape(-1) - given
    return most_given(ballots.labels, given, agreed)


def most_given(names: Sequence[str], given: NDArray[np.float64], agreed: NDArray[np.float64]) -> list[tuple[str, int]]:
    """The names given often and never agreed on, with how often; the most often first."""
    never = np.flatnonzero((given >= NEVER_AGREED) & (agreed == 0))
    return [(names[at], int(given[at])) for at in never[np.argsort(-given[never], kind="stable")]]


def _busiest(ballots: Ballots) -> tuple[str, float, int]:
    """Who takes part in most pairs of ballots, in which share of them, and how many annotators take part in any."""
    cast = np.bincount(ballots.unit, minlength=ballots.units)
    named = ballots.annotator >= 0
    met = np.bincount(
        ballots.annotator[named], (cast[ballots.unit[named]] - 1) * 1.0, minlength=len(ballots.annotators)
    )
    pairs = float((cast * (cast - 1)).sum()) / 2
    if not pairs or not met.any():
        return "", 0.0, 0
    at = int(met.argmax())
    return ballots.annotators[at], float(met[at]) / pairs, int((met > 0).sum())


def notes(
    known: Facts, headline: Figure, figures: Mapping[str, Figure], parts: Mapping[str, Mapping[str, Figure]]
) -> list[str]:
    """What to say, most important first.

    `figures` are the other measures by a short name ("percent", "kappa", "ac"), `parts` the headline by batch and the
    like: kind to name to figure.
    """
    told = [*_standing(known, headline), *_few(known, headline), *_paradoxes(known, headline, figures), *_labels(known)]
    for kind, of_part in parts.items():
        told += _differences(kind, of_part, headline.name)
    return told


def _standing(known: Facts, headline: Figure) -> Iterator[str]:
    if headline.note and not np.isfinite(headline.value):
        yield f"{headline.name} is not defined: {headline.note}"
    if known.given == 1:
        yield f"only one label was ever given where answers overlap ({known.label!r}): there is nothing to agree about"
    if not np.isfinite(headline.value) or "alpha" not in headline.name:
        return
    if headline.high < 0:
        yield (
            f"{_ranged(headline)} is below zero: annotators disagree more than chance would make them, so there is a "
            "system in it; look for a label that is read two ways, or for two guidelines"
        )
    elif headline.value < TENTATIVE:
        yield (
            f"{_ranged(headline)} is under {TENTATIVE}, the least that Krippendorff (2004) asks for, even for "
            "tentative conclusions"
        )
    elif headline.value < RELIABLE or headline.low < TENTATIVE:
        yield f"{_ranged(headline)}: Krippendorff (2004) relies on {RELIABLE} and more, from {TENTATIVE} on tentatively"


def _few(known: Facts, headline: Figure) -> Iterator[str]:
    rows = known.overlapping
    if rows and rows < FEW_ROWS:
        yield (
            f"only {rows} {'row was' if rows == 1 else 'rows were'} answered twice or more; with fewer than {FEW_ROWS} "
            "neither the figure nor its interval can be trusted"
        )
    elif headline.high - headline.low > WIDE:
        yield f"the interval of {_ranged(headline)} is wider than {WIDE}: let more rows than {rows:,} be answered twice"
    if rows and known.rows > 2 * rows:
        yield (
            f"{rows:,} of {known.rows:,} answered rows ({rows / known.rows:.1%}) were answered twice or more: all "
            "figures are about these"
        )
    if known.meetings > max(DOMINANT, FAIR_SHARES * known.fair):
        yield (
            f"annotator {known.annotator!r} takes part in {known.meetings:.0%} of all pairs of answers, so the "
            "figures say above all how the others agree with this one"
        )


def _paradoxes(known: Facts, headline: Figure, figures: Mapping[str, Figure]) -> Iterator[str]:
    percent, kappa, other = (figures.get(name) for name in ("percent", "kappa", "ac"))
    corrected = headline if "alpha" in headline.name else kappa
    if percent is not None and corrected is not None and _is_paradox(known, percent.value, corrected.value):
        by_chance = (percent.value - corrected.value) / (1 - corrected.value) if corrected.value < 1 else 1.0
        yield (
            f"annotators agree in {percent.value:.1%} of pairs and yet {corrected.name} is {corrected.value:.2f}, "
            f"because {known.share:.1%} of all answers are {known.label!r}: answers drawn at random in these shares "
            f"would agree in {by_chance:.1%}, and only what goes beyond that counts; judge by the rarer labels"
        )
    if kappa is not None and other is not None and abs(other.value - kappa.value) > APART:
        yield (
            f"{other.name} is {other.value:.2f} and {kappa.name} {kappa.value:.2f} for the same answers: "
            f"kappa takes the uneven shares of the labels ({known.label!r} {known.share:.0%}) for chance, AC for a "
            "property of the rows; neither is wrong, but compare them only with their own kind"
        )


def _is_paradox(known: Facts, percent: float, corrected: float) -> bool:
    return known.share >= MANY and percent >= MANY and corrected < TENTATIVE


def _labels(known: Facts) -> Iterator[str]:
    if not known.never:
        return
    named = ", ".join(f"{label!r} ({count}x)" for label, count in known.never[:_NAMED])
    more = f" and {len(known.never) - _NAMED} more" if len(known.never) > _NAMED else ""
    yield f"no two annotators ever agreed on {named}{more}: what is meant by it is not shared"


def _differences(kind: str, figures: Mapping[str, Figure], name: str) -> Iterator[str]:
    """The two parts that differ most, if that is more than the best of so many comparisons would by chance."""
    measured = [(part, one) for part, one in figures.items() if np.isfinite([one.value, one.low, one.high]).all()]
    value, low, high = (np.array([getattr(one, end) for _, one in measured]) for end in ("value", "low", "high"))
    one, other = pairs_within(np.zeros(len(measured), dtype=np.int64))
    if not len(one):
        return
    # A 95 % interval is 3.92 standard errors wide; one of 0 width (all agree) has none to go by.
    error = np.sqrt(((high - low)[one] / 3.92) ** 2 + ((high - low)[other] / 3.92) ** 2)
    apart = (low[one] > high[other]) | (low[other] > high[one])
    far = np.where(apart & (error > 0), np.abs(value[one] - value[other]) / np.where(error > 0, error, 1.0), 0.0)
    at = int(far.argmax())
    if far[at] <= NormalDist().inv_cdf(1 - 0.025 / len(one)):
        return
    (lesser, worse), (greater, better) = sorted(
        (measured[one[at]], measured[other[at]]), key=lambda each: each[1].value
    )
    yield (
        f"{kind} {lesser!r} and {greater!r} differ by more than their intervals: {name} is {_numbers(worse)} and "
        f"{_numbers(better)}; the figure for all together describes neither"
    )


def _ranged(figure: Figure) -> str:
    return f"{figure.name} {_numbers(figure)}"


def _numbers(figure: Figure) -> str:
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"

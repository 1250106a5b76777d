"""Labelled: the measures that fit labels (without order, ranked, numbers) and sets of labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.agreement.alpha import agreement_of, alpha_by_label, by, by_unit_name
from pipeline.quality.agreement.counting import counted, summed
from pipeline.quality.agreement.distances import Distance, Nominal, Scale, interval, ordinal, ratio
from pipeline.quality.agreement.duos import Duos, duos, linear_weights
from pipeline.quality.agreement.kappas import kappas, percentage
from pipeline.quality.agreement.notes import most_given, never_shared
from pipeline.quality.agreement.tables import Sets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.quality.agreement.answers import Answers
    from pipeline.quality.agreement.figures import Figure
    from pipeline.quality.agreement.resampling import Draws
    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Parts = tuple[NDArray[np.int64], Sequence[str]]
    Listed = tuple[str, str, int, str, float, float, float]

MOST_LABELS = 500
"""More labels than this are no closed set (free answers): nothing is told label by label."""
CHOSEN = "yes"
_LINEAR_LABELS = 200


@dataclass(frozen=True)
class Seen:
    """What was measured, before it is told: see `measured.Measured`.

    `compared`: the figures that paradoxes are looked for in; `pairs`: the fields of `measured.Pair`; `distance`: that
    of the ballots' labels; `never`: labels that nobody agreed on, with how often they were given; `answers`: whole
    answers, where ballots are on parts of them.
    """

    ballots: Ballots
    distance: Distance | None
    all: list[Figure]
    by_label: dict[str, list[Figure]]
    parts: dict[str, dict[str, Figure]]
    pairs: list[Listed]
    compared: dict[str, Figure]
    never: list[tuple[str, int]]
    answers: Ballots | None = None


def labels(ballots: Ballots, measure: str, values: Floats | None, parts: Mapping[str, Parts], draws: Draws) -> Seen:
    """Labels without order, ranked, or numbers."""
    distance = _distance(ballots, measure, values)
    name, options = f"alpha ({measure})", _options(draws)
    here = counted(ballots)
    headline = agreement_of(here, distance, draws).figure(name)
    plain = kappas(ballots, **options)
    if values is None:
        met = duos(ballots, **options)
        figures = [headline, *plain, met.mean]
        compared = dict(zip(("percent", "kappa", "ac"), plain, strict=True))
    else:
        weights = Scale(values) if measure == "ordinal" else distance
        met = duos(ballots, distance=weights, name=f"kappa (Cohen, {_weights(measure)})", **options)
        weighted = [_renamed(one, measure) for one in kappas(ballots, distance=weights, **options)]
        figures = [headline, plain[0], met.mean, *_steps(ballots, measure, values, options), *weighted]
        compared = dict(zip(("kappa", "ac"), weighted, strict=True))
    return Seen(
        ballots, distance, figures, _each_label(ballots, measure, options),
        {kind: _parts(ballots, given, distance, name, options) for kind, given in parts.items()},
        listed(met, ballots.annotators), compared,
        [] if measure in ("interval", "ratio") else never_shared(ballots),
    )  # fmt: skip


def _distance(ballots: Ballots, measure: str, values: Floats | None) -> Distance:
    if values is None:
        return Nominal()
    if measure == "ordinal":
        return ordinal(ballots, values)
    return interval(values) if measure == "interval" else ratio(values)


def _weights(measure: str) -> str:
    return "ratio weights" if measure == "ratio" else "quadratic weights"


def _renamed(one: Figure, measure: str) -> Figure:
    return replace(one, name=one.name.replace(")", f", {_weights(measure)})"))


def _steps(ballots: Ballots, measure: str, values: Floats, options: dict[str, Any]) -> list[Figure]:
    """Cohen's kappa with linear weights: for ranks."""
    if measure != "ordinal" or len(values) > _LINEAR_LABELS:
        return []
    linear = duos(
        ballots, distance=linear_weights(values), name="kappa (Cohen, linear weights)", intervals=0, **options
    )
    return [linear.mean]


def _each_label(ballots: Ballots, measure: str, options: dict[str, Any]) -> dict[str, list[Figure]]:
    if measure in ("interval", "ratio") or len(ballots.labels) > MOST_LABELS:
        return {}
    found = alpha_by_label(ballots, **options)
    return {label: [one.figure("alpha (this label or another)")] for label, one in found.items()}


def sets(ballots: Ballots, answers: Answers, parts: Mapping[str, Parts], draws: Draws) -> Seen:
    """Sets of labels: as wholes by MASI and Jaccard, and yes or no to each label."""
    whole, options = answers.ballots(), _options(draws)
    here, name = counted(whole), "alpha (MASI)"
    masi = Sets.of(whole.labels)
    headline = agreement_of(here, masi, draws).figure(name)
    jaccard = agreement_of(here, Sets(masi.members, masi=False), draws).figure("alpha (Jaccard)")
    same = percentage(whole, name="percentage of equal sets", **options)
    met = duos(ballots, name="kappa (Cohen), yes or no to each label", **options)
    apart = [replace(one, name=f"{one.name}, yes or no to each label") for one in kappas(ballots, **options)]
    by_label = by_unit_name(ballots, **options)
    return Seen(
        ballots, None, [headline, jaccard, same, *apart, met.mean],
        {label: [one.figure("alpha (yes or no)")] for label, one in by_label.items()},
        {kind: _parts(whole, given, masi, name, options) for kind, given in parts.items()},
        listed(met, ballots.annotators), dict(zip(("percent", "kappa", "ac"), apart, strict=True)),
        _never_chosen(ballots), whole,
    )  # fmt: skip


def _never_chosen(ballots: Ballots) -> list[tuple[str, int]]:
    """The labels that were put into sets often and never by two into that of the same row."""
    if CHOSEN not in ballots.labels:
        return []
    here = counted(ballots, part=ballots.unit_name[ballots.unit])
    chosen = here.counts[:, [ballots.labels.index(CHOSEN)]].toarray()[:, 0]
    given, agreed = (summed(here.part, each, len(ballots.names)) for each in (chosen, chosen * (chosen - 1)))
    return most_given(ballots.names, given, agreed)


def _parts(ballots: Ballots, given: Parts, distance: Distance, name: str, options: dict[str, Any]) -> dict[str, Figure]:
    found = by(ballots, *given, distance=distance, **options)
    return {part: one.figure(name) for part, one in found.items()}


def _options(draws: Draws) -> dict[str, Any]:
    return {"seed": draws.seed, "resamples": draws.resamples, "level": draws.level}


def listed(met: Duos, annotators: Sequence[str]) -> list[Listed]:
    """The fields of a `Pair` for every two annotators, those that met most first."""
    name = met.mean.name
    order = np.argsort(-met.units, kind="stable")
    columns = (met.first, met.second, met.units, met.kappa, met.low, met.high)
    return [
        (annotators[one], annotators[other], units, name, value, low, high)
        for one, other, units, value, low, high in zip(*(column[order].tolist() for column in columns), strict=True)
    ]

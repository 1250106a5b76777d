"""Kappas of all annotators together: the percentage that agrees, Fleiss' kappa, and Gwet's AC1 and AC2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.agreement.counting import counted
from pipeline.quality.agreement.distances import Distance, Nominal, between, distance_of
from pipeline.quality.agreement.figures import Figure
from pipeline.quality.agreement.resampling import Draws, Profiles

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike, NDArray

    from pipeline.quality.agreement.counting import Counted
    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]

PERCENTAGE = "percentage of agreement"
# The sums before the shares of the labels: units, units with two ballots, how far those agree, pairs, pairs that agree.
_UNITS, _TWICE, _AGREED, _PAIRS, _SAME = range(5)


def percent_agreement(ballots: Ballots) -> float:
    """Share, 0..1, of the pairs of ballots on the same unit that give the same label; nan where there is no pair."""
    here = counted(ballots)
    pairs = float((here.size * (here.size - 1)).sum())
    return float((here.counts.data * (here.counts.data - 1)).sum()) / pairs if pairs else float("nan")


def percentage(
    ballots: Ballots, *, name: str = PERCENTAGE, seed: int = 0, resamples: int = 200, level: float = 0.95
) -> Figure:
    """`percent_agreement` with its interval, whatever the number of labels."""
    from scipy import sparse

    here, draws = counted(ballots), Draws(seed, resamples, level)
    pairs, same = here.size * (here.size - 1), _same(here)
    profiles = Profiles.of(here.by_row(sparse.csr_matrix(np.stack([same, pairs], axis=1))))

    def measure(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[0] / sums[1])

    value = float(measure(profiles.total()))
    low, high = draws.edges(measure(profiles.drawn(draws)))
    return Figure(name, value, float(low), float(high), here.rows, int(here.size.sum()))


def _same(here: Counted) -> Floats:
    """Ordered pairs of ballots with the same label, by unit."""
    return np.asarray(here.counts.multiply(here.counts).sum(axis=1)).reshape(-1) - here.size


def kappas(
    ballots: Ballots,
    *,
    distance: Distance | ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 200,
    level: float = 0.95,
) -> list[Figure]:
    """Percentage of agreement, Fleiss' kappa, Gwet's AC1; with a `distance` its weighted forms (AC2), all in -1..1.

    Units may have any number of ballots. As in Gwet, Handbook of Inter-Rater Reliability (2014), chapter 2: agreement
    is the mean over the units with two ballots or more of the share of their pairs that agree; the shares of the
    labels, from which chance is reckoned, are the mean over all units with a ballot of the shares among their ballots.
    With the same number of ballots everywhere Fleiss' is that of Fleiss 1971, doi 10.1037/h0031619. AC1: Gwet 2008, doi
    10.1348/000711006X126600; its chance takes all labels of `ballots.labels` into account. The percentage counts every
    pair the same, so that units with many ballots weigh more in it.
    With a distance the weight of two labels is 1 - distance / the widest distance.
    """
    plain = distance is None
    apart = distance_of(distance, len(ballots.labels))
    profiles = Profiles.of(_sums(ballots, apart))
    draws, pairable = Draws(seed, resamples, level), counted(ballots)
    names = (PERCENTAGE, "kappa (Fleiss)", "AC1 (Gwet)") if plain else ("", "kappa (Fleiss)", "AC2 (Gwet)")
    values = _measured(profiles.total()[:, None], apart)[:, 0]
    low, high = draws.edges(_measured(profiles.drawn(draws), apart))
    rows, answers = pairable.rows, int(pairable.size.sum())
    weighted = "" if plain else "weighted by the distance of the labels"
    return [
        Figure(name, float(values[at]), float(low[at]), float(high[at]), rows, answers, weighted)
        for at, name in enumerate(names)
        if name
    ]


def _sums(ballots: Ballots, distance: Distance) -> Any:
    """Sparse float64[rows, 5 + labels]: see `_UNITS` and after it the shares of the labels."""
    from scipy import sparse

    here = counted(ballots, least=1)
    size, twice = here.size, here.size > 1
    pairs = size * (size - 1)
    apart = distance.within(here.counts) / (distance.widest or 1.0)
    same = _same(here)
    agreed = np.where(twice, 1 - apart / np.where(twice, pairs, 1.0), 0.0)
    first = np.stack([np.ones(len(size)), twice, agreed, pairs, same], axis=1)
    shares = sparse.diags(1 / np.maximum(size, 1)) @ here.counts
    return here.by_row(sparse.hstack([sparse.csr_matrix(first), shares], format="csr"))


def _measured(sums: Floats, distance: Distance) -> Floats:
    """Percentage, Fleiss and AC: float64[3, n] of sums float64[5 + labels, n]."""
    labels = len(sums) - 5
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = sums[_SAME] / sums[_PAIRS]
        agreed = sums[_AGREED] / sums[_TWICE]
        shares = sums[5:] / sums[_UNITS]
        widest = distance.widest or 1.0
        by_chance = 1 - between(distance, shares) / widest
        heaviest = labels if isinstance(distance, Nominal) else labels**2 - _all_apart(distance, labels) / widest
        hard = heaviest * (shares * (1 - shares)).sum(axis=0) / (labels * (labels - 1)) if labels > 1 else np.nan
        return np.stack([percent, _beyond(agreed, by_chance), _beyond(agreed, np.broadcast_to(hard, agreed.shape))])


def _all_apart(distance: Distance, labels: int) -> float:
    return float(between(distance, np.ones((labels, 1)))[0])


def _beyond(agreed: Floats, by_chance: Floats) -> Floats:
    """(agreed - by chance) / (1 - by chance); nan where chance alone agrees."""
    return np.where(by_chance < 1 - 1e-12, (agreed - by_chance) / (1 - by_chance), np.nan)

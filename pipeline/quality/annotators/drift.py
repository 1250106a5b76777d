"""Drift: whether an annotator got better or worse over the work, suddenly or slowly, or from batch to batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.annotators.judged import ratio
from pipeline.quality.annotators.skill import discoveries, tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.annotators.judged import Judged

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_LEAST_ROWS = 20  # an annotator's rows below which no drift is looked for
_LEAST_BATCH = 5


@dataclass(frozen=True)
class Drift:
    """Change over an annotator's own order of work, beyond that of the others on the same units; per annotator.

    Attributes:
        rows: int64[annotators], rows with a known place in the order.
        trend: float64[annotators], change of the score from first to last row, fitted by a line; trend_chance: of so
            steep a line, up or down.
        cut: int64[annotators], rows before the likeliest sudden change; before, after: float64[annotators], mean excess
            over the others; change_chance: float64[annotators].
        trending, changing: bool[annotators], beyond chance with all annotators tested (Benjamini-Hochberg, 5 %).
    """

    rows: Ints
    trend: Floats
    trend_chance: Floats
    cut: Ints
    before: Floats
    after: Floats
    change_chance: Floats
    trending: Bools
    changing: Bools


@dataclass(frozen=True)
class Batches:
    """Excess over the others by (annotator, batch), one entry each, in that order; `varying` is per annotator.

    Attributes:
        annotator, batch, count: int64[k]; right, excess: float64[k].
        chance: float64[annotators], of batches that differ so much; nan with fewer than two of 5 or more ballots.
        varying: bool[annotators], beyond chance with all annotators tested.
    """

    annotator: Ints
    batch: Ints
    count: Ints
    right: Floats
    excess: Floats
    chance: Floats
    varying: Bools


def drift(judged: Judged, order: Floats) -> Drift:
    """Trend (weighted least squares, robust variance) and change point (CUSUM of residuals) of every annotator.

    `order` is float64[m], when each judged ballot was given; nan is not known. The change point's chance is that of the
    largest excursion of a Brownian bridge: Ploberger and Kraemer 1992, doi 10.2307/2951597.
    """
    from scipy.special import kolmogorov

    size = judged.annotators
    who, value, weight = _by_row(judged, order)
    rows = np.bincount(who, minlength=size)
    start = np.cumsum(rows) - rows
    place = (np.arange(len(who)) - start[who] + 0.5) / rows[who] - 0.5
    whole = np.bincount(who, weights=weight, minlength=size)
    mean = ratio(np.bincount(who, weights=weight * value, minlength=size), whole)
    middle = ratio(np.bincount(who, weights=weight * place, minlength=size), whole)
    off, along = weight * (value - mean[who]), place - middle[who]
    bend = np.bincount(who, weights=weight * along**2, minlength=size)
    trend = ratio(np.bincount(who, weights=off * along, minlength=size), bend)
    left = off - weight * along * np.nan_to_num(trend)[who]
    error = ratio(np.sqrt(np.bincount(who, weights=(left * along) ** 2, minlength=size)), bend)
    enough = rows >= _LEAST_ROWS
    trend_chance = np.where(enough, 2 * tail(np.abs(np.nan_to_num(ratio(trend, error)))), np.nan)
    total = np.cumsum(off)
    path = total - np.concatenate([[0.0], total])[start[who]]
    reach = np.zeros(size)
    np.maximum.at(reach, who, np.abs(path))
    cut = _first(who, np.abs(path) >= reach[who] * (1 - 1e-12), size) - start + 1
    scale = np.sqrt(np.bincount(who, weights=off**2, minlength=size))
    change_chance = np.where(enough, kolmogorov(np.nan_to_num(ratio(reach, scale))), np.nan)
    early = np.arange(len(who)) - start[who] < cut[who]
    before, after = (
        ratio(
            np.bincount(who[side], weights=(weight * value)[side], minlength=size),
            np.bincount(who[side], weights=weight[side], minlength=size),
        )
        for side in (early, ~early)
    )
    trending, changing = (discoveries(np.where(enough, p, 1.0)) & enough for p in (trend_chance, change_chance))
    return Drift(
        rows=rows, trend=trend, trend_chance=trend_chance, cut=np.where(enough, cut, 0), before=before, after=after,
        change_chance=change_chance, trending=trending, changing=changing,
    )  # fmt: skip


def _by_row(judged: Judged, order: Floats) -> tuple[Ints, Floats, Floats]:
    """Annotator, mean excess and weight of every row that an annotator did, in the annotator's order."""
    at = np.isfinite(order)
    cluster = judged.cluster[at]
    clusters = len(judged.cluster_annotator)
    heavy = np.bincount(cluster, minlength=clusters)
    excess = np.bincount(cluster, weights=(judged.score - judged.expected)[at], minlength=clusters)
    first = np.full(clusters, np.inf)
    np.minimum.at(first, cluster, order[at])
    kept = np.flatnonzero(heavy > 0)
    kept = kept[np.lexsort((kept, first[kept], judged.cluster_annotator[kept]))]
    return judged.cluster_annotator[kept], np.asarray(excess[kept] / heavy[kept]), np.asarray(heavy[kept], np.float64)


def _first(who: Ints, marked: Bools, size: int) -> Ints:
    """Index of the first marked entry of each annotator (0 for none): int64[size]."""
    first = np.full(size, len(who))
    np.minimum.at(first, who[marked], np.flatnonzero(marked))
    return np.where(first < len(who), first, 0)


def batches(judged: Judged, batch: Ints) -> Batches:
    """How every annotator did in every batch; `batch` is int64[m], -1 where it is not known."""
    from scipy.special import chdtrc

    size, at = judged.annotators, np.flatnonzero(batch >= 0)
    width = int(batch.max(initial=0)) + 1
    code, place = np.unique(judged.annotator[at] * width + batch[at], return_inverse=True)
    place = place.reshape(-1)
    who, which = np.divmod(code, width)
    excess, count = (judged.score - judged.expected)[at], np.bincount(place, minlength=len(code))
    mean = ratio(np.bincount(place, weights=excess, minlength=len(code)), count)
    right = ratio(np.bincount(place, weights=judged.right[at], minlength=len(code)), count.astype(np.float64))
    variance = _variance(judged, at, place, off=excess - mean[place], heavy=count)
    used = (count >= _LEAST_BATCH) & (variance > 0)
    trust = np.where(used, 1 / np.where(used, variance, 1.0), 0.0)
    whole = np.bincount(who, weights=trust, minlength=size)
    centre = ratio(np.bincount(who, weights=trust * np.nan_to_num(mean), minlength=size), whole)
    apart = np.bincount(who, weights=trust * (np.nan_to_num(mean) - np.nan_to_num(centre)[who]) ** 2, minlength=size)
    freedom = np.bincount(who[used], minlength=size) - 1
    chance = np.where(freedom > 0, chdtrc(np.maximum(freedom, 1), apart), np.nan)
    varying = discoveries(np.where(freedom > 0, chance, 1.0)) & (freedom > 0)
    return Batches(who, which, count, right, mean, chance, varying)


def _variance(judged: Judged, at: Ints, place: Ints, *, off: NDArray[Any], heavy: NDArray[Any]) -> Floats:
    """Variance of the mean of each (annotator, batch), between rows; that of few rows drawn to the annotator's."""
    entries, width = len(heavy), len(judged.cluster_annotator)
    rows, where = np.unique(place * width + judged.cluster[at], return_inverse=True)
    squares = np.bincount(where.reshape(-1), weights=off, minlength=len(rows)) ** 2
    entry = rows // max(width, 1)
    count = np.bincount(entry, minlength=entries).astype(np.float64)
    spread = np.bincount(entry, weights=squares, minlength=entries)
    owner = np.zeros(entries, dtype=np.int64)
    owner[place] = judged.annotator[at]
    own = ratio(
        np.bincount(owner, weights=spread, minlength=judged.annotators),
        np.bincount(owner, weights=np.maximum(count - 1, 0), minlength=judged.annotators),
    )
    each = (spread + 5 * np.nan_to_num(own)[owner]) / (np.maximum(count - 1, 0) + 5)
    return np.asarray(ratio(each * count, heavy**2))

"""Agreement: Krippendorff's alpha with a bootstrap interval over rows, and what to make of it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]

PREVALENT_SHARE = 0.95
_RESAMPLE_BLOCK = 20
_UNIT_BLOCK = 50_000


@dataclass(frozen=True)
class Agreement:
    """Chance-corrected agreement.

    Attributes:
        alpha: at most 1 (perfect); 0 is what chance gives; nan where it is not defined (see `note`).
        low, high: interval of `alpha` when rows are drawn anew; nan where it is not defined.
        rows: rows with at least one unit that two or more ballots were cast on.
        labels_counted: ballots on such units; the others say nothing about agreement.
        note: in words, why a value is missing or not to be trusted; empty if there is nothing to say.
    """

    alpha: float
    low: float
    high: float
    rows: int
    labels_counted: int
    note: str


@dataclass(frozen=True)
class _Sums:
    """Sparse per-row sums over units with overlap: `given` labels x rows, `observed` measures x rows.

    alpha needs only their totals, so drawing rows anew is a product with how often each row was drawn.
    """

    given: Any
    observed: Any
    rows: int
    units: int


def nominal(classes: int) -> Floats:
    """Distances float64[classes, classes] of labels without order: 0 to itself, 1 to any other."""
    return 1.0 - np.eye(classes)


def interval(values: ArrayLike) -> Floats:
    """Squared differences float64[classes, classes] of labels that are numbers; `values`: float[classes]."""
    scale = np.asarray(values, dtype=np.float64)
    return np.asarray((scale[:, None] - scale[None, :]) ** 2)


def ordinal(ballots: Ballots) -> Floats:
    """Krippendorff's ordinal distances float64[classes, classes]; `ballots.labels` must stand in their order of rank.

    They depend on how often each label was given where ballots overlap, and are held fixed when rows are drawn anew.
    """
    kept = _pairable(ballots)
    given = np.bincount(ballots.label[kept], minlength=len(ballots.labels)).astype(np.float64)
    middle = np.cumsum(given) - given / 2.0
    return np.asarray((middle[:, None] - middle[None, :]) ** 2)


def alpha(
    ballots: Ballots, *, distance: Floats | None = None, seed: int = 0, resamples: int = 200, level: float = 0.95
) -> Agreement:
    """Krippendorff's alpha over all labels, with a percentile interval from drawing rows anew.

    `distance` is float64[classes, classes], symmetric, zero on the diagonal (default: `nominal`). Ballots on units that
    nobody else voted on do not count. Rows, not ballots, are drawn: units of one row are not independent.
    Method: Krippendorff, Content Analysis (2004), chapter 11; Hayes and Krippendorff, doi 10.1080/19312450709336664.
    """
    kept = _pairable(ballots)
    matrix = _checked(distance, len(ballots.labels))
    units, counts = _unit_counts(ballots, kept)
    sums = _sums(ballots, units, counts, _disagreement(counts, matrix)[:, None])

    def measure(given: Floats, observed: Floats) -> Floats:
        expected = np.einsum("cb,cd,db->b", given, matrix, given)
        return _alpha(observed[0], expected, given.sum(axis=0))

    values = measure(*_totals(sums))
    drawn = _drawn(sums, measure, seed=seed, resamples=resamples)
    shares = np.bincount(ballots.label[kept], minlength=len(ballots.labels)) / max(int(kept.sum()), 1)
    return _agreement(float(values[0]), drawn, sums, int(kept.sum()), float(shares.max(initial=0)), level=level)


def alpha_by_label(
    ballots: Ballots, *, seed: int = 0, resamples: int = 200, level: float = 0.95
) -> dict[str, Agreement]:
    """Nominal alpha of every label against all the others together, in the order of `ballots.labels`.

    `labels_counted` is how often that label was given where ballots overlap.
    """
    kept = _pairable(ballots)
    units, counts = _unit_counts(ballots, kept)
    size = np.asarray(counts.sum(axis=1)).reshape(-1)
    # A unit with a ballots for the label and b for others disagrees in 2ab pairs, each weighing 1 / (a + b - 1).
    against = counts.copy()
    of_unit = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    against.data = 2 * counts.data * (size[of_unit] - counts.data) / (size[of_unit] - 1)
    sums = _sums(ballots, units, counts, against)

    def measure(given: Floats, observed: Floats) -> Floats:
        total = given.sum(axis=0)
        return _alpha(observed, 2 * given * (total - given), total)

    values = measure(*_totals(sums))[:, 0]
    drawn = _drawn(sums, measure, seed=seed, resamples=resamples)
    counted = np.bincount(ballots.label[kept], minlength=len(ballots.labels))
    share = counted / max(int(kept.sum()), 1)
    extreme = np.maximum(share, np.where(counted > 0, 1 - share, 0))
    return {
        name: _agreement(float(values[at]), drawn[at], sums, int(counted[at]), float(extreme[at]), level=level)
        for at, name in enumerate(ballots.labels)
    }


def percent_agreement(ballots: Ballots) -> float:
    """Share, 0..1, of the pairs of ballots on the same unit that give the same label; nan where there is no pair."""
    _, counts = _unit_counts(ballots, _pairable(ballots))
    size = np.asarray(counts.sum(axis=1)).reshape(-1)
    pairs = float((size * (size - 1)).sum())
    return float((counts.data * (counts.data - 1)).sum()) / pairs if pairs else float("nan")


def _pairable(ballots: Ballots) -> NDArray[np.bool_]:
    """Which ballots are on a unit that two or more were cast on: bool[n]."""
    return np.asarray(np.bincount(ballots.unit, minlength=ballots.units)[ballots.unit] > 1)


def _checked(distance: Floats | None, classes: int) -> Floats:
    if distance is None:
        return nominal(classes)
    matrix = np.asarray(distance, dtype=np.float64)
    if matrix.shape != (classes, classes) or np.diag(matrix).any() or not np.array_equal(matrix, matrix.T):
        raise AssayError(
            "agreement",
            f"distances of shape {matrix.shape} for {classes} labels",
            "give a symmetric square, 0 on its diagonal",
        )
    return matrix


def _unit_counts(ballots: Ballots, kept: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Any]:
    """Units with overlap, and how often each was given each label: sparse float64[units, classes]."""
    from scipy import sparse

    units, place = np.unique(ballots.unit[kept], return_inverse=True)
    ones = np.ones(len(place))
    shape = (len(units), len(ballots.labels))
    counts = sparse.csr_matrix((ones, (place.reshape(-1), ballots.label[kept])), shape=shape)
    counts.sum_duplicates()
    return units, counts


def _disagreement(counts: Any, matrix: Floats) -> Floats:
    """Per unit, the distances of its pairs of ballots over (ballots - 1): float64[units]."""
    size = np.asarray(counts.sum(axis=1)).reshape(-1)
    parts = [
        np.asarray(block.multiply(block @ matrix).sum(axis=1)).reshape(-1)
        for block in (counts[start : start + _UNIT_BLOCK] for start in range(0, counts.shape[0], _UNIT_BLOCK))
    ]
    return np.asarray(np.concatenate([np.zeros(0), *parts]) / np.maximum(size - 1, 1))


def _sums(ballots: Ballots, units: NDArray[np.int64], counts: Any, observed: Any) -> _Sums:
    from scipy import sparse

    rows, place = np.unique(ballots.unit_row[units], return_inverse=True)
    shape = (len(rows), len(units))
    to_row = sparse.csr_matrix((np.ones(len(units)), (place.reshape(-1), np.arange(len(units)))), shape=shape)
    given = (to_row @ counts).T.tocsr()
    observed_by_row = sparse.csr_matrix(to_row @ observed).T.tocsr()
    return _Sums(given=given, observed=observed_by_row, rows=len(rows), units=len(units))


def _totals(sums: _Sums) -> tuple[Floats, Floats]:
    once = np.ones((sums.rows, 1))
    return sums.given @ once, sums.observed @ once


def _alpha(observed: Floats, expected: Floats, total: Floats) -> Floats:
    """1 - observed / expected disagreement; nan where no disagreement could be expected."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan))


def _drawn(sums: _Sums, measure: Any, *, seed: int, resamples: int) -> Floats:
    """`measure` of `resamples` draws of as many rows with replacement: float64[..., resamples]."""
    if sums.rows < 2:
        return np.full((sums.given.shape[0], 1), np.nan)
    key = blake2b(f"agreement {seed}".encode(), digest_size=16).digest()
    chance = np.random.Generator(np.random.PCG64(int.from_bytes(key, "big")))
    parts = []
    for start in range(0, resamples, _RESAMPLE_BLOCK):
        block = range(start, min(start + _RESAMPLE_BLOCK, resamples))
        times = [np.bincount(chance.integers(sums.rows, size=sums.rows), minlength=sums.rows) for _ in block]
        weights = np.stack(times, axis=1).astype(np.float64)
        parts.append(measure(sums.given @ weights, sums.observed @ weights))
    return np.concatenate(parts, axis=-1)


def _agreement(value: float, drawn: Floats, sums: _Sums, counted: int, prevalence: float, *, level: float) -> Agreement:
    usable = drawn[np.isfinite(drawn)]
    low = high = float("nan")
    if sums.units < 2:
        value = float("nan")
    if len(usable) and np.isfinite(value):
        low, high = (float(edge) for edge in np.quantile(usable, [(1 - level) / 2, (1 + level) / 2]))
    return Agreement(value, low, high, sums.rows, counted, _note(value, sums, prevalence))


def _note(value: float, sums: _Sums, prevalence: float) -> str:
    if sums.units < 2:
        counted = "one unit was" if sums.units else "no unit was"
        return f"{counted} labelled twice or more: too few to measure agreement"
    if not np.isfinite(value):
        return "nobody ever gave a second label: agreement beyond chance is not defined"
    if sums.rows < 2:
        return "only one row was labelled twice or more: there is no interval"
    if prevalence > PREVALENT_SHARE:
        return (
            f"one answer is {prevalence:.1%} of all: chance alone agrees nearly always, so a few disagreements pull "
            "alpha far down; read it beside the percentage of agreement"
        )
    return ""

"""Alpha: Krippendorff's, over all labels, per label, per batch, per unit name, with an interval over rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.agreement.counting import counted, part_of
from pipeline.quality.agreement.distances import Distance, Nominal, between, distance_of
from pipeline.quality.agreement.figures import Agreement
from pipeline.quality.agreement.resampling import Draws, Profiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from pipeline.quality.agreement.counting import Counted
    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PREVALENT_SHARE = 0.95
# A distance without a closed form costs labels^2 for every draw: with more labels than this the expected disagreement
# of a draw is taken to first order in 1 / rows, where there are rows enough for it to be exact.
MOST_TABLED = 500
# With one, all labels of all draws still have to be held in memory.
MOST_KEPT = 5_000
# And with more than this even once is too dear: for each label so many others are drawn, as often as they were given.
MOST_COMPARED = 10_000
_PARTNERS = 256
_LABEL_BLOCK = 4096


def alpha(
    ballots: Ballots,
    *,
    distance: Distance | ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 200,
    level: float = 0.95,
) -> Agreement:
    """Krippendorff's alpha over all labels, with a percentile interval from drawing rows anew.

    `distance` is one of `pipeline.quality.agreement.distances`, or float64[labels, labels], symmetric, zero on the
    diagonal (default: nominal). Ballots on units that nobody else voted on do not count. Rows, not ballots, are drawn:
    units of one row are not independent.
    Method: Krippendorff, Content Analysis (2004), chapter 11; Hayes and Krippendorff, doi 10.1080/19312450709336664.
    """
    draws = Draws(seed, resamples, level)
    return agreement_of(counted(ballots), distance_of(distance, len(ballots.labels)), draws)


def by(
    ballots: Ballots,
    codes: Ints,
    names: Sequence[str],
    *,
    distance: Distance | ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 200,
    level: float = 0.95,
) -> dict[str, Agreement]:
    """Alpha inside each part of the annotations: batches, guideline versions; in the order of `names`.

    `codes`: int64[annotations], an index into `names` (-1: none) for each annotation that `ballots.origin` numbers. Two
    ballots on a unit meet only if they are of the same part.
    """
    within = distance_of(distance, len(ballots.labels))
    parts = counted(ballots, part=part_of(ballots.origin, codes)).parts(len(names))
    draws = Draws(seed, resamples, level)
    return {name: agreement_of(part, within, draws) for name, part in zip(names, parts, strict=True)}


def by_unit_name(ballots: Ballots, *, seed: int = 0, resamples: int = 200, level: float = 0.95) -> dict[str, Agreement]:
    """Nominal alpha of the units of each name (of multi-label tasks: of yes and no to each label)."""
    parts = counted(ballots, part=ballots.unit_name[ballots.unit]).parts(len(ballots.names))
    draws = Draws(seed, resamples, level)
    return {name: agreement_of(part, Nominal(), draws) for name, part in zip(ballots.names, parts, strict=True)}


def alpha_by_label(
    ballots: Ballots, *, seed: int = 0, resamples: int = 200, level: float = 0.95
) -> dict[str, Agreement]:
    """Nominal alpha of every label against all the others together, in the order of `ballots.labels`.

    `labels_counted` is how often that label was given where ballots overlap.
    """
    from scipy import sparse

    here, draws = counted(ballots), Draws(seed, resamples, level)
    # A unit with a ballots for the label and b for others disagrees in 2ab pairs, each weighing 1 / (a + b - 1).
    against = here.counts.copy()
    size = here.size[np.repeat(np.arange(len(here.size)), np.diff(against.indptr))]
    against.data = 2 * against.data * (size - against.data) / (size - 1)
    profiles = Profiles.of(here.by_row(sparse.hstack([here.counts, against], format="csr")))

    def measure(sums: Floats) -> Floats:
        given, observed = np.split(sums, 2)
        total = given.sum(axis=0)
        return _alpha(observed, 2 * given * (total - given), total)

    total = profiles.total()
    values = measure(total[:, None])[:, 0]
    low, high = draws.edges(measure(profiles.drawn(draws)))
    given = total[: len(ballots.labels)]
    share = given / max(given.sum(), 1)
    extreme = np.maximum(share, np.where(given > 0, 1 - share, 0))
    return {
        name: _agreement((values[at], low[at], high[at]), here, int(given[at]), float(extreme[at]))
        for at, name in enumerate(ballots.labels)
    }


def agreement_of(here: Counted, distance: Distance, draws: Draws) -> Agreement:
    """Alpha of units that are counted already."""
    from scipy import sparse

    given, counts = np.asarray(here.counts.sum(axis=0)).reshape(-1), here.counts
    if not distance.closed and not given.all():
        there = np.flatnonzero(given)
        given, counts, distance = given[there], counts[:, there], distance.only(there)
    observed = distance.within(counts) / np.maximum(here.size - 1, 1)
    # To first order the expected disagreement of a draw p is 2 p'Dq - q'Dq, where q are the shares of the labels now.
    most = MOST_KEPT if distance.closed else MOST_TABLED
    slope = None if len(given) <= most else _slope(distance, given, draws)
    first = counts if slope is None else np.stack([here.size, counts @ slope], axis=1)
    columns = sparse.hstack([sparse.csr_matrix(first), sparse.csr_matrix(observed[:, None])], format="csr")
    profiles = Profiles.of(here.by_row(columns))
    now = 0.0 if slope is None else float(given @ slope) / max(given.sum(), 1)

    def measure(sums: Floats) -> Floats:
        if slope is None:
            return _alpha(sums[-1], between(distance, sums[:-1]), sums[:-1].sum(axis=0))
        return _alpha(sums[2], sums[0] * (2 * sums[1] - now * sums[0]), sums[0])

    value = float(measure(profiles.total()[:, None])[0])
    low, high = draws.edges(measure(profiles.drawn(draws)))
    share = float(given.max(initial=0)) / max(given.sum(), 1)
    return _agreement((value, float(low), float(high)), here, int(given.sum()), share)


def _slope(distance: Distance, given: Floats, draws: Draws) -> Floats:
    """The mean distance of every label to the labels given: float64[labels]."""
    if distance.closed or len(given) <= MOST_COMPARED:
        return distance.toward(given[:, None] / given.sum())[:, 0]
    upto, chance = np.cumsum(given), draws.chance("partners")
    partners = np.searchsorted(upto, chance.random((len(given), _PARTNERS)) * upto[-1], side="right")
    label = np.repeat(np.arange(len(given)), _PARTNERS).reshape(partners.shape)
    parts = np.array_split(np.arange(len(given)), len(given) // _LABEL_BLOCK + 1)
    return np.concatenate(
        [
            distance.apart(label[at].reshape(-1), partners[at].reshape(-1)).reshape(len(at), -1).mean(axis=1)
            for at in parts
        ]
    )


def _alpha(observed: Floats, expected: Floats, total: Floats) -> Floats:
    """1 - observed / expected disagreement; nan where no disagreement could be expected."""
    possible = expected > 1e-12 * np.maximum(total, 1.0) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(possible, 1 - (total - 1) * observed / expected, np.nan))


def _agreement(values: tuple[float, float, float], here: Counted, given: int, prevalence: float) -> Agreement:
    value, low, high = (float(one) for one in values)
    if len(here.size) < 2:
        value = float("nan")
    if not np.isfinite(value):
        low = high = float("nan")
    rows = here.rows
    return Agreement(value, low, high, rows, given, _note(value, len(here.size), rows, prevalence))


def _note(value: float, units: int, rows: int, prevalence: float) -> str:
    if units < 2:
        counted_on = "one unit was" if units else "no unit was"
        return f"{counted_on} labelled twice or more: too few to measure agreement"
    if not np.isfinite(value):
        return "nobody ever gave a second label: agreement beyond chance is not defined"
    if rows < 2:
        return "only one row was labelled twice or more: there is no interval"
    if prevalence > PREVALENT_SHARE:
        return (
            f"one answer is {prevalence:.1%} of all: chance alone agrees nearly always, so a few disagreements pull "
            "alpha far down; read it beside the percentage of agreement"
        )
    return ""

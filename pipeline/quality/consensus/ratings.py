"""Ratings that are numbers: one number per unit, with what each annotator's numbers are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.consensus.heldout import Held, folds_of, sampled, stacked
from pipeline.quality.consensus.rating_model import FREEDOM, Marks, Model, fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

WAYS = ("mean", "median", "model")
_CREDIT = 2.0
_WITHIN = 1.96  # of a normal posterior, for 95 %
_SCALES = np.exp(np.linspace(-1.5, 1.5, 31))


@dataclass(frozen=True)
class Ratings:
    """What numeric ratings say.

    Attributes:
        estimate: float64[units], the rating of each unit; nan where nobody rated.
        low, high: float64[units], 95 % interval of `estimate`, from how far ratings of that unit and its annotators
            scatter and how far mean, median and model lie apart.
        mean, median: float64[units], the plain ones.
        bias: float64[annotators], how much each rates above the others at the middle of the scale.
        scale: float64[annotators], how far each spreads the ratings, 1 being as the others do.
        precision: float64[annotators], 1 / variance of each one's scatter, in units of the rating.
        weights: of mean, median and model (`WAYS`) in `estimate`; they sum to 1.
        likelihood: mean log density of held-out ratings under each.
        why: in one sentence, how the estimate was made.
    """

    estimate: Floats
    low: Floats
    high: Floats
    mean: Floats
    median: Floats
    bias: Floats
    scale: Floats
    precision: Floats
    weights: tuple[float, ...]
    likelihood: tuple[float, ...]
    why: str


def ratings(ballots: Ballots, values: Floats, *, known_values: Floats | None = None, seed: int = 0) -> Ratings:
    """One number per unit out of ratings; `values` is float[labels], the number that each label stands for.

    Mean, median and a random-effects model are averaged with the weights under which held-out ratings are likeliest;
    the model alone is taken where some numbers are known, since it alone can tell a bias that everybody shares.
    The model: a rating is bias + scale x the unit's number + scatter, one of each per annotator, drawn towards 0, 1
    and everybody's; scatter is Student-t, so that outliers count for little; fitted by expectation maximisation.
    `known_values` is float[units], nan where the number is not known beforehand.
    Method: after Raykar et al. 2010 (Learning from crowds, section on regression), with robust scatter.

    Raises:
        AssayError: `values` or `known_values` have another length, or a value is not finite.
    """
    marks, known = _marks(ballots, values, known_values)
    if not len(ballots):
        return _nothing(ballots)
    model = fitted(marks, known=known)
    middle = (_means(marks), _medians(marks))
    part, units = sampled(ballots, seed=seed)
    held, scores = _held(part, _marks(part, values, known[units])[0], known[units], seed)
    weights = stacked(held, prior=np.full(len(WAYS), _CREDIT)) if held.ballots else np.array([1.0, 0.0, 0.0])
    if np.isfinite(known).any():
        weights = np.array([0.0, 0.0, 1.0])  # only the model knows of a bias that all share
    ways = np.stack([*middle, model.number])
    estimate = np.where(np.isnan(known), weights @ ways, known)
    spread = np.sqrt(model.variance + weights @ (ways - estimate) ** 2)
    half = np.where(np.isnan(known), _WITHIN * spread, 0.0)
    return Ratings(
        estimate, estimate - half, estimate + half, *middle, *model.annotators(),
        weights=tuple(weights.tolist()), likelihood=scores, why=_why(weights, held.ballots, known),
    )  # fmt: skip


def _nothing(ballots: Ballots) -> Ratings:
    none, own = np.full(ballots.units, np.nan), np.zeros(len(ballots.annotators))
    weights, likelihood = (1.0, 0.0, 0.0), (np.nan, np.nan, np.nan)
    return Ratings(none, none, none, none, none, own, own + 1, own, weights, likelihood, "nobody rated")


def _why(weights: Floats, ballots: int, known: Floats) -> str:
    if np.isfinite(known).any():
        return f"the model, because the numbers of {int(np.isfinite(known).sum()):,} units are known"
    if not ballots:
        return "the mean, because no unit was rated twice"
    parts = ", ".join(f"{way} {weight:.0%}" for way, weight in zip(WAYS, weights, strict=True) if weight >= 0.05)
    return f"average of {parts}: the mixture under which {ballots:,} held-out ratings are likeliest"


def _marks(ballots: Ballots, values: Floats, known: Floats | None) -> tuple[Marks, Floats]:
    numbers = np.asarray(values, dtype=np.float64)
    sure = np.full(ballots.units, np.nan) if known is None else np.asarray(known, dtype=np.float64)
    if numbers.shape != (len(ballots.labels),) or sure.shape != (ballots.units,) or not np.isfinite(numbers).all():
        problem = f"values of shape {numbers.shape} for {len(ballots.labels)} labels, known of {sure.shape}"
        raise AssayError("ratings", problem, "give a finite number per label, and a number or nan per unit")
    people = len(ballots.annotators) + 1
    annotator = np.where(ballots.annotator < 0, people - 1, ballots.annotator)
    return Marks(numbers[ballots.label], ballots.unit, annotator, ballots.units, people), sure


def _means(marks: Marks) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(marks.by_unit(marks.number) / marks.by_unit(np.ones(len(marks.number))))


def _medians(marks: Marks) -> Floats:
    """The median of every unit's ratings; nan where nobody rated."""
    order = np.lexsort((marks.number, marks.unit))
    sizes = np.bincount(marks.unit, minlength=marks.units)
    first = np.cumsum(sizes) - sizes
    number = np.append(marks.number[order], np.nan)
    last = len(number) - 1
    low, high = first + (sizes - 1) // 2, first + sizes // 2
    pick = [number[np.where(sizes > 0, each, last)] for each in (low, high)]
    return np.asarray((pick[0] + pick[1]) / 2)


def _held(ballots: Ballots, marks: Marks, known: Floats, seed: int) -> tuple[Held, tuple[float, ...]]:
    """Density of every rating under mean, median and model of the others, five folds."""
    fold = folds_of(ballots, seed=seed)
    rows = np.flatnonzero(fold >= 0)
    place, width = np.full((len(fold), 3), np.nan), np.full((len(fold), 3), np.nan)
    for at in range(int(fold.max(initial=-1)) + 1):
        train, test = marks.only(fold != at), fold == at
        model = fitted(train, known=known)
        here = marks.only(test)
        place[test], width[test] = _foretold(train, model, here)
    density = np.stack([_density(marks.number[rows] - place[rows, way], width[rows, way]) for way in range(3)], axis=1)
    held = Held(density, marks.unit[rows], np.ones(len(rows)), len(rows))
    return held, tuple(np.log(density).mean(axis=0).tolist()) if len(rows) else (np.nan,) * 3


def _foretold(train: Marks, model: Model, here: Marks) -> tuple[Floats, Floats]:
    """Where mean, median and model expect the ratings `here`, and how widely: two float64[ratings, 3].

    Bias, scale and scatter are the model's in all three, so that only what they say of the units is compared.
    """
    ways = [model.foretold(here, number) for number in (_means(train), _medians(train), None)]
    return np.stack([place for place, _ in ways], axis=1), np.stack([width for _, width in ways], axis=1)


def _density(away: Floats, width: Floats) -> Floats:
    """Student-t density of what is `away` from its place, all widths scaled by what suits them best."""
    if not len(away):
        return away
    from scipy.stats import t

    tried = [np.log(t.pdf(away / (width * scale), FREEDOM) / (width * scale) + 1e-300).mean() for scale in _SCALES]
    best = width * _SCALES[int(np.argmax(tried))]
    return np.asarray(t.pdf(away / best, FREEDOM) / best + 1e-300)

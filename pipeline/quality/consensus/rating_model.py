"""A random-effects model of numeric ratings: every annotator has a bias, a scale and a scatter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FREEDOM = (
    10.0  # of the Student-t that ratings scatter by: 5 and 20 are worth the same within a hundredth of correlation
)
_SCATTER_WEIGHT = 20.0  # ratings that everybody's scatter counts for in an annotator's own
# Prior standard deviation of the scales. Small, because whoever often answers 0 looks like one with a narrow scale and
# no scatter, and would outweigh those who take the trouble: twice or half of it is worth a hundredth of correlation.
_SCALE_SPREAD = 0.1
_ROUNDS = 40
_TINY = 1e-9


@dataclass(frozen=True)
class Marks:
    """Ratings: number, unit and annotator of each; the last annotator is the anonymous."""

    number: Floats
    unit: Ints
    annotator: Ints
    units: int
    people: int

    def only(self, kept: NDArray[np.bool_]) -> Marks:
        """The ratings where `kept` (bool[ratings]) holds."""
        return Marks(self.number[kept], self.unit[kept], self.annotator[kept], self.units, self.people)

    def by_unit(self, values: Floats) -> Floats:
        """Sums of float64[ratings] per unit."""
        return np.asarray(np.bincount(self.unit, values, self.units))

    def by_person(self, values: Floats) -> Floats:
        """Sums of float64[ratings] per annotator."""
        return np.asarray(np.bincount(self.annotator, values, self.people))


@dataclass(frozen=True)
class Model:
    """What was fitted: number and posterior variance per unit; bias, scale and noise (variance) per annotator."""

    number: Floats
    variance: Floats
    bias: Floats
    scale: Floats
    noise: Floats
    centre: float

    def annotators(self) -> tuple[Floats, Floats, Floats]:
        """Bias, scale and precision of the named annotators."""
        return self.bias[:-1], self.scale[:-1], 1 / self.noise[:-1]

    def foretold(self, marks: Marks, number: Floats | None = None) -> tuple[Floats, Floats]:
        """Where each rating is expected, and with which width: two float64[ratings].

        `number` is float64[units], what the units' numbers are taken for instead of the model's.
        """
        scale, taken = self.scale[marks.annotator], self.number if number is None else number
        place = self.centre + self.bias[marks.annotator] + scale * (taken[marks.unit] - self.centre)
        return place, np.sqrt(self.noise[marks.annotator] + scale**2 * self.variance[marks.unit])


def fitted(marks: Marks, *, known: Floats) -> Model:
    """Expectation maximisation, always the same number of rounds; `known` is float64[units], nan where not known."""
    sizes = np.maximum(marks.by_unit(np.ones(len(marks.number))), 1)
    means = marks.by_unit(marks.number) / sizes
    noise = float(((marks.number - means[marks.unit]) ** 2).sum()) / max(len(marks.number) - int((sizes > 1).sum()), 1)
    noise = max(noise, _TINY)
    ones = np.ones(marks.people)
    middle = float(marks.number.mean()) if len(marks.number) else 0.0
    model = Model(means, np.full(marks.units, noise), 0 * ones, ones, noise * ones, middle)
    spread = max(float(means.var()), noise / 10, _TINY)
    for _ in range(_ROUNDS):
        weight = _weights(marks, model)
        model = _units(marks, model, weight, spread, known)
        spread = float(((model.number - model.centre) ** 2 + model.variance).mean()) + _TINY
        model = _people(marks, model, weight, anchored=bool(np.isfinite(known).any()))
    return model


def _weights(marks: Marks, model: Model) -> Floats:
    """Precision that each rating counts with: its annotator's, less if the rating lies far out."""
    place, width = model.foretold(marks)
    noise = model.noise[marks.annotator]
    away = (marks.number - place) ** 2 + width**2 - noise
    return np.asarray((FREEDOM + 1) / (FREEDOM + away / noise) / noise)


def _units(marks: Marks, model: Model, weight: Floats, spread: float, known: Floats) -> Model:
    scale, bias = model.scale[marks.annotator], model.bias[marks.annotator]
    precision = 1 / spread + marks.by_unit(weight * scale**2)
    away = marks.by_unit(weight * scale * (marks.number - model.centre - bias)) / precision
    number, variance = model.centre + away, 1 / precision
    sure = np.isfinite(known)
    number[sure], variance[sure] = known[sure], 0.0
    return Model(number, variance, model.bias, model.scale, model.noise, float(number.mean()))


def _people(marks: Marks, model: Model, weight: Floats, *, anchored: bool) -> Model:
    """Bias and scale by ridge regression on the units' numbers, then the scatter about them."""
    number, variance = model.number[marks.unit] - model.centre, model.variance[marks.unit]
    left = marks.number - model.centre
    bias_spread = float(np.mean(model.bias[:-1] ** 2)) if marks.people > 1 else 0.0
    bias_spread = max(bias_spread, float(model.noise.mean()) / 10)
    a = marks.by_person(weight) + 1 / bias_spread
    b, c = marks.by_person(weight * number), marks.by_person(weight * (number**2 + variance)) + 1 / _SCALE_SPREAD**2
    d, e = marks.by_person(weight * left), marks.by_person(weight * left * number) + 1 / _SCALE_SPREAD**2
    determinant = a * c - b * b
    bias, scale = (d * c - b * e) / determinant, (a * e - b * d) / determinant
    bias[-1], scale[-1] = 0.0, 1.0  # of the anonymous nobody knows who is who
    if not anchored:
        sizes = marks.by_person(np.ones(len(left)))
        bias[:-1] -= (bias * sizes).sum() / max(sizes[:-1].sum(), 1)
        scale[:-1] /= max((scale * sizes)[:-1].sum() / max(sizes[:-1].sum(), 1), _TINY) if sizes[:-1].any() else 1.0
    fresh = Model(model.number, model.variance, bias, scale, model.noise, model.centre)
    return Model(fresh.number, fresh.variance, bias, scale, _noise(marks, fresh, weight), model.centre)


def _noise(marks: Marks, model: Model, weight: Floats) -> Floats:
    place, _ = model.foretold(marks)
    scale = model.scale[marks.annotator]
    away = (marks.number - place) ** 2 + scale**2 * model.variance[marks.unit]
    found = marks.by_person(weight * model.noise[marks.annotator] * away)
    sizes = marks.by_person(np.ones(len(away)))
    general = max(float(found.sum() / max(sizes.sum(), 1)), _TINY)
    return np.asarray((found + _SCATTER_WEIGHT * general) / (sizes + _SCATTER_WEIGHT))

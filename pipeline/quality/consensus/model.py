"""A model's opinion as one more ballot: how much it is worth is measured, and it is used only where it helps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.consensus.choice import fits_of
from pipeline.quality.consensus.heldout import Held, clustered, dealt
from pipeline.quality.consensus.maximise import predicted
from pipeline.quality.consensus.straight import counting
from pipeline.quality.consensus.table import FLOOR, checked_known
from pipeline.quality.consensus.truth import Truth, median, settled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.choice import Choice
    from pipeline.quality.consensus.table import Fit, Rates

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# Powers that the model's probabilities are raised to; never above 1, as it has learned from this very consensus.
_POWERS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
_HEAVY = 0.15  # weight in the blend from which a method is asked
_ERRORS = 2.0  # standard errors that the gain must exceed
_FOLD_ROUNDS = 30


@dataclass(frozen=True)
class Joined:
    """A consensus with a model's opinion in it.

    Attributes:
        truth: the consensus; as it was where the model was not used.
        power: what the model's probabilities were raised to: 0 is not used, 1 is believed as they stand.
        gain: how much likelier held-out ballots became, in mean natural logarithm per ballot.
        error: standard error of `gain`, ballots on one unit going together.
        changed: units whose label changed.
        why: in one sentence, whether the model was used and why.
    """

    truth: Truth
    power: float
    gain: float
    error: float
    changed: int
    why: str


def with_model(
    ballots: Ballots, choice: Choice, probabilities: Floats, *, known: Ints | None = None, rates: Rates = "drawn",
    values: Floats | None = None, seed: int = 0,
) -> Joined:  # fmt: skip
    """Join a model's out-of-fold probabilities (float64[units, labels]; nan rows where it has none) to a consensus.

    Its odds against its own base rates, raised to a power, multiply the posteriors. The power is the one under which
    held-out ballots are likeliest, and the model is used only if they become so by more than two standard errors. The
    model was trained on the consensus: so its probabilities must be out of fold by unit, or what it says of a unit
    would hold the very ballots that are held out. What it has learned from everybody's shared errors it repeats; no
    ballot can show that. `known`, `rates`, `values` and `seed` as `choose` was given them.
    Method: the idea of CROWDLAB (Goh, Tkachenko and Mueller 2022), with held-out ballots in place of agreement.

    Raises:
        AssayError: `probabilities` has another shape, or a number that is negative or infinite.
    """
    odds = _odds(probabilities, (ballots.units, max(len(ballots.labels), 1)))
    truth = choice.truth
    if truth.shares is None or (truth.method == "majority" and not choice.scores):
        return Joined(
            truth, 0.0, 0.0, float("nan"), 0, "the model was not used: the ballots cannot tell what it is worth"
        )
    ignored = np.array([name in set(choice.ignored) for name in ballots.annotators], dtype=bool)
    heard = ballots.only(counting(ballots, ignored))
    likelihood, held = _likelihoods(heard, choice, odds, known=known, rates=rates, values=values, seed=seed)
    logs = np.log(likelihood)
    best = int(np.argmax(logs.mean(axis=0)))
    gain, error = clustered(logs[:, best] - logs[:, 0], held)
    if best == 0 or gain <= _ERRORS * error:
        why = f"the model was not used: held-out ballots get likelier by {gain:.4f} with it, which is not beyond chance"
        return Joined(truth, 0.0, gain, error, 0, why)
    power = _POWERS[best]
    shares = truth.shares * odds**power
    shares /= shares.sum(axis=1, keepdims=True)
    sure = checked_known(known, ballots.units, shares.shape[1]) >= 0
    shares[sure] = truth.shares[sure]
    joined = settled(shares, truth.votes, truth.method)
    if values is not None:
        joined = median(shares, np.asarray(values, dtype=np.float64), truth.votes, truth.method)
    joined = replace(joined, method=f"{truth.method}+model", iterations=truth.iterations, converged=truth.converged)
    why = f"the model counts with the power {power:g}: held-out ballots get likelier by {gain:.4f} (± {error:.4f})"
    return Joined(joined, power, gain, error, int((joined.label != truth.label).sum()), why)


def _odds(probabilities: Floats, shape: tuple[int, int]) -> Floats:
    """What the model says against what it says on average; 1 where it says nothing."""
    given = np.asarray(probabilities, dtype=np.float64)
    silent = np.isnan(given).any(axis=1) if given.shape == shape else np.zeros(0, dtype=bool)
    if given.shape != shape or not np.isfinite(given[~silent]).all() or (given[~silent] < 0).any():
        problem = f"probabilities of shape {given.shape} for {shape[0]} units and {shape[1]} labels"
        raise AssayError("consensus", problem, "give a share, or nan, for every unit and label")
    spoken = given[~silent] + FLOOR
    spoken = spoken / spoken.sum(axis=1, keepdims=True)
    odds = np.ones(shape)
    # A thousandth more of everything: a model that is certain is still a model.
    odds[~silent] = (spoken + 1e-3) / (spoken.mean(axis=0) + 1e-3) if len(spoken) else 1.0
    return odds


def _likelihoods(
    ballots: Ballots, choice: Choice, odds: Floats, *, known: Ints | None, rates: Rates, values: Floats | None,
    seed: int,
) -> tuple[Floats, Held]:  # fmt: skip
    """Probability of held-out ballots under every power: float64[held out, powers]."""
    weights = {score.method: score.weight for score in choice.scores if score.weight >= _HEAVY}
    weights = weights or {choice.truth.method: 1.0}
    fits = fits_of(values)
    small, kept, folds = dealt(ballots, known=known, rates=rates, seed=seed)
    found, scored = np.zeros((len(small), len(_POWERS))), np.zeros(len(small), dtype=bool)
    for fold in folds:
        scored[fold.places] = True
        for name, weight in weights.items():
            fit = fits[name](fold.table, iterations=_FOLD_ROUNDS)
            for column, power in enumerate(_POWERS):
                bent = _bent(fit, odds[kept] ** power)
                found[fold.places, column] += weight * predicted(bent, fold.table, fold.test)
    places = np.flatnonzero(scored)
    likelihood = np.maximum(found[places], FLOOR)
    return likelihood, Held(likelihood, small.unit[places], np.ones(len(places)), len(places))


def _bent(fit: Fit, factor: Floats) -> Fit:
    """The fit with every unit's labels multiplied by float64[units, labels]."""
    states = fit.states * np.repeat(factor, fit.states.shape[1] // factor.shape[1], axis=1)
    return replace(fit, states=states / states.sum(axis=1, keepdims=True))

"""The choice among methods of consensus: a blend weighed by how well each foretells ballots it has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError, nearest
from pipeline.quality.consensus.blend import blended
from pipeline.quality.consensus.dawid_skene import fit_dawid_skene
from pipeline.quality.consensus.heldout import MOST_BALLOTS, Held, clustered, held_out, stacked
from pipeline.quality.consensus.kinds import KINDS, fit_kinds
from pipeline.quality.consensus.majority import fit_alike, majority
from pipeline.quality.consensus.one_coin import fit_coin, fit_shared_errors
from pipeline.quality.consensus.ordinal import fit_ordinal
from pipeline.quality.consensus.straight import counting, straight_liners
from pipeline.quality.consensus.table import MOST_CELLS, checked_known, table_of
from pipeline.quality.consensus.truth import Truth, median, settled
from pipeline.quality.consensus.warnings import warnings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.table import Fit, Rates, Table

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# From the simplest to the richest; `ordinal` needs labels with values.
METHODS = ("majority", "one-coin", "shared-errors", "dawid-skene", "kinds", "ordinal")
_FITS: dict[str, Callable[..., Fit]] = {
    "majority": fit_alike,
    "one-coin": fit_coin,
    "shared-errors": fit_shared_errors,
    "dawid-skene": fit_dawid_skene,
    "kinds": fit_kinds,
    "ordinal": fit_ordinal,
}
_FOLD_ROUNDS = 60
_CREDIT = 2.0  # held-out ballots each method is credited with beforehand, so that a handful decides nothing
_LARGE_ROUNDS = 20  # of very many ballots; each round then moves posteriors by thousandths at most
_MOST_CONFUSIONS = 600_000  # cells of all annotators: fitted for every fold, more would take minutes
_KINDS_VOTES = 3.5  # ballots on a unit from which kinds of units can be told from annotators' errors
_LEAST_UNITS = 10  # labelled twice: on fewer a method may overrule two who agree
_LEAST_WEIGHT = 0.05  # of very many ballots, methods under this weight are not worth their time
_FEW_CELLS = MOST_CELLS // 4


@dataclass(frozen=True)
class Score:
    """How well one method foretells ballots that it has not seen.

    Attributes:
        method: its name.
        likelihood: mean natural logarithm of the probability it gave to a held-out ballot; nearer to 0 is better.
        error: standard error of that, ballots on one unit going together.
        behind: how much `likelihood` is under the best method's (0 for the best).
        behind_error: standard error of that difference.
        weight: its weight in the blend, 0..1; the weights sum to 1.
        differs: share of units, 0..1, to which it gives another label than was chosen.
    """

    method: str
    likelihood: float
    error: float
    behind: float
    behind_error: float
    weight: float
    differs: float


@dataclass(frozen=True)
class Choice:
    """The consensus, and what it was chosen from.

    Attributes:
        truth: what was chosen; its method is "blend", or the one method that was asked for or was left.
        plain: the majority.
        scores: one per method that was considered, from the simplest; empty if one was asked for by name.
        best: the simplest method that is within one standard error of the best one ("" if none was scored).
        why: in one sentence, what was chosen and why.
        differs: share of units with a clear majority, 0..1, whose label is not that of the majority.
        warnings: in words, what to look at before the result is trusted.
        ignored: names of annotators who give one label whatever they see, so that their ballots were left out.
    """

    truth: Truth
    plain: Truth
    scores: tuple[Score, ...]
    best: str
    why: str
    differs: float
    warnings: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def choose(
    ballots: Ballots, *, method: str = "auto", known: Ints | None = None, rates: Rates = "drawn",
    values: Floats | None = None, seed: int = 0,
) -> Choice:  # fmt: skip
    """Settle what is true by the method that suits these ballots, or by the one that is asked for.

    `auto` fits every method of `METHODS`, scores each by how likely it finds ballots that it has not seen (`held_out`),
    and averages their posteriors with the weights that foretell those ballots best (stacking): where one method is
    clearly right it gets nearly all the weight, and where the ballots cannot tell, none is trusted alone. A fifth of
    the belief stays with the plain vote (`calibrated`), because no ballot shows an error that everybody makes. On more
    than 40,000 ballots, weights come from a sample of the units. Annotators who give one label whatever they see
    (`straight_liners`) are left out of the blend, but not of the majority that it is compared with.

    `known` is int64[units], an index into the labels for units whose truth is known beforehand (gold items), else -1:
    they stay as they are, teach what annotators are worth, and their labels are scored like ballots. `rates` says where
    the labels' base rates come from (`table.Rates`). `values` are float[labels], for labels with ranks: `ordinal` is
    then considered as well, and the label is the posterior's median. Chance comes from `seed` and what the ballots say.

    Raises:
        AssayError: no such method, `ordinal` without `values`, or as `dawid_skene`.
    """
    allowed = [name for name in METHODS if values is not None or name != "ordinal"]
    if method not in {"auto", *allowed}:
        raise AssayError("consensus", f"no method {method!r} here", nearest(method, ["auto", *allowed]))
    fits = fits_of(values)
    plain = majority(ballots)
    known = checked_known(known, ballots.units, max(len(ballots.labels), 1))
    if method not in ("auto", "majority"):
        return _single(ballots, fits[method], method, plain=plain, known=known, rates=rates, values=values)
    lacking = _lacking(ballots, plain) if method == "auto" else ""
    if lacking or method == "majority":
        truth = _clamped(plain, known)
        why = f"majority, because {lacking or 'it was asked for'}"
        voted = _voted(plain, known)
        return Choice(truth, plain, (), "", why, _differing(truth, voted), warnings_of(truth, voted, (), lacking))
    return _without_straight_liners(ballots, fits, plain=plain, known=known, rates=rates, values=values, seed=seed)


def fits_of(values: Floats | None) -> dict[str, Callable[..., Fit]]:
    """The methods that can be used, from the simplest; `ordinal` only with `values`."""
    fits = {name: fit for name, fit in _FITS.items() if name != "ordinal"}
    if values is not None:
        fits["ordinal"] = partial(fit_ordinal, values=np.asarray(values, dtype=np.float64))
    return fits


def _without_straight_liners(
    ballots: Ballots, fits: dict[str, Callable[..., Fit]], *, plain: Truth, known: Ints, rates: Rates,
    values: Floats | None, seed: int,
) -> Choice:  # fmt: skip
    """The blend without those who give one label whatever they see; where nobody else is left, with them."""
    ignored = straight_liners(ballots)
    heard = ballots.only(counting(ballots, ignored)) if ignored.any() else ballots
    if _lacking(heard, majority(heard)):
        ignored, heard = np.zeros_like(ignored), ballots
    used = _worthwhile(heard, fits, rates)
    found = _blend(heard, used, plain=plain, known=known, rates=rates, values=values, seed=seed)
    names = tuple(ballots.annotators[who] for who in np.flatnonzero(ignored))
    if not names:
        return found
    some = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    warning = f"{len(names):,} annotators give one label whatever they see and were left out of the blend: {some}"
    truth = replace(found.truth, votes=plain.votes)
    return replace(found, truth=truth, ignored=names, warnings=(*found.warnings, warning))


def _voted(plain: Truth, known: Ints) -> Truth:
    """The vote where it is a vote: a unit that is known is not overruled by a method but by what is known."""
    return replace(plain, tie=plain.tie | (known >= 0))


def _lacking(ballots: Ballots, plain: Truth) -> str:
    """Why nothing but the vote can be had; empty if there is no reason."""
    if len(ballots.labels) < 2:
        return "there are not two labels"
    if not (plain.votes > 1).any():
        return "no unit was labelled twice"
    if int((plain.votes > 1).sum()) < _LEAST_UNITS:
        return f"fewer than {_LEAST_UNITS} units were labelled twice, too few to learn what annotators are worth"
    cells = max(ballots.units * len(ballots.labels), (len(ballots.annotators) + 1) * len(ballots.labels) ** 2)
    return f"{len(ballots.labels):,} labels are too many to learn their confusions" if cells > _FEW_CELLS else ""


def _worthwhile(
    ballots: Ballots, fits: Mapping[str, Callable[..., Fit]], rates: Rates
) -> dict[str, Callable[..., Fit]]:
    """Without the methods that are the same as another one here, or too large."""
    classes, named = len(ballots.labels), bool(len(ballots.annotators))
    cells = KINDS * classes * max(ballots.units, (len(ballots.annotators) + 1) * classes)
    without = {"one-coin", "shared-errors"} if not named else {"shared-errors"} if classes == 2 else set()
    if (len(ballots.annotators) + 1) * classes**2 > _MOST_CONFUSIONS:
        without |= {"shared-errors", "dawid-skene", "ordinal", "kinds"}
    if rates == "named" or len(ballots) < _KINDS_VOTES * ballots.units:
        without |= {"kinds"}
    return {name: fit for name, fit in fits.items() if name not in without and (name != "kinds" or cells <= _FEW_CELLS)}


def _blend(
    ballots: Ballots, fits: Mapping[str, Callable[..., Fit]], *, plain: Truth, known: Ints, rates: Rates,
    values: Floats | None, seed: int,
) -> Choice:  # fmt: skip
    quick = {name: partial(fit, iterations=_FOLD_ROUNDS) for name, fit in fits.items()}
    held = held_out(ballots, quick, known=known, rates=rates, seed=seed)
    weights = dict(zip(fits, stacked(held, prior=np.full(len(fits), _CREDIT)).tolist(), strict=True))
    rounds = {}
    if len(ballots) > MOST_BALLOTS:
        rounds = {"iterations": _LARGE_ROUNDS}
        weights = {name: weight if weight >= _LEAST_WEIGHT else 0.0 for name, weight in weights.items()}
        weights = {name: weight / sum(weights.values()) for name, weight in weights.items()}
    table = table_of(ballots, known=known, rates=rates)
    found = {name: fits[name](table, **rounds) for name, weight in weights.items() if weight}
    labels = {name: fit.shares(table.classes) for name, fit in found.items()}
    weights = _unswitched(weights, labels, table)
    shares = blended(((weights[name], each) for name, each in labels.items()), table)
    truth = _read(shares, table, "blend", values)
    converged = all(fit.converged for fit in found.values())
    truth = replace(truth, iterations=max(fit.rounds for fit in found.values()), converged=converged)
    others = {name: _read(each, table, name, values) for name, each in labels.items()}
    scores = _scores(held, weights, others, truth)
    best = next(score.method for score in scores if score.behind <= score.behind_error)
    spoken = tuple((name, weights[name], each) for name, each in others.items())
    # Of very many ballots the rounds are few by design, and that is nothing to warn of.
    voted = _voted(plain, known)
    warnings = warnings_of(replace(truth, converged=True) if rounds else truth, voted, spoken)
    return Choice(
        truth, plain, scores, best, _why(scores, held.ballots), _differing(truth, voted), warnings
    )  # fmt: skip


def _unswitched(weights: dict[str, float], labels: Mapping[str, Floats], table: Table) -> dict[str, float]:
    """Weights without methods under which annotators are right less often than chance: their labels have changed names.

    Ballots foretell one another as well when two labels are exchanged everywhere; only the vote tells which is which,
    or units that are known.
    """
    asked = table.known < 0
    counts = table.counts[asked]
    cast = max(counts.sum(), 1.0)
    right = {name: float((counts * shares[asked]).sum() / cast) for name, shares in labels.items()}
    kept = {name: weight if right.get(name, 0.0) >= 1 / table.classes else 0.0 for name, weight in weights.items()}
    total = sum(kept.values())
    return {name: weight / total for name, weight in kept.items()} if total else weights


def _single(
    ballots: Ballots, fit_method: Callable[..., Fit], method: str, *, plain: Truth, known: Ints, rates: Rates,
    values: Floats | None,
) -> Choice:  # fmt: skip
    if len(ballots.labels) < 2:
        return Choice(plain, plain, (), "", "majority, because there are not two labels", 0.0, ())
    table = table_of(ballots, known=known, rates=rates)
    fit = fit_method(table)
    truth = _read(fit.shares(table.classes), table, method, values)
    truth = replace(truth, iterations=fit.rounds, converged=fit.converged)
    why = f"{method}, because it was asked for"
    voted = _voted(plain, known)
    return Choice(truth, plain, (), "", why, _differing(truth, voted), warnings_of(truth, voted, ()))


def _read(shares: Floats, table: Table, method: str, values: Floats | None) -> Truth:
    if values is None:
        return settled(shares, table.votes, method)
    return median(shares, np.asarray(values, dtype=np.float64), table.votes, method)


def _clamped(plain: Truth, known: Ints) -> Truth:
    sure = known >= 0
    if not sure.any():
        return plain
    shares = plain.shares
    if shares is not None:
        shares = shares.copy()
        shares[sure] = np.eye(shares.shape[1])[known[sure]]
    return replace(
        plain, label=np.where(sure, known, plain.label), posterior=np.where(sure, 1.0, plain.posterior),
        tie=plain.tie & ~sure, shares=shares,
    )  # fmt: skip


def _scores(held: Held, weights: Mapping[str, float], others: Mapping[str, Truth], truth: Truth) -> tuple[Score, ...]:
    logs = np.log(held.likelihood)
    means = [clustered(logs[:, column], held) for column in range(logs.shape[1])]
    top = int(np.argmax([mean for mean, _ in means]))
    scores = []
    for column, (name, weight) in enumerate(weights.items()):
        behind, error = clustered(logs[:, top] - logs[:, column], held)
        differs = float((others[name].label != truth.label).mean()) if name in others else float("nan")
        scores.append(Score(name, *means[column], behind, error, weight, differs))
    return tuple(scores)


def _differing(truth: Truth, plain: Truth) -> float:
    clear = ~plain.tie
    return float((truth.label != plain.label)[clear].mean()) if clear.any() else 0.0


def _why(scores: tuple[Score, ...], ballots: int) -> str:
    heavy = sorted((score for score in scores if score.weight >= _LEAST_WEIGHT), key=lambda each: -each.weight)
    parts = ", ".join(f"{score.method} {score.weight:.0%}" for score in heavy)
    return f"blend of {parts}: the mixture under which {ballots:,} held-out ballots are likeliest"

"""The election: which label wins every unit, by the method that fits the data set, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.errors import AssayError
from pipeline.quality.ballots import Ballots
from pipeline.quality.consensus import Choice, Ratings, Truth, choose, majority, ratings, with_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.consensus.table import Rates
    from pipeline.settings import AuditSettings
    from pipeline.tasks import Task
    from pipeline.voting import Poll

    Floats = NDArray[np.float64]

# Confusions between more labels than this cannot be learned from votes.
MOST_LABELS = 500
LEAST_SHARE = 1e-4
"""Posteriors under this are not told on: a label that is next to impossible."""
RATES: dict[str, Rates] = {"sets": "named", "spans": "found"}
"""Where base rates come from, by how answers differ; see `consensus.table.Rates`."""
LEAST_AHEAD = 0.2
"""How far a label must be ahead of the next (60 against 40 %) to settle a vote that is tied: less is a coin's work."""
NUMERIC = ("interval", "ratio")
UNMEASURED = "no row was answered twice: how sure the answers are cannot be measured"


@dataclass(frozen=True)
class Election:
    """The ballots, what they say, and by which method; `plain` is what plain majority says.

    Attributes:
        ballots, truth, plain: the votes, what was settled (labels are indices into `labels`), and the plain vote.
        labels: the labels of the ballots; of numbers also those that nobody gave but that are the consensus.
        measured: whether any unit has two ballots. Where none has, a posterior would be nothing but what was assumed.
        told: how it was settled, for the report.
        choice, numbers: what the methods said, where labels or numbers were to be settled by more than a plain vote.
    """

    ballots: Ballots
    truth: Truth
    plain: Truth
    labels: tuple[str, ...]
    measured: bool
    told: dict[str, Any] = field(default_factory=dict)
    choice: Choice | None = None
    numbers: Ratings | None = None

    def columns(self, begin: int, end: int) -> tuple[list[pa.Array], list[Any]]:
        """What became of the vote on the units begin..end-1, in order: unit, label, posterior, tie; and its shares.

        The shares are columns too: the number of the unit (int64), the label, and its share of at least `LEAST_SHARE`.
        """
        truth, here = self.truth, slice(begin, end)
        labels, names = pa.array(self.labels, pa.string()), pa.array(self.ballots.names, pa.string())
        label = labels.take(pa.array(truth.label[here]))
        posterior = pa.array(truth.posterior[here], pa.float64())
        told = [names.take(pa.array(self.ballots.unit_name[here])), label, posterior, pa.array(truth.tie[here])]
        if truth.shares is None:
            return told, [np.arange(begin, end), label, posterior]
        unit, column = np.nonzero(truth.shares[here] >= LEAST_SHARE)
        share = pa.array(truth.shares[here][unit, column], pa.float64())
        return told, [unit + begin, labels.take(pa.array(column)), share]


def elect(polled: Poll, task: Task, settings: AuditSettings) -> Election:
    """The winning label of every unit; answers that are free text are no set of labels to be confused."""
    ballots = polled.ballots
    plain = majority(ballots)
    measured = bool((plain.votes > 1).any())
    if task.measure in NUMERIC:
        return _numbers(polled, task, settings, plain, measured=measured)
    asked = settings.consensus
    if not measured or (asked != "majority" and (task.free_text or len(ballots.labels) > MOST_LABELS)):
        open_set = f"{len(ballots.labels)} different answers are no closed set: settled by majority"
        note = open_set if measured else UNMEASURED
        return Election(ballots, plain, plain, ballots.labels, measured, _told(plain, plain, settings, note=note))
    found = choose(
        ballots,
        method=asked,
        known=polled.known,
        rates=RATES.get(task.measure, "drawn"),
        values=_ranks(task, ballots),
        seed=settings.seed,
    )
    truth = with_sole_answers(with_open_ties(found.truth, plain), plain)
    told = _told(truth, plain, settings, note=found.why) | _scores(found)
    return Election(ballots, truth, plain, ballots.labels, measured, told, choice=replace(found, truth=truth))


def with_open_ties(truth: Truth, plain: Truth) -> Truth:
    """The truth, its ties with those of the plain vote that it hardly settles: a coin would do as well."""
    if truth.shares is None or truth.shares.shape[1] < 2:
        return truth
    first, second = np.sort(truth.shares, axis=1)[:, :-3:-1].T
    return replace(truth, tie=truth.tie | (plain.tie & (first - second < LEAST_AHEAD)))


def with_sole_answers(truth: Truth, plain: Truth) -> Truth:
    """The truth, with what he said where one annotator alone answered: nobody is overruled by answers to other rows.

    What speaks against it stays in the posterior.
    """
    sole = (plain.votes == 1) & (truth.label != plain.label)
    if truth.shares is None or not sole.any():
        return truth
    own = truth.shares[np.arange(len(plain.label)), plain.label]
    return replace(
        truth,
        label=np.where(sole, plain.label, truth.label),
        posterior=np.where(sole, own, truth.posterior),
        tie=truth.tie & ~sole,
    )


def _ranks(task: Task, ballots: Ballots) -> Floats | None:
    return np.array(task.values(ballots.labels)) if task.measure == "ordinal" else None


def _told(truth: Truth, plain: Truth, settings: AuditSettings, *, note: str) -> dict[str, Any]:
    return {
        "method": truth.method,
        "asked_for": settings.consensus,
        "note": note,
        "units": len(truth.label),
        "ties_by_majority": int(plain.tie.sum()),
        "ties_left": int(truth.tie.sum()),
        "other_than_majority": int(((truth.label != plain.label) & ~plain.tie).sum()),
        "mean_posterior": round(float(truth.posterior.mean()), 6) if len(truth.label) else None,
        "iterations": truth.iterations,
        "converged": bool(truth.converged),
        "methods": [],
        "warnings": [],
        "model": "",
    }


def _scores(found: Choice) -> dict[str, Any]:
    methods = [
        {
            "method": score.method,
            "likelihood": _number(score.likelihood),
            "error": _number(score.error),
            "weight": _number(score.weight),
            "differs": _number(score.differs),
        }
        for score in found.scores
    ]
    return {"methods": methods, "warnings": list(found.warnings), "best": found.best}


def _number(value: float) -> float | None:
    """A number for JSON, which has no nan; rounded, so that the last bits of another processor do not show."""
    return round(value, 6) if np.isfinite(value) else None


def helped(election: Election, polled: Poll, task: Task, probabilities: Floats, settings: AuditSettings) -> Election:
    """The election with a model's opinion of every unit (float[units, labels]) where that foretells ballots better."""
    if election.choice is None:
        return election
    joined = with_model(
        election.ballots,
        election.choice,
        probabilities,
        known=polled.known,
        rates=RATES.get(task.measure, "drawn"),
        values=_ranks(task, election.ballots),
        seed=settings.seed,
    )
    truth = with_sole_answers(with_open_ties(joined.truth, election.plain), election.plain)
    told = election.told | {
        "model": joined.why,
        "other_than_majority": int(((truth.label != election.plain.label) & ~election.plain.tie).sum()),
        "ties_left": int(truth.tie.sum()),
        "mean_posterior": round(float(truth.posterior.mean()), 6),
    }
    return replace(election, truth=truth, told=told)


def _sure_of_numbers(ballots: Ballots, values: Floats, found: Ratings, task: Task) -> Floats:
    """1 - half the width of each interval over the width of the scale: 1 is certain, 0 could be anything on it.

    The interval is never taken to be narrower than the unit's own ratings scatter.
    """
    ends = (task.guideline.low, task.guideline.high)
    width = float(np.ptp(values)) if None in ends else float(ends[1] - ends[0])  # type: ignore[operator]
    votes = np.maximum(np.bincount(ballots.unit, minlength=ballots.units), 1)
    mean = np.bincount(ballots.unit, values[ballots.label], ballots.units) / votes
    square = np.bincount(ballots.unit, (values[ballots.label] - mean[ballots.unit]) ** 2, ballots.units)
    scatter = 1.96 * np.sqrt(square / np.maximum(votes - 1, 1) / votes)
    half = np.maximum((found.high - found.low) / 2, scatter)
    return np.asarray(1 - np.clip(half / width, 0, 1)) if width > 0 else np.ones(len(half))


def _numbers(polled: Poll, task: Task, settings: AuditSettings, plain: Truth, *, measured: bool) -> Election:
    """Numbers: a number for each unit that nobody need have given; its posterior is how narrow its interval is."""
    ballots = polled.ballots
    values = np.array(task.values(ballots.labels), dtype=np.float64)
    if not measured or settings.consensus == "majority":
        note = "" if measured else UNMEASURED
        return Election(ballots, plain, plain, ballots.labels, measured, _told(plain, plain, settings, note=note))
    if settings.consensus != "auto":
        problem = f"'{settings.consensus}' confuses labels, but these are numbers"
        raise AssayError("[audit] consensus", problem, "say auto or majority")
    known = np.where(polled.known >= 0, values[polled.known], np.nan) if len(values) else np.zeros(0)
    found = ratings(ballots, values, known_values=known, seed=settings.seed)
    sure = _sure_of_numbers(ballots, values, found, task)
    spelled = [f"{estimate:.6g}" for estimate in found.estimate]
    labels, place = np.unique(np.array([*ballots.labels, *spelled]), return_inverse=True)
    label = place.reshape(-1)[len(ballots.labels) :].astype(np.int64)
    truth = Truth(label, sure, np.zeros(len(label), dtype=bool), plain.votes, "ratings")
    told = _told(plain, plain, settings, note=found.why) | {
        "method": "ratings",
        "ties_left": 0,
        "mean_posterior": round(float(sure.mean()), 6),
        "other_than_majority": int((np.abs(found.estimate - values[plain.label]) > 1e-9).sum()),
    }
    return Election(ballots, truth, plain, tuple(labels.tolist()), measured, told, numbers=found)

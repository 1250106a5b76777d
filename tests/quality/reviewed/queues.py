"""Played queues: scores, a truth in which these are off in a known way, and people who judge from the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.reviewed import Block, always, left, next_cost, pace, recalibrate, stop, weights, wilson

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

BLOCK = 50
WORTH, SECONDS = 5.0, 8.0


@dataclass(frozen=True)
class World:
    """How the true log odds of being wrong follow from those of the score; how lines stand in groups.

    `level` and `slope` move the log odds (the slope about odds of 1), `bend` lifts those about -3; `drift` moves the
    level by so much from the first line of the list to the last. `together` is how alike the lines of a group are,
    `sizes` how large groups are; 0 is none.
    """

    name: str
    level: float = 0.0
    slope: float = 1.0
    bend: float = 0.0
    drift: float = 0.0
    together: float = 0.0
    sizes: int = 0

    def truth(self, scores: Floats) -> Floats:
        """The probability that each line is wrong."""
        odds = np.log(scores) - np.log1p(-scores)
        odds = self.level + self.slope * odds + self.bend * np.exp(-((odds + 3) ** 2) / 2)
        return np.asarray(1 / (1 + np.exp(-(odds + self.drift * np.linspace(0, 1, len(scores))))))


AS_SCORED = World("as scored")
WORLDS = (
    AS_SCORED,
    World("half as likely", level=-0.7),
    World("twice as likely", level=0.7),
    World("a fifth as likely", level=-1.6),
    World("five times as likely", level=1.6),
    World("scores too sure", slope=0.6),
    World("scores not sure enough", slope=1.4),
    World("bump below the top", bend=1.0),
    World("worse down the list", drift=1.0),
    World("better down the list", drift=-1.0),
    World("groups, half alike", together=0.5, sizes=12),
    World("groups, all alike", together=1.0, sizes=12),
    World("groups, all alike, twice as likely", level=0.7, together=1.0, sizes=12),
)


@dataclass(frozen=True)
class Played:
    """A queue, the most suspicious line first: scores, true probabilities, what is wrong, and groups (-1: none)."""

    scores: Floats
    truth: Floats
    wrong: Bools
    group: Ints


def played(world: World, seed: int, *, lines: int = 1500) -> Played:
    """A queue of this world: a tenth of its lines strong suspects."""
    chance = np.random.default_rng([seed, len(world.name)])
    strong = chance.random(lines) < 0.1
    scores = np.where(strong, chance.beta(4, 2, lines), chance.beta(0.6, 12, lines))
    scores = -np.sort(-np.clip(scores, 0.002, 0.995))
    truth = world.truth(scores)
    group = _groups(world, lines, chance)
    shared = chance.random(lines)[np.maximum(group, 0)]
    is_one = (chance.random(lines) < world.together)[np.maximum(group, 0)] & (group >= 0)
    return Played(scores, truth, np.where(is_one, shared, chance.random(lines)) < truth, group)


def _groups(world: World, lines: int, chance: np.random.Generator) -> Ints:
    """Half of the lines in groups of neighbours in the list, as the lines of a group have like scores."""
    if not world.sizes:
        return np.full(lines, -1)
    whole = np.repeat(np.arange(lines), chance.integers(2, world.sizes * 2, lines))[:lines]
    return np.where(np.isin(whole, np.flatnonzero(chance.random(lines) < 0.5)), whole, -1)


def judged(queue: Played, number: int, *, by_group: bool = False) -> tuple[Bools, Floats]:
    """Which lines were judged, bool[lines], once the first so many were, and how much each counts, float64[judged].

    By group: whoever meets a line of a group decides on the whole of it.
    """
    first = np.arange(len(queue.scores)) < number
    own = np.arange(len(queue.scores)) + len(queue.scores)
    cluster = np.where(queue.group >= 0, queue.group, own)
    if not by_group:
        return first, weights(cluster[first], own[first])
    met = queue.group[first & (queue.group >= 0)]
    done = first | (np.isin(queue.group, met) & (queue.group >= 0))
    return done, weights(cluster[done], cluster[done])


@dataclass(frozen=True)
class Covered:
    """In how many runs the truth was inside, below and above the interval; the medians of all four numbers."""

    runs: int
    inside: int
    below: int
    above: int
    truth: float
    value: float
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share of runs whose interval held the truth."""
        return self.inside / self.runs


def coverage(world: World, number: int, *, runs: int, by_group: bool = False) -> Covered:
    """How often the errors left after so many judged lines lie in their interval."""
    found = np.array([_one(played(world, seed), number, seed, by_group) for seed in range(runs)])
    truth, value, low, high = found.T
    inside = (low <= truth) & (truth <= high)
    ends = (float(np.median(one)) for one in (truth, value, low, high))
    return Covered(runs, int(inside.sum()), int((truth < low).sum()), int((truth > high).sum()), *ends)


def _one(queue: Played, number: int, seed: int, by_group: bool) -> tuple[float, float, float, float]:
    done, weight = judged(queue, number, by_group=by_group)
    model = recalibrate(queue.scores[done], queue.wrong[done], weight, seed=seed)
    there = left(queue.scores[~done], queue.group[~done], model, seed=seed)
    return float(queue.wrong[~done].sum()), there.value, *there.edges


@dataclass(frozen=True)
class Stopped:
    """When review stopped: at which line, whether the next errors were still worth it, and what they cost in truth."""

    at: int
    too_early: bool
    cost: float
    found: float
    best: int


def stopping(world: World, seed: int, *, every: int = 20, unlucky: int = 0, lines: int = 1500) -> Stopped:
    """Look after every so many lines and stop when told to; the first `unlucky` are all fine, whatever their score.

    Too early: an error of the next lines costs in truth less than it is worth. `best` is the line after which no block
    is worth its time any more.
    """
    queue = played(world, seed, lines=lines)
    wrong = queue.wrong.copy()
    wrong[:unlucky] = False
    seconds = np.random.default_rng([seed, 7]).lognormal(np.log(SECONDS) - 0.32, 0.8, lines)
    at = every
    while at < lines and not _stops(queue, wrong, seconds, at, seed):
        at += every
    cost = true_cost(queue, at)
    worth = [begin for begin in range(0, lines, every) if true_cost(queue, begin) <= WORTH]
    found = float(wrong[:at].sum() / max(wrong.sum(), 1))
    return Stopped(at, at < lines and cost <= WORTH, cost, found, max(worth, default=-every) + every)


def _stops(queue: Played, wrong: Bools, seconds: Floats, at: int, seed: int) -> bool:
    _, weight = judged(queue, at)
    model = recalibrate(queue.scores[:at], wrong[:at], weight, seed=seed, draws=300)
    speed = pace(seconds[:at], SECONDS).draws(300, np.random.default_rng(1))
    block = queue.scores[at : at + BLOCK]
    coming = next_cost([Block("lines", len(block), model.sums(block), speed * len(block) / 60)])
    remaining = float(np.quantile(model.sums(queue.scores[at:]), 0.975))
    return stop(coming, looks=at, remaining=remaining, worth_minutes=WORTH).say == "stop"


def true_cost(queue: Played, at: int) -> float:
    """Minutes for each error of the next block, in truth."""
    block = queue.truth[at : at + BLOCK]
    return float(len(block) * SECONDS / 60 / max(block.sum(), 1e-9))


def ever_out(truth: Callable[[int], float], *, looks: int, runs: int, every: int = 10) -> tuple[float, float]:
    """How often the mean probability is ever outside of the interval for all looks, and of Wilson's for one."""
    shares = np.array([truth(at) for at in range(looks)])
    mean = np.cumsum(shares) / np.arange(1, looks + 1)
    ever = once = 0
    for seed in range(runs):
        wrong = np.cumsum(np.random.default_rng(seed).random(looks) < shares)
        places = range(every - 1, looks, every)
        ever += any(_is_out(always(float(wrong[at]), at + 1), mean[at]) for at in places)
        once += any(_is_out(wilson(float(wrong[at]), at + 1), mean[at]) for at in places)
    return ever / runs, once / runs


def _is_out(bounds: tuple[float, float], value: float) -> bool:
    return not bounds[0] <= value <= bounds[1]

"""How right the model is, and how sure one can be of that: every figure with its bootstrap interval.

Percentile bootstrap over groups of rows: Efron and Tibshirani 1993, "An Introduction to the Bootstrap",
DOI 10.1201/9780429246593. Paired differences: Koehn 2004, "Statistical Significance Tests for Machine Translation
Evaluation", EMNLP, W04-3250. Expected calibration error: Naeini et al. 2015, AAAI, DOI 10.1609/aaai.v29i1.9602.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.finetune.examples import origin
from pipeline.tasks import canonical
from pipeline.text import units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.tasks import Answer, Row, Scores, Task

Numbers = np.ndarray[Any, Any]
LENGTHS = ((10, "1-10 words"), (20, "11-20 words"), (40, "21-40 words"))
LONGEST = "over 40 words"
FEWEST = 5
"""Slices of fewer rows are counted, not scored."""
BINS = 10


def fewer(bootstrap: int) -> int:
    """How many bootstrap samples slices, comparisons and validation get: a fifth of those of the test scores."""
    return max(10, bootstrap // 5)


@dataclass(frozen=True)
class Judged:
    """Rows with the gold answer and what was found, in the same order."""

    rows: Sequence[Row]
    gold: Sequence[Answer]
    found: Sequence[Answer]

    def take(self, numbers: Sequence[int] | Numbers) -> Judged:
        """Some of the rows, with repeats."""
        pick: Callable[[Sequence[Any]], list[Any]] = lambda values: [values[n] for n in numbers]  # noqa: E731
        return Judged(pick(self.rows), pick(self.gold), pick(self.found))

    def score(self, task: Task) -> Scores:
        """What the task says of them."""
        return task.score(self.gold, self.found, self.rows)


def resamples(groups: Sequence[str], *, times: int, seed: int) -> Iterator[Numbers]:
    """Row numbers of `times` bootstrap samples: as many groups as there are, with repeats, each with all its rows."""
    _, codes = np.unique(np.array(groups, dtype=object), return_inverse=True)
    order, sizes = np.argsort(codes, kind="stable"), np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    draw = np.random.default_rng(seed)
    for _ in range(times):
        drawn = draw.integers(len(sizes), size=len(sizes))
        lengths = sizes[drawn]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        yield order[np.repeat(starts[drawn], lengths) + within]


def interval(values: Sequence[float] | Numbers) -> dict[str, float]:
    """The 95 % percentile interval of bootstrapped values."""
    low, high = np.percentile(np.asarray(values, dtype=np.float64), [2.5, 97.5])
    return {"low": rounded(low), "high": rounded(high)}


def rounded(value: float) -> float:
    """A figure as the report holds it: six digits."""
    return round(float(value), 6)


def table(judged: Judged, task: Task, *, times: int, seed: int) -> dict[str, Any]:
    """Metrics and per-class F1 with intervals: `{"headline", "n", "metrics", "per_class", "confusion"}`."""
    whole = judged.score(task)
    metrics: dict[str, list[float]] = defaultdict(list)
    per_class: dict[str, list[float]] = defaultdict(list)
    for numbers in resamples([row["group"] for row in judged.rows], times=times, seed=seed):
        drawn = judged.take(numbers).score(task)
        for name in whole.metrics:
            metrics[name].append(drawn.metrics[name])
        for label, values in drawn.per_class.items():
            per_class[label].append(values.get("f1", np.nan))
    return {
        "headline": whole.headline,
        "n": len(judged.rows),
        "metrics": {
            name: {"value": rounded(value), **interval(metrics[name])} for name, value in sorted(whole.metrics.items())
        },
        "per_class": {label: _of_class(values, per_class[label]) for label, values in sorted(whole.per_class.items())},
        "confusion": whole.confusion,
    }


def _of_class(values: dict[str, float], drawn: list[float]) -> dict[str, Any]:
    """The figures of a class; those samples in which it does not occur say nothing of it."""
    told: dict[str, Any] = {name: rounded(value) for name, value in values.items()}
    known = [value for value in drawn if not np.isnan(value)]
    return told | {"f1_interval": interval(known)} if known else told


def against(judged: Judged, other: Judged, task: Task, *, times: int, seed: int) -> dict[str, Any]:
    """The metrics of `other` answers to the same rows, and the paired difference of the headline (mine - theirs)."""
    one, two = judged.score(task), other.score(task)
    differences = []
    for numbers in resamples([row["group"] for row in judged.rows], times=times, seed=seed):
        mine, theirs = judged.take(numbers).score(task), other.take(numbers).score(task)
        differences.append(mine.metrics[one.headline] - theirs.metrics[one.headline])
    gain = one.metrics[one.headline] - two.metrics[one.headline]
    return {
        "metrics": {name: rounded(value) for name, value in sorted(two.metrics.items())},
        "difference": {"value": rounded(gain), **interval(differences)},
    }


def slices(judged: Judged, task: Task, *, times: int, seed: int) -> dict[str, dict[str, Any]]:
    """The headline for every source, language and length: `{kind: {name: {"n", "value", "low", "high"}}}`."""
    made: dict[str, dict[str, Any]] = {}
    for kind, name, numbers in _parts(judged.rows, task):
        if len(numbers) < FEWEST:
            made.setdefault(kind, {})[name] = {"n": len(numbers)}
            continue
        part = judged.take(numbers)
        whole = part.score(task)
        drawn = [
            part.take(again).score(task).metrics[whole.headline]
            for again in resamples([row["group"] for row in part.rows], times=times, seed=seed)
        ]
        value = rounded(whole.metrics[whole.headline])
        made.setdefault(kind, {})[name] = {"n": len(numbers), "value": value, **interval(drawn)}
    return made


def _parts(rows: Sequence[Row], task: Task) -> Iterator[tuple[str, str, list[int]]]:
    kinds: dict[str, Callable[[Row], str]] = {
        "source": lambda row: origin(row["id"]),
        "language": lambda row: str(row["language"]),
        "length": lambda row: length_name(task.shown(row)),
    }
    for kind, name_of in kinds.items():
        parts: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(rows):
            parts[name_of(row)].append(number)
        yield from ((kind, name, parts[name]) for name in sorted(parts))


def length_name(text: str) -> str:
    """Which length slice a text belongs to, in words (characters for scripts without spaces)."""
    words = len(units(text))
    return next((name for most, name in LENGTHS if words <= most), LONGEST)


def calibration(probabilities: Sequence[float], right: Sequence[bool]) -> dict[str, Any]:
    """Expected calibration error over ten bins of equal width, and the bins: `{"ece", "bins": [{...}]}`."""
    said, true = np.asarray(probabilities, dtype=np.float64), np.asarray(right, dtype=np.float64)
    places = np.clip((said * BINS).astype(int), 0, BINS - 1)
    bins, error = [], 0.0
    for number in range(BINS):
        inside = places == number
        n = int(inside.sum())
        entry: dict[str, Any] = {"low": number / BINS, "high": (number + 1) / BINS, "n": n}
        if n:
            confidence, accuracy = float(said[inside].mean()), float(true[inside].mean())
            entry |= {"probability": rounded(confidence), "right": rounded(accuracy)}
            error += n / len(said) * abs(confidence - accuracy)
        bins.append(entry)
    return {"ece": rounded(error), "bins": bins}


def token_loss(sums: Numbers, counts: Numbers, groups: Sequence[str], *, times: int, seed: int) -> dict[str, Any]:
    """Mean loss per learned token of one or several models on the same rows, and the gain, with intervals.

    `sums` is [models, rows], `counts` [rows]; the gain is that of the last model over the first (positive: lower loss).
    """
    drawn = np.array(
        [sums[:, numbers].sum(1) / counts[numbers].sum() for numbers in resamples(groups, times=times, seed=seed)]
    )
    means = sums.sum(1) / counts.sum()
    told = [
        {
            "loss": {"value": rounded(mean), **interval(values)},
            "perplexity": {"value": rounded(np.exp(mean)), **interval(np.exp(values))},
        }
        for mean, values in zip(means, drawn.T, strict=True)
    ]
    gain = {"value": rounded(means[0] - means[-1]), **interval(drawn[:, 0] - drawn[:, -1])}
    return {"n": len(counts), "tokens": int(counts.sum()), "models": told, "gain": gain}


def is_right(gold: Answer, found: Answer) -> bool:
    """Whether two answers are the same in their one spelling."""
    return canonical(gold) == canonical(found)

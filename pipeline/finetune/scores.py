"""How right the model is, and how sure one can be of that: every figure with its bootstrap interval.

Percentile bootstrap over groups of rows: Efron and Tibshirani 1993, "An Introduction to the Bootstrap",
DOI 10.1201/9780429246593; where all answers are right, or none is: Wilson 1927, DOI 10.1080/01621459.1927.10502953.
Paired differences: Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation", EMNLP, W04-3250.
Expected calibration error: Naeini et al. 2015, AAAI, DOI 10.1609/aaai.v29i1.9602.
"""

from __future__ import annotations

from collections import Counter, defaultdict
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
FEWEST_GROUPS = 5
"""Under so many groups of rows the bootstrap knows too few samples to say anything; such slices are not scored."""
SHARES = frozenset({"accuracy", "exact_match", "word_accuracy"})
"""Metrics that are shares of right answers: where all or none are right, Wilson's interval bounds them."""
SAME = "every resample gave the same value"
WILSON = "Wilson’s bound for as many answers as there are groups of rows, because every resample gave the same value"
NORMAL_975 = 1.959964
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


def interval(values: Sequence[float] | Numbers, *, groups: int, is_share: bool = False) -> dict[str, Any]:
    """The 95 % percentile interval of bootstrapped values of `groups` groups: `{"low", "high"}`, perhaps with "note".

    Both are None, and the note says why, under five groups and where it would have no width: that all samples say the
    same is no reason to be sure. A share of right answers that is 0 or 1 gets Wilson's interval instead.
    """
    if groups < FEWEST_GROUPS:
        few = f"only {groups} group{'' if groups == 1 else 's'} of rows, and an interval needs {FEWEST_GROUPS}"
        return {"low": None, "high": None, "note": few}
    low, high = (rounded(end) for end in np.percentile(np.asarray(values, dtype=np.float64), [2.5, 97.5]))
    if low < high:
        return {"low": low, "high": high}
    if is_share and low in (0.0, 1.0):
        # Rows of a group are not independent answers: groups are counted.
        reach = rounded(NORMAL_975**2 / (groups + NORMAL_975**2))
        return {"low": rounded(1 - reach) if low else 0.0, "high": 1.0 if low else reach, "note": WILSON}
    return {"low": None, "high": None, "note": SAME}


def rounded(value: float) -> float:
    """A figure as the report holds it: six digits."""
    return round(float(value), 6)


def table(judged: Judged, task: Task, *, times: int, seed: int) -> dict[str, Any]:
    """Metrics and per-class F1 with intervals: `{"headline", "n", "metrics", "per_class", "confusion"}`."""
    whole = judged.score(task)
    groups = [row["group"] for row in judged.rows]
    metrics: dict[str, list[float]] = defaultdict(list)
    per_class: dict[str, list[float]] = defaultdict(list)
    for numbers in resamples(groups, times=times, seed=seed):
        drawn = judged.take(numbers).score(task)
        for name in whole.metrics:
            metrics[name].append(drawn.metrics[name])
        for label, values in drawn.per_class.items():
            if values["gold"]:  # samples in which a class does not occur say nothing of it
                per_class[label].append(values["f1"])
    count, having = len(set(groups)), _groups_having(judged, task) if whole.per_class else Counter[str]()
    return {
        "headline": whole.headline,
        "n": len(judged.rows),
        "metrics": {
            name: {"value": rounded(value), **interval(metrics[name], groups=count, is_share=name in SHARES)}
            for name, value in sorted(whole.metrics.items())
        },
        "per_class": {
            label: {name: rounded(value) for name, value in values.items()}
            | {"f1_interval": interval(per_class[label], groups=having[label])}
            for label, values in sorted(whole.per_class.items())
        },
        "confusion": whole.confusion,
    }


def _groups_having(judged: Judged, task: Task) -> Counter[str]:
    """In how many groups of rows the gold answers have each class."""
    places: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(judged.rows):
        places[row["group"]].append(number)
    having: Counter[str] = Counter()
    for numbers in places.values():
        seen = judged.take(numbers).score(task).per_class
        having.update(label for label, values in seen.items() if values["gold"])
    return having


def against(judged: Judged, other: Judged, task: Task, *, times: int, seed: int) -> dict[str, Any]:
    """The metrics of `other` answers to the same rows, and the paired difference of the headline (mine - theirs)."""
    one, two = judged.score(task), other.score(task)
    groups, differences = [row["group"] for row in judged.rows], []
    for numbers in resamples(groups, times=times, seed=seed):
        mine, theirs = judged.take(numbers).score(task), other.take(numbers).score(task)
        differences.append(mine.metrics[one.headline] - theirs.metrics[one.headline])
    gain = one.metrics[one.headline] - two.metrics[one.headline]
    return {
        "metrics": {name: rounded(value) for name, value in sorted(two.metrics.items())},
        "difference": {"value": rounded(gain), **interval(differences, groups=len(set(groups)))},
    }


def slices(judged: Judged, task: Task, *, times: int, seed: int) -> dict[str, dict[str, Any]]:
    """The headline for every source, language and length: `{kind: {name: {"n", "groups", "value", "low", "high"}}}`.

    Slices of fewer than five groups are counted, not scored.
    """
    made: dict[str, dict[str, Any]] = {}
    for kind, name, numbers in _parts(judged.rows, task):
        part = judged.take(numbers)
        groups = [row["group"] for row in part.rows]
        counts = {"n": len(numbers), "groups": len(set(groups))}
        if counts["groups"] < FEWEST_GROUPS:
            made.setdefault(kind, {})[name] = counts
            continue
        whole = part.score(task)
        drawn = [
            part.take(again).score(task).metrics[whole.headline] for again in resamples(groups, times=times, seed=seed)
        ]
        bounds = interval(drawn, groups=counts["groups"], is_share=whole.headline in SHARES)
        made.setdefault(kind, {})[name] = counts | {"value": rounded(whole.metrics[whole.headline])} | bounds
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
    means, count = sums.sum(1) / counts.sum(), len(set(groups))
    told = [
        {
            "loss": {"value": rounded(mean), **interval(values, groups=count)},
            "perplexity": {"value": rounded(np.exp(mean)), **interval(np.exp(values), groups=count)},
        }
        for mean, values in zip(means, drawn.T, strict=True)
    ]
    gain = {"value": rounded(means[0] - means[-1]), **interval(drawn[:, 0] - drawn[:, -1], groups=count)}
    return {"n": len(counts), "tokens": int(counts.sum()), "models": told, "gain": gain}


def is_right(gold: Answer, found: Answer) -> bool:
    """Whether two answers are the same in their one spelling."""
    return canonical(gold) == canonical(found)

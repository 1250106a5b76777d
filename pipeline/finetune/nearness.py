"""How near predicted probabilities come to the shares of the labels, on held-out rows that have shares.

Jensen-Shannon divergence: Lin 1991, DOI 10.1109/18.61115; Brier score: Brier 1950, "Verification of forecasts expressed
in terms of probability", Monthly Weather Review 78.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.finetune import scores
from pipeline.finetune.shares import PEOPLE, VOTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.finetune.bench import Part
    from pipeline.finetune.soft import Soft

    Floats = NDArray[np.float64]

LEAST = 1e-7
"""A probability is taken for no smaller, or one certain mistake would be infinitely wrong."""


def told(part: Part, soft: Soft, *, times: int, seed: int) -> dict[str, Any] | None:
    """Means over the rows that have shares, with intervals: `{"n", "in_doubt", "by", "entropy", "metrics"}`.

    `in_doubt` counts the rows that give more than one label a share. `entropy` is that of the shares: no prediction has
    a lower cross entropy. None where no row has shares.
    """
    found = list(_rows(part, soft))
    if not found:
        return None
    groups, by = [one[0] for one in found], [one[1] for one in found]
    shares, said = np.stack([one[2] for one in found]), np.stack([one[3] for one in found])
    each = measures(shares, said, several=soft.head == "multilabel")
    drawn = list(scores.resamples(groups, times=times, seed=seed))
    bounds = {name: [float(values[rows].mean()) for rows in drawn] for name, values in each.items()}
    count = len(set(groups))
    return {
        "n": len(found),
        "in_doubt": int(((shares > 0) & (shares < 1)).any(axis=1).sum()),
        "by": {name: by.count(name) for name in (PEOPLE, VOTES)},
        "entropy": scores.rounded(measures(shares, shares, several=soft.head == "multilabel")["cross_entropy"].mean()),
        "metrics": {
            name: {"value": scores.rounded(values.mean()), **scores.interval(bounds[name], groups=count)}
            for name, values in each.items()
        },
    }


def _rows(part: Part, soft: Soft) -> Iterator[tuple[str, str, Floats, Floats]]:
    """(group, by whom, shares, probabilities) of every row that has shares."""
    for row, example, prediction in zip(part.rows, part.examples, part.predictions, strict=True):
        shares = soft.vector(row["id"], np.nan_to_num(soft.hard(example.targets)))
        if shares is not None and prediction.output is not None:
            yield row["group"], soft.by[soft.begins[row["id"]][0]], shares, prediction.output.astype(np.float64)


def measures(shares: Floats, said: Floats, *, several: bool) -> dict[str, Floats]:
    """Cross entropy (nats), Jensen-Shannon divergence (0 to 1) and Brier score of every row: float64[rows] each.

    `shares` and `said` are float64[rows, classes]. The Brier score sums over the classes (0 to 2). Where rows may have
    `several` labels, each label is a yes-or-no question of its own, and a row counts by the mean of its labels.

    >>> {name: round(float(value[0]), 3) for name, value in measures(
    ...     np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]]), several=False).items()}
    {'cross_entropy': 0.693, 'jensen_shannon': 0.0, 'brier': 0.0}
    """
    if several:
        pairs = (np.stack([one, 1 - one], axis=-1).reshape(-1, 2) for one in (shares, said))
        return {name: value.reshape(shares.shape).mean(axis=1) for name, value in _measured(*pairs).items()}
    return _measured(shares, said)


def _measured(shares: Floats, said: Floats) -> dict[str, Floats]:
    middle = (shares + said) / 2
    between = (_entropy(middle) - (_entropy(shares) + _entropy(said)) / 2) / np.log(2)
    return {
        "cross_entropy": -(shares * np.log(np.maximum(said, LEAST))).sum(axis=1),
        "jensen_shannon": np.clip(between, 0.0, 1.0),
        "brier": np.square(shares - said).sum(axis=1),
    }


def _entropy(shares: Floats) -> Floats:
    return np.asarray(-(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=1))

"""Mistaken labels: what annotators gave to units, held against what was settled for them, over all annotators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus import Truth

MOST_LABELS = 40
"""A table of more labels is not read."""


def label_confusion(ballots: Ballots, truth: Truth, *, most: int = MOST_LABELS) -> dict[str, Any]:
    """How often every label was given where every label was settled, on units with two ballots or more.

    A lone ballot is its own truth, and would only make the diagonal look better. Labels stand by how often they were
    given or settled, the commonest first, those as common in the order of their names; `truth.label` are indices into
    `ballots.labels`. The ballots have a part in what was settled: the diagonal flatters, the more so the fewer there
    are on a unit.

    Returns:
        labels: at most `most` names; counts: [settled][given], so many ballots; left_out: ballots on units with two or
        more that stand nowhere in it, because either label is not among the commonest.
    """
    size = len(ballots.labels)
    shared = np.bincount(ballots.unit, minlength=ballots.units)[ballots.unit] > 1
    given, settled = ballots.label[shared], truth.label[ballots.unit[shared]]
    often = np.bincount(given, minlength=size) + np.bincount(settled, minlength=size)
    order = np.lexsort((np.arange(size), -often))
    shown = order[often[order] > 0][:most]
    place = np.full(size, -1, dtype=np.int64)
    place[shown] = np.arange(len(shown))
    row, column = place[settled], place[given]
    both = (row >= 0) & (column >= 0)
    counts = np.bincount(row[both] * len(shown) + column[both], minlength=len(shown) ** 2).reshape(
        len(shown), len(shown)
    )
    return {
        "labels": [ballots.labels[at] for at in shown],
        "counts": counts.tolist(),
        "left_out": int((~both).sum()),
    }

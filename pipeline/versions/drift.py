"""Drift: how far the shares of classes, sources and languages, and the lengths of texts, have moved; effect sizes.

Total variation distance: the share of rows that would have to change class to turn one mixture into the other, 0 to 1.
Cramér's V of the two versions by class (for two versions Cohen's w): .1 small, .3 medium, .5 large.
Cohen's h of a class, 2 asin(sqrt p) - 2 asin(sqrt q): .2 small, .5 medium, .8 large (Cohen 1988, Statistical power
analysis for the behavioral sciences, chapters 6 and 7).
Cliff's delta of lengths, P(later is longer) - P(later is shorter): .147 small, .33 medium, .474 large (Romano et al.
2006). It asks nothing of the shape of lengths, which have long tails that a difference of means would follow.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.versions.held import SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.versions.held import Held

SHARES = ("classes", "sources", "languages")
_SIZES = ("small", "medium", "large")
LIMITS = {"cramers_v": (0.1, 0.3, 0.5), "cohens_h": (0.2, 0.5, 0.8), "cliffs_delta": (0.147, 0.33, 0.474)}
MOST = 50


def drift(before: Held, after: Held) -> dict[str, Any]:
    """How far shares and lengths moved, over all sides together, with what that means in words.

    Both must be versions: the counts are those that were kept with them.
    """
    facts = (before.about["facts"], after.about["facts"])
    rows = [sum(one[side]["rows"] for side in SIDES) for one in facts]
    found = {name: shares(*(_summed(one, name) for one in facts), rows=(rows[0], rows[1])) for name in SHARES}
    return {**found, "chars": lengths(*(_lengths(one) for one in facts))}


def shares(before: Mapping[str, int], after: Mapping[str, int], *, rows: tuple[int, int]) -> dict[str, Any]:
    """Total variation distance and Cramér's V of two mixtures, and for each part counts, shares and Cohen's h.

    A row may count towards several parts: the mixture is of all that were counted, the share of a part is of the rows.
    Lines come by how far they moved; at most 50 of them. Where one side is empty there is nothing to say.
    """
    names = sorted({*before, *after})
    counts = np.array([[before.get(name, 0) for name in names], [after.get(name, 0) for name in names]], dtype=float)
    counts = counts.reshape(2, len(names))
    totals = counts.sum(axis=1)
    lines = [_line(name, (before.get(name, 0), after.get(name, 0)), rows) for name in names]
    lines.sort(key=lambda line: (-abs(line["cohens_h"] or 0.0), line["name"]))
    told = {"before": int(totals[0]), "after": int(totals[1]), "parts": len(names), "lines": lines[:MOST]}
    if not totals.all():
        return {**told, "total_variation": None, "cramers_v": None, "size": ""}
    mixed = counts / totals[:, None]
    v = _cramers_v(counts)
    distance = float(np.abs(mixed[0] - mixed[1]).sum() / 2)
    return {**told, "total_variation": _rounded(distance), "cramers_v": _rounded(v), "size": size(v, "cramers_v")}


def _line(name: str, counts: tuple[int, int], rows: tuple[int, int]) -> dict[str, Any]:
    old, new = (_share(count, whole) for count, whole in zip(counts, rows, strict=True))
    h = None if old is None or new is None else 2 * (math.asin(math.sqrt(new)) - math.asin(math.sqrt(old)))
    told = {"name": name, "before": counts[0], "after": counts[1], "share_before": old, "share": new}
    return {**told, "cohens_h": None if h is None else _rounded(h), "size": size(h, "cohens_h")}


def _cramers_v(counts: Any) -> float:
    """V of a table of two lines; 0 where there is one part only."""
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / counts.sum()
    chi2 = float(((counts - expected) ** 2 / np.where(expected == 0, 1, expected)).sum())
    return math.sqrt(max(chi2, 0.0) / float(counts.sum()))


def lengths(before: Mapping[int, int], after: Mapping[int, int]) -> dict[str, Any]:
    """Quantiles of two sets of lengths (in characters, to count), and Cliff's delta of the later on the earlier."""
    found = {"before": _quantiles(before), "after": _quantiles(after)}
    if not before or not after:
        return {**found, "cliffs_delta": None, "size": ""}
    values = sorted({*before, *after})
    old, new = (np.array([side.get(value, 0) for value in values], dtype=float) for side in (before, after))
    below = np.cumsum(old) - old
    above = old.sum() - below - old
    delta = float((new * (below - above)).sum() / (old.sum() * new.sum()))
    return {**found, "cliffs_delta": _rounded(delta), "size": size(delta, "cliffs_delta")}


def _quantiles(counts: Mapping[int, int]) -> dict[str, float | int | None]:
    if not counts:
        return {"mean": None, "median": None, "p95": None, "longest": None}
    values = np.array(sorted(counts))
    weights = np.array([counts[int(value)] for value in values], dtype=float)
    reached = np.cumsum(weights) / weights.sum()
    median, p95 = (int(values[np.searchsorted(reached, share - 1e-12)]) for share in (0.5, 0.95))
    mean = float((values * weights).sum() / weights.sum())
    return {"mean": round(mean, 2), "median": median, "p95": p95, "longest": int(values[-1])}


def size(value: float | None, kind: str) -> str:
    """What an effect size is called.

    >>> size(0.05, "cramers_v"), size(-0.6, "cohens_h"), size(None, "cohens_h")
    ('negligible', 'medium', '')
    """
    if value is None:
        return ""
    reached = sum(abs(value) >= limit for limit in LIMITS[kind])
    return _SIZES[reached - 1] if reached else "negligible"


def _summed(facts: Mapping[str, Mapping[str, Any]], name: str) -> Counter[str]:
    whole: Counter[str] = Counter()
    for side in SIDES:
        whole.update(facts[side][name])
    return whole


def _lengths(facts: Mapping[str, Mapping[str, Any]]) -> Counter[int]:
    whole: Counter[int] = Counter()
    for side in SIDES:
        pairs: Sequence[Sequence[int]] = facts[side]["chars"]
        whole.update({int(length): int(count) for length, count in pairs})
    return whole


def _share(count: int, whole: int) -> float | None:
    return _rounded(count / whole) if whole else None


def _rounded(value: float) -> float:
    """To six decimals: the last bits differ from processor to processor. Minus zero is zero."""
    return round(value, 6) + 0.0

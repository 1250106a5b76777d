"""Wipe-out: whether duplicates take so much of a cluster, a source or a class that something else must be wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence


@dataclass(frozen=True)
class Limits:
    """How much may be lost: as a share of all rows by one cluster, of its rows by a source and by a class.

    What loses fewer than `least_rows` stops nothing.
    """

    cluster_share: float
    source_share: float
    class_share: float
    least_rows: int


@dataclass(frozen=True)
class Loss:
    """What loses too much.

    Attributes:
        kind: "cluster", "source" or "class".
        name: which one.
        lost, of: rows, of so many.
        share: how much of them may be lost.
        reasons: how many are lost for each reason.
        rows: the numbers of the rows that are lost, in order.
    """

    kind: str
    name: str
    lost: int
    of: int
    share: float
    reasons: Mapping[str, int]
    rows: Sequence[int]


def worst(
    reasons: Sequence[str | None],
    clusters: Mapping[int, str],
    sources: Sequence[str],
    classes: Sequence[Sequence[str]],
    limits: Limits,
) -> Loss | None:
    """The cluster, source or class that loses most above its share; None where all lose less.

    `reasons`: for each row why it is lost as a duplicate or in conflict, or None; `clusters`: row -> the name of what
    it is lost to; `sources`, `classes`: for each row, a name and some names.
    """
    lost = [row for row, reason in enumerate(reasons) if reason is not None]
    total = len(reasons)
    found: list[tuple[float, Loss]] = []
    sides: tuple[tuple[str, float, Callable[[int], Iterable[str]], Callable[[str], int]], ...] = (
        ("cluster", limits.cluster_share, lambda row: filter(None, [clusters.get(row)]), lambda _: total),
        ("source", limits.source_share, lambda row: [sources[row]], Counter(sources).__getitem__),
        ("class", limits.class_share, lambda row: set(classes[row]), _sizes(classes).__getitem__),
    )
    for kind, share, names, size in sides:
        for name, count in Counter(name for row in lost for name in names(row)).items():
            if count >= limits.least_rows and count > share * size(name):
                rows = [row for row in lost if name in names(row)]
                told = Counter(str(reasons[row]) for row in rows)
                found.append((count / size(name) - share, Loss(kind, name, count, size(name), share, told, rows)))
    return max(found, key=lambda one: (one[0], one[1].kind, one[1].name))[1] if found else None


def _sizes(classes: Iterable[Sequence[Hashable]]) -> Counter[Hashable]:
    return Counter(name for own in classes for name in set(own))

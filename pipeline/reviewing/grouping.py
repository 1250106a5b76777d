"""Grouping: which candidates become groups: those that settle most errors a minute, each line in one at most."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.reviewing.candidates import LEAST
from pipeline.reviewing.minutes import DECIDE_LINES, EXAMPLE_LINES, Worth, alone, grouped
from pipeline.reviewing.tables import CONFLICT, ECHO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from pipeline.reviewing.candidates import Candidate

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Rank = tuple[float, int, int, int, str, str, str, str]

KINDS = (CONFLICT, "surface", "spelling", "alike", "phrase", "source", "confusion", ECHO)
"""Kinds of group: of equal value those first whose rule says most."""

LEAST_SHARED = 0.05
"""Lines that have one cause less probably than this are no proposal to make, however many they are."""


@dataclass(frozen=True)
class Group:
    """A candidate that was chosen: its lines that no group before it has, and what a decision on them is worth."""

    of: Candidate
    members: Ints
    worth: Worth


def chosen(candidates: Iterable[Candidate], score: Floats, seconds: float) -> list[Group]:
    """Groups, the most valuable first; a candidate counts with the lines that no group before it took.

    A candidate becomes a group only where its decision is expected to settle more errors than its most suspicious
    lines would one by one in the same time: where lines do not share their fate, the examples are mixed and reading
    them as a group is time lost; where a few are by far more suspicious, they would only wait in it.
    """
    free = np.ones(len(score), dtype=bool)
    heap: list[tuple[Rank, int, int]] = []
    listed = list(candidates)

    def push(number: int, members: Ints) -> None:
        inside, worth = held(listed[number], members, score, seconds)
        if worth is not None:
            heapq.heappush(heap, (_rank(listed[number], worth), number, len(inside)))

    for number, one in enumerate(listed):
        push(number, one.members)
    found: list[Group] = []
    while heap:
        _, number, size = heapq.heappop(heap)
        one = listed[number]
        members = one.members[free[one.members]]
        inside, worth = held(one, members, score, seconds)
        if worth is not None and len(inside) == size:
            free[inside] = False
            found.append(Group(one, inside, worth))
        elif worth is not None:
            push(number, members)
    return found


def held(one: Candidate, members: Ints, score: Floats, seconds: float) -> tuple[Ints, Worth | None]:
    """Those of the members that make a group, and what it is worth; None where there is none.

    Where the most suspicious lines would only wait in the group, they are left out: they are looked at before it.
    """
    while True:
        inside = score[members]
        worth = worth_of(one, inside, seconds)
        if worth is None or not len(members):
            return members, None
        if one.kind == CONFLICT or worth.settled > _at_best(inside, worth.minutes * 60 / seconds):
            return members, worth
        waits = inside * 60 / seconds > worth.value
        if not waits.any():
            return members, None
        members = members[~waits]


def _at_best(score: Floats, lines: float) -> float:
    """The errors that so many lines (the last may be a part of one) bring one by one, the most suspicious first."""
    whole = min(int(lines), len(score))
    best = np.sort(score)[::-1]
    return float(best[:whole].sum()) + (float(best[whole]) * (lines - whole) if whole < len(score) else 0.0)


def _rank(one: Candidate, worth: Worth) -> Rank:
    """The order of candidates: by value; of equal ones the narrower rule, the shorter words, the first by name."""
    words = " ".join(one.phrases)
    known = KINDS.index(one.kind)
    return (-round(worth.value, 9), known, one.touches, len(words), words, one.part, one.given, one.likely)


def worth_of(of: Candidate, score: Floats, seconds: float, *, shared: float | None = None) -> Worth | None:
    """What a decision on lines with these scores is worth; None where they are better looked at one by one.

    `shared`: how probably they have one cause, where more is known than the kind of the group.
    """
    count = len(score)
    mean = float(score.mean()) if count else 0.0
    if count < LEAST:
        return None
    if of.kind == CONFLICT:
        return Worth(count * mean, (DECIDE_LINES + EXAMPLE_LINES) * seconds / 60)
    probable = of.shared(count) if shared is None else shared
    if probable < LEAST_SHARED:
        return None
    worth = grouped(count, mean, seconds, shared=probable, fits=of.fits())
    return worth if worth.value > alone(mean, seconds) else None


def ordered(groups: Iterable[Group], score: Floats, seconds: float, *, names: list[str]) -> Iterator[tuple[int, int]]:
    """(line, number of its group or -1) in the order in which looking is worth most; within a group by score."""
    entries: list[tuple[float, str, int, list[int]]] = []
    taken = np.zeros(len(score), dtype=bool)
    for number, group in enumerate(groups):
        taken[group.members] = True
        inside = sorted(group.members.tolist(), key=lambda at: (-score[at], names[at]))
        entries.append((-group.worth.value, names[inside[0]], number, inside))
    rest = np.flatnonzero(~taken)
    entries += [(-alone(float(score[at]), seconds), names[at], -1, [at]) for at in rest.tolist()]
    for _, _, number, members in sorted(entries, key=lambda entry: entry[:2]):
        yield from ((at, number) for at in members)

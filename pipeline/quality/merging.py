"""Merging: rows of the same or nearly the same input become one where they agree, and a conflict where they do not."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Rule = Literal["hold-back", "majority", "newest", "trusted", "keep"]

# The official held-out copy stays, so that what leaves is the copy that would have leaked into training.
_KEPT_FIRST = {"test": 0, "validation": 1, "train": 2, None: 3}
UNTRUSTED = 1_000_000
"""The place of a source that is not among the trusted ones."""
OTHERS = 10
"""How many of the rows that answer otherwise are told of a row that is held back."""


@dataclass(frozen=True)
class Members:
    """The rows that are compared, in the order of `standing`, as parallel columns.

    Attributes:
        position: what each row is called in the result.
        same: equal where the inputs are the same.
        answer: equal where the answers say the same.
        decided: whether a person decided it himself.
        trust: which place its source has among the trusted ones, from 0; `UNTRUSTED` where it has none.
        time: when it was answered, in seconds; nan where that is unknown.
    """

    position: Sequence[int]
    same: Sequence[bytes]
    answer: Sequence[str]
    decided: Sequence[bool]
    trust: Sequence[int]
    time: Sequence[float]


@dataclass(frozen=True)
class Merging:
    """What becomes of rows that say the same.

    Attributes:
        merged: position of a row that goes -> position of the row that stays and stands for it.
        copies: position of a row that stays -> positions of the rows it stands for.
        conflicts: position of a row that is held back -> positions of (some of) the rows that answer otherwise.
        rules: position of a row that is held back -> what held it back: "hold-back", "decided", or the rule it lost by.
        cluster: position of a row that goes or is held back -> position of the first row of its cluster.
    """

    merged: dict[int, int] = field(default_factory=dict)
    copies: dict[int, list[int]] = field(default_factory=dict)
    conflicts: dict[int, list[int]] = field(default_factory=dict)
    rules: dict[int, str] = field(default_factory=dict)
    cluster: dict[int, int] = field(default_factory=dict)


def standing(
    splits: Sequence[str | None],
    decided: Sequence[bool],
    votes: Sequence[int],
    weights: Sequence[float],
    *,
    usual: Sequence[int],
    ids: Sequence[str],
) -> list[int]:
    """The rows in the order in which they stand for others, whatever order they came in.

    An official held-out row stands before all others, then a decided one, then the one that most annotators answered,
    then the one of most weight, then the one whose words are more `usual` (a slip is not), then the one whose id is
    first (shorter ids before longer ones: 9 before 10).
    """

    def place(row: int) -> tuple[int, bool, int, float, int, int, str]:
        held_out = _KEPT_FIRST[splits[row]]
        return held_out, not decided[row], -votes[row], -weights[row], -usual[row], len(ids[row]), ids[row]

    return sorted(range(len(ids)), key=place)


@dataclass(frozen=True)
class _Case:
    """What is to be decided, in numbers of members: the first of them stands before all others."""

    members: Members
    links: Mapping[bytes, Sequence[bytes]]
    agree: Callable[[int, int], bool]
    rule: Rule
    is_open: bool

    def same_answer(self, one: int, other: int) -> bool:
        """Whether two members answer the same; the same input is answered the same only where the answers are equal."""
        told = self.members
        if told.answer[one] == told.answer[other]:
            return True
        return told.same[one] != told.same[other] and self.agree(one, other)


def merge(
    members: Members,
    near: Iterable[tuple[int, int]] = (),
    *,
    rule: Rule,
    agree: Callable[[int, int], bool] = lambda one, other: False,
    is_open: bool = False,
) -> Merging:
    """Decide over rows whose inputs are the same, or nearly (`near`: pairs of places in `members`).

    Only direct neighbours of the row that stands first are one cluster with it: chains are cut. Where the answers of a
    cluster differ, the `rule` says whose stay, if any: those of `majority` (more rows than any other), the `newest`
    (where all times are known and one is the last), the most `trusted` source (where it speaks with one voice); else
    all are held back, as with `hold-back`. The answer of a row that a person decided wins over all of them; if decided
    rows disagree, all are held back. With `keep` nothing is. `agree` compares answers that are not equal to inputs that
    are nearly the same. With `is_open`, as for free text, only the same input can be in conflict.

    Of the rows that are left each is merged into the first that it is the same as, or near to, and agrees with; no row
    is merged into one that is merged itself.
    """
    case = _Case(members, _links(members, near), agree, rule, is_open)
    result = Merging()
    several = {key for key, count in Counter(members.same).items() if count > 1} | case.links.keys()
    rows = [row for row, key in enumerate(members.same) if key in several]
    while held := [one for cluster in _clusters(rows, case) for one in _conflicts(cluster, case)]:
        for row, others, how, first in held:
            at = members.position[row]
            result.conflicts[at] = [members.position[other] for other in others]
            result.rules[at], result.cluster[at] = how, members.position[first]
        # What is left of a cluster may be near to what was not in it.
        gone = {row for row, *_ in held}
        rows = [row for row in rows if row not in gone]
    for gone_row, stays in _merged(rows, case).items():
        at, into = members.position[gone_row], members.position[stays]
        result.merged[at] = result.cluster[at] = into
        result.copies.setdefault(into, []).append(at)
    return result


def _links(members: Members, near: Iterable[tuple[int, int]]) -> dict[bytes, list[bytes]]:
    """For each input those that are nearly the same, the one whose first row stands before the others first."""
    found: dict[bytes, set[bytes]] = {}
    for one, other in near:
        left, right = members.same[one], members.same[other]
        if left != right:
            found.setdefault(left, set()).add(right)
            found.setdefault(right, set()).add(left)
    first: dict[bytes, int] = {}
    for row, key in enumerate(members.same) if found else ():
        first.setdefault(key, row)
    return {key: sorted(others, key=lambda other: first[other]) for key, others in found.items()}


def _clusters(rows: Sequence[int], case: _Case) -> Iterator[list[int]]:
    """The rows of each input with those of the inputs near to it that no row before it took."""
    inputs: dict[bytes, list[int]] = {}
    for row in rows:
        inputs.setdefault(case.members.same[row], []).append(row)
    taken: set[bytes] = set()
    for key, own in inputs.items():
        if key not in taken:
            near = [other for other in case.links.get(key, ()) if other in inputs and other not in taken]
            taken.update((key, *near))
            cluster = [*own, *(row for other in near for row in inputs[other])]
            if len(cluster) > 1:
                yield cluster


def _conflicts(cluster: list[int], case: _Case) -> Iterator[tuple[int, list[int], str, int]]:
    """(row, some of those that answer otherwise, what held it back, first of its cluster) for all that are held."""
    parts = _by_input(cluster, case) if case.is_open else [cluster]
    for part in parts if case.rule != "keep" else ():
        classes = _classes(part, case)
        if len(classes) > 1:
            winner, how = _winner(classes, case)
            ordered = sorted(part, key=lambda row: (not case.members.decided[row], row))
            for number, rows in enumerate(classes):
                if number != winner:
                    own = set(rows)
                    others = list(islice((row for row in ordered if row not in own), OTHERS))
                    yield from ((row, others, how, cluster[0]) for row in rows)


def _by_input(cluster: list[int], case: _Case) -> list[list[int]]:
    inputs: dict[bytes, list[int]] = {}
    for row in cluster:
        inputs.setdefault(case.members.same[row], []).append(row)
    return list(inputs.values())


def _classes(rows: list[int], case: _Case) -> list[list[int]]:
    """The rows by what they answer."""
    by_answer: dict[str, list[int]] = {}
    for row in rows:
        by_answer.setdefault(case.members.answer[row], []).append(row)
    if len({case.members.same[row] for row in rows}) == 1:
        return list(by_answer.values())
    classes: list[list[int]] = []
    for own in by_answer.values():
        alike = next((each for each in classes if case.same_answer(each[0], own[0])), None)
        if alike is None:
            classes.append(own)
        else:
            alike += own
    return classes


def _winner(classes: list[list[int]], case: _Case) -> tuple[int | None, str]:
    """Which answer stays, and what decided that; None where all are held back."""
    members = case.members
    chosen = [number for number, rows in enumerate(classes) if any(members.decided[row] for row in rows)]
    if chosen:
        return (chosen[0], "decided") if len(chosen) == 1 else (None, "hold-back")
    if case.rule == "majority":
        best = _only_least([-len(rows) for rows in classes])
    elif case.rule == "trusted":
        places = [min(members.trust[row] for row in rows) for rows in classes]
        best = _only_least(places) if min(places) < UNTRUSTED else None
    elif case.rule == "newest":
        best = _only_least([-_newest(members.time[row] for row in rows) for rows in classes])
    else:
        best = None
    return best, "hold-back" if best is None else case.rule


def _newest(times: Iterable[float]) -> float:
    """The latest of the times; nan where any is unknown."""
    latest = -math.inf
    for time in times:
        latest = time if math.isnan(time) else max(latest, time)
        if math.isnan(latest):
            break
    return latest


def _only_least(values: Sequence[float]) -> int | None:
    """Where the least value stands; None where it stands twice, or any value is unknown."""
    if any(math.isnan(value) for value in values):
        return None
    least = min(values)
    return values.index(least) if values.count(least) == 1 else None


def _merged(rows: Sequence[int], case: _Case) -> dict[int, int]:
    """Row -> the row that stands for it: the first that it is the same as, or near to, and agrees with."""
    inputs: dict[bytes, dict[str, list[int]]] = {}
    for row in rows:
        inputs.setdefault(case.members.same[row], {}).setdefault(case.members.answer[row], []).append(row)
    merged: dict[int, int] = {}
    heads: set[int] = set()
    for row in rows:
        if row not in merged:
            heads.add(row)
            for other in _alike(row, inputs, case):
                if other not in heads:
                    merged.setdefault(other, row)
    return merged


def _alike(row: int, inputs: Mapping[bytes, Mapping[str, list[int]]], case: _Case) -> Iterator[int]:
    """The rows of the same input with the same answer, then those of near inputs that agree with it."""
    key = case.members.same[row]
    yield from inputs[key][case.members.answer[row]]
    for near in case.links.get(key, ()):
        for rows in inputs.get(near, {}).values():
            if case.same_answer(row, rows[0]):
                yield from rows

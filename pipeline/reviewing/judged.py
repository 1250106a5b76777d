"""Judged: what people have made of the lines of the queue so far, as columns, each part of a row once."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.reviewing.spoken import spoken_of
from pipeline.reviewing.tables import SUSPECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from pipeline.decisions import Book, Decision
    from pipeline.reviewing.tables import Queue

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Key = tuple[str, str]

DISPUTED = "disputed"
"""The verdict on a part on which people differ and nobody has the last word."""
ERRORS = ("wrong", "drop")


@dataclass
class Act:
    """One decision of a person: how long it took, and the parts of rows that it spoke of."""

    who: str
    seconds: float = math.nan
    keys: list[Key] = field(default_factory=list)
    is_rule: bool = False
    holds: bool = True
    """Whether any of it is still in force; the time was spent all the same."""

    @property
    def scope(self) -> str:
        """What it was about: a line, a group, or a rule."""
        return "rule" if self.is_rule else "group" if len(self.keys) > 1 else "line"


@dataclass(frozen=True)
class Line:
    """What is held of one part of one row."""

    key: Key
    verdict: str
    is_guideline: bool
    score: float
    act: str
    group: str
    kind: str

    @property
    def is_error(self) -> bool:
        """Whether a person confirmed that the annotators erred."""
        return self.verdict in ERRORS and not self.is_guideline


@dataclass(frozen=True)
class Judged:
    """Everything that was judged.

    Attributes:
        lines: each part of a row once, in the order in which it was first judged.
        voices: the last word of each person on each part, those of acts on groups among them.
        acts: by name, in order.
        overturned, settled: by person, on how many parts an adjudicator had another last word, or any.
    """

    lines: tuple[Line, ...]
    voices: Mapping[Key, Mapping[str, Decision]]
    acts: Mapping[str, Act]
    overturned: Mapping[str, int]
    settled: Mapping[str, int]

    @cached_property
    def wrong(self) -> Bools:
        """Which lines are confirmed errors: bool[lines]."""
        return np.array([line.is_error for line in self.lines], dtype=bool)

    @cached_property
    def score(self) -> Floats:
        """How probable an error was before anybody looked: float64[lines], nan where it is not known."""
        return np.array([line.score for line in self.lines], dtype=np.float64)

    @cached_property
    def act(self) -> Ints:
        """The number of the act that decided each line: int64[lines]."""
        return _numbered(line.act for line in self.lines)

    @cached_property
    def cluster(self) -> Ints:
        """What lines have in common: their group, else their row: int64[lines]."""
        return _numbered(f"g{line.group}" if line.group else f"r{line.key[0]}" for line in self.lines)

    @cached_property
    def rows(self) -> frozenset[str]:
        """The rows that were judged, in whole or in part."""
        return frozenset(line.key[0] for line in self.lines)

    @cached_property
    def errors_by_act(self) -> Floats:
        """How many errors each act confirmed, those that it was the first to speak of: float64[acts]."""
        open_ = {line.key for line in self.lines if line.is_error}
        counts = np.zeros(len(self.acts))
        for at, act in enumerate(self.acts.values()):
            found = open_.intersection(act.keys)
            counts[at] = len(found)
            open_ -= found
        return counts


def _numbered(names: Iterable[str]) -> Ints:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


@dataclass(frozen=True)
class Listed:
    """What is looked up of the queue: the line of each part, and whole ids by those without a source."""

    places: Mapping[Key, int]
    names: Mapping[str, str]
    score: Floats
    group: list[str]
    kind: list[str]

    @classmethod
    def of(cls, queue: Queue) -> Listed:
        """From the columns of a queue."""
        ids, parts = (queue.lines[name].to_pylist() for name in ("id", "part"))
        places = {key: at for at, key in reversed(list(enumerate(zip(ids, parts, strict=True))))}
        names = {id_.partition("/")[2]: id_ for id_ in ids} | {id_: id_ for id_ in ids}
        score = queue.lines["score"].to_numpy().astype(np.float64)
        return cls(places, names, score, queue.lines["group"].to_pylist(), queue.lines["kind"].to_pylist())

    def key(self, one: Decision) -> Key:
        """The row and the part that a decision is about."""
        return self.names.get(one.row, one.row), one.part


def judged(book: Book, queue: Queue) -> Judged:
    """What the decisions in force say of single parts of rows, those by a rule as far as the queue lists them.

    Where several people judged a part, it counts once, by the last word that holds. What an act says of a part that was
    not asked about (a span that was moved) is not counted.
    """
    listed = Listed.of(queue)
    held = [one for one in book.lines if one.id not in book.undone and not one.undo]
    acts = _acts(book, listed)
    asked = [one for one in held if one.rule is None and listed.key(one) in acts[one.act or one.id].keys]
    voices: dict[Key, dict[str, Decision]] = defaultdict(dict)
    for one in asked:
        said = voices[listed.key(one)]
        said.pop(one.who, None)
        said[one.who] = one
    disputed = {(listed.names.get(one.row, one.row), one.part) for one in book.conflicts}
    lines = {key: _line(key, _last(said), listed, key in disputed) for key, said in voices.items()}
    for one in book.rules:
        for key in _ruled(one, queue, listed):
            acts[one.act or one.id].keys.append(key)
            lines.setdefault(key, _line(key, one, listed, False))
    overturned, settled = _adjudicated(held)
    return Judged(tuple(lines.values()), voices, acts, overturned, settled)


def _acts(book: Book, listed: Listed) -> dict[str, Act]:
    """All acts with the parts that each was asked about: those with a score, if there are any."""
    of_act: dict[str, list[Decision]] = defaultdict(list)
    for one in book.lines:
        if not one.undo:
            of_act[one.act or one.id].append(one)
    found = {}
    for name, said in of_act.items():
        seconds = [one.seconds for one in said if one.seconds is not None]
        rows = [one for one in said if one.rule is None]
        scored = [one for one in rows if one.score is not None] or rows
        found[name] = Act(
            who=said[0].who,
            seconds=math.fsum(seconds) if seconds else math.nan,
            keys=list(dict.fromkeys(listed.key(one) for one in scored)),
            is_rule=len(rows) < len(said),
            holds=any(one.id not in book.undone for one in said),
        )
    return found


def _last(said: Mapping[str, Decision]) -> Decision:
    """The word that holds of several people's: an adjudicator's, else the last."""
    every = list(said.values())
    return next((one for one in reversed(every) if one.settles), every[-1])


def _line(key: Key, one: Decision, listed: Listed, is_disputed: bool) -> Line:
    at = listed.places.get(key, -1)
    score = one.score if one.score is not None else float(listed.score[at]) if at >= 0 else math.nan
    kind = listed.kind[at] if at >= 0 else SUSPECT
    return Line(
        key=key,
        verdict=DISPUTED if is_disputed else one.verdict,
        is_guideline=one.cause == "guideline",
        score=score,
        act=one.act or one.id,
        group=one.group or (listed.group[at] if at >= 0 else ""),
        kind=kind,
    )


def _ruled(one: Decision, queue: Queue, listed: Listed) -> list[Key]:
    """The lines of the queue that a decision by rule settles: those of its group, and all that the rule speaks of."""
    assert one.rule is not None
    inside = [at for at, group in enumerate(listed.group) if one.group and group == one.group]
    places = {*inside, *spoken_of(one.rule, queue.lines).tolist()}
    ids, parts = queue.lines["id"], queue.lines["part"]
    found = [(-float(listed.score[at]), ids[at].as_py(), parts[at].as_py()) for at in places]
    return [(id_, part) for _, id_, part in sorted(found)]


def _adjudicated(held: Iterable[Decision]) -> tuple[dict[str, int], dict[str, int]]:
    """How many lines of each person an adjudicator had the last word on: of those, another one; and all."""
    by_id = {}
    overturned: dict[str, int] = defaultdict(int)
    settled: dict[str, int] = defaultdict(int)
    for one in held:
        by_id[one.id] = one
        for other in (by_id[id_] for id_ in one.settles if id_ in by_id):
            settled[other.who] += 1
            overturned[other.who] += (one.verdict, one.answer) != (other.verdict, other.answer)
    return dict(overturned), dict(settled)

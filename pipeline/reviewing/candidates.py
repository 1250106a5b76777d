"""Candidates: sets of lines that one decision could settle, because they err alike."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pipeline.reviewing.tables import CONFLICT, ECHO, SUSPECT
from pipeline.rules import Rule, folded
from pipeline.tasks.parts import NOTHING
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.tasks import Task

    Ints = NDArray[np.int64]

Key = TypeVar("Key", bound=Hashable)

ONE_CAUSE = {"surface": 0.35, "spelling": 0.35, "alike": 0.7, "phrase": 0.8, "source": 0.3, "confusion": 0.6, ECHO: 0.5}
"""How probably one cause makes all lines of a kind of group wrong, or none: see `minutes.grouped`.

Measured as the correlation of fates beside what the scores say: of spans with the same surface 0.33 on real corrections
of Chinese entities and 0.21 to 0.37 on English ones with planted errors; of intents by phrase or by confusion near 1.
"""
ONE_CAUSE_SPANS = 0.15
"""Of spans that only confuse the same labels: measured 0.15 and, of hundreds of lines, 0.09."""
MANY_LINES = 30
"""A confusion of many lines has many causes: of so many it is half as probable that it has one, of more far less."""
FITS_MISSED, FITS_MARKED, FITS_OTHER = 0.65, 0.25, 0.9
"""Of wrong answers, how many are wrong as proposed: of spans that were missed; of spans that should not be marked (most
only end elsewhere); of all others. Measured on the same sets: 0.55 and 0.8; 0.1 and less; 0.9."""
FITS_ECHO = 0.8
"""Of wrong echoes that are not marked, how many are wrong as the first one was: measured as `echoes.MISSED` was."""
LEAST = 2
MOST_SURFACES = 200
"""A rule with more surfaces cannot be read; the lines of the others stay on their own."""
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Candidate:
    """Lines that could be decided at once; `members` are their positions: int64[lines].

    `touches` are the parts in the whole data set that the rule speaks of, where that is known already.
    """

    kind: str
    given: str
    likely: str
    members: Ints = field(compare=False)
    part: str = ""
    phrases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    touches: int = -1
    spans: bool = False
    """Whether its lines are stretches of text."""

    def shared(self, lines: int) -> float:
        """How probably so many of its lines have one cause; of a phrase, the less the more other rows hold it too."""
        usual = ONE_CAUSE_SPANS if self.spans and self.kind == "confusion" else ONE_CAUSE[self.kind]
        if self.kind == "confusion":
            return usual / (1 + (lines / MANY_LINES) ** 2)
        return (
            usual * min(len(self.members) / self.touches, 1.0) if self.kind == "phrase" and self.touches > 0 else usual
        )

    def fits(self) -> float:
        """How many of the wrong lines are wrong as proposed."""
        if not self.spans:
            return FITS_OTHER
        if self.kind == ECHO:
            return FITS_ECHO if self.given == NOTHING else FITS_OTHER
        return FITS_MARKED if self.likely == NOTHING else FITS_MISSED if self.given == NOTHING else FITS_OTHER


@dataclass(frozen=True)
class Lines:
    """The columns of the lines that groups are made of, all of one length."""

    kind: list[str]
    part: list[str]
    given: list[str]
    likely: list[str]
    surface: list[str]
    text: list[str]
    source: list[str]
    score: NDArray[np.float64]

    @classmethod
    def of(cls, table: pa.Table, task: Task) -> Lines:
        """The columns of a table of lines; `part` is kept only where it is a label."""
        columns = {name: table[name].to_pylist() for name in ("kind", "part", "given", "likely", "surface", "text")}
        if task.head != "multilabel":
            columns["part"] = [""] * table.num_rows
        return cls(**columns, source=table["source"].to_pylist(), score=table["score"].to_numpy())

    def confused(self) -> Ints:
        """The suspects that have something likelier to be: int64[n]."""
        wanted = [
            kind == SUSPECT and likely not in ("", given)
            for kind, given, likely in zip(self.kind, self.given, self.likely, strict=True)
        ]
        return np.flatnonzero(np.array(wanted, dtype=bool))


def candidates(lines: Lines, task: Task) -> Iterator[Candidate]:
    """All candidates that the lines themselves show; for those of phrases and sources the whole data set is asked."""
    if task.head == "token":
        yield from _by(lines, "surface", lambda one: folded(lines.surface[one]), spans=True)
        yield from _by(lines, "spelling", lambda one: spelling(lines.surface[one]), spans=True)
    else:
        yield from _by(lines, "alike", lambda one: spelling(lines.text[one]))
    if task.head in ("token", "sequence", "multilabel"):
        yield from _by(lines, "confusion", lambda one: "any", spans=task.head == "token")
    yield from _in_conflict(lines)


def spelling(text: str) -> str:
    """What texts have in common that differ in case, width, spaces, marks and numbers only.

    >>> spelling("Flight KL-1024") == spelling("flight kl 7")
    True
    """
    return _DIGITS.sub("0", normalised(text)) or text.strip()


def _by(lines: Lines, kind: str, key: Callable[[int], str], *, spans: bool = False) -> Iterator[Candidate]:
    """The lines that confuse the same and have the same key, if that is not empty."""
    at = lines.confused()
    keys = [(lines.part[one], lines.given[one], lines.likely[one], key(one)) for one in at.tolist()]
    for (part, given, likely, same), members in gathered(keys, at):
        if same:
            yield Candidate(kind, given, likely, members, part=part, spans=spans)


def _in_conflict(lines: Lines) -> Iterator[Candidate]:
    """Rows that read the same and answer otherwise: one look settles all of them."""
    at = np.flatnonzero(np.array([kind == CONFLICT for kind in lines.kind], dtype=bool))
    for _, members in gathered([normalised(lines.text[one]) for one in at.tolist()], at):
        yield Candidate(CONFLICT, "", "", members)


def gathered(keys: Sequence[Key], at: Ints) -> Iterator[tuple[Key, Ints]]:
    """Each key that several of the lines `at` have, with their positions, in order of its first."""
    code: dict[Key, int] = {}
    codes = np.array([code.setdefault(key, len(code)) for key in keys], dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(code)))
    for number, (key, end) in enumerate(zip(code, ends.tolist(), strict=True)):
        start = int(ends[number - 1]) if number else 0
        if end - start >= LEAST:
            yield key, at[order[start:end]]


def rule_of(one: Candidate, members: Ints, lines: Lines, task: Task) -> Rule | None:
    """The rule that says what is proposed for these members; None where it cannot be said of other rows."""
    if one.phrases or one.sources:
        return Rule(one.given, one.likely, phrases=one.phrases, sources=one.sources, part=one.part)
    if task.head != "token" or not one.likely:
        return None
    surfaces = tuple(sorted({folded(lines.surface[at]) for at in members.tolist()} - {""}))
    if not surfaces or len(surfaces) > MOST_SURFACES or one.given == one.likely:
        return None
    return Rule(one.given, one.likely, surfaces=surfaces)


__all__ = ["ONE_CAUSE", "Candidate", "Lines", "candidates", "gathered", "rule_of", "spelling"]

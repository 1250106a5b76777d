"""Opening: which lines and groups are still open, and what decisions on some of them say of the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reviewing.candidates import Candidate
from pipeline.reviewing.fitting import fits, ruled
from pipeline.reviewing.grouping import worth_of
from pipeline.reviewing.heard import Echoing
from pipeline.reviewing.left import by_wholes, leaves
from pipeline.reviewing.minutes import alone, flat_minutes, shared_after
from pipeline.reviewing.tables import CONFLICT, ECHO, GROUPS, QUEUE, Queue
from pipeline.rules import folded
from pipeline.tasks.parts import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FOUND = {"wrong": 1.0, "drop": 1.0, "ambiguous": 0.5, "fine": 0.0}
"""How far a verdict confirms a suspicion."""
CONFUSED_WEIGHT = 12.0
"""What was believed of a line weighs as much as decisions on so many lines that confuse the same."""
ALIKE_WEIGHT = 1.5
"""...and of a stretch of text as on so many that read the same. Set on wikigold and CoNLL04 with planted errors."""
_DECIMALS = 6


class Decided(Protocol):
    """What is read of the decisions (`pipeline.decisions.Book`)."""

    @property
    def standing(self) -> Sequence[Any]:
        """Those in force on rows."""
        ...

    @property
    def rules(self) -> Sequence[Any]:
        """Those in force on all that a rule speaks of."""
        ...


@dataclass(frozen=True)
class Open:
    """What is left to look at: `lines` (`QUEUE`) and `groups` (`GROUPS`), scores, values and order as known by now.

    `settled` says by name of line what was decided on it: its verdict.
    """

    lines: pa.Table
    groups: pa.Table
    settled: dict[str, str]


def open_lines(queue: Queue, book: Decided, *, seconds: float = 8.0) -> Open:
    """The lines that nobody has decided yet, the most valuable first, and the groups of which several are left.

    A line is settled by a decision on its part or on its whole row that still fits what it shows, and by a rule that
    speaks of it. What was found in a group says whether its lines have one cause, and what that makes of the others;
    less is learned of all lines that confuse the same. A group that turned out mixed is none any more.
    `seconds`: what a line takes.
    """
    view = View.of(queue)
    verdicts = {**by_wholes(view, book), **_by_rules(view, book), **_by_rows(view, book)}
    heard = Echoing(queue.lines).opened(book.standing)
    score, causes = learned(view, verdicts, heard)
    is_open = (at not in verdicts and (kind != ECHO or at in heard) for at, kind in enumerate(view.kind))
    left = np.flatnonzero(np.fromiter(is_open, dtype=bool, count=len(view.kind)))
    inside = _members(view, left)
    named = ((one, inside[one["group"]], causes.get(one["group"])) for one in queue.groups.to_pylist())
    judged = (_judged(one, view, at, score[at], (seconds, shared)) for one, at, shared in named)
    groups = sorted((one for one in judged if one), key=lambda one: (-one["value"], one["group"]))
    told = {one["group"]: one for one in groups}
    names = [view.group[at] if view.group[at] in told else "" for at in left.tolist()]
    ranks = [
        (-told[name]["value"] if name else -alone(score[at], seconds), name, -score[at], view.line[at])
        for at, name in zip(left.tolist(), names, strict=True)
    ]
    order = sorted(range(len(left)), key=ranks.__getitem__)
    lines = queue.lines.take(pa.array(left[order])) if len(left) else queue.lines.slice(0, 0)
    lines = _with(lines, "group", pa.array([names[at] for at in order], pa.string()))
    lines = _with(lines, "score", pa.array(np.round(score[left[order]], _DECIMALS), pa.float64()))
    settled = {view.line[at]: verdict for at, verdict in sorted(verdicts.items())}
    return Open(lines, pa.Table.from_pylist(groups, schema=GROUPS), settled)


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(QUEUE.get_field_index(name), QUEUE.field(name), column)


@dataclass(frozen=True)
class View:
    """The narrow columns of a queue; texts are read only where a decision has to do with them."""

    table: pa.Table
    line: list[str]
    id: list[str]
    part: list[str]
    given: list[str]
    likely: list[str]
    source: list[str]
    group: list[str]
    score: Floats
    groups: dict[str, Candidate]
    """What each group was made of, but for its lines."""
    kind: list[str]
    doubtful: NDArray[np.bool_]
    """Which lines are ambiguous."""
    guideline: str
    """The version of the guideline that the lines were made under."""

    @classmethod
    def of(cls, queue: Queue) -> View:
        """The view of a queue."""
        names = ("line", "id", "part", "given", "likely", "source", "group", "kind")
        columns = {name: queue.lines[name].to_pylist() for name in names}
        spans = bool(pc.any(pc.not_equal(queue.lines["surface"], "")).as_py())
        groups = {one["group"]: _shape(one, spans=spans) for one in queue.groups.to_pylist()}
        version, score = str(queue.details.get("guideline", "")), queue.lines["score"].to_numpy()
        doubtful = np.asarray(pc.equal(queue.lines["verdict"], "ambiguous"), dtype=bool)
        return cls(queue.lines, **columns, score=score, groups=groups, doubtful=doubtful, guideline=version)

    @cached_property
    def alike(self) -> list[Any]:
        """What each line has in common with those that err alike: what is given and proposed, and how it reads."""
        read = zip(self.given, self.likely, self.table["surface"].to_pylist(), self.kind, strict=True)
        return [
            (given, likely, folded(surface)) if surface and kind != ECHO else number
            for number, (given, likely, surface, kind) in enumerate(read)
        ]

    def text(self, at: int, name: str = "text") -> str:
        """The text of a line, or what its part covers."""
        return str(self.table[name][at].as_py())


def _shape(one: Mapping[str, Any], *, spans: bool) -> Candidate:
    """What a group was made of, but for which lines they were."""
    lines = np.zeros(one["lines"], dtype=np.int64)
    return Candidate(one["kind"], one["given"], one["likely"], lines, touches=one["touches"], spans=spans)


def _by_rows(view: View, book: Decided) -> dict[int, str]:
    """The verdict on every line that a decision on its part, or on its whole row, settles."""
    said: dict[tuple[str, str], Any] = {(one.row, one.part): one for one in book.standing}
    rows = {row for row, _ in said}
    found = {}
    for at, (id_, part) in enumerate(zip(view.id, view.part, strict=True) if rows else ()):
        for name in (id_, id_.partition("/")[2]):
            if name not in rows:
                continue
            one = said.get((name, part)) or said.get((name, WHOLE))
            if one is not None and _fits(one, view, at):
                found[at] = _told(one, part)
    return found


def _told(one: Any, part: str) -> str:
    """What a decision says of a part; one on the whole row says of its parts only that they were looked at."""
    return str(one.verdict) if one.part == part else "settled"


def _fits(one: Any, view: View, at: int) -> bool:
    """Whether a decision still speaks of what the line shows: the same answer, the same text, the same guideline."""
    if one.part == WHOLE != view.part[at] and not _leaves(one, view, at):
        return False
    about = {"kind": view.kind[at], "part": view.part[at], "given": view.given[at], "guideline": view.guideline}
    return fits(one, text=lambda: view.text(at), **about)


def _leaves(one: Any, view: View, at: int) -> bool:
    """Whether a decision on a whole row left the part as the line shows it, as far as that is known."""
    left = {"fine": one.was, "wrong": one.answer}.get(one.verdict)
    return left is None or leaves(left, view.part[at], view.given[at])


def _by_rules(view: View, book: Decided) -> dict[int, str]:
    """The verdict on every line that a rule in force speaks of; of `relabel` ones only a rule made since."""
    found = {}
    for one in book.rules:
        found.update(dict.fromkeys(ruled(one, view.table, view.guideline), str(one.verdict)))
    return found


def learned(
    view: View, verdicts: Mapping[int, str], heard: Mapping[int, float] | None = None
) -> tuple[Floats, dict[str, float]]:
    """How probably each line is wrong by now, and by name of group how probably its lines have one cause.

    `heard`: of echoes, how probable it is by what was found of those like them.
    """
    score = np.array(view.score, dtype=np.float64)
    for at, wrong in (heard or {}).items():
        score[at] = wrong
    told = {at: FOUND[verdict] for at, verdict in verdicts.items() if verdict in FOUND}
    by_group: dict[str, list[int]] = defaultdict(list)
    for at in told:
        by_group[view.group[at]].append(at)
    if told:
        score = _moved(score, list(zip(view.given, view.likely, map(_heap, view.kind), strict=True)), told)
        score = _moved(score, view.alike, told, weight=ALIKE_WEIGHT)
    causes = {name: _cause(view.groups[name], score[at], told, at) for name, at in by_group.items() if name}
    for at, name in enumerate(view.group):
        if name in causes and at not in told:
            shared, wrong = causes[name]
            score[at] = shared * wrong + (1 - shared) * score[at]
    return score, {name: shared for name, (shared, _) in causes.items()}


def _cause(of: Candidate, score: Floats, told: Mapping[int, float], at: Sequence[int]) -> tuple[float, float]:
    """How probably the lines of a group have one cause, seeing what was decided, and whether it makes them wrong."""
    found = [told[one] for one in at]
    wrong, fine = sum(one > 0.5 for one in found), sum(one <= 0.5 for one in found)
    if of.kind == CONFLICT:
        return 0.0, 0.0
    return shared_after(of.shared(len(at)), float(score.mean()), wrong=wrong, fine=fine), float(wrong > 0)


def _moved(
    score: Floats, names: Sequence[Any], told: Mapping[int, float], *, weight: float = CONFUSED_WEIGHT
) -> Floats:
    """Scores moved by what was found among lines of the same name (Beta-binomial; scores are means of priors)."""
    count: Counter[Any] = Counter()
    surplus: dict[Any, float] = defaultdict(float)
    for at, wrong in told.items():
        count[names[at]] += 1
        surplus[names[at]] += wrong - float(score[at])
    moved = score.copy()
    for at, name in enumerate(names):
        if name in count and at not in told:
            moved[at] = min(max(score[at] + surplus[name] / (weight + count[name]), 0.0), 1.0)
    return moved


def _heap(kind: str) -> bool:
    """Whether lines of a kind learn from one another's verdicts; echoes are heard apart."""
    return kind == ECHO


def _members(view: View, left: Ints) -> dict[str, Ints]:
    """The open lines of every group."""
    members: dict[str, list[int]] = {name: [] for name in ("", *view.groups)}
    for at in left.tolist():
        members[view.group[at]].append(at)
    return {name: np.array(inside, dtype=np.int64) for name, inside in members.items()}


def _judged(
    one: dict[str, Any], view: View, inside: Ints, score: Floats, by: tuple[float, float | None]
) -> dict[str, Any] | None:
    """A group as it stands now; None where its open lines, with these scores, settle more errors a minute one by one.

    `by`: the seconds that a line takes, and how probably the lines have one cause, where it is known better by now.
    """
    seconds, shared = by
    worth = worth_of(view.groups[one["group"]], score, seconds, shared=shared)
    if worth is None:
        return None
    minutes = worth.minutes if one["kind"] == CONFLICT else flat_minutes(len(inside), seconds)
    return one | {
        "lines": len(inside),
        "rows": len({view.id[at] for at in inside.tolist()}),
        "expected": round(float(score.sum()), _DECIMALS),
        "doubtful": int(view.doubtful[inside].sum()),
        "minutes": round(minutes, _DECIMALS),
        "value": round(worth.value, _DECIMALS),
    }


__all__ = ["Decided", "Open", "learned", "open_lines"]

"""Picking: the rows that go out, each with the parts that are asked about: of the queue, or where people differ."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline import decisions, reviewing
from pipeline.errors import AssayError, Unfit
from pipeline.exchange.rounds import CONFLICTS, DISPUTED
from pipeline.reviewing.shelf import Shelf
from pipeline.tasks import canonical
from pipeline.tasks.parts import WHOLE, label_at, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipeline.decisions import Book, Conflict, Decision
    from pipeline.engine import Engine
    from pipeline.recipe import Recipe
    from pipeline.tasks import Answer, Row, Task

AT_ONCE = 1000


@dataclass(frozen=True)
class Picked:
    """A row with the lines of the queue that it stands for."""

    row: Row
    lines: Sequence[Mapping[str, Any]]
    is_kept: bool
    standing: Sequence[Decision] = ()
    """What was decided on the row since and is in force, where people differ on something else of it."""


def picked(
    recipe: Recipe, task: Task, what: str, limit: int, *, engine: Engine | None, tick: Callable[[int], None]
) -> Iterator[Picked | str]:
    """The rows to send, in their order, each with all its lines; why one cannot be sent."""
    standing: dict[str, list[Decision]] = defaultdict(list)
    if what == CONFLICTS:
        book = decisions.read(recipe.decisions)
        lines = disputed(book)
        for line in book.standing:
            standing[line.row].append(line)
    else:
        lines = queued(recipe, what, engine=engine, tick=tick)
    shelf, ids = Shelf(recipe), list(lines)[: limit or None]
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        rows = shelf.rows(some)
        for id_ in some:
            if id_ not in rows:
                yield f"{id_}: no such row is in the build, or the record never became one"
                continue
            told = [_given(task, rows[id_], line) for line in lines[id_]]
            yield Picked(rows[id_], told, is_kept=shelf.is_kept(id_), standing=standing[id_])


def queued(
    recipe: Recipe, what: str, *, engine: Engine | None, tick: Callable[[int], None]
) -> dict[str, list[dict[str, Any]]]:
    """The queue's open lines of a kind, by row, the most worth a minute first."""
    queue = reviewing.queue(recipe, engine=engine, tick=tick)
    open_ = reviewing.open_lines(
        queue, decisions.read(recipe.decisions), seconds=recipe.settings.review.seconds_per_line
    )
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    names = [name for name in open_.lines.column_names if name not in ("text", "surface")]
    for line in open_.lines.select(names).to_pylist():
        if what in ("open", line["kind"]):
            lines[line["id"]].append(line)
    return lines


def disputed(book: Book) -> dict[str, list[dict[str, Any]]]:
    """A line for each part on which people differ, by row, with what each of them said and why."""
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in book.conflicts:
        lines[one.row].append(_line(one))
    return lines


def followed(picked: Picked, task: Task) -> Answer:
    """The answer of a row with what was decided on it since the build."""
    answer = task.answer(picked.row)
    for line in picked.standing:
        with suppress(AssayError):  # an answer that cannot be read: the build will tell
            now = canonical(answer)
            one = decisions.understood(line, picked.row, task, settled=now)
            if one.answer is not None and not one.stale(now):
                answer = json.loads(one.answer)
    return answer


def _line(one: Conflict) -> dict[str, Any]:
    scores = [voice.score for voice in one.voices if voice.score is not None]
    return {
        "line": "",
        "part": one.part,
        "given": "",
        "likely": "",
        "verdict": "ambiguous",
        "score": max(scores, default=None),
        "group": "",
        "kind": DISPUTED,
        "why": [_voice(voice) for voice in one.voices],
        "settles": [voice.id for voice in one.voices],
    }


def _voice(one: Decision) -> str:
    """Who said what of a part, and why."""
    says = {"wrong": _plain(one.answer), "fine": f"{_plain(one.was)}, as it was"}.get(one.verdict, one.verdict)
    return f"{one.who}: {says} ({one.why})"


def _plain(answer: str | None) -> str:
    """An answer as people read it: labels without the brackets and quotes of their spelling."""
    with suppress(ValueError):
        told = json.loads(answer or "")
        if isinstance(told, list) and all(isinstance(one, str) for one in told):
            return ", ".join(told)
    return answer or ""


def _given(task: Task, row: Row, line: Mapping[str, Any]) -> Mapping[str, Any]:
    """The line of a dispute with what stands there now, and its voices with the words that they are about."""
    if line["kind"] != DISPUTED:
        return line
    part, about = line["part"], ""
    given = ""
    with suppress(Unfit, AssayError):
        given = label_at(task, task.answer(row), part)
        if part != WHOLE and task.head == "token":
            start, end = place(part)
            about = f"{part} “{task.shown(row)[start:end]}” "
        elif part != WHOLE:
            about = f"{part}: "
    return {**line, "given": given, "why": [f"{about}{why}" for why in line["why"]]}

"""Rivals: the answers of rows that read alike and are answered otherwise, of which one is to hold for all of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.checks.words import in_words
from pipeline.errors import AssayError, Unfit
from pipeline.reviewing.reading import Passage, cut, kind_of, passages
from pipeline.reviewing.tables import CONFLICT
from pipeline.tasks.parts import WHOLE, label_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.reviewing.desk import Desk
    from pipeline.tasks import Answer, Row, Task

MOST = 9
"""So many answers are offered, those of most rows first: what the keys choose."""
WINDOW_CHARS, NAME_CHARS = 1200, 400
LIKE = "like:"
"""What the page calls the choice of what a row answers begins so: no label does that stands for itself."""

Rival = tuple["Row", list[str]]
"""The first row that answers so, and the ids of all that do."""


def of_line(desk: Desk, at: int) -> list[Rival]:
    """The answers that compete about a line: those of its group, else its own and those of rows in conflict with it."""
    if desk.lines["kind"][at].as_py() != CONFLICT:
        return []
    if (group := desk.group_of(at)) >= 0:
        return of_group(desk, group)
    id_ = desk.lines["id"][at].as_py()
    near = [one["row"] for one in desk.shelf.near(id_) if one["outcome"] == CONFLICT]
    return _apart(desk.task, [row for row in (desk.shelf.row(id_), *near) if row])


def of_group(desk: Desk, group: int) -> list[Rival]:
    """The answers that compete in a group, those of most rows first; none where it is of another kind."""
    if desk.groups["kind"][group].as_py() != CONFLICT:
        return []
    inside = desk.lines.select(["id", "given"]).take(pa.array(desk.members(group))).to_pylist()
    ids: dict[str, list[str]] = {}
    for one in inside:
        ids.setdefault(one["given"], []).append(one["id"])
    rows = desk.shelf.rows([of[0] for of in ids.values()])
    first = {of[0]: of for of in ids.values() if of[0] in rows}
    found: dict[str, Rival] = {}
    for id_, of in first.items():
        row = rows[id_]
        found.setdefault(desk.task.meaning(row), (row, []))[1].extend(of)
    return _ordered(list(found.values()))


def _apart(task: Task, rows: Sequence[Row]) -> list[Rival]:
    found: dict[str, Rival] = {}
    for row in rows:
        found.setdefault(task.meaning(row), (row, []))[1].append(row["id"])
    return _ordered(list(found.values()))


def _ordered(found: list[Rival]) -> list[Rival]:
    return sorted(found, key=lambda one: (-len(one[1]), one[0]["id"]))[:MOST] if len(found) > 1 else []


def choices(desk: Desk, at: int, labels: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What may be right of a line in conflict: the competing answers, and of `labels` those that are none of them.

    Empty where nothing competes. Each has how many `rows` answer so; where answers are marked in the text, a passage
    shows it marked.
    """
    found = of_line(desk, at)
    if not found:
        return []
    if kind_of(desk.task) == "label":
        counts = {label_at(desk.task, desk.task.answer(row), WHOLE): len(ids) for row, ids in found}
        known = {one["label"]: one for one in labels}
        first = [known.get(name, {"label": name, "name": name}) | {"rows": rows} for name, rows in counts.items()]
        return [*first, *(one for one in labels if one["label"] not in counts)]
    differ = _first_difference(desk.task, [row for row, _ in found])
    return [_told(desk.task, row, ids, differ) for row, ids in found]


def _told(task: Task, row: Row, ids: list[str], differ: int) -> dict[str, Any]:
    told = {"label": LIKE + row["id"], "like": row["id"], "name": named(task, row), "rows": len(ids)}
    if (passage := _marked(task, row)) is None:
        return told
    at = min(differ, max(len(passage.text) - 1, 0))
    passage.judged = (at, at + 1)  # what is cut out of a long text is about where they differ
    passage = cut(passage, WINDOW_CHARS)
    passage.judged, passage.can_mark = None, False
    return told | {"passage": passage.told()}


def _marked(task: Task, row: Row) -> Passage | None:
    """The text that an answer is marked in."""
    return next((one for one in passages(task, row, WHOLE, is_whole=True) if one.can_mark), None)


def _first_difference(task: Task, rows: Sequence[Row]) -> int:
    """Where the first mark stands that not all rows have."""
    marked = [_marked(task, row) for row in rows]
    count = Counter(span for one in marked if one for span in set(one.spans))
    return min((start for (start, _, _), of in count.items() if of < len(rows)), default=0)


def named(task: Task, row: Row) -> str:
    """What a row answers, in words that can be read out: of marks what is marked how."""
    if task.head != "token":
        said = in_words(task, row) or "nothing"
    else:
        text = text_of(task, row)
        told = [f"“{text[one[0] : one[1]]}”" + ("" if task.free_text else f" {one[2]}") for one in task.answer(row)]
        said = ", ".join(told) or ("no answer" if task.free_text else "nothing is marked")
    return said if len(said) <= NAME_CHARS else said[: NAME_CHARS - 1] + "…"


def text_of(task: Task, row: Row) -> str:
    """The text that marks are of; empty where nothing is marked in one."""
    passage = _marked(task, row)
    return passage.text if passage else ""


def numbers(desk: Desk, group: int) -> dict[str, int]:
    """Which of the competing answers each row of a group gives, counted from 1."""
    return {id_: at for at, (_, ids) in enumerate(of_group(desk, group), 1) for id_ in ids}


def taken_over(task: Task, model: Row, row: Row) -> Answer:
    """What a row answers that is to answer as another does; marks stand where the same words do.

    Raises:
        Unfit: the row reads so that this cannot be told.
    """
    answer = task.answer(model)
    if task.head == "token":
        here, there = text_of(task, row), text_of(task, model)
        answer = [_moved(one, there, here, is_text=task.free_text) for one in answer] if here != there else answer
    if model.get("entities") != row.get("entities") and _entities(model) != _entities(row):
        raise Unfit("wrong_type", "the rows name other entities, so the answer cannot be taken over")
    return task.read_answer(answer, {}, row)


def _entities(row: Row) -> list[tuple[str, str]]:
    return [(one["text"].lower(), one["label"]) for one in row.get("entities") or []]


def _moved(mark: Sequence[Any], there: str, here: str, *, is_text: bool) -> list[Any]:
    """A mark in a text that is spelled a little otherwise: at the same one of the places that read so."""
    start, end, said = mark
    surface = there[start:end]
    for one, other, wanted in ((there, here, surface), (there.lower(), here.lower(), surface.lower())):
        before, after = _places(one, wanted), _places(other, wanted)
        if len(one) == len(there) and len(other) == len(here) and start in before and len(before) == len(after):
            at = after[before.index(start)]
            stop = at + len(wanted)
            return [at, stop, here[at:stop] if is_text else said]
    raise Unfit("span_out_of_text", f"“{surface:.40}” stands elsewhere, or is spelled otherwise, in this row")


def _places(text: str, wanted: str) -> list[int]:
    found, at = [], text.find(wanted)
    while at >= 0:
        found.append(at)
        at = text.find(wanted, at + 1)
    return found


def hold_one_right(desk: Desk, group: int, lines: Sequence[int]) -> None:
    """See that rows that contradict one another, or one that was called fine before, are not all called fine.

    Raises:
        AssayError: they do.
    """
    of = numbers(desk, group)
    before = [
        at for at in desk.members(group).tolist() if any(one.verdict == "fine" for one in desk.voices(at).values())
    ]
    if lines and len({of.get(desk.lines["id"][at].as_py(), 0) for at in (*lines, *before)}) > 1:
        problem = "these rows read alike and are answered otherwise: they cannot all be fine"
        raise AssayError("decision", problem, "choose the answer that is right (1, 2 ...), then w: it holds for all")


__all__ = ["choices", "hold_one_right", "named", "numbers", "of_group", "of_line", "taken_over"]

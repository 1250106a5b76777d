"""Shaping: what a task asks and answers, as annotation tools show it, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError, Unfit
from pipeline.reviewing import reading
from pipeline.text import nfc
from pipeline.tools.item import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.recipe import Recipe
    from pipeline.settings import Label
    from pipeline.tasks import Answer, Row, Task
    from pipeline.tools.item import Kind

ANSWERS = ("labels", "label", "rating", "reply", "text", "spans", "relations", "answer")
"""What entries of tools call an answer."""
EXTRACT = "answer"
"""The label of a stretch of a context that answers a question."""


def project(recipe: Recipe, task: Task) -> Project:
    """What all items of a data set have in common."""
    settings, guideline = recipe.settings, task.guideline
    kind = kind_of(task)
    return Project(
        name=recipe.name,
        kind=kind,
        labels=_labels(task, kind),
        entity_labels=tuple(sorted({name for label in guideline.label for name in (*label.head, *label.tail)})),
        title=settings.title or recipe.name,
        multiple=guideline.multiple,
        low=guideline.low,
        high=guideline.high,
        guideline=guideline.version,
        instructions=guideline.instruction,
    )


def kind_of(task: Task) -> Kind:
    """What a tool asks about a row of the task: extracts are spans of one label, and one label is a list of one."""
    asks = reading.kind_of(task)
    if asks == "extract":
        return "spans"
    return "labels" if asks == "label" else asks


def _labels(task: Task, kind: Kind) -> tuple[Label, ...]:
    from pipeline.settings import Label

    if kind == "spans" and task.free_text:
        return (Label(name=EXTRACT, definition="The words of the text that answer the question."),)
    return task.guideline.label


def shown(task: Task, row: Row) -> str:
    """The text that a tool shows, to which its offsets refer."""
    return str(row["text"]) if kind_of(task) == "relations" else task.shown(row)


def entities(row: Row) -> tuple[tuple[int, int, str], ...]:
    """The marked spans that relations hold between."""
    return tuple((one["start"], one["end"], one["label"]) for one in row.get("entities") or ())


def outward(task: Task, row: Row, answer: Answer) -> Any:
    """An answer in the shape of `Item.answer`."""
    if kind_of(task) == "spans" and task.free_text:
        begins = _context_begins(row)
        return [[begins + start, begins + end, EXTRACT] for start, end, _ in answer]
    return answer


def inward(task: Task, row: Row, entry: Mapping[str, Any], text: str) -> Answer:
    """The answer in an entry of a tool (see `pipeline.tools`), read as any annotator's is.

    Raises:
        Unfit: it is none for this row.
        AssayError: another text was judged.
    """
    own = shown(task, row)
    if nfc(text) != nfc(own) and nfc(text).split() != nfc(own).split():
        raise AssayError("its text", f"the tool shows {text!r:.80}, the row reads {own!r:.80}", "send the row again")
    if entry.get("verdict") == "wrong" and not any(entry.get(name) is not None for name in ANSWERS):
        raise Unfit("unanswered", "right_answer is empty: say what is right, or drop")
    kind = kind_of(task)
    if kind == "relations":
        return task.read_answer(_related(entry, row), {}, row)
    if kind != "spans":
        return task.read_answer(_said(entry, kind, multiple=task.guideline.multiple), {}, row)
    if task.free_text:
        return task.read_answer(_extracts(entry, row), {}, row)
    return task.read_answer(_spans(entry), {"text": text}, row)


def _said(entry: Mapping[str, Any], kind: Kind, *, multiple: bool) -> Any:
    names = {"labels": ("labels", "label"), "rating": ("rating",), "text": ("reply", "text")}[kind]
    given = next((entry[name] for name in names if entry.get(name) is not None), entry.get("answer"))
    if kind != "labels" or multiple or not isinstance(given, list):
        return given
    if len(given) != 1:
        raise Unfit("wrong_type", f"one label is wanted, not {len(given)}: {given!r:.80}")
    return given[0]


def _spans(entry: Mapping[str, Any]) -> list[list[Any]]:
    given = entry.get("spans")
    if not isinstance(given, list):
        raise Unfit("wrong_type", f"no list of spans: {given!r:.80}")
    return [[one["start"], one["end"], one["label"]] for one in given]


def _related(entry: Mapping[str, Any], row: Row) -> list[list[Any]]:
    """Relations between the row's own entities, which are found by their places."""
    spans, places = _spans(entry), {(start, end): at for at, (start, end, _) in enumerate(entities(row))}
    found = []
    for one in entry.get("relations") or ():
        ends = [places.get((spans[one[end]][0], spans[one[end]][1])) for end in ("head", "tail")]
        if None in ends:
            raise Unfit("wrong_type", "a relation holds between spans that are no entities of the row")
        found.append([*ends, one["label"]])
    return found


def _extracts(entry: Mapping[str, Any], row: Row) -> list[list[Any]]:
    """What was marked, by its place in the context, which stands below the question."""
    begins, context = _context_begins(row), row["context"]
    found = [[start - begins, end - begins] for start, end, _ in _spans(entry)]
    if any(start < 0 for start, _ in found):
        raise Unfit("answer_not_there", "the question was marked, not the context")
    return [[start, end, context[start:end]] for start, end in found]


def _context_begins(row: Row) -> int:
    return len(row["question"]) + 1

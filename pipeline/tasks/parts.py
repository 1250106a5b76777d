"""Parts of answers that are judged one by one: a marked span, one label of several, or the answer as a whole."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.tasks import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.tasks import Answer, Row, Task

WHOLE = ""
"""The part that is the answer as a whole."""
NOTHING = "O"
"""The label of a stretch of text that nobody marked."""
YES, NO = "yes", "no"
"""Whether a row carries the label that a part names, where it may carry several."""
_SPAN = re.compile(r"(\d{1,9}):(\d{1,9})")


def place(part: str) -> tuple[int, int]:
    """The ends of a part that is a stretch of text.

    >>> place("3:12")
    (3, 12)

    Raises:
        Unfit: it is none.
    """
    found = _SPAN.fullmatch(part)
    start, end = (int(found[1]), int(found[2])) if found else (0, 0)
    if start >= end:
        raise Unfit("wrong_type", f"no stretch of text: {part!r:.40}; it is written start:end")
    return start, end


def label_at(task: Task, answer: Answer, part: str) -> str:
    """What an answer says of one part: a label, "O" for a stretch that is not marked, yes or no; else the whole answer.

    A stretch that is marked otherwise (a longer or a shorter span) has all labels that it touches, with their places.

    Raises:
        Unfit: the task's answers have no such part.
    """
    if part == WHOLE:
        return answer[0] if task.head == "sequence" and len(answer) == 1 else canonical(answer)
    if task.head == "multilabel":
        return YES if part in answer else NO
    if task.head != "token":
        raise Unfit("wrong_type", f"an answer of the task '{task.name}' has no part {part!r:.40}")
    return marked_at(answer, part)


def marked_at(spans: Answer, part: str) -> str:
    """What spans say of a stretch of text, as `label_at` tells it."""
    start, end = place(part)
    touched = [one for one in spans if one[0] < end and start < one[1]]
    if len(touched) == 1 and touched[0][:2] == [start, end]:
        return str(touched[0][2])
    return "; ".join(f"{one[2]} at {one[0]}:{one[1]}" for one in touched) or NOTHING


def revised(task: Task, row: Row, answer: Answer, part: str, label: Any) -> Answer:
    """The answer with one part said otherwise, read as any annotator's answer is.

    A span replaces all that it touches; "O" takes them away; yes and no put a label on or take it off.

    Raises:
        Unfit: the label is none, or the part does not stand in the row.
    """
    if part == WHOLE:
        return task.read_answer(label, {}, row)
    if task.head == "multilabel":
        if label not in (YES, NO):
            raise Unfit("wrong_type", f"the row carries the label {part!r:.40} or not: yes or no, not {label!r:.40}")
        left = [one for one in answer if one != part]
        return task.read_answer([*left, part] if label == YES else left, {}, row)
    if task.head != "token":
        raise Unfit("wrong_type", f"an answer of the task '{task.name}' has no part {part!r:.40}")
    start, end = place(part)
    if end > len(task.shown(row)):
        raise Unfit("span_out_of_text", f"{part} of {len(task.shown(row))} characters")
    left = [one for one in answer if one[1] <= start or end <= one[0]]
    return task.read_answer(left if label == NOTHING else [*left, [start, end, label]], {}, row)


def parsed(answer: str | None) -> Answer:
    """The answer that a canonical spelling stands for."""
    return None if answer is None else json.loads(answer)


def labelled(task: Task, answer: Answer) -> list[tuple[str, str]]:
    """(part, label) of everything that an answer says: its spans, each of several labels, or its one label.

    Empty for answers that have no labels: texts, numbers, relations, extracts.
    """
    if task.head == "token" and task.measure == "spans":
        return [(f"{start}:{end}", label) for start, end, label in answer]
    if task.head == "multilabel":
        return [(label, label) for label in answer]
    return [(WHOLE, label) for label in answer] if task.head == "sequence" and not task.free_text else []


def differences(
    task: Task, row: Row, was: Answer, becomes: Answer, *, asked: Sequence[str] = ()
) -> list[tuple[str, str, str]]:
    """(part, was, becomes) of everything that turns one answer into another, in the order in which it has to be done.

    The parts in `asked` come first, also where nothing becomes of them: (part, label, the same label). Where a span is
    to have other ends, the one that was asked about is taken away, or gets the label of the other, before that is put
    in. Followed one after the other through `revised`, they give `becomes`.
    """
    if not _has_parts(task):
        return [(WHOLE, label_at(task, was, WHOLE), label_at(task, becomes, WHOLE))] if asked or was != becomes else []
    now, found = was, []
    for part in asked:
        here, there = label_at(task, now, part), label_at(task, becomes, part)
        if here != there and task.head == "token":
            there = _plain(task, becomes, part, here)
        found.append((part, here, there))
        now = revised(task, row, now, part, there) if here != there else now
    wanted = [one[0] for one in labelled(task, becomes)]
    for part, label in labelled(task, now):
        if part not in wanted and not _gives_way(task, part, wanted):
            found.append((part, YES, NO) if task.head == "multilabel" else (part, label, NOTHING))
            now = revised(task, row, now, *found[-1][::2])
    for part, named in labelled(task, becomes):
        here, label = label_at(task, now, part), YES if task.head == "multilabel" else named
        if here != label:
            found.append((part, here, label))
            now = revised(task, row, now, part, label)
    return found


def _has_parts(task: Task) -> bool:
    return task.head == "multilabel" or (task.head == "token" and task.measure == "spans")


def _gives_way(task: Task, part: str, wanted: Sequence[str]) -> bool:
    """Whether a span goes by itself, because one that is wanted takes its place."""
    if task.head != "token":
        return False
    start, end = place(part)
    return any(left < end and start < right for left, right in map(place, wanted))


def _plain(task: Task, becomes: Answer, part: str, here: str) -> str:
    """A label that can be said of the part itself, where what becomes of it has other ends."""
    start, end = place(part)
    touched = [one for one in becomes if one[0] < end and start < one[1]]
    exact = next((one[2] for one in touched if one[:2] == [start, end]), None)
    if exact is not None or not touched:
        return exact or NOTHING
    return NOTHING if here != NOTHING else str(max(touched, key=lambda one: min(one[1], end) - max(one[0], start))[2])

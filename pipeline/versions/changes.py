"""What changed in one row: its text, its answer, or only how it is written; and from which label to which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.tasks import canonical
from pipeline.versions.marks import Edit, edits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.tasks import Row, Task

NOTHING = "(none)"
Flow = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A row of both versions whose own columns differ.

    Attributes:
        flows: (label before, label after), one for each label or mark that changed; none for answers in free text.
        edits: what became of each mark, where answers mark their text.
        text, answer: before and after, as a person would read them.
    """

    id: str
    sides: tuple[str, str]
    retexted: bool
    relabelled: bool
    flows: tuple[Flow, ...]
    edits: tuple[Edit, ...]
    text: tuple[str, str]
    answer: tuple[str, str]


def change(tasks: tuple[Task, Task], sides: tuple[str, str], before: Row, after: Row) -> Change:
    """What changed between the two moments of a row, each read by the task of its time."""
    text = (tasks[0].asked(before), tasks[1].asked(after))
    answers = (tasks[0].answer(before), tasks[1].answer(after))
    same_text = text[0] == text[1]
    found: list[Edit] = []
    marked = (tasks[0].marks(before), tasks[1].marks(after))
    if marked[0] is None or marked[1] is None:
        relabelled = canonical(answers[0]) != canonical(answers[1])
        flows = _flows(*answers) if relabelled else ()
    else:
        found = edits(marked[0], marked[1], same_text=same_text)
        relabelled = bool(found)
        flows = tuple((edit.before or NOTHING, edit.after or NOTHING) for edit in found)
    return Change(
        id=after["id"],
        sides=sides,
        retexted=not same_text,
        relabelled=relabelled,
        flows=flows,
        edits=tuple(found),
        text=text,
        answer=(told(answers[0]), told(answers[1])),
    )


def _flows(before: Any, after: Any) -> tuple[Flow, ...]:
    """From which label to which; where several labels went or came, each on its own."""
    if isinstance(before, str) or isinstance(after, str):
        return ()
    gone, come = _labels(before), _labels(after)
    went = [label for label in gone if label not in come]
    came = [label for label in come if label not in gone]
    if len(went) == len(came) == 1:
        return ((went[0], came[0]),)
    return (*((label, NOTHING) for label in went), *((NOTHING, label) for label in came))


def _labels(answer: Any) -> list[str]:
    if answer is None:
        return []
    if isinstance(answer, (list, tuple)):
        return [one if isinstance(one, str) else canonical(one) for one in answer]
    return [told(answer)]


def told(answer: Any) -> str:
    """An answer as a person would read it.

    >>> told(["joy", "awe"]), told(3.0), told("so it is")
    ('joy, awe', '3', 'so it is')
    """
    if answer is None:
        return NOTHING
    if isinstance(answer, str):
        return answer
    if isinstance(answer, float):
        return f"{answer:g}"
    if isinstance(answer, list) and all(isinstance(one, str) for one in answer):
        return ", ".join(answer) or NOTHING
    return _marked(answer) if isinstance(answer, list) else canonical(answer)


def _marked(answer: Sequence[Any]) -> str:
    return "; ".join(" ".join(map(str, one)) if isinstance(one, list) else canonical(one) for one in answer) or NOTHING

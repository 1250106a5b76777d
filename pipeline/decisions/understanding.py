"""Understanding: a decision beside the row that it speaks of, its answers read as those of any annotator are."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.errors import AssayError, Unfit
from pipeline.tasks import canonical
from pipeline.tasks.parts import label_at, revised
from pipeline.text import normalised

if TYPE_CHECKING:
    from pipeline.decisions.line import Decision
    from pipeline.tasks import Answer, Row, Task


def understood(decision: Decision, row: Row, task: Task, *, settled: str | None = None) -> Decision:
    """The decision with its answers read by the guideline: labels by alias, offsets checked.

    `settled` is the canonical answer that the row has now. One on a part that still fits becomes one on the whole
    answer: its `was` is what the answer is now, its `answer` what that becomes. One that does not says of the part what
    it was.

    Raises:
        AssayError: the whole answer that was decided cannot be read, with the place of the decision.
    """
    if is_of_another_text(decision, row, task):
        # Its answer may not even fit the text that stands there now.
        return replace(decision, reads_now=task.shown(row))
    if decision.part:
        return _of_part(decision, row, task, settled)
    was = decision.was
    if was is not None:
        with suppress(Unfit):  # an answer that is none any more: the decision will not fit, and is told as stale
            was = canonical(task.read_answer(json.loads(was), {}, row))
    if decision.answer is None:
        return replace(decision, was=was)
    try:
        answer = task.read_answer(json.loads(decision.answer), {}, row)
    except Unfit as unfit:
        raise _unusable(decision, unfit) from unfit
    return _answered(replace(decision, was=was), row, task, answer)


def is_of_another_text(decision: Decision, row: Row, task: Task) -> bool:
    """Whether the row reads otherwise now than what was judged."""
    return decision.text is not None and _key(decision.text) != _key(task.shown(row))


def _of_part(decision: Decision, row: Row, task: Task, settled: str | None) -> Decision:
    """A decision on a part, said of the whole answer where it still fits."""
    if settled is None:
        return replace(decision, was=decision.was or "something")
    answer = json.loads(settled)
    try:
        now = label_at(task, answer, decision.part)
        if not decision.fits(now):
            return decision
        if decision.answer is None or now == decision.answer:
            return _answered(replace(decision, was=settled), row, task, answer)
        return _answered(
            replace(decision, was=settled), row, task, revised(task, row, answer, decision.part, decision.answer)
        )
    except Unfit as unfit:  # the row, or its annotations, are others now: a part of them is not there any more
        return replace(decision, misfit=str(unfit))


def _answered(decision: Decision, row: Row, task: Task, answer: Answer) -> Decision:
    with_it = task.with_answer(row, answer)
    problem = next(task.problems(with_it), None)
    return replace(decision, answer=canonical(answer), meaning=task.meaning(with_it), problem=problem)


def _unusable(decision: Decision, unfit: Unfit) -> AssayError:
    return AssayError(decision.place, f"the answer cannot be used: {unfit}", "mend the decision")


def _key(text: str) -> str:
    """What texts that say the same have in common; those without letters or digits are compared as they stand."""
    return normalised(text) or text.strip()

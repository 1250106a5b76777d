"""Answers in words: what a person reads and writes in a cell of a table.

Labels stand one after the other, spans are marked in the text as [surface|LABEL], relations are written as
LABEL(1 head → 2 tail) with the numbers of the entities, replies stand as they are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.tasks import canonical
from pipeline.tools.cells import NONE
from pipeline.tools.marks import are_apart, marked, related, unmarked, unrelated

if TYPE_CHECKING:
    from pipeline.tasks import Answer, Row, Task


def in_words(task: Task, row: Row) -> str:
    """The answer of a row as a person reads it."""
    answer = task.answer(row)
    if task.head == "token" and not task.free_text and are_apart(answer):
        return marked(row["text"], answer)
    if isinstance(answer, str):
        return answer
    if task.head == "token" and task.free_text:
        return _extract(row["context"], answer)
    if answer and row.get("entities"):
        return related(_surfaces(row), answer)
    if isinstance(answer, list) and all(isinstance(label, str) for label in answer):
        return ", ".join(answer) or NONE
    return str(answer) if isinstance(answer, int | float) else canonical(answer)


def from_words(task: Task, row: Row, words: str) -> Answer:
    """The answer that a person wrote into a cell, read as that of any annotator is.

    Raises:
        Unfit: it is none for this row.
    """
    given: Any = words
    if words.strip() == NONE:
        given = []
    elif task.head == "token" and not task.free_text and not _is_json(words):
        given = unmarked(words, row["text"])
    elif row.get("entities") and (found := unrelated(words, _surfaces(row))):
        given = found
    elif not task.free_text and _is_json(words):
        given = json.loads(words)
    return task.read_answer(given, {}, row)


def _extract(context: str, answer: list[list[Any]]) -> str:
    """The words of an extract where they stand in the context once; else its offsets too, as JSON."""
    if len(answer) == 1 and context.count(answer[0][2]) == 1:
        return str(answer[0][2])
    return canonical(answer) if answer else NONE


def _surfaces(row: Row) -> list[str]:
    return [entity["text"] for entity in row["entities"]]


def _is_json(words: str) -> bool:
    try:
        return isinstance(json.loads(words), list | dict)
    except ValueError:
        return False

"""Losing: labels that are none any more in answers as they were delivered: tags, lists, relations, scales."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from pipeline import store
from pipeline.errors import AssayError, Unfit
from pipeline.tagscheme import split_tag
from pipeline.tasks import canonical
from pipeline.tasks.parts import WHOLE, label_at, labelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.recipe import Recipe
    from pipeline.settings import Guideline
    from pipeline.tasks import Row, Task

_DIRECTED = re.compile(r"(.+)\(e[12],\s*e[12]\)", re.DOTALL)
_COLUMNS = ("row", "counts_for", "annotator", "given", "problem")


def spellings(before: Guideline, gone: set[str]) -> dict[str, str]:
    """Every spelling of the labels that are gone -> the label."""
    known = [label for label in before.label if label.name in gone]
    return {word: label.name for label in known for word in (label.name, *label.aliases)}


def lost(recipe: Recipe, spelled: Mapping[str, str]) -> Iterator[tuple[str, str, str, str, list[str]]]:
    """(row, row that it counts for, annotator, answer as delivered, labels) of every answer with a label that is gone.

    Those are looked at that could not be read, or not wholly, because of a label.
    """
    for batch in store.batches(recipe.build / "audit", "annotations", columns=_COLUMNS) if spelled else ():
        unread = batch.filter(pc.fill_null(pc.match_substring(batch["problem"], "unknown_label"), False))
        for line in unread.to_pylist():
            if found := [label for label in dict.fromkeys(labels_in(line["given"], spelled))]:
                yield line["row"], line["counts_for"] or line["row"], line["annotator"] or "", line["given"], found


def labels_in(given: str, spelled: Mapping[str, str]) -> Iterator[str]:
    """The labels, of those looked for, that an answer names as it was delivered.

    >>> list(labels_in('["B-LOC", "I-LOC", "O"]', {"LOC": "LOC"}))
    ['LOC', 'LOC']
    >>> list(labels_in("Cause-Effect(e2,e1)", {"Cause-Effect": "cause"}))
    ['cause']
    """
    try:
        told = json.loads(given)
    except (ValueError, RecursionError):
        told = given
    for text in _texts(told if isinstance(told, list | dict) else given):
        tag = split_tag(text)
        relation = _DIRECTED.fullmatch(text)
        for spelling in (text, tag[1] if tag else "", relation[1] if relation else ""):
            if spelling in spelled:
                yield spelled[spelling]
                break


def _texts(told: Any) -> Iterator[str]:
    """Every text in a value, where labels may stand: also the names of an object, which may map them to shares."""
    waiting = [told]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, str):
            yield one.strip()
            if len(listed := re.split(r"[,|;\n\t]", one)) > 1:
                yield from (piece.strip() for piece in listed)
            if len(words := one.split()) > 1:
                yield from words
        elif isinstance(one, list):
            waiting = [*one, *waiting]
        elif isinstance(one, dict):
            waiting = [*one, *one.values(), *waiting]


def under(task: Task, given: str, row: Row) -> tuple[str, list[tuple[str, str]]]:
    """What an answer says by the guideline that it was given under: in all, and (part, label) of what it names.

    As it was delivered, and nothing, where it cannot be read alone.
    """
    try:
        answer = task.read_answer(_value(given), {}, row)
        return label_at(task, answer, WHOLE), labelled(task, answer)
    except (Unfit, AssayError, ValueError, TypeError, KeyError):
        return given if len(given) < _SHORT else canonical(given), []


_SHORT = 200


def _value(given: str) -> Any:
    """The answer as it was delivered."""
    if given[:1] not in ("[", "{"):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given

"""Answers in words: what a person reads and writes in a cell of a table.

Labels stand one after the other, spans are marked in the text as [surface|LABEL], relations are written as
LABEL(1 head → 2 tail) with the numbers of the entities, replies stand as they are.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.tasks import canonical
from pipeline.text import nfc

if TYPE_CHECKING:
    from pipeline.tasks import Answer, Row, Task

NONE = "(none)"
_MARK = re.compile(r"([\\\[\]|])")
_PIECE = re.compile(r"\\(.)|\[((?:[^\\\[\]|]|\\.)+)\|((?:[^\\\[\]|]|\\.)+)\]|([^\\\[\]])", re.DOTALL)

_RELATION = re.compile(r"([^();]+)\(\s*(.+?)\s*(?:→|->)\s*(.+?)\s*\)\s*(?:;|$)")


def in_words(task: Task, row: Row) -> str:
    """The answer of a row as a person reads it."""
    answer = task.answer(row)
    if task.head == "token" and not task.free_text and _are_spans(answer):
        return _marked(row["text"], answer)
    if isinstance(answer, str):
        return answer
    if task.head == "token" and task.free_text:
        return _extract(row["context"], answer)
    if answer and row.get("entities"):
        return "; ".join(f"{label}({_named(row, head)} → {_named(row, tail)})" for head, tail, label in answer)
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
        given = _spans(words, row["text"])
    elif row.get("entities") and (found := _RELATION.findall(words)):
        given = [[_place(row, head), _place(row, tail), label.strip()] for label, head, tail in found]
    elif not task.free_text and _is_json(words):
        given = json.loads(words)
    return task.read_answer(given, {}, row)


def _extract(context: str, answer: list[list[Any]]) -> str:
    """The words of an extract where they stand in the context once; else its offsets too, as JSON."""
    if len(answer) == 1 and context.count(answer[0][2]) == 1:
        return str(answer[0][2])
    return canonical(answer) if answer else NONE


def _are_spans(answer: Any) -> bool:
    """Whether the spans can be marked in the text: sorted and apart."""
    return isinstance(answer, list) and all(one[1] <= other[0] for one, other in pairwise(answer))


def _marked(text: str, spans: list[list[Any]]) -> str:
    """The text with its spans marked; brackets, bars and backslashes of the text itself follow a backslash.

    >>> _marked("Anna | Rome", [[0, 4, "PER"], [7, 11, "LOC"]])
    '[Anna|PER] \\\\| [Rome|LOC]'
    """
    out, at = [], 0
    for start, end, label in spans:
        out += [_escaped(text[at:start]), f"[{_escaped(text[start:end])}|{_escaped(label)}]"]
        at = end
    return "".join(out) + _escaped(text[at:])


def _spans(words: str, text: str) -> list[list[Any]]:
    """The spans that are marked in `words`, which without the marks must be the text."""
    words = nfc(words.replace("\r\n", "\n"))
    plain, at = "", 0
    spans: list[tuple[int, int, str]] = []
    while at < len(words):
        piece = _PIECE.match(words, at)
        if piece is None:
            raise Unfit("broken_tags", f"a bracket without its other half, or without |LABEL: {words[at : at + 40]!r}")
        escaped, surface, label, single = piece.groups()
        if surface is not None:
            start = len(plain)
            plain += _plain(surface)
            spans.append((start, len(plain), _plain(label)))
        else:
            plain += escaped if escaped is not None else single
        at = piece.end()
    if plain.strip() != text.replace("\r\n", "\n").strip():
        raise Unfit("span_surface", f"without its marks it reads {plain!r:.60}, the text is {text!r:.60}")
    shift = (len(text) - len(text.lstrip())) - (len(plain) - len(plain.lstrip()))
    return [[start + shift, end + shift, label] for start, end, label in spans]


def _named(row: Row, at: int) -> str:
    return f"{at + 1} {row['entities'][at]['text']}"


def _place(row: Row, words: str) -> int:
    """Which entity is meant: by its number, or by its surface where only one reads so."""
    number = re.match(r"(\d+)(?:\s|$)", words)
    if number and 0 < int(number[1]) <= len(row["entities"]):
        return int(number[1]) - 1
    same = [at for at, one in enumerate(row["entities"]) if one["text"] == words]
    if len(same) != 1:
        raise Unfit("unknown_entity", f"{words!r:.40} is {'no' if not same else 'more than one'} entity of the row")
    return same[0]


def _escaped(text: str) -> str:
    return _MARK.sub(r"\\\1", text)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _is_json(words: str) -> bool:
    try:
        return isinstance(json.loads(words), list | dict)
    except ValueError:
        return False

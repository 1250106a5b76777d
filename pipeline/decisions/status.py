"""Status: what became of each decision, and its answers as a person reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.decisions.book import Book
    from pipeline.decisions.line import Decision

IN_FORCE = "in force"


def status(line: Decision, book: Book, lapsed: Mapping[str, str] | None = None) -> str:
    """Whether a decision is in force, or else what it is instead: one of a few sentences.

    `lapsed`: why the last build did not follow lines, by their places (see `pipeline.decisions.lapsed`).
    """
    if line.id in book.undone:
        return "undone"
    if line.undo:
        return "undoes"
    if why := (lapsed or {}).get(line.place):
        return why
    if line.id in book.differing:
        return "in conflict"
    if who := book.settled.get(line.id):
        return f"settled by {who}"
    return "said again since" if line.id in book.passed_over else IN_FORCE


def settling(line: Decision, book: Book) -> str:
    """Whose word a line of an adjudicator has the last word on, in words; empty where it has none."""
    whose = dict.fromkeys(one.who for one in book.lines if one.id in line.settles) if line.settles else {}
    return f"settles what {', '.join(whose) or 'others'} said" if line.settles else ""


def read_as(answer: str | None, text: str | None) -> str:
    """An answer as a person reads it: spans by what they cover, labels without brackets; else as it stands.

    >>> read_as('[[0,2,"ORG"]]', "新浪网"), read_as('["good","new"]', None), read_as("[]", "a"), read_as("LOC", "a")
    ('新浪 ORG', 'good, new', 'nothing', 'LOC')
    """
    if answer is None or not answer.startswith("["):
        return answer or ""
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        return answer
    if all(isinstance(one, str) for one in told):
        return ", ".join(told) or "nothing"
    return "; ".join(_span(one, text or "") for one in told) if all(map(_is_span, told)) else answer


def _is_span(one: Any) -> bool:
    return isinstance(one, list) and len(one) == 3 and [type(each) for each in one] == [int, int, str]


def _span(one: list[Any], text: str) -> str:
    start, end, label = one
    return f"{text[start:end]} {label}" if 0 <= start < end <= len(text) else f"{start}:{end} {label}"


def where(line: Decision) -> str:
    """The part that a decision is about, with what it covers where it is a stretch of the text that was judged."""
    start, _, end = line.part.partition(":")
    if not line.text or not (start.isdecimal() and end.isdecimal()) or int(end) > len(line.text):
        return line.part
    return f"{line.part} “{line.text[int(start) : int(end)]}”"


def change(line: Decision) -> tuple[str, str]:
    """What a decision judged and what it makes of that, as a person reads them; empty where it does not say."""
    return read_as(line.was, line.text), read_as(line.answer, line.text)

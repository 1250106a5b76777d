"""Left: parts of a row that a person left as they are who answered the whole of it; he is not asked again."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pipeline.decisions import Book
from pipeline.errors import Unfit
from pipeline.reviewing.tables import RELABEL
from pipeline.tasks.parts import NO, NOTHING, WHOLE, YES, marked_at
from pipeline.text import normalised

if TYPE_CHECKING:
    from pipeline.decisions import Decision
    from pipeline.reviewing.opening import View


def by_wholes(view: View, book: Any) -> dict[int, str]:
    """The lines that show what somebody left who looked at the whole row, and on which people do not differ.

    The text must be what was read and the answer what was left; a new guideline asks again.
    """
    said: dict[str, list[Decision]] = defaultdict(list)
    for (row, _), one in book.wholes.items() if isinstance(book, Book) else ():
        if one.whole is not None:
            said[row].append(one)
    if not said:
        return {}
    disputed = {(one.row, one.part) for one in book.conflicts}
    found = {}
    for at, (id_, part) in enumerate(zip(view.id, view.part, strict=True)):
        is_left = (id_, part) not in disputed and any(_is_left(one, view, at) for one in said.get(id_, ()))
        if is_left:
            found[at] = "settled"
    return found


def _is_left(one: Decision, view: View, at: int) -> bool:
    if view.kind[at] == RELABEL and one.guideline != view.guideline:
        return False
    if one.text is not None and normalised(one.text) != normalised(view.text(at)):
        return False
    return leaves(one.whole, view.part[at], view.given[at])


def leaves(whole: str | None, part: str, given: str) -> bool:
    """Whether a whole answer, in its canonical spelling, says of a part what is given there.

    >>> leaves('[[0,4,"LOC"]]', "0:4", "LOC"), leaves('[[0,4,"LOC"]]', "5:9", "PER"), leaves('["a"]', "b", "no")
    (True, False, True)
    """
    answer = json.loads(whole or "null")
    if not isinstance(answer, list):
        return whole == given
    if part == WHOLE:
        return given == whole or [given] == answer
    if not answer:
        return given in (NOTHING, NO)
    if not isinstance(answer[0], list):
        return given == (YES if part in answer else NO)
    try:
        return given == marked_at(answer, part)
    except Unfit:
        return False

"""Label Studio's results: the answer that the marks and choices of one annotation are, with the places checked.

Its page counts places in code points (looked at in 1.23.2, in a browser), and a carriage return and a line feed as one
each; its versions of before 2022 counted the UTF-16 units of browsers. What it stores as the text of a mark is what
the page showed: line ends are written as a backslash and an n, and white space may be missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import Unfit
from pipeline.tools.entry import points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.tools.item import Kind

Result = dict[str, Any]

CONTROLS: dict[str, Kind] = {
    "assay_labels": "labels",
    "assay_spans": "spans",
    "assay_rating": "rating",
    "assay_reply": "text",
}
"""Names of what is answered with, in configurations of our own."""
TYPES: dict[str, Kind] = {
    "relation": "relations",
    "labels": "spans",
    "choices": "labels",
    "rating": "rating",
    "number": "rating",
    "textarea": "text",
}
"""What kind of answer each type of result is part of; where there are several, the first kind here is the answer."""
_UNSEEN = re.compile(r"\\n|\s+")


def kinds(results: Iterable[Result]) -> set[Kind]:
    """The kinds of answers that are among the results; what is said of a mark only does not count."""
    return {TYPES[one["type"]] for one in results if one.get("type") in TYPES and not _of_a_mark(one)}


def checked(results: Any) -> list[Result]:
    """The results of an annotation; raises Unfit where it has none that can be told apart."""
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        raise Unfit("wrong_type", f"the result is no list of objects: {results!r:.80}")
    for one in results:
        if not isinstance(one.get("type"), str):
            raise Unfit("missing_field", f"a result without type: {one!r:.80}")
        if one["type"] != "relation" and not isinstance(one.get("value"), dict):
            raise Unfit("missing_field", f"a result without value: {one!r:.80}")
    return results


def answered(results: list[Result], asked: Kind | None, text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The answer, as entries have it, and notes of what was converted or left out.

    `asked` is the kind of answer that is known to be asked for; None takes what is there.

    Raises:
        Unfit: there is no such answer, or it does not fit the text.
    """
    ours = [one for one in results if one.get("from_name") in CONTROLS or one["type"] == "relation"]
    taken = ours if any("from_name" in one for one in ours) else results
    found = kinds(taken)
    kind = asked or next((one for one in TYPES.values() if one in found), None)
    if kind is None:
        seen = ", ".join(sorted({one["type"] for one in results}))
        raise Unfit(
            "unanswered", f"no answer on a text: {seen}" if seen else "it is empty, and what was asked is not told"
        )
    wanted = {"spans", "relations"} if kind == "relations" else {kind}
    used = [one for one in taken if TYPES.get(one["type"]) in wanted and not _of_a_mark(one)]
    answer, notes = _ANSWERS[kind](used, text)
    left = sorted({one["type"] for one in results if one not in used})
    return answer, (*notes, *((f"left out beside the answer: {', '.join(left)}",) if left else ()))


def _of_a_mark(one: Result) -> bool:
    """Whether a choice, number or text is said of one mark and not of the text."""
    return one["type"] not in ("labels", "relation") and isinstance(one.get("value"), dict) and "start" in one["value"]


# -- one kind after the other


def _labels(results: list[Result], _: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    _one_question(results)
    given: list[str] = []
    for one in results:
        choices = one["value"].get("choices")
        if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
            raise Unfit("wrong_type", f"choices are a list of labels, not {choices!r:.80}")
        given += choices
    return {"labels": list(dict.fromkeys(given))}, ()


def _rating(results: list[Result], _: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    _one_question(results)
    if not results:
        raise Unfit("unanswered", "no number is given")
    value = results[-1]["value"]
    number = value.get("rating", value.get("number"))
    if isinstance(number, bool) or not isinstance(number, int | float) or not -1e300 < number < 1e300:
        raise Unfit("wrong_type", f"a rating is a number, not {number!r:.40}")
    return {"rating": number}, ()


def _reply(results: list[Result], _: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    _one_question(results)
    if not results:
        raise Unfit("unanswered", "no text is given")
    parts: list[str] = []
    for one in results:
        given = one["value"].get("text")
        several = given if isinstance(given, list) else [given]
        if not all(isinstance(part, str) for part in several):
            raise Unfit("wrong_type", f"a written answer is text, not {given!r:.80}")
        parts += several
    return {"reply": "\n".join(parts)}, ()


def _one_question(results: list[Result]) -> None:
    names = sorted({str(one.get("from_name")) for one in results})
    if len(names) > 1:
        raise Unfit(
            "answer_ambiguous", f"answers to several questions ({', '.join(names)}): take one out of the export"
        )


def _spans(results: list[Result], text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    spans, _, notes = _marked(results, text)
    return {"spans": spans}, notes


def _relations(results: list[Result], text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    spans, where, notes = _marked([one for one in results if one["type"] == "labels"], text)
    relations = []
    for one in results:
        if one["type"] == "relation":
            relations += _related(one, where)
    return {"spans": spans, "relations": relations}, notes


def _related(one: Result, where: dict[str, int]) -> list[dict[str, Any]]:
    ends = [where.get(str(one.get(end))) for end in ("from_id", "to_id")]
    if None in ends:
        raise Unfit("unknown_entity", f"a relation of a mark that is not there: {one!r:.120}")
    labels = one.get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise Unfit("unknown_label", f"a relation that says no kind: {one!r:.120}")
    ways = {"left": [ends[::-1]], "bi": [ends, ends[::-1]]}.get(str(one.get("direction")), [ends])
    return [{"head": head, "tail": tail, "label": label} for head, tail in ways for label in labels]


# -- places


class Mark(NamedTuple):
    """A marked stretch as it is told: its ends in whatever is counted, and what stood there, if that is told."""

    id: str
    start: int
    end: int
    labels: list[str]
    surface: str | None


def _marked(results: list[Result], text: str) -> tuple[list[dict[str, Any]], dict[str, int], tuple[str, ...]]:
    """The spans in their order, the first one of each mark by the mark's id, and notes."""
    marks = [_mark(one) for one in results]
    places, note = placed(marks, text)
    spans: list[dict[str, Any]] = []
    where: dict[str, int] = {}
    for mark, (start, end) in zip(marks, places, strict=True):
        where.setdefault(mark.id, len(spans))
        spans += [{"start": start, "end": end, "label": label} for label in mark.labels]
    return spans, where, (note,) if note else ()


def _mark(one: Result) -> Mark:
    value = one["value"]
    start, end, labels, surface = (value.get(name) for name in ("start", "end", "labels", "text"))
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) and label for label in labels):
        raise Unfit("unknown_label", f"a mark without label: {value!r:.120}")
    if not all(isinstance(at, int) and not isinstance(at, bool) for at in (start, end)):
        raise Unfit("wrong_type", f"the places of a mark are those of a text, not {start!r:.40} to {end!r:.40}")
    return Mark(str(one.get("id")), start, end, labels, surface if isinstance(surface, str) else None)


def placed(marks: Sequence[Mark], text: str) -> tuple[list[tuple[int, int]], str]:
    """The marks' ends in code points, and how they were counted if not so: whichever way fits what stood there.

    >>> placed([Mark("a", 3, 6, ["PER"], "Ann")], "😀 Ann")
    ([(2, 5)], 'places counted in UTF-16 units, converted to characters')

    Raises:
        Unfit: no way of counting fits all marks of the annotation.
    """
    for note, count in _WAYS:
        found = [(count(text, mark.start), count(text, mark.end)) for mark in marks]
        if all(_wrong(mark, place, text) is None for mark, place in zip(marks, found, strict=True)):
            return [(start, end) for start, end in found if start is not None and end is not None], note
    raise next(filter(None, (_wrong(mark, (mark.start, mark.end), text) for mark in marks)))


def _wrong(mark: Mark, place: tuple[int | None, int | None], text: str) -> Unfit | None:
    start, end = place
    if start is None or end is None or not 0 <= start < end <= len(text):
        return Unfit("span_out_of_text", f"{mark.start}:{mark.end} of {len(text)} characters")
    there = text[start:end]
    if mark.surface is None or mark.surface == there or _seen(mark.surface) == _seen(there):
        return None
    return Unfit("span_surface", f"{start}:{end} is {there!r:.40} and not {mark.surface!r:.40}")


def _seen(text: str) -> str:
    return _UNSEEN.sub("", text)


def _lines_as_one(text: str, offset: int) -> int | None:
    """An offset where CR LF counts as one character, in code points."""
    ends = [at for at in range(len(text) + 1) if text[max(at - 1, 0) : at + 1] != "\r\n"]
    return ends[offset] if 0 <= offset < len(ends) else None


_WAYS: tuple[tuple[str, Callable[[str, int], int | None]], ...] = (
    ("", lambda _, offset: offset),
    ("places counted in UTF-16 units, converted to characters", points),
    ("places counted with CR LF as one character, converted", _lines_as_one),
)
_ANSWERS: dict[Kind, Callable[[list[Result], str], tuple[dict[str, Any], tuple[str, ...]]]] = {
    "labels": _labels,
    "spans": _spans,
    "relations": _relations,
    "rating": _rating,
    "text": _reply,
}

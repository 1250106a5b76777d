"""SQuAD: articles of paragraphs of questions, one JSON object; a record for every question, with its context."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.readers.json import read_json
from pipeline.readers.record import Broken, Record, broken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.fetch import RawFile
    from pipeline.readers.record import ReadOptions

UNANSWERABLE = {"text": "", "answer_start": -1}
"""What stands for the answer of the annotators who found none."""
_NESTED = frozenset({"paragraphs", "qas"})


def read_squad(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The questions of the array `data` (or at `json_path`): their own keys, and `context`, `title`, `context_id`.

    `answers` are those of one annotator each, as they stand; a question that is impossible has one, which is empty.
    Paragraphs and questions without their parts are given as broken, one by one.
    """
    within = options if options.json_path else replace(options, json_path="data")
    for article in read_json(raw, within):
        if isinstance(article, Broken):
            yield article
        else:
            yield from _questions(article)


def _questions(article: Record) -> Iterator[Record | Broken]:
    notes = article.notes
    for paragraph in _parts(article.fields, "paragraphs", article.place):
        above = _above(article.fields, paragraph)
        for question in (
            [paragraph] if isinstance(paragraph, Broken) else _parts(paragraph, "qas", article.place, above)
        ):
            yield question if isinstance(question, Broken) else Record(article.place, question, notes)
            notes = () if isinstance(question, dict) else notes


def _above(article: Mapping[str, Any], paragraph: Mapping[str, Any] | Broken) -> dict[str, Any]:
    """What a question takes from its article and its paragraph."""
    if isinstance(paragraph, Broken):
        return {}
    told = {name: value for name, value in article.items() if name not in _NESTED and name != "id"}
    told |= {name: value for name, value in paragraph.items() if name not in _NESTED and name != "id"}
    return told if paragraph.get("id") is None else {**told, "context_id": paragraph["id"]}


def _parts(
    whole: Mapping[str, Any], name: str, place: str, above: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any] | Broken]:
    """The objects of the list `name`, with what stands `above` them; what is none of these as broken."""
    parts = whole.get(name)
    if not isinstance(parts, list):
        seen = f"no list '{name}' among {', '.join(map(str, whole))}"
        yield _broken(place, seen, whole)
        return
    for part in parts:
        if not isinstance(part, dict):
            yield _broken(place, f"'{name}' holds {type(part).__name__}, not an object", part)
        elif above is None:
            yield part
        else:
            yield _answered({**above, **part})


def _answered(question: dict[str, Any]) -> dict[str, Any]:
    if question.get("is_impossible") is True and not question.get("answers"):
        return {**question, "answers": [dict(UNANSWERABLE)]}
    return question


def _broken(place: str, seen: str, value: Any) -> Broken:
    return broken(place, "unreadable_record", seen, json.dumps(value, ensure_ascii=False))

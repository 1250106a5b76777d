"""The annotations that a raw record carries, however the file lays them out: single, wide, nested or listed."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.tasks import Row, Task, canonical
from pipeline.tasks.align import Partly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.settings import AnswerSource, RowSource

GOLD = "(gold)"
"""The annotator whose answers are known to be right: no vote, but the measure of everybody's skill."""
ABOUT = ("time", "batch", "guideline")
ANSWER_FIELDS = ("answer", "answers", "spans", "label", "labels", "tags", "rating", "relations", "reply")
UNDONE = ("skipped", "blank", "draft", "pending")
"""What tools call an entry that holds no answer, whatever stands in it."""
BESIDE_ANSWERS = ("text", "tokens", "tags", "schemes")
"""What an annotator's own file may spell, cut and tag otherwise than the row: the answer is read with it."""


@dataclass(frozen=True, slots=True)
class Given:
    """One annotation as delivered: who gave what, when, in which batch, under which guideline.

    `beside` are the fields of the annotator's own record that the answer is to be read with, if it has any.
    """

    annotator: str | None
    answer: Any
    time: str | None = None
    batch: str | None = None
    guideline: str | None = None
    beside: Mapping[str, Any] | None = None
    problem: str = ""
    """Why it is no answer to the whole question, whatever it says; it keeps its line, and is no vote."""


def given_in(fields: Mapping[str, Any], source: RowSource, task: Task) -> list[Given]:
    """Every annotation in a record of rows; blank fields are missing annotations, not answers."""
    columns = source.columns
    about: dict[str, Any] = {part: _text(fields.get(columns[part])) for part in ABOUT if part in columns}
    if source.annotator_columns:
        found = [Given(name, fields.get(name), **about) for name in source.annotator_columns]
    elif nested := fields.get(columns.get("annotations", "annotations")):
        found = list(_nested(nested, columns))
    elif isinstance(tags := fields.get("tags"), dict) and len(tags) > 1:
        # A column of nothing but `_` is a sentence that this annotator did not see.
        found = [Given(str(name), tags[name], **about) for name in tags if set(tags[name]) != {"_"}]
    elif "answers" in columns:
        found = listed(fields.get(columns["answers"]), about)
    else:
        who = fields.get(columns["annotator"]) if "annotator" in columns else source.annotator
        found = [Given(_text(who), task.raw_answer(fields, columns), **about)]
    if "gold" in columns:
        found = [*found, Given(GOLD, fields.get(columns["gold"]))]
    return [given for given in found if given.problem or not _blank(given.answer)]


def given_apart(fields: Mapping[str, Any], source: AnswerSource) -> list[Given]:
    """Every annotation in a record of a file that holds only annotations.

    Several tag columns are several annotators, unless one of them is mapped as the answer.
    """
    columns = source.columns
    about: dict[str, Any] = {part: _text(fields.get(columns[part])) for part in ABOUT if part in columns}
    who = _text(fields.get(columns["annotator"])) if "annotator" in columns else None
    named = columns.get("answer", "answer")
    tags = fields.get("tags") if isinstance(fields.get("tags"), dict) else {}
    if "answers" in columns:
        found = listed(fields.get(columns["answers"]), about)
    elif fields.get(named) is not None or not tags:
        found = [Given(who, fields.get(named), **about)]
    else:
        chosen = {named: tags[named]} if named in tags else tags
        seen = [name for name in chosen if set(chosen[name]) != {"_"}]
        found = [Given(who if len(chosen) == 1 else name, chosen[name], **about) for name in seen]
    if "gold" in columns:
        found = [*found, Given(GOLD, fields.get(columns["gold"]))]
    beside = _beside(fields)
    return [replace(given, beside=beside) for given in found if not _blank(given.answer)]


def _beside(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    own = {name: fields[name] for name in BESIDE_ANSWERS if name in fields}
    return own if "tokens" in own or "text" in own else None


def listed(values: Any, about: Mapping[str, Any]) -> list[Given]:
    """Anonymous annotations from a list, or from the JSON text of one.

    Raises:
        Unfit: it is neither.
    """
    if isinstance(values, str):
        try:
            values = json.loads(values)
        except ValueError as error:
            raise Unfit("wrong_type", f"no list of answers: {values!r:.80}") from error
    if not isinstance(values, list):
        raise Unfit("wrong_type", f"no list of answers: {values!r:.80}")
    return [Given(None, value, **about) for value in values]


def lines(row: Row, given: list[Given], fields: Mapping[str, Any], task: Task) -> Iterator[dict[str, Any]]:
    """The lines of the annotation table for one row; an answer that cannot be read keeps its line, with the problem.

    One that can be read but for a part has both: what was read of it, and what was not.
    """
    for one in given:
        line = {
            "row": row["id"],
            "annotator": one.annotator,
            "answer": None,
            "given": _as_delivered(one.answer),
            "time": one.time,
            "batch": one.batch,
            "guideline": one.guideline,
            "problem": one.problem or None,
        }
        if one.problem:
            yield line
            continue
        try:
            read_with = {**fields, **one.beside} if one.beside else fields
            line["answer"] = canonical(task.read_answer(one.answer, read_with, row))
        except Partly as partly:
            line["answer"], line["problem"] = canonical(partly.answer), str(partly)
        except Unfit as unfit:
            line["problem"] = str(unfit)
        yield line


def _nested(annotations: Any, columns: Mapping[str, str]) -> Iterator[Given]:
    if not isinstance(annotations, list):
        raise Unfit("wrong_type", f"no list of annotations: {annotations!r:.80}")
    for entry in annotations:
        if not isinstance(entry, dict):
            raise Unfit("wrong_type", f"no annotation: {entry!r:.80}")
        named = columns.get("answer") or next((name for name in ANSWER_FIELDS if name in entry), "answer")
        about: dict[str, Any] = {part: _text(entry.get(part)) for part in ABOUT}
        who, answer = _text(entry.get("annotator")), entry.get(named)
        yield Given(who, answer, **about, beside=_beside(entry), problem=_unusable(entry))


def _unusable(entry: Mapping[str, Any]) -> str:
    """Why an entry of a tool (see `pipeline.tools`) is no answer to the whole question; empty if it is one."""
    if problem := entry.get("problem"):
        return str(problem)
    if (status := entry.get("status")) in UNDONE:
        return f"{status} in the tool, without an answer"
    if part := entry.get("part"):
        return f"says only of {part!s:.40} that it is {entry.get('verdict')}: assay import takes it in as a decision"
    if (verdict := entry.get("verdict")) in ("ambiguous", "drop"):
        return f"judged {verdict}: assay import takes it in as a decision"
    return ""


def _as_delivered(answer: Any) -> str:
    if type(answer) is str:
        return answer
    return str(answer) if type(answer) is int else json.dumps(answer, ensure_ascii=False)


def _blank(answer: Any) -> bool:
    """Whether an answer is missing: null, blank, or the nan that tables of numbers have for it."""
    if isinstance(answer, float):
        return math.isnan(answer)
    return answer is None or (isinstance(answer, str) and not answer.strip())


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value).replace(GOLD, GOLD.strip("()"))

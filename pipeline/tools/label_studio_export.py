"""Label Studio's exports: whatever the format, one record for each text with the annotations of everybody."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline.dates import moment
from pipeline.errors import AssayError, Unfit
from pipeline.readers.json import read_json
from pipeline.readers.lines import chunks
from pipeline.readers.record import Broken, Record
from pipeline.tools import entry as said
from pipeline.tools.label_studio_answers import TYPES, answered, checked, kinds
from pipeline.tools.label_studio_table import COLUMNS, WHOLE, Told, row, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.fetch import RawFile
    from pipeline.readers.record import ReadOptions
    from pipeline.tools.item import Kind

_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|data:|/)\S*\s*", re.IGNORECASE)


def read(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The tasks of an export: `id` (the row that went out, else the task's number), `text`, `annotations`, other data.

    Annotations stand in the order of their times; one that cannot be used has a `problem`, a skipped one its status.

    Raises:
        AssayError: the file is no export of Label Studio.
    """
    return _Export(raw, options).records()


class _Export:
    """A file that can be read again from its start."""

    def __init__(self, raw: RawFile, options: ReadOptions) -> None:
        self.raw, self.options = raw, options
        self.start = next(chunks(raw), b"").removeprefix(codecs.BOM_UTF8).lstrip()

    def records(self) -> Iterator[Record | Broken]:
        first = next((one for one in self.elements() if isinstance(one, Record)), None)
        if first is not None and ("annotation_id" in first.fields or "result" in first.fields):
            return map(_in_order, said.grouped(lambda: said.shaped(self.elements(), self.shaped)))
        return said.shaped(self.elements(), self.shaped)

    def elements(self) -> Iterator[Record | Broken]:
        """The objects of the file as they stand in it."""
        if self.start[:1] in (b"<", b"\xff", b"\x89") or b"\0" in self.start[:64]:
            raise AssayError(self.raw.name, "is no export of Label Studio", "export JSON, JSON_MIN, CSV or TSV")
        if self.start[:1] == b"{":
            return said.json_records(self.raw, self.options)
        return (read_json if self.start[:1] in (b"[", b"") else table)(self.raw, self.options)

    @cached_property
    def kind(self) -> Kind | None:
        """What the file's answers are, where they are all of one kind: what an empty annotation leaves unsaid."""
        found: Counter[Kind] = Counter()
        for element in self.elements():
            if isinstance(element, Record):
                with suppress(Unfit):
                    for one in told(element.fields).annotations:
                        found.update(kinds(checked(one.get("result"))) if isinstance(one, dict) else ())
        if "relations" in found:
            del found["spans"]
        return next(iter(found)) if len(found) == 1 else None

    def shaped(self, element: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        task = told(element)
        where = _text_field(task)
        data = dict(task.data)
        text = data.pop(where)
        asked = next((kind for kind in TYPES.values() if kind == data.get("assay_asked")), None)
        heard = [self.entry(one, asked, text) for one in task.annotations]
        notes = dict.fromkeys(note for _, more in heard for note in more)
        skipped = sum(one.get("status") == "skipped" for one, _ in heard)
        notes |= dict.fromkeys([f"annotations skipped: {skipped}"] if skipped else [])
        notes |= dict.fromkeys([f"drafts left out: {task.drafts}"] if task.drafts else [])
        sent = data.get("assay_row")
        fields = {
            "id": sent if isinstance(sent, str) and sent else str(task.id),
            "text": text,
            "annotations": in_time([one for one, _ in heard]),
        }
        meta = {name.removeprefix("assay_"): data[name] for name in ("assay_round", "assay_guideline") if name in data}
        rest = {name: value for name, value in data.items() if not name.startswith("assay_") and name not in fields}
        meta |= {said.SENT_IN: data["assay_sent"]} if "assay_sent" in data else {}
        return said.beside(fields, rest | meta), tuple(notes)

    def entry(self, annotation: Any, asked: Kind | None, text: str) -> tuple[said.Entry, tuple[str, ...]]:
        if not isinstance(annotation, dict):
            return said.entry(problem=f"wrong_type: an annotation is an object, not {annotation!r:.60}"), ()
        about = said.entry(
            _annotator(annotation), time=_time(annotation), seconds=_seconds(annotation.get("lead_time"))
        )
        if annotation.get("was_cancelled") is True or annotation.get("skipped") is True:
            return about | {"status": "skipped"}, ()
        try:
            results = checked(annotation.get("result"))
            if asked == "relations" and annotation.get("cut"):
                raise Unfit("unanswered", f"this export carries no relations: {WHOLE}")
            answer, notes = answered(results, asked or (None if results else self.kind), text)
        except Unfit as unfit:
            return about | {"problem": str(unfit)}, ()
        return about | answer, notes


# -- tasks and annotations


def told(element: Mapping[str, Any]) -> Told:
    """What an element of any export says; raises Unfit where it is neither a task nor an annotation."""
    if all(name in element for name in COLUMNS) and "data" not in element:
        return row(element)
    whole = element.get("task") if isinstance(element.get("task"), dict) and "result" in element else element
    data = whole.get("data") if isinstance(whole, dict) else None
    if not isinstance(whole, dict) or not isinstance(data, dict):
        raise Unfit("wrong_columns", f"neither a task nor an annotation: {', '.join(map(str, element))!r:.120}")
    given = [element] if whole is not element else element.get("annotations", element.get("completions", []))
    if not isinstance(given, list):
        raise Unfit("wrong_columns", f"annotations are a list, not {given!r:.60}")
    drafts = element.get("drafts")
    return Told(whole.get("id"), data, given, len(drafts) if isinstance(drafts, list) else 0)


def _annotator(annotation: Mapping[str, Any]) -> Any:
    by = annotation.get("completed_by")
    if isinstance(by, dict):
        by = by.get("email") or by.get("username") or by.get("id")
    if by in (None, "") and isinstance(annotation.get("created_username"), str):
        by = annotation["created_username"].partition(",")[0].strip()
    return by if isinstance(by, str | int) else None


def _time(annotation: Mapping[str, Any]) -> str | None:
    given = annotation.get("updated_at") or annotation.get("created_at")
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < 1e11:
        return datetime.fromtimestamp(given, UTC).isoformat()
    return given if isinstance(given, str) else None


def _seconds(given: Any) -> float | None:
    try:
        seconds = float(given)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < 1e9 else None


def in_time(entries: list[said.Entry]) -> list[said.Entry]:
    """The entries in the order of their times, or as they stand where not all times can be compared."""
    moments = [moment(one["time"]) for one in entries]
    known = [one for one in moments if one is not None]
    if len(known) < len(entries) or len({everywhere for everywhere, _ in known}) > 1:
        return entries
    order = sorted(range(len(entries)), key=lambda at: known[at])
    return [entries[at] for at in order]


def _text_field(task: Told) -> str:
    """The field that people read: `text`, or the only text there is, or the only one that holds all that was marked."""
    if isinstance(task.data.get("text"), str) and task.data["text"].strip():
        return "text"
    texts = {
        name: value for name, value in task.data.items() if isinstance(value, str) and not name.startswith("assay_")
    }
    read = [name for name, value in texts.items() if value.strip() and not _ADDRESS.fullmatch(value)]
    if len(read) > 1:
        surfaces = _surfaces(task.annotations)
        read = [name for name in read if surfaces and all(one in texts[name] for one in surfaces)] or read
    if len(read) == 1:
        return read[0]
    seen = (
        f"which of {', '.join(read)} people read is not told"
        if read
        else f"no text, only {', '.join(task.data)!r:.120}"
    )
    raise Unfit("wrong_columns", f"{seen}: call the field 'text'")


def _surfaces(annotations: list[Any]) -> set[str]:
    found = set()
    for one in annotations:
        with suppress(Unfit):
            results = checked(one.get("result")) if isinstance(one, dict) else []
            found |= {str(mark["value"].get("text")) for mark in results if mark["type"] == "labels"}
    return found


def _in_order(record: Record | Broken) -> Record | Broken:
    if isinstance(record, Record):
        record.fields["annotations"] = in_time(record.fields["annotations"])
    return record

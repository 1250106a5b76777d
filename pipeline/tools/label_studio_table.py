"""Label Studio's JSON_MIN, CSV and TSV: one annotation a row, beside the data of its task."""

from __future__ import annotations

import codecs
import csv
import json
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import AssayError
from pipeline.readers.lines import chunks, head
from pipeline.readers.record import Record, broken
from pipeline.tools.label_studio_answers import CONTROLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions

COLUMNS = ("annotator", "annotation_id")
"""Columns that every JSON_MIN, CSV and TSV export has."""
_ABOUT = (*COLUMNS, "id", "created_at", "updated_at", "lead_time", "agreement", "history")
_ANSWER_NAMES = frozenset(("label", "labels", "sentiment", "choice", "choices", "category", "class", "topic", "intent"))
"""Columns whose plain text is taken for a choice: such exports do not tell answers from data."""
WHOLE = "export JSON from Label Studio"


class Told(NamedTuple):
    """One task, or one of its annotations, in whatever export."""

    id: Any
    data: Mapping[str, Any]
    annotations: list[Any]
    drafts: int = 0


def row(element: Mapping[str, Any]) -> Told:
    """One annotation of such an export, its answers put back from the columns in which they stand."""
    asked = element.get("assay_asked")
    about = {name: element.get(name) for name in ("updated_at", "created_at", "lead_time")}
    results: list[dict[str, Any]] = []
    data: dict[str, Any] = {}
    for name, cell in element.items():
        answers = [] if name == "text" or name in _ABOUT else _from_cell(name, cell, plain=asked is None)
        results += answers
        if not answers and name not in _ABOUT and name not in CONTROLS:
            data[name.removeprefix("_data_")] = cell
    who = element["annotator"]
    annotation = {**about, "completed_by": who, "result": results, "cut": True}
    none = element["annotation_id"] in (None, "")
    return Told(element.get("id"), data, [] if none else [annotation])


def _from_cell(name: str, cell: Any, *, plain: bool) -> list[dict[str, Any]]:
    """The results that a cell stands for; none where it is data."""
    kind = CONTROLS.get(name)
    value = cell
    if isinstance(cell, str) and cell[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            value = json.loads(cell)
    if isinstance(cell, str) and cell and (kind in ("labels", "text") or (plain and name in _ANSWER_NAMES)):
        value = value if _values(value) else {"text": [cell]} if kind == "text" else {"choices": [cell]}
    return [{"from_name": name, "type": type, "value": one} for type, one in _values(value)]


def _values(value: Any) -> list[tuple[str, dict[str, Any]]]:
    """Values of results with their types, if the whole is made of such."""
    several = value if isinstance(value, list) else [value]
    keys = {"labels": "labels", "choices": "choices", "rating": "rating", "number": "number", "text": "textarea"}
    found = []
    for one in several:
        type = next((type for key, type in keys.items() if isinstance(one, dict) and key in one), None)
        if type is None or (isinstance(one.get("start"), str) and type == "labels"):
            return []
        found.append((type, one))
    return found


def table(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """Rows of CSV or TSV, quoted as Label Studio does; line ends within a text stay what they are."""
    about = head(raw, options)
    source = _lines(raw, about.encoding)
    first = next(source, "")
    delimiter = options.delimiter or max("\t,;", key=first.count)
    rows = csv.reader(chain([first], source), delimiter=delimiter, strict=True)
    names: list[str] = []
    line = 1
    try:
        for cells in rows:
            if names:
                yield _record(f"{raw.name}:{line}", names, cells)
            elif not set(COLUMNS) <= set(cells):
                evidence = f"no columns 'annotator' and 'annotation_id', only {', '.join(cells)!r:.120}"
                raise AssayError(raw.name, f"is no export of Label Studio: {evidence}", WHOLE)
            names = names or cells
            line = rows.line_num + 1
    except csv.Error as error:
        raise AssayError(f"{raw.name}:{line}", f"is not quoted as Label Studio does ({error})", WHOLE) from error


def _record(place: str, names: list[str], cells: list[str]) -> Record | Broken:
    row = json.dumps(cells, ensure_ascii=False)
    if len(cells) != len(names):
        return broken(place, "wrong_columns", f"{len(cells)} columns where there are {len(names)}", row)
    if any("\ud800" <= char <= "\udfff" for cell in cells for char in cell):
        return broken(place, "invalid_encoding", "bytes that are not in the file's encoding", row)
    return Record(place, dict(zip(names, cells, strict=True)))


def _lines(raw: RawFile, encoding: str) -> Iterator[str]:
    """The lines with their ends."""
    rest = ""
    for piece in codecs.iterdecode(chunks(raw), encoding, "assay_bytes"):
        *whole, rest = (rest + piece).split("\n")
        yield from (f"{line}\n" for line in whole)
    if rest:
        yield rest

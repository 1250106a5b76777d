"""From raw records to rows: the spine around what the task shapes, in batches that any process can work on."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import answers
from pipeline.contract import ANNOTATIONS, REJECTED, contract
from pipeline.errors import Unfit
from pipeline.readers import Broken, Record
from pipeline.text import language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import RowSource
    from pipeline.tasks import Row, Task

SPLITS = {
    "train": "train", "training": "train", "dev": "validation", "valid": "validation", "val": "validation",
    "validation": "validation", "test": "test", "testing": "test", "eval": "test",
}  # fmt: skip

NOT_IN_RECORDS = frozenset({"source", "also_at", "also_in", "parents", "confidence", "made_by"})
"""Columns that no record fills: where it stands, and what later stages say."""
ERASED = "erased"
"""The reason of a record that must leave nothing but its place."""

Joined = tuple[Record | Broken, list[answers.Given], int]
"""A record, the annotations of it from other files, and how many records those stood in."""


@dataclass(frozen=True)
class Shaped:
    """A batch of records as rows, annotations and rejections, before ids are compared across batches."""

    rows: pa.RecordBatch
    wholes: list[bytes]
    """A digest of all fields of the record behind each row."""
    inputs: list[bytes]
    """A digest of what the annotator read, for each row."""
    named: list[bool]
    """Whether the source gave the row its id."""
    row_at: list[int]
    """Where in the chunk the record of each row stands."""
    annotations: pa.RecordBatch
    rejected: pa.RecordBatch
    fields: set[str]
    """The names of all fields that the records have."""
    rejected_at: list[int]
    """Where in the chunk each rejected record stands."""
    notes: list[str]
    records: int


def shaped(
    chunk: list[Joined],
    *,
    task: Task,
    source: RowSource,
    languages: tuple[str, ...],
    sure_chars: int,
    erased: frozenset[str] = frozenset(),
) -> Shaped:
    """A batch of records as rows and annotations. Pure: runs in any process."""
    made = lines_of(chunk, task=task, source=source, languages=languages, sure_chars=sure_chars, erased=erased)
    return assembled(Beside.of(chunk), made, contract(task.name).schema)


@cache
def lines_schema(task: str) -> pa.Schema:
    """What is made of a record, wherever it stands: a row or why there is none, its digests, and its annotations."""
    row = [field.with_nullable(True) for field in contract(task).schema if field.name not in NOT_IN_RECORDS]
    said = pa.list_(pa.struct([field for field in ANNOTATIONS if field.name != "row"]))
    more = {"whole": pa.binary(), "read": pa.binary(), "named": pa.bool_(), "said": said}
    refused = dict.fromkeys(("reason", "evidence", "record"), pa.string())
    return pa.schema([*row, *(pa.field(f"_{name}", kind) for name, kind in (more | refused).items())])


def lines_of(
    chunk: list[Joined],
    *,
    task: Task,
    source: RowSource,
    languages: tuple[str, ...],
    sure_chars: int,
    erased: frozenset[str] = frozenset(),
) -> pa.RecordBatch:
    """A line for each record of a chunk (columns: `lines_schema`), made of what it says and not of where it stands."""
    lines = []
    for record, given, _ in chunk:
        try:
            if isinstance(record, Broken):
                raise Unfit(record.reason, record.evidence)
            row, digests = _row(record, task, source, languages, sure_chars)
            if row["id"] in erased:
                raise Unfit(ERASED, "a row that was erased")
            every = [*answers.given_in(record.fields, source, task), *given]
            lines.append(row | digests | {"_said": list(answers.lines(row, every, record.fields, task))})
        except Unfit as unfit:
            told = refused(record, unfit, given)
            lines.append({"_reason": told["reason"], "_evidence": told["evidence"], "_record": told["row"]})
    return pa.RecordBatch.from_pylist(lines, schema=lines_schema(task.name))


@dataclass(frozen=True)
class Beside:
    """What is told of a chunk of records apart from what they say: where they stand, and what their reader noted."""

    places: list[str] | pa.Array
    fields: set[str]
    notes: list[str]
    records: int

    @classmethod
    def of(cls, chunk: list[Joined]) -> Beside:
        """Of these records."""
        read = [record for record, _, _ in chunk if isinstance(record, Record)]
        return cls(
            places=[record.place for record, _, _ in chunk],
            fields=set().union(*(record.fields for record in read)),
            notes=[f"{record.place}: {note}" for record in read for note in record.notes],
            records=len(chunk) + sum(joined for _, _, joined in chunk),
        )


def assembled(beside: Beside, lines: pa.RecordBatch, schema: pa.Schema) -> Shaped:
    """Rows of `schema`, annotations and rejections, each with its place, from the lines that were made of a chunk."""
    unfit = np.asarray(lines["_reason"].is_valid())
    at, rejected_at = np.flatnonzero(~unfit), np.flatnonzero(unfit)
    places = beside.places if isinstance(beside.places, pa.Array) else pa.array(beside.places, pa.string())
    good, bad = lines.take(pa.array(at)), lines.take(pa.array(rejected_at))
    columns = {name: good[name] for name in good.schema.names} | {"source": places.take(pa.array(at))}
    made = [columns[field.name] if field.name in columns else _blank(field.type, len(at)) for field in schema]
    return Shaped(
        rows=pa.RecordBatch.from_arrays(made, schema=schema),
        wholes=good["_whole"].to_pylist(),
        inputs=good["_read"].to_pylist(),
        named=good["_named"].to_pylist(),
        row_at=at.tolist(),
        annotations=_annotations(good),
        rejected=_rejected(bad, places.take(pa.array(rejected_at))),
        fields=beside.fields,
        rejected_at=rejected_at.tolist(),
        notes=beside.notes,
        records=beside.records,
    )


def _blank(kind: pa.DataType, rows: int) -> pa.Array:
    """A column that no record fills: empty lists, or nothing."""
    if not pa.types.is_list(kind):
        return pa.nulls(rows, kind)
    return pa.ListArray.from_arrays(pa.array(np.zeros(rows + 1, dtype=np.int32)), pa.array([], kind.value_type))


def _annotations(good: pa.RecordBatch) -> pa.RecordBatch:
    """The annotations of the rows, with `place`, the number of each one's row."""
    said = good["_said"]
    place = pa.array(np.repeat(np.arange(len(said), dtype=np.int32), np.asarray(said.value_lengths())), pa.int32())
    columns = [good["id"].take(place), *said.flatten().flatten(), place]
    return pa.RecordBatch.from_arrays(columns, schema=ANNOTATIONS.append(pa.field("place", pa.int32())))


def _rejected(bad: pa.RecordBatch, places: pa.Array) -> pa.RecordBatch:
    ids = pc.binary_join_element_wise("record:", places, "")
    stage = pa.array(["ingest"] * len(places), pa.string())
    columns = [ids, places, stage, bad["_reason"], bad["_evidence"], bad["_record"]]
    return pa.RecordBatch.from_arrays(columns, schema=REJECTED)


def _row(
    record: Record, task: Task, source: RowSource, languages: tuple[str, ...], sure_chars: int
) -> tuple[Row, dict[str, Any]]:
    """The row that a record shapes, with digests of the whole record and of what was read."""
    fields, columns = record.fields, source.columns
    own = task.shape(fields, columns)
    shown = task.shown(own)
    named = identifier(fields, columns["id"]) if "id" in columns else None
    key = named or _digest(task.asked(own)).hex()
    row = {
        "id": f"{source.name}/{key}",
        "group": f"{source.name}/{_group(fields, key, source)}",
        "language": _language(fields, shown, source, languages, sure_chars),
        "split": _split(fields, source),
        "date": _date(fields, source.columns),
        "weight": _weight(fields, columns),
        **own,
    }
    whole = _digest(json.dumps([source.name, fields], ensure_ascii=False, sort_keys=True, default=str))
    read = _digest(json.dumps([task.asked(own), row["group"], row["split"]], ensure_ascii=False))
    return row, {"_whole": whole, "_read": read, "_named": named is not None}


def identifier(fields: Mapping[str, Any], name: str) -> str:
    """The id in a field, as text: 1.0 (a whole number in a column of floats) is the id 1.

    Raises:
        Unfit: there is none, or what stands there is no id.
    """
    value = fields.get(name)
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        raise Unfit("missing_field", f"no id in the field '{name}' among {', '.join(map(str, fields))}")
    if isinstance(value, list | dict | bool):
        raise Unfit("wrong_type", f"the field '{name}' is no id but {value!r:.80}")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _group(fields: Mapping[str, Any], key: str, source: RowSource) -> str:
    value = str(fields.get(source.columns["group"]) or key) if "group" in source.columns else key
    if source.group_pattern and (found := re.search(source.group_pattern, value)):
        return str(found[1])
    return value


def _language(
    fields: Mapping[str, Any], shown: str, source: RowSource, languages: tuple[str, ...], sure_chars: int
) -> str:
    """The language that the record or its source declares, else the one the text is in.

    Of short texts a model only guesses: what it says counts for them where the recipe expects that language.
    """
    if declared := fields.get(source.columns["language"]) if "language" in source.columns else source.language:
        return str(declared)
    found = language(shown)
    if len(shown) >= sure_chars or not languages or found in languages:
        return found
    return languages[0] if len(languages) == 1 else "und"


def _split(fields: Mapping[str, Any], source: RowSource) -> str | None:
    if "split" not in source.columns:
        return source.split
    value = fields.get(source.columns["split"])
    if value in (None, ""):
        return source.split
    known: dict[str, str] = {**SPLITS, **source.split_names}
    if (found := known.get(str(value)) or known.get(str(value).lower())) is None:
        raise Unfit(
            "wrong_type", f"split {value!r:.40} is none of {', '.join(sorted(known))}; map it under split_names"
        )
    return found


def _date(fields: Mapping[str, Any], columns: Mapping[str, str]) -> str | None:
    """When the row was written or collected, as delivered."""
    value = fields.get(columns["date"]) if "date" in columns else None
    return None if value in (None, "") else str(value)


def _weight(fields: Mapping[str, Any], columns: Mapping[str, str]) -> float:
    if "weight" not in columns:
        return 1.0
    value = fields.get(columns["weight"])
    if value in (None, ""):
        return 1.0
    try:
        weight = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError) as error:
        raise Unfit("wrong_type", f"weight {value!r:.40} is no number") from error
    if not 0 <= weight < float("inf"):
        raise Unfit("wrong_type", f"weight {value!r:.40} is no number from 0 up")
    return weight


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def refused(record: Record | Broken, unfit: Unfit, given: list[answers.Given] | None = None) -> dict[str, Any]:
    """The line of the rejected table for a record that makes no row, with the annotations that were to join it."""
    fields = record.raw if isinstance(record, Broken) else record.fields
    whole = {"record": fields, "annotations": [_as_given(one) for one in given]} if given else fields
    if unfit.reason == ERASED:
        whole = ""
    return {
        "id": f"record:{record.place}",
        "source": record.place,
        "stage": "ingest",
        "reason": unfit.reason,
        "evidence": unfit.evidence,
        "row": whole if isinstance(whole, str) else json.dumps(whole, ensure_ascii=False, default=str),
    }


def _as_given(one: answers.Given) -> dict[str, Any]:
    """An annotation as it was delivered, with what stands beside it where anything does."""
    return {name: value for name, value in asdict(one).items() if name not in ("beside", "problem") or value}

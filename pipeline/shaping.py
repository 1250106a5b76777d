"""From raw records to rows: the spine around what the task shapes, in batches that any process can work on."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import answers
from pipeline.contract import ANNOTATIONS, REJECTED, contract
from pipeline.errors import Unfit
from pipeline.readers import Broken, Record
from pipeline.stage import batch_of
from pipeline.text import language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import RowSource
    from pipeline.tasks import Row, Task

SPLITS = {
    "train": "train", "training": "train", "dev": "validation", "valid": "validation", "val": "validation",
    "validation": "validation", "test": "test", "testing": "test", "eval": "test",
}  # fmt: skip

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
    chunk: list[Joined], *, task: Task, source: RowSource, languages: tuple[str, ...], sure_chars: int
) -> Shaped:
    """A batch of records as rows and annotations. Pure: runs in any process."""
    rows: list[Row] = []
    digests: list[tuple[bytes, bytes, bool]] = []
    annotations: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    row_at: list[int] = []
    for at, (record, given, _) in enumerate(chunk):
        try:
            if isinstance(record, Broken):
                raise Unfit(record.reason, record.evidence)
            row, digest = _row(record, task, source, languages, sure_chars)
            lines = list(
                answers.lines(row, [*answers.given_in(record.fields, source, task), *given], record.fields, task)
            )
        except Unfit as unfit:
            rejected.append(refused(record, unfit, given))
            continue
        rows.append(row)
        row_at.append(at)
        digests.append(digest)
        annotations += [line | {"place": len(rows) - 1} for line in lines]
    schema = contract(task.name).schema
    return Shaped(
        rows=batch_of(rows, schema),
        wholes=[whole for whole, _, _ in digests],
        inputs=[read for _, read, _ in digests],
        named=[named for _, _, named in digests],
        row_at=row_at,
        annotations=batch_of(annotations, ANNOTATIONS.append(pa.field("place", pa.int32()))),
        rejected=batch_of(rejected, REJECTED),
        fields={name for record, _, _ in chunk if isinstance(record, Record) for name in record.fields},
        rejected_at=sorted({*range(len(chunk))} - {*row_at}),
        notes=[
            f"{record.place}: {note}" for record, _, _ in chunk if isinstance(record, Record) for note in record.notes
        ],
        records=len(chunk) + sum(joined for _, _, joined in chunk),
    )


def _row(
    record: Record, task: Task, source: RowSource, languages: tuple[str, ...], sure_chars: int
) -> tuple[Row, tuple[bytes, bytes, bool]]:
    """The row that a record shapes, with digests of the whole record and of what was read."""
    fields, columns = record.fields, source.columns
    own = task.shape(fields, columns)
    shown = task.shown(own)
    named = identifier(fields, columns["id"]) if "id" in columns else None
    key = named or _digest(task.asked(own)).hex()
    row = {
        "id": f"{source.name}/{key}",
        "source": record.place,
        "also_at": [],
        "group": f"{source.name}/{_group(fields, key, source)}",
        "also_in": [],
        "parents": [],
        "language": _language(fields, shown, source, languages, sure_chars),
        "split": _split(fields, source),
        "weight": _weight(fields, columns),
        "confidence": None,
        "made_by": None,
        **own,
    }
    whole = _digest(json.dumps([source.name, fields], ensure_ascii=False, sort_keys=True, default=str))
    read = _digest(json.dumps([task.asked(own), row["group"], row["split"]], ensure_ascii=False))
    return row, (whole, read, named is not None)


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
    return {name: value for name, value in asdict(one).items() if name != "beside" or value is not None}

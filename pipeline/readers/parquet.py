"""Parquet: rows by row group and batch; one bad value costs one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import AssayError
from pipeline.readers.record import Record, broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions

BATCH_ROWS = 1024
LOST_ROWS = 1_000_000
"""A damaged row group names at most this many rows one by one: its own count of them may be damaged too."""


def read_parquet(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The rows of a file, at `name:row N` from 1; raises AssayError where it has no readable footer."""
    with raw.open() as stream:
        try:
            file = pq.ParquetFile(stream)
            rows_of = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        except (pa.ArrowException, OSError, ValueError) as error:
            raise AssayError(raw.name, f"is not Parquet: {_said(error)}", "fetch it again, or mend 'format'") from error
        if sum(rows_of) != file.metadata.num_rows:
            raise AssayError(raw.name, "its row groups and its footer tell different numbers of rows", "fetch it again")
        first = 1
        for group, rows in enumerate(rows_of):
            yield from _group(raw.name, file, group, first, rows)
            first += rows


def _group(name: str, file: pq.ParquetFile, group: int, first: int, rows: int) -> Iterator[Record | Broken]:
    at, fault = first, "it holds fewer rows than it says"
    try:
        for batch in file.iter_batches(BATCH_ROWS, row_groups=[group]):
            yield from _batch(name, batch, at)
            at += batch.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        fault = _said(error)
    for row in range(at, min(first + rows, at + LOST_ROWS)):
        yield broken(f"{name}:row {row}", "unreadable_record", f"row group {group} is damaged: {fault}", "")


def _batch(name: str, batch: pa.RecordBatch, first: int) -> list[Record | Broken]:
    try:
        rows: list[dict[str, Any]] = _with_nulls(batch).to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        return [_one(f"{name}:row {first + at}", batch.slice(at, 1)) for at in range(batch.num_rows)]
    return [Record(f"{name}:row {first + at}", fields) for at, fields in enumerate(rows)]


def _with_nulls(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with null for nan, as which pandas writes what is missing from a column of numbers."""
    for at, column in enumerate(batch.columns):
        if pa.types.is_floating(column.type):
            known = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
            batch = batch.set_column(at, batch.schema.field(at), known)
    return batch


def _one(place: str, row: pa.RecordBatch) -> Record | Broken:
    try:
        return Record(place, row.to_pylist()[0])
    except UnicodeDecodeError as error:
        return broken(place, "invalid_encoding", str(error), "")
    except (ValueError, OverflowError, pa.ArrowException) as error:
        return broken(place, "unreadable_record", _said(error), "")


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

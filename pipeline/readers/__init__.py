"""Readers: one file per format, every record of a raw file given as read or as broken, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import AssayError, nearest
from pipeline.readers.alpaca import read_alpaca
from pipeline.readers.conll import read_conll
from pipeline.readers.csv import read_csv, read_tsv
from pipeline.readers.hub import hub_revision, read_hub
from pipeline.readers.json import read_json
from pipeline.readers.jsonl import read_jsonl
from pipeline.readers.messages import read_messages
from pipeline.readers.parquet import read_parquet
from pipeline.readers.record import Broken, ReadOptions, Record
from pipeline.readers.sharegpt import read_sharegpt
from pipeline.readers.squad import read_squad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.fetch import RawFile

__all__ = ["FORMATS", "Broken", "ReadOptions", "Record", "hub_revision", "read"]

FORMATS: dict[str, Callable[[RawFile, ReadOptions], Iterator[Record | Broken]]] = {
    "alpaca": read_alpaca,
    "conll": read_conll,
    "csv": read_csv,
    "hub": read_hub,
    "json": read_json,
    "jsonl": read_jsonl,
    "messages": read_messages,
    "parquet": read_parquet,
    "sharegpt": read_sharegpt,
    "squad": read_squad,
    "tsv": read_tsv,
}


def read(raw: RawFile, *, format: str, options: ReadOptions | None = None) -> Iterator[Record | Broken]:
    """The records of a raw file, in order; raises AssayError for an unknown format and an unreadable file."""
    if format not in FORMATS:
        raise AssayError(raw.name, f"no format {format!r}", nearest(format, FORMATS))
    return FORMATS[format](raw, options or ReadOptions())

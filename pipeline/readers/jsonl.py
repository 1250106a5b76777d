"""JSON Lines: one record a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import Unfit
from pipeline.readers.lines import lines
from pipeline.readers.values import as_fields, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.fetch import RawFile
    from pipeline.readers.lines import Line
    from pipeline.readers.record import Broken, Origin, ReadOptions, Record


def read_jsonl(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The record of every line that is not blank."""
    origin, source = lines(raw, options)
    for line in source:
        if line.reason or not (line.text.isspace() or not line.text):
            yield record_of(origin, line, options)


def record_of(origin: Origin, line: Line, options: ReadOptions) -> Record | Broken:
    """The record of one line that is not blank."""
    if line.reason:
        return origin.broken(line.number, line.reason, line.evidence, line.text)
    try:
        value, notes = parsed(line.text, replace=options.invalid_bytes == "replace")
        fields = as_fields(value, options.names)
    except Unfit as unfit:
        return origin.broken(line.number, unfit.reason, unfit.evidence, line.text)
    return origin.record(line.number, fields, (line.note, *notes) if line.note else notes)

"""Lining: JSON Lines as they stand, of which only those are parsed that said something else in the last run."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import sources
from pipeline.memo import keys_of
from pipeline.memo.keys import KEY_BYTES
from pipeline.memo.records import Items
from pipeline.readers.jsonl import record_of
from pipeline.readers.lines import head, line_of, split
from pipeline.readers.record import Origin, Record
from pipeline.shaping import Beside, assembled, lines_of, lines_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.fetch import RawFile
    from pipeline.readers import Broken
    from pipeline.readers.record import ReadOptions
    from pipeline.settings import RowSource
    from pipeline.shaping import Shaped
    from pipeline.stage import Work
    from pipeline.tasks import Task

    Ints = NDArray[np.int64]

BEGINNINGS = (b"{", b"[", b'"')
"""What no blank line begins with, in any encoding: a line that begins otherwise is read to see whether it is blank."""


class Line(NamedTuple):
    """A line without its ending, and the encoding of its file; None for one that is too long to hold."""

    encoding: str
    data: bytes | None


@dataclass(frozen=True)
class Stretch:
    """Where lines stand: their file, their numbers in it (int64[lines]), and what is noted of the file as a whole."""

    name: str
    numbers: Ints
    pending: tuple[str, ...]


class Lines(Items[Line]):
    """Lists of lines, each with a key by its bytes and its encoding."""

    def keys(self, batch: Sequence[Line]) -> NDArray[np.uint64]:
        """A key for every line: uint64[lines, 2]."""
        known: dict[str, bytes] = {}
        for encoding in {line.encoding for line in batch}:
            known[encoding] = encoding.encode()
        return keys_of(
            blake2b(
                b"" if data is None else data, digest_size=KEY_BYTES, key=known[encoding], salt=_salt(data)
            ).digest()
            for encoding, data in batch
        )


def _salt(data: bytes | None) -> bytes:
    return b"too long" if data is None else b""


def is_lined(source: RowSource) -> bool:
    """Whether the records of a source are lines that can be told apart without parsing them."""
    return source.format == "jsonl" and source.hub is None


def shaped_lines(work: Work, source: RowSource) -> Iterator[Shaped]:
    """The records of a source of JSON Lines as rows, annotations and rejections."""
    settings = work.recipe.settings.ingest
    languages, sure_chars = settings.languages, settings.min_language_chars
    options = sources.read_options(source)
    function = partial(
        read_and_shaped, options=options, task=work.task, source=source, languages=languages, sure_chars=sure_chars
    )
    version = [source.model_dump(mode="json"), languages, sure_chars]
    given = (
        each
        for raw in sources.raw_files(work.recipe, source)
        for each in stretches(raw, options, size=work.engine.batch_rows)
    )
    pending: tuple[str, ...] = ()
    name = ""
    for stretch, made in work.beside(function, given, version=version, sort=Lines()):
        pending = stretch.pending if stretch.name != name else pending
        name = stretch.name
        beside, pending = _beside(stretch, made, pending)
        yield assembled(beside, made.select(lines_schema(work.task.name).names), work.contract.schema)


def stretches(raw: RawFile, options: ReadOptions, *, size: int) -> Iterator[tuple[Stretch, list[Line]]]:
    """The lines of a file that are not blank, `size` at a time, and where they stand."""
    about = head(raw, options)
    carriage = "\r".encode(about.encoding)
    numbered = enumerate(split(raw, about), start=1)
    some = (
        (number, None if data is None else data.removesuffix(carriage))
        for number, data in numbered
        if data is None or data.startswith(BEGINNINGS) or not _is_blank(data, about.encoding)
    )
    while chunk := list(islice(some, size)):
        numbers = np.array([number for number, _ in chunk], dtype=np.int64)
        yield Stretch(raw.name, numbers, about.notes), [Line(about.encoding, data) for _, data in chunk]


def _is_blank(data: bytes, encoding: str) -> bool:
    try:
        text = codecs.getdecoder(encoding)(data)[0]
    except ValueError:
        return False
    return text.isspace() or not text


def read_and_shaped(
    batch: list[Line],
    *,
    options: ReadOptions,
    task: Task,
    source: RowSource,
    languages: tuple[str, ...],
    sure_chars: int,
) -> pa.RecordBatch:
    """A line for each line (columns: `lines_schema`, `_fields`, `_notes`), made of what it says alone.

    `_fields` are the names of the fields as JSON, null for a line that is no record; `_notes` what its reader noted.
    """
    read = [_read(line, options) for line in batch]
    made = lines_of(
        [(record, [], 0) for record in read], task=task, source=source, languages=languages, sure_chars=sure_chars
    )
    fields = [json.dumps(list(record.fields)) if isinstance(record, Record) else None for record in read]
    notes = [list(record.notes) if isinstance(record, Record) else [] for record in read]
    more = [pa.array(fields, pa.string()), pa.array(notes, pa.list_(pa.string()))]
    schema = lines_schema(task.name).append(pa.field("_fields", more[0].type)).append(pa.field("_notes", more[1].type))
    return pa.RecordBatch.from_arrays([*made.columns, *more], schema=schema)


def _read(line: Line, options: ReadOptions) -> Record | Broken:
    replace = options.invalid_bytes == "replace"
    return record_of(Origin(""), line_of(0, line.data, line.encoding, replace=replace), options)


def _beside(stretch: Stretch, made: pa.RecordBatch, pending: tuple[str, ...]) -> tuple[Beside, tuple[str, ...]]:
    """Where the lines stand and what was noted of them; what is noted of a file stands with its first record."""
    places = pc.binary_join_element_wise(stretch.name, pa.array(stretch.numbers).cast(pa.string()), ":")
    fields = made["_fields"]
    noted = np.flatnonzero(made["_notes"].value_lengths())
    notes = {at: [*made["_notes"][at].as_py()] for at in noted.tolist()}
    first = fields.is_valid().index(True).as_py()
    if pending and first >= 0:
        notes[first], pending = [*pending, *notes.get(first, ())], ()
    told = [f"{places[at].as_py()}: {note}" for at in sorted(notes) for note in notes[at]]
    known = {name for names in fields.unique().to_pylist() if names is not None for name in json.loads(names)}
    return Beside(places=places, fields=known, notes=told, records=len(places)), pending

"""Files: what can be read in each kind of file, piece by piece; what cannot be read is said to be so."""

from __future__ import annotations

import csv
import gzip
import json
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.erasing import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOSED = frozenset({".zip", ".bz2", ".xz", ".7z", ".tgz", ".rar", ".lz4", ".br"})
"""Packed files that are not looked into: they count as not proven."""
BATCH_ROWS = 8192
RAW_BYTES, OVERLAP = 1 << 22, 1 << 12
JSON_BYTES = 1 << 28
_MAGIC = b"ARROW1"


class Closed(Exception):
    """A file that cannot be looked into, and why."""


@dataclass(frozen=True)
class Piece:
    """Strings of a file: the column or key they stand under, and whether they come from a table."""

    column: str
    values: pa.Array
    tabular: bool = False


def pieces(path: Path, name: str = "") -> Iterator[Piece]:
    """Everything that stands in a file (`name`: what to call it) as strings.

    Raises:
        Closed: it cannot be looked into: packed, damaged, or not to be read.
    """
    suffix = "." + (name or path.name).rpartition(".")[2].lower()
    try:
        if suffix in CLOSED:
            raise Closed(f"{suffix} files are not looked into")
        if suffix in (".gz", ".zst"):
            yield from _texts(_unpacked(path, suffix))
        elif (head := _head(path))[:4] == b"PAR1":
            yield from _parquet(path)
        elif head.startswith(_MAGIC):
            yield from _arrow(path)
        elif suffix in _READERS:
            yield from _READERS[suffix](path)
        else:
            yield from _raw(path)
            if suffix == ".npy":
                yield from _wide(path)
    except (OSError, EOFError, pa.ArrowInvalid, pa.ArrowNotImplementedError, gzip.BadGzipFile) as error:
        raise Closed(" ".join(str(error).split())[:100] or type(error).__name__) from error


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _parquet(path: Path) -> Iterator[Piece]:
    with pq.ParquetFile(path) as file:
        metadata = file.schema_arrow.metadata or {}
        yield Piece("", _array([text.decode("utf-8", "replace") for pair in metadata.items() for text in pair]))
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            yield from (Piece(column, values, tabular=True) for column, values in leaves.of_batch(_living(batch)))


def _living(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch without the lines that say that a record was erased: its place is all they hold, and may stay.

    Only where they hold no more than that: a record behind such a line is looked at.
    """
    names = set(batch.schema.names)
    if not {"id", "source", "reason", "evidence"} <= names:
        return batch
    empty = pc.equal(pc.fill_null(batch["row"], ""), "") if "row" in names else pa.scalar(True)
    tombs = pc.and_(pc.fill_null(pc.equal(batch["reason"], "erased"), False), empty)
    ids = pc.equal(batch["id"], pc.binary_join_element_wise("record:", batch["source"], ""))
    return batch.filter(pc.invert(pc.and_(tombs, pc.fill_null(ids, False))))


def _arrow(path: Path) -> Iterator[Piece]:
    """An Arrow file, also where something stands after its end."""
    whole = pa.memory_map(str(path)).read_buffer()
    end = memoryview(whole).tobytes().rfind(_MAGIC) + len(_MAGIC)
    with pa.ipc.open_file(whole[:end]) as file:
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            yield from (Piece(column, values, tabular=True) for column, values in leaves.of_batch(batch))


def _json(path: Path) -> Iterator[Piece]:
    if path.stat().st_size > JSON_BYTES:
        yield from _raw(path)
        return
    text = path.read_bytes().decode("utf-8", "replace")
    try:
        yield from _keyed(leaves.of_json(json.loads(text)))
    except (ValueError, RecursionError):
        yield from _texts(iter([text]))


def _jsonl(path: Path) -> Iterator[Piece]:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        while lines := file.readlines(RAW_BYTES):
            yield from _keyed(found for line in lines for found in _line(line))


def _line(line: str) -> Iterator[tuple[str, str]]:
    try:
        yield from leaves.of_json(json.loads(line))
    except (ValueError, RecursionError):
        yield "", line


def _keyed(found: Iterator[tuple[str, str]]) -> Iterator[Piece]:
    """Strings gathered by key."""
    gathered: dict[str, list[str]] = {}
    for key, value in found:
        gathered.setdefault(key, []).append(value)
    for key, values in gathered.items():
        yield Piece(key, _array(values))


def _toml(path: Path) -> Iterator[Piece]:
    text = path.read_bytes().decode("utf-8", "replace")
    with suppress(tomllib.TOMLDecodeError, RecursionError):
        yield from _keyed(leaves.of_json(tomllib.loads(text)))
    yield from _texts(iter([text]))  # what stands in comments


def _csv(path: Path) -> Iterator[Piece]:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        lines = csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        try:
            yield Piece("", _array([cell for line in lines for cell in line]))
        except csv.Error:
            yield from _raw(path)


def _html(path: Path) -> Iterator[Piece]:
    found: list[str] = []

    class Told(HTMLParser):
        def handle_data(self, data: str) -> None:
            found.append(data)

        def handle_comment(self, data: str) -> None:
            found.append(data)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value for _, value in attrs if value)

    parser = Told(convert_charrefs=True)
    parser.feed(path.read_bytes().decode("utf-8", "replace"))
    parser.close()
    # Once as it is parted by marks, once as it is read: a mark may stand within a word.
    yield Piece("", _array([*found, "".join(found)]))


def _lines(path: Path) -> Iterator[Piece]:
    text = path.read_bytes().decode("utf-8", "replace")
    yield Piece("", _array([part for line in text.split("\n") for part in (line, *line.split("\t")[1:])]))
    yield from _texts(iter([text]))  # a text may go over several lines


def _raw(path: Path) -> Iterator[Piece]:
    with path.open("rb") as file:
        yield from _texts(_decoded(file))


def _decoded(file: IO[bytes]) -> Iterator[str]:
    """The text in bytes, part by part, each with the end of the one before."""
    before = b""
    while block := file.read(RAW_BYTES):
        yield (before + block).decode("utf-8", "replace")
        before = block[-OVERLAP:]


def _unpacked(path: Path, suffix: str) -> Iterator[str]:
    if suffix == ".gz":
        with gzip.open(path) as file:
            yield from _decoded(cast("IO[bytes]", file))
        return
    import zstandard

    try:
        with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
            yield from _decoded(cast("IO[bytes]", stream))
    except zstandard.ZstdError as error:
        raise Closed(str(error)) from error


def _wide(path: Path) -> Iterator[Piece]:
    """The strings of an array: four bytes a character, from the end of its head on."""
    raw = path.read_bytes()
    head = 10 + int.from_bytes(raw[8:10], "little")
    body = raw[head : head + 4 * ((len(raw) - head) // 4)]
    yield from _texts(iter([body.decode("utf-32-le", "replace")]))


def _texts(found: Iterator[str]) -> Iterator[Piece]:
    for text in found:
        yield Piece("", _array([text]))


def _array(values: list[str]) -> pa.Array:
    return pa.array([value.encode("utf-8", "replace").decode() for value in values], pa.large_string())


_READERS = {
    **{".json": _json, ".jsonl": _jsonl, ".toml": _toml, ".csv": _csv, ".tsv": _csv, ".html": _html, ".htm": _html},
    **dict.fromkeys((".md", ".txt", ".lock", ".yaml", ".yml", ".conll"), _lines),
}

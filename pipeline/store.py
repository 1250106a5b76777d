"""Shards in and out of a stage's folder: written whole or not at all, the report last."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.cache import file_hash
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

REPORT = "report.json"
ROW_GROUP_ROWS = 8192
PARTIAL, OLD = ".partial", ".old"


class Content:
    """A hash of the rows of a table, whatever the shards, batches and library versions they were written with.

    Every leaf of every column is hashed as three streams: which values are there, how long they are, and their bytes.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows = 0
        self._streams: dict[str, Any] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows."""
        self.rows += batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            self._feed(name, column)

    def digest(self) -> str:
        """The hash of all rows taken in, 32 hexadecimal digits."""
        whole = hashlib.blake2b(f"{self.rows}".encode(), digest_size=16)
        for name in sorted(self._streams):
            whole.update(f"\0{name}\0".encode() + self._streams[name].digest())
        return whole.hexdigest()

    def _feed(self, path: str, array: pa.Array) -> None:
        self._update(f"{path}?", np.asarray(array.is_valid()).astype(np.uint8).tobytes())
        if pa.types.is_struct(array.type):
            for member in array.type:
                self._feed(
                    f"{path}.{member.name}",
                    array.field(member.name) if not array.null_count else _member(array, member.name),
                )
        elif pa.types.is_list(array.type):
            self._update(f"{path}#", np.asarray(array.value_lengths().fill_null(0), dtype=np.int32).tobytes())
            self._feed(f"{path}[]", array.flatten())
        elif pa.types.is_string(array.type):
            self._text(path, array.fill_null(""))
        else:
            numbers = array.cast(pa.uint8()) if pa.types.is_boolean(array.type) else array
            self._update(path, np.asarray(numbers.fill_null(0)).tobytes())

    def _text(self, path: str, array: pa.Array) -> None:
        _, ends, data = array.buffers()
        offsets = (
            np.frombuffer(ends, dtype=np.int32, count=len(array) + 1, offset=4 * array.offset)
            if len(array)
            else np.zeros(1, np.int32)
        )
        self._update(f"{path}#", np.diff(offsets).tobytes())
        if data is not None:
            self._update(path, memoryview(data)[offsets[0] : offsets[-1]])

    def _update(self, path: str, data: bytes | memoryview) -> None:
        self._streams.setdefault(path, hashlib.blake2b(digest_size=16)).update(data)


def _member(array: pa.StructArray, name: str) -> pa.Array:
    """A member of structs that may be null, null wherever its struct is."""
    import pyarrow.compute as pc

    return pc.struct_field(array, name)


@dataclass
class Table:
    """One table being written as shards of `shard_rows` rows; its bytes do not depend on how the rows arrive."""

    folder: Path
    name: str
    schema: pa.Schema
    shard_rows: int
    content: Content = field(init=False)
    files: list[dict[str, Any]] = field(default_factory=list)
    _waiting: list[pa.RecordBatch] = field(default_factory=list)
    _waiting_rows: int = 0
    _writer: pq.ParquetWriter | None = None
    _shard_room: int = 0

    def __post_init__(self) -> None:
        self.content = Content(self.schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Take in rows, in order.

        Raises:
            AssayError: a column or its type is not the schema's, or a value is missing where the schema needs one.
        """
        self._check(batch)
        self.content.add(batch)
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        while self._waiting_rows >= self._next_rows():
            self._flush(self._next_rows())

    def close(self) -> dict[str, Any]:
        """Write what is left; how many rows, their content hash, and the files."""
        while self._waiting_rows:
            self._flush(min(self._next_rows(), self._waiting_rows))
        self._end_shard()
        if not self.files:
            self._begin_shard()
            self._end_shard()
        return {"rows": self.content.rows, "content": self.content.digest(), "files": self.files}

    def abandon(self) -> None:
        """Let go of the file of a table that will not be finished; nothing where it is finished."""
        if self._writer is not None:
            self._writer.close()

    def _check(self, batch: pa.RecordBatch) -> None:
        if not batch.schema.equals(self.schema):
            raise AssayError(
                f"table '{self.name}'", f"columns {batch.schema} are not those of the contract {self.schema}"
            )
        for number, column in enumerate(self.schema):
            if not column.nullable and batch.column(number).null_count:
                raise AssayError(f"table '{self.name}'", f"column '{column.name}' has rows without a value")

    def _next_rows(self) -> int:
        return min(ROW_GROUP_ROWS, self._shard_room or self.shard_rows)

    def _flush(self, rows: int) -> None:
        table = pa.Table.from_batches(self._waiting, schema=self.schema)
        head, rest = table.slice(0, rows), table.slice(rows)
        self._waiting, self._waiting_rows = rest.to_batches(), rest.num_rows
        if self._writer is None:
            self._begin_shard()
        assert self._writer is not None
        self._writer.write_table(head.combine_chunks(), row_group_size=rows)
        self._shard_room -= rows
        if not self._shard_room:
            self._end_shard()

    def _begin_shard(self) -> None:
        path = self.folder / f"{self.name}-{len(self.files):05d}.parquet"
        self._writer = pq.ParquetWriter(path, self.schema, compression="zstd")
        self._shard_room = self.shard_rows
        self.files.append({"name": path.name})

    def _end_shard(self) -> None:
        if self._writer is not None:
            self._writer.close()
            path = self.folder / self.files[-1]["name"]
            self.files[-1] |= {"bytes": path.stat().st_size, "sha256": file_hash(path)}
            self._writer, self._shard_room = None, 0


def adopt(there: Path, folder: Path, table: dict[str, Any]) -> dict[str, Any]:
    """A table that another stage wrote to `there`, in `folder` as well: the same files, where the disk can do that."""
    for file in table["files"]:
        try:
            os.link(there / file["name"], folder / file["name"])
        except OSError:
            shutil.copyfile(there / file["name"], folder / file["name"])
    return table


@contextmanager
def locked(build: Path) -> Iterator[None]:
    """Hold `build` against other Assay processes, and clear away what a killed one left half done.

    Raises:
        AssayError: another process is building there, or the folder cannot be written.
    """
    with _explained(build):
        build.mkdir(parents=True, exist_ok=True)
        lock = (build / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AssayError(
                f"build {build}", "another assay process is building here", "wait for it to end"
            ) from error
        with _explained(build):
            for left in [*build.glob(f"*{PARTIAL}"), *build.glob(f"*{OLD}")]:
                _restore_or_remove(left)
        yield


def _restore_or_remove(left: Path) -> None:
    """Put back a whole stage that a kill caught between its two renames; remove every other leftover."""
    stage = left.with_suffix("")
    if left.suffix == OLD and not stage.exists() and (left / REPORT).is_file():
        left.rename(stage)
    else:
        shutil.rmtree(left)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of `folder` when all has gone well, and never before.

    Raises:
        AssayError: the disk is full or the folder cannot be written; what stood there before stands there still.
    """
    partial, old = folder.with_name(folder.name + PARTIAL), folder.with_name(folder.name + OLD)
    with _explained(folder):
        try:
            partial.mkdir(parents=True)
            yield partial
            _sync(partial)
            if folder.exists():
                folder.rename(old)
            partial.rename(folder)
            _sync_entry(folder.parent)
        finally:
            # Where all went well it has its new name by now; else what stood there before must stand there still.
            shutil.rmtree(partial, ignore_errors=True)
            if old.exists() and not folder.exists():
                old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _explained(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        way_out = (
            "free some space and run again" if error.errno in (28, 122) else "make the folder writable and run again"
        )
        raise AssayError(
            str(place), f"cannot be written: {error.strerror or error}", f"{way_out}; what was built before is intact"
        ) from error


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _sync_entry(path)
    _sync_entry(folder)


def _sync_entry(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """The report of a stage: its presence means that the stage is whole."""
    (folder / REPORT).write_text(
        json.dumps(report, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
    )


def read_report(folder: Path) -> dict[str, Any] | None:
    """The report of the stage in `folder`; None where the stage is not whole: no report, or a shard gone or cut."""
    try:
        report: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        files = [file for table in report["tables"].values() for file in table["files"]]
        whole = all((folder / file["name"]).stat().st_size == file["bytes"] for file in files)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return report if whole else None


def batches(
    folder: Path, table: str, *, columns: Sequence[str] | None = None, batch_rows: int = 4096
) -> Iterator[pa.RecordBatch]:
    """The rows of a table, shard by shard, at most `batch_rows` at a time; nothing where there is no such table."""
    for path in sorted(folder.glob(f"{table}-*.parquet")):
        with _legible(path), pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=batch_rows, columns=list(columns) if columns else None):
                yield batch if columns is None else batch.select(list(columns))


def whole_table(folder: Path, table: str, *, columns: Sequence[str] | None = None) -> pa.Table:
    """A narrow table at once: name the columns that are wanted."""
    paths = sorted(folder.glob(f"{table}-*.parquet"))
    if not paths:
        raise AssayError(str(folder), f"there is no table '{table}'", "run the stage again")
    return pa.concat_tables([_shard(path, columns) for path in paths])


def _shard(path: Path, columns: Sequence[str] | None) -> pa.Table:
    with _legible(path):
        return pq.read_table(path, columns=list(columns) if columns else None)


@contextmanager
def _legible(path: Path) -> Iterator[None]:
    """Say which shard it is that cannot be read, instead of blaming the folder that is being written."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        problem = f"cannot be read: {str(error).splitlines()[0]}"
        raise AssayError(str(path), problem, f"delete {path.parent} and run again") from error

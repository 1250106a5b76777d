"""The file of a memo: keys beside what was made of the rows, checked by a hash, read as it is needed."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Keys = NDArray[np.uint64]

CHUNK_ROWS = 8192
MOST_CHUNKS = 32
"""Chunks kept unpacked: 262,144 rows; rows of an update stand mostly in the order they stood in."""
SEAL_BYTES = 32
KEY = "memo key"
BASIS = b"memo basis"


class Entries:
    """What a memo remembers: `schema` of the results, and a result for each key."""

    def __init__(self, body: pa.Buffer) -> None:
        self._reader = pa.ipc.open_file(body)
        self.schema = pa.schema(list(self._reader.schema)[1:])
        self._chunks: dict[int, pa.RecordBatch] = {}
        only_keys = pa.ipc.open_file(body, options=pa.ipc.IpcReadOptions(included_fields=[0]))
        keys = [_keys(only_keys.get_batch(number).column(0)) for number in range(only_keys.num_record_batches)]
        self._starts = np.cumsum([0, *map(len, keys)])
        every = np.concatenate([np.zeros((0, 2), dtype=np.uint64), *keys])
        self._order = np.argsort(every[:, 0], kind="stable")
        self._sorted = every[self._order]

    def __len__(self) -> int:
        return len(self._order)

    def find(self, keys: Keys) -> Ints:
        """Where the result for each key stands: int64[keys], -1 where there is none."""
        if not len(self):
            return np.full(len(keys), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self._sorted[:, 0], keys[:, 0]), len(self) - 1)
        return np.where((self._sorted[place] == keys).all(axis=1), self._order[place], -1)

    def take(self, places: Ints) -> pa.RecordBatch:
        """The results at these places, in their order."""
        chunk = np.searchsorted(self._starts, places, side="right") - 1
        order = np.argsort(chunk, kind="stable")
        numbers, begins = np.unique(chunk[order], return_index=True)
        parts = [
            self._chunk(number).take(pa.array(places[at] - self._starts[number]))
            for number, at in zip(numbers.tolist(), np.split(order, begins[1:]), strict=True)
        ]
        if not parts:
            return empty(self.schema)
        found = pa.concat_batches(parts) if len(parts) > 1 else parts[0]
        return found if (order[1:] > order[:-1]).all() else found.take(pa.array(np.argsort(order)))

    def _chunk(self, number: int) -> pa.RecordBatch:
        if number not in self._chunks:
            if len(self._chunks) >= MOST_CHUNKS:
                self._chunks.pop(next(iter(self._chunks)))
            batch = self._reader.get_batch(number)
            self._chunks[number] = pa.RecordBatch.from_arrays(batch.columns[1:], schema=self.schema)
        return self._chunks[number]


def empty(schema: pa.Schema) -> pa.RecordBatch:
    """No rows."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def read(path: Path, basis: str) -> Entries | None:
    """The entries of the memo at `path`; None where there is none, or it was cut, changed, or made on another basis."""
    with suppress(OSError, pa.ArrowInvalid):
        whole = pa.memory_map(str(path)).read_buffer()
        body, seal = whole[: len(whole) - SEAL_BYTES], whole[max(0, len(whole) - SEAL_BYTES) :]
        if len(body) and _seal(body, basis) == seal.to_pybytes():
            return Entries(body)
    return None


def _seal(body: pa.Buffer, basis: str) -> bytes:
    seal = sha256(basis.encode())
    seal.update(memoryview(body))
    return seal.digest()


class Writer:
    """A memo being written: it takes its place when `close` is called, and leaves nothing behind without it."""

    def __init__(self, path: Path, basis: str, schema: pa.Schema) -> None:
        self._path, self._basis, self.schema = path, basis, schema
        path.parent.mkdir(parents=True, exist_ok=True)
        self._partial = path.with_name(path.name + ".partial")
        self._whole = pa.schema([pa.field(KEY, pa.binary(16), nullable=False), *schema])
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_file(str(self._partial), self._whole, options=options)
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def write(self, keys: Keys, results: pa.RecordBatch) -> None:
        """Remember the result for each key."""
        data = pa.py_buffer(np.ascontiguousarray(keys))
        column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(keys), [None, data])
        self._waiting.append(pa.RecordBatch.from_arrays([column, *results.columns], schema=self._whole))
        self._rows += len(keys)
        if self._rows >= CHUNK_ROWS:
            self._flush()

    def close(self) -> None:
        """Put the memo in its place."""
        self._flush()
        self._writer.close()
        with self._partial.open("r+b") as file:
            body = pa.memory_map(str(self._partial)).read_buffer()
            file.seek(0, os.SEEK_END)
            file.write(_seal(body, self._basis))
            file.flush()
            os.fsync(file.fileno())
        self._partial.rename(self._path)

    def abandon(self) -> None:
        """Leave what stood there before; nothing where it was closed."""
        self._writer.close()
        self._partial.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_batch(pa.concat_batches(self._waiting))
        self._waiting, self._rows = [], 0


def _keys(column: pa.FixedSizeBinaryArray) -> Keys:
    _, data = column.buffers()
    count = 2 * len(column)
    return np.frombuffer(data, dtype=np.uint64, count=count, offset=16 * column.offset).reshape(-1, 2)

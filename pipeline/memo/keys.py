"""Keys: a hash of the content of every row of a batch, made of Arrow columns without looking at one row at a time."""

from __future__ import annotations

from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Keys = NDArray[np.uint64]

ROW = "_row"
"""A column of keys that stand for other columns of its batch, which the metadata of its field name."""
COVERS = b"covers"
SHORT_BYTES = 64
"""Values as short as this, on average, are worth looking for equal ones among them: few answers make many rows."""
KEY_BYTES = 16
"""By chance alone two of a billion rows share a key of 128 bits once in 10^20 builds."""


def row_keys(batch: pa.RecordBatch) -> Keys:
    """A key for every row, uint64[rows, 2]: equal for rows that have the same value in every column, and only for them.

    Names and types of the columns are not part of it: who keeps keys keeps those beside them.
    """
    return digests(_joined(*_parts_of(batch.columns, batch.num_rows)))


def with_row(batch: pa.RecordBatch, keys: Keys) -> pa.RecordBatch:
    """The batch with the column `ROW` before all others: `keys` stand for all that it has now."""
    data = pa.py_buffer(np.ascontiguousarray(keys))
    column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(KEY_BYTES), len(keys), [None, data])
    field = pa.field(ROW, column.type, metadata={COVERS: "\n".join(batch.schema.names)})
    return pa.RecordBatch.from_arrays([column, *batch.columns], schema=pa.schema([field, *batch.schema]))


def keys_by_row(batch: pa.RecordBatch) -> Keys:
    """A key for every row like `row_keys`, by its column `ROW` and the columns that this does not stand for."""
    covered = batch.schema.field(ROW).metadata[COVERS].decode().split("\n")
    others = [name for name in batch.schema.names if name not in (ROW, *covered)]
    known = key_column(batch[ROW])
    return known if not others else _mixed(known + row_keys(batch.select(others)))


def key_column(column: pa.FixedSizeBinaryArray) -> Keys:
    """A column of keys as numbers: uint64[rows, 2]."""
    data = np.frombuffer(column.buffers()[1], dtype=np.uint64) if len(column) else np.zeros(0, dtype=np.uint64)
    return np.asarray(data.reshape(-1, 2)[column.offset : column.offset + len(column)])


def _mixed(values: Keys) -> Keys:
    """A 64-bit hash of every value (the finaliser of splitmix64, Steele et al. 2014, doi 10.1145/2660193.2660195)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))


def digests(rows: pa.LargeBinaryArray) -> Keys:
    """The 128-bit hash of every value: uint64[rows, 2]."""
    if len(rows) and rows.nbytes <= (SHORT_BYTES + 8) * len(rows):
        encoded: Any = pc.dictionary_encode(rows)
        if 2 * len(encoded.dictionary) <= len(rows):
            return np.asarray(_digests(encoded.dictionary)[np.asarray(encoded.indices)])
    return _digests(rows)


def _digests(rows: pa.LargeBinaryArray) -> Keys:
    ends, data = _buffers(rows)
    view = memoryview(data)
    return keys_of(blake2b(view[begin:end], digest_size=KEY_BYTES).digest() for begin, end in pairwise(ends.tolist()))


def keys_of(hashes: Iterable[bytes]) -> Keys:
    """Keys, uint64[n, 2], from hashes of 16 bytes each."""
    return np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, 2)


def _parts_of(columns: Iterable[pa.Array], rows: int) -> tuple[Bytes, list[pa.LargeBinaryArray]]:
    """What several columns say of each row: bytes of one width for all rows, then those of no fixed length."""
    heads, tails = [np.zeros((rows, 0), dtype=np.uint8)], []
    for column in columns:
        head, more = _parts(column)
        heads.append(head)
        tails += more
    return np.concatenate(heads, axis=1), tails


def _parts(array: pa.Array) -> tuple[Bytes, list[pa.LargeBinaryArray]]:
    """What a column says of each row; a head tells how long the tails are, so that no two rows are written alike."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    valid = np.asarray(array.is_valid()).astype(np.uint8)[:, None]
    if pa.types.is_struct(array.type):
        head, tails = _parts_of(array.flatten(), len(array))
    elif pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        lengths = np.asarray(array.value_lengths().fill_null(0), dtype=np.int64)
        head, tails = _bytes_of(lengths), [_lists(array, lengths)]
    elif _is_text(array.type):
        text = array.cast(pa.large_binary()).fill_null(b"")
        head, tails = _bytes_of(np.asarray(pc.binary_length(text), dtype=np.int64)), [text]
    else:
        head, tails = _numbers(array), []
    return np.concatenate([valid, head], axis=1), tails


def _is_text(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_fixed_size_binary,
        )
    )


def _numbers(array: pa.Array) -> Bytes:
    """Numbers as their bytes: nan is nan, and 0.0 is not -0.0."""
    if pa.types.is_null(array.type):
        return np.zeros((len(array), 0), dtype=np.uint8)
    numbers = array.cast(pa.uint8()) if pa.types.is_boolean(array.type) else array
    return _bytes_of(np.asarray(numbers.fill_null(0)))


def _bytes_of(numbers: NDArray[np.generic]) -> Bytes:
    return np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), numbers.dtype.itemsize)


def _lists(array: pa.Array, lengths: NDArray[np.int64]) -> pa.LargeBinaryArray:
    """Every list as the bytes of its items, one after the other."""
    items = array.flatten()
    ends, data = _buffers(_joined(*_parts_of([items], len(items))))
    return _binary(ends[np.concatenate([[0], np.cumsum(lengths)])], data)


def _joined(heads: Bytes, tails: list[pa.LargeBinaryArray]) -> pa.LargeBinaryArray:
    """Head and tails of every row as one value."""
    rows, width = heads.shape
    head = _binary(np.arange(rows + 1, dtype=np.int64) * width, pa.py_buffer(np.ascontiguousarray(heads)))
    if not tails:
        return head
    return pc.binary_join_element_wise(head, *tails, pa.scalar(b"", pa.large_binary()))


def _binary(ends: NDArray[np.int64], data: pa.Buffer) -> pa.LargeBinaryArray:
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ends) - 1, [None, pa.py_buffer(ends), data])


def _buffers(array: pa.LargeBinaryArray) -> tuple[NDArray[np.int64], pa.Buffer]:
    """Where each value begins and ends in the bytes, int64[rows + 1], and the bytes."""
    if not len(array):
        return np.zeros(1, dtype=np.int64), pa.py_buffer(b"")
    _, ends, data = array.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64, count=len(array) + 1, offset=8 * array.offset)
    return offsets, data if data is not None else pa.py_buffer(b"")

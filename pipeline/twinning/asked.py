"""What was asked of each row, laid aside in a file that is mapped into memory: texts by position, and none is held."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.stage import Work
    from pipeline.tasks import Task

    Ints = NDArray[np.int64]


def _itself(told: pa.Array) -> list[str]:
    texts: list[str] = told.to_pylist()
    return texts


@dataclass(frozen=True)
class Asked:
    """The texts, in chunks; `starts` is int64[chunks + 1], the position of the first of each.

    `read` gives the texts of some members of a chunk: where rows were laid aside, what was asked of them.
    """

    chunks: tuple[pa.Array, ...]
    starts: Ints
    read: Callable[[pa.Array], list[str]] = _itself

    @classmethod
    def in_column(cls, column: pa.ChunkedArray) -> Asked:
        """The texts of a column, of whatever is mapped into memory already."""
        return cls.in_chunks(column.chunks)

    @classmethod
    def in_chunks(cls, chunks: Sequence[pa.Array], read: Callable[[pa.Array], list[str]] = _itself) -> Asked:
        """What is asked in each chunk in turn."""
        return cls(tuple(chunks), np.cumsum([0, *map(len, chunks)], dtype=np.int64), read)

    def batches(self, size: int) -> Iterator[list[str]]:
        """All texts in order, at most `size` at a time."""
        for chunk in self.chunks:
            for start in range(0, len(chunk), size):
                yield self.read(chunk.slice(start, size))

    def of(self, rows: Iterable[int] | Ints) -> list[str]:
        """What was asked of some rows, by position, in their order."""
        wanted = np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), dtype=np.int64)
        chunk = np.searchsorted(self.starts, wanted, side="right") - 1
        found = np.empty(len(wanted), dtype=object)
        for number in np.unique(chunk).tolist():
            here = np.flatnonzero(chunk == number)
            found[here] = self.read(self.chunks[number].take(pa.array(wanted[here] - self.starts[number])))
        return found.tolist()


@contextmanager
def laid_aside(work: Work) -> Iterator[Asked]:
    """What was asked of all rows, until the end of the block: the columns of their task, read when they are needed."""
    schema = pa.schema([work.contract.schema.field(name) for name in work.contract.own])
    with tempfile.TemporaryDirectory(prefix="assay-asked-") as folder:
        path = Path(folder) / "asked.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for batch in work.batches(columns=work.contract.own):
                writer.write_batch(batch.cast(schema))
        with pa.memory_map(str(path)) as source:
            reader = pa.ipc.open_file(source)
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
            yield Asked.in_chunks([batch.to_struct_array() for batch in batches], partial(_asked, work.task))


def _asked(task: Task, rows: pa.StructArray) -> list[str]:
    return [task.asked(row) for row in rows.to_pylist()]

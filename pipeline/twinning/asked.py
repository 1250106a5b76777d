"""What was asked of each row, laid aside in a file that is mapped into memory: texts by position, and none is held."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from pipeline.stage import Work

    Ints = NDArray[np.int64]

TEXTS = pa.schema([("text", pa.large_string())])


@dataclass(frozen=True)
class Asked:
    """The texts, in chunks; `starts` is int64[chunks + 1], the position of the first of each."""

    chunks: tuple[pa.Array, ...]
    starts: Ints

    @classmethod
    def in_column(cls, column: pa.ChunkedArray) -> Asked:
        """The texts of a column, of whatever is mapped into memory already."""
        chunks = tuple(column.chunks)
        return cls(chunks, np.cumsum([0, *map(len, chunks)], dtype=np.int64))

    def batches(self, size: int) -> Iterator[list[str]]:
        """All texts in order, at most `size` at a time."""
        for chunk in self.chunks:
            for start in range(0, len(chunk), size):
                yield chunk.slice(start, size).to_pylist()

    def of(self, rows: Iterable[int] | Ints) -> list[str]:
        """What was asked of some rows, by position, in their order."""
        wanted = np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), dtype=np.int64)
        chunk = np.searchsorted(self.starts, wanted, side="right") - 1
        found = np.empty(len(wanted), dtype=object)
        for number in np.unique(chunk).tolist():
            here = np.flatnonzero(chunk == number)
            found[here] = self.chunks[number].take(pa.array(wanted[here] - self.starts[number])).to_pylist()
        return found.tolist()


@contextmanager
def laid_aside(work: Work) -> Iterator[Asked]:
    """What was asked of all rows, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="assay-asked-") as folder:
        path = Path(folder) / "asked.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, TEXTS) as writer:
            for batch in work.batches():
                texts = [work.task.asked(row) for row in batch.to_pylist()]
                writer.write_batch(pa.RecordBatch.from_pydict({"text": texts}, schema=TEXTS))
        with pa.memory_map(str(path)) as source:
            yield Asked.in_column(pa.ipc.open_file(source).read_all()["text"])

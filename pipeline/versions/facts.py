"""The narrow facts of a version: rows by class, source, language and length on every side, counted once and kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.versions.held import SIDES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pipeline.tasks import Task

EXACT_CHARS = 128
"""Lengths below are counted one by one, longer ones in 64 steps an octave: at most 1.6 % off, whatever the texts."""
COUNTED = ("classes", "sources", "languages", "chars")


@dataclass
class Facts:
    """What is counted of one side; `size` is the number of bytes that its values take (as Arrow holds them)."""

    rows: int = 0
    made: int = 0
    size: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    chars: Counter[int] = field(default_factory=Counter)

    def told(self) -> dict[str, Any]:
        """As plain values, in one order whatever the order of the rows."""
        named = {name: dict(sorted(getattr(self, name).items())) for name in ("classes", "sources", "languages")}
        lengths = [[length, count] for length, count in sorted(self.chars.items())]
        return {"rows": self.rows, "made": self.made, "bytes": self.size, **named, "chars": lengths}


def counted(task: Task, own: Sequence[str], tables: Mapping[str, Iterable[Path]]) -> dict[str, dict[str, Any]]:
    """The facts of every side; `own` are the columns that only this task's rows have."""
    return {side: _side(task, own, tables[side]).told() for side in SIDES}


def _side(task: Task, own: Sequence[str], paths: Iterable[Path]) -> Facts:
    found = Facts()
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=4096):
                found.size += sum(size(column) for column in batch.columns)
                _count(found, task, batch.select(["id", "language", "made_by", *own]))
    return found


def _count(found: Facts, task: Task, batch: pa.RecordBatch) -> None:
    found.rows += batch.num_rows
    found.made += batch.num_rows - batch["made_by"].null_count
    found.languages.update(batch["language"].to_pylist())
    found.sources.update(id_.partition("/")[0] for id_ in batch["id"].to_pylist())
    for row in batch.to_pylist():
        found.classes.update(set(task.strata(row)))
        found.chars[bucket(len(task.shown(row)))] += 1


def bucket(length: int) -> int:
    """The least length that is counted together with this one.

    >>> [bucket(length) for length in (0, 127, 128, 129, 1000)]
    [0, 127, 128, 128, 1000]
    """
    step = max(length.bit_length() - 7, 0)
    return length >> step << step


def size(array: pa.Array) -> int:
    """The bytes that the values of an array take, apart from what says which are there."""
    kind = array.type
    if pa.types.is_struct(kind):
        return sum(size(member) for member in array.flatten())
    if pa.types.is_list(kind):
        return 4 * len(array) + size(array.flatten())
    if pa.types.is_string(kind):
        import pyarrow.compute as pc

        return 4 * len(array) + int(pc.sum(pc.binary_length(array)).as_py() or 0)
    width: int = kind.bit_width
    return len(array) * max(width // 8, 1)

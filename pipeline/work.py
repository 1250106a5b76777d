"""What a stage works with: the recipe, the rows of the stage before, and the memo of what was made of each row."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline import store
from pipeline.memo import COLUMNS, KEYED, row_keys, with_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.contract import Contract
    from pipeline.engine import Engine
    from pipeline.memo import Memos, Sort
    from pipeline.recipe import Recipe
    from pipeline.tasks import Task

    Keys = NDArray[np.uint64]

Given = TypeVar("Given")
Beside = TypeVar("Beside")
PLACES = ("source", "also_at")
"""Columns that say where a row stands in the files, which changes for all rows below a line that is added."""


@dataclass(frozen=True)
class Work:
    """What a stage is given: the recipe, the task, the rows of the stage before, and where to run."""

    recipe: Recipe
    task: Task
    contract: Contract
    engine: Engine
    before: Path | None
    tick: Callable[[int], None]
    """Called with the number of rows just done, for the progress bar."""
    memos: Memos | None = None
    """What the last run made of each row; None where nothing is remembered."""
    _keys: dict[str, list[Keys]] = field(default_factory=dict)
    """Of each table the keys of its rows by the columns of their task, batch by batch: 16 bytes a row."""

    def each(
        self,
        function: Callable[[pa.RecordBatch], pa.RecordBatch],
        *,
        version: Any,
        table: str = "rows",
        columns: Sequence[str] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """`function` of every batch of rows, in order: one line for each row, made of that row alone.

        `version` holds, as plain values, the settings that the function was bound with. It is given these `columns`, by
        default all but `PLACES`; what it made of a row that has the same values in them as in the last run is
        remembered. Name only columns that it reads: no other may change what it makes, and fewer change less often.
        """
        yield from self.over(function, self.without_places(table, columns), version=[table, version])

    def over(
        self, function: Callable[[pa.RecordBatch], pa.RecordBatch], given: Iterable[pa.RecordBatch], *, version: Any
    ) -> Iterator[pa.RecordBatch]:
        """`function` of every batch that is given, in order: one line for each line, made of that line alone."""
        for _, made in self.beside(function, ((None, batch) for batch in given), version=version, sort=COLUMNS):
            yield made

    def beside(
        self,
        function: Callable[[Given], pa.RecordBatch],
        given: Iterable[tuple[Beside, Given]],
        *,
        version: Any,
        sort: Sort[Given],
    ) -> Iterator[tuple[Beside, pa.RecordBatch]]:
        """`over` batches of any sort, each with something narrow that comes out again beside what was made of it."""
        if self.memos is None:
            held: deque[Beside] = deque()
            for made in self.engine.map(function, _apart(given, held)):
                yield held.popleft(), made
        else:
            memo = self.memos.of(function, [version, self.task.name, self.task.guideline.model_dump(mode="json")])
            yield from memo.through(
                function, given, mapped=self.engine.map, batch_rows=self.engine.batch_rows, sort=sort
            )

    def recalled(self, function: Callable[[pa.RecordBatch], pa.RecordBatch], given: pa.RecordBatch) -> pa.RecordBatch:
        """`function` of a narrow batch, run in this process; each line is remembered by its first column alone.

        That column (16 bytes) has to stand for everything that the function reads of the line, here or elsewhere.
        """
        if self.memos is None or not given.num_rows:
            return function(given)
        memo = self.memos.of(function, [], rows=False)
        whole = memo.through(function, [(None, given)], mapped=map, batch_rows=given.num_rows, sort=KEYED)
        return next(made for _, made in list(whole))

    def without_places(self, table: str = "rows", columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows by these columns, by default without those that say where they stand in the files."""
        if columns == self.contract.own:
            return self.own(table)
        return self.batches(table, columns or [name for name in self.contract.schema.names if name not in PLACES])

    def own(self, table: str = "rows") -> Iterator[pa.RecordBatch]:
        """The rows by the columns of their task, beside a key of all these where something is remembered by it.

        The key is made once, however often they are asked for.
        """
        known, found = self._keys.get(table), []
        for at, batch in enumerate(self.batches(table, self.contract.own)):
            if self.memos is None:
                yield batch
                continue
            found.append(known[at] if known else row_keys(batch))
            yield with_row(batch, found[-1])
        if self.memos is not None:
            self._keys[table] = found

    def earlier(self, stage: str, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A narrow table of a stage that its `Stage.also` names."""
        return store.whole_table(self.recipe.build / stage, table, columns=columns)

    def batches(self, table: str = "rows", columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows that the stage before kept, whole (streamed) or only some `columns`."""
        assert self.before is not None
        return store.batches(self.before, table, columns=columns, batch_rows=self.engine.batch_rows)

    def narrow(self, columns: Sequence[str], table: str = "rows") -> pa.Table:
        """A few narrow columns of all rows at once."""
        assert self.before is not None
        return store.whole_table(self.before, table, columns=columns)

    def report(self) -> dict[str, Any]:
        """The report of the stage before."""
        assert self.before is not None
        return store.read_report(self.before) or {}


def _apart(given: Iterable[tuple[Beside, Given]], held: deque[Beside]) -> Iterator[Given]:
    """The batches without what comes beside them, which is held."""
    for beside, batch in given:
        held.append(beside)
        yield batch

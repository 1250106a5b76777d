"""Counting: in how many parts of the whole data set each rule would change something, in one look at all rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline import store
from pipeline.rules import Finder, folded
from pipeline.tasks.parts import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.engine import Engine
    from pipeline.recipe import Recipe
    from pipeline.rules import Rule
    from pipeline.tasks import Row, Task

COUNTED = pa.schema([("rule", pa.int64()), ("count", pa.int64())])


@dataclass(frozen=True)
class Rows:
    """The rows that the audit kept, and how they are looked through; `tick` is called with how many were."""

    recipe: Recipe
    task: Task
    engine: Engine
    tick: Callable[[int], None]

    def counted(self, function: Callable[[pa.RecordBatch], pa.RecordBatch], size: int) -> NDArray[np.int64]:
        """The sum of what a function counts (`COUNTED`) in every batch of rows: int64[size]."""
        total = np.zeros(size, dtype=np.int64)
        for made in self.engine.map(function, self._batches()):
            np.add.at(total, made["rule"].to_numpy(), made["count"].to_numpy())
        return total

    def each(self, function: Callable[[pa.RecordBatch], pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What a function makes of every batch of rows, in order."""
        return self.engine.map(function, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for batch in store.batches(self.recipe.build / "audit", "rows", batch_rows=self.engine.batch_rows):
            self.tick(batch.num_rows)
            yield batch


def touched(rules: Sequence[Rule | None], known: Sequence[int], rows: Rows) -> list[int]:
    """How many parts each rule would change in the kept rows; `known` (-1: not known) are those counted already.

    Rows are looked through once for all rules together: spans by a look-up of what they cover, words that are not
    marked by one `Finder` of all surfaces.
    """
    index = SurfaceIndex()
    for number, (rule, before) in enumerate(zip(rules, known, strict=True)):
        if rule is not None and before < 0 and rule.surfaces:
            index.add(number, rule)
    found = np.maximum(np.array(known, dtype=np.int64), 0)
    if index.marked or index.unmarked:
        found = np.maximum(found, rows.counted(partial(_count, index=index, task=rows.task), len(rules)))
    return [int(count) for count in found]


def as_counts(count: dict[int, int]) -> pa.RecordBatch:
    """Counts by rule as a batch (`COUNTED`)."""
    return pa.RecordBatch.from_pydict({"rule": list(count), "count": list(count.values())}, schema=COUNTED)


@dataclass
class SurfaceIndex:
    """Rules by the surfaces that they speak of."""

    marked: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    unmarked: dict[str, list[int]] = field(default_factory=dict)

    def add(self, number: int, rule: Rule) -> None:
        """Take in a rule on spans, called by a number."""
        for surface in sorted(set(map(folded, rule.surfaces))):
            if rule.given == NOTHING:
                self.unmarked.setdefault(surface, []).append(number)
            else:
                self.marked.setdefault((rule.given, surface), []).append(number)

    def of(self, row: Row, task: Task, finder: Finder) -> Iterator[int]:
        """The rule of every part of the row that one speaks of."""
        return (number for number, _, _ in self.places(row, task, finder))

    def places(self, row: Row, task: Task, finder: Finder) -> Iterator[tuple[int, int, int]]:
        """(rule, start, end) of every part of the row that one speaks of."""
        text, spans = task.shown(row), task.answer(row)
        if self.marked:
            for start, end, label in spans:
                for number in self.marked.get((label, folded(text[start:end])), ()):
                    yield number, start, end
        if self.unmarked:
            yield from self._unmarked(text, [(start, end) for start, end, _ in spans], finder)

    def _unmarked(self, text: str, held: list[tuple[int, int]], finder: Finder) -> Iterator[tuple[int, int, int]]:
        """As `Rule.parts` finds them for each rule on its own."""
        free: dict[int, int] = {}
        for start, end, surface in finder.hits(text):
            for number in self.unmarked[surface]:
                if start >= free.get(number, 0):
                    free[number] = end
                    if all(end <= left or right <= start for left, right in held):
                        yield number, start, end


def _count(batch: pa.RecordBatch, *, index: SurfaceIndex, task: Task) -> pa.RecordBatch:
    count: dict[int, int] = {}
    finder = Finder(index.unmarked)
    for row in batch.to_pylist():
        for number in index.of(row, task, finder):
            count[number] = count.get(number, 0) + 1
    return as_counts(count)

"""Known: the narrow columns of all rows of the finished split, read in batches and remembered by content of the row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract import contract
from pipeline.engine import Engine
from pipeline.gate.facts import FACTS, Reader, read
from pipeline.gate.frame import SPLITS
from pipeline.gate.lessons import LESSONS, Tokens, taught
from pipeline.tasks import task
from pipeline.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from pipeline.memo import Memos
    from pipeline.recipe import Recipe

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

TRAIN = SPLITS[0]
_COLUMNS = ("id", "language", "group", "also_in", "parents", "weight", "made_by")


@dataclass(frozen=True)
class Known:
    """All rows of the split by narrow columns: train, then validation, then test.

    Attributes:
        table: the columns of `FACTS` beside id, language, group, also_in, parents, weight and made_by.
        side: int64[rows], 0 train, 1 validation, 2 test.
    """

    table: pa.Table
    side: Ints

    def __len__(self) -> int:
        return len(self.side)

    def column(self, name: str) -> pa.Array:
        """A column in one piece."""
        return whole(self.table[name])

    @cached_property
    def train(self) -> Flags:
        """Which rows are learned from: bool[rows]."""
        return np.asarray(self.side == 0)

    @cached_property
    def copied(self) -> Flags:
        """Which rows name a parent: bool[rows]."""
        return np.asarray(pc.greater(pc.list_value_length(self.column("parents")), 0).fill_null(False))

    @cached_property
    def made(self) -> Flags:
        """Which rows were made, not found: bool[rows]."""
        return np.asarray(self.copied | np.asarray(self.column("made_by").is_valid()))

    def codes(self, name: str) -> Ints:
        """Equal numbers for equal values of a column: int64[rows]."""
        return codes(self.column(name))

    def names(self, rows: Ints) -> list[str]:
        """The ids of some rows."""
        found: list[str] = self.column("id").take(pa.array(rows)).to_pylist()
        return found


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.combine_chunks()


def codes(values: pa.Array) -> Ints:
    """Equal numbers for equal values: int64[n]."""
    encoded: Any = values if isinstance(values, pa.DictionaryArray) else pc.dictionary_encode(values)
    return np.asarray(encoded.indices).astype(np.int64)


def members(column: pa.Array) -> tuple[Ints, pa.Array]:
    """Of a column of lists the row of every member, int64[members], and the members."""
    return np.asarray(pc.list_parent_indices(column)).astype(np.int64), pc.list_flatten(column)


@dataclass(frozen=True)
class Looking:
    """The rows of a finished split, and what is remembered of them."""

    recipe: Recipe
    work: Work

    @classmethod
    def at(cls, recipe: Recipe, memos: Memos | None = None) -> Looking:
        """At the split of a recipe; without `memos` nothing is remembered."""
        settings = recipe.settings
        work = Work(
            recipe=recipe,
            task=task(settings.task, settings.guideline),
            contract=contract(settings.task),
            engine=Engine(),
            before=recipe.build / "split",
            tick=lambda rows: None,
            memos=memos,
        )
        return cls(recipe, work)

    def known(self) -> Known:
        """The narrow columns of all rows."""
        reader = Reader.of(self.recipe, self.work.task)
        given = chain.from_iterable(map(self.work.own, SPLITS))
        facts = pa.Table.from_batches(self.work.over(partial(read, reader), given, version=[]), schema=FACTS)
        tables = [self.work.narrow(_COLUMNS, split) for split in SPLITS]
        narrow = pa.concat_tables(tables)
        columns = [*(narrow[name] for name in _COLUMNS), *facts.columns]
        sides = np.repeat(np.arange(len(SPLITS)), [len(one) for one in tables])
        return Known(pa.table(columns, names=[*_COLUMNS, *FACTS.names]), sides)

    def texts(self, wanted: Flags) -> pa.Array:
        """What annotators read of some rows (bool[rows]): large_string."""
        parts, at = [pa.array([], pa.large_string())], 0
        for batch in chain.from_iterable(self.work.batches(split, self.work.contract.own) for split in SPLITS):
            picked = batch.filter(pa.array(wanted[at : at + batch.num_rows]))
            parts.append(pa.array(map(self.work.task.shown, picked.to_pylist()), pa.large_string()))
            at += batch.num_rows
        return pa.concat_arrays(parts)

    def lessons(self, tokens: Tokens, seen: Iterable[str]) -> pa.Table:
        """What the trainer gets of every row (`LESSONS`); `seen`: the classes of the training rows.

        Raises:
            Unloadable: there is a new row, and the tokenizer cannot be loaded.
        """
        kind, most = self.work.task, self.recipe.settings.finetune.max_tokens
        classes = kind.classes(sorted(seen))
        work = self.work if tokens.content else replace(self.work, memos=None)
        given = chain.from_iterable(_with_side(work, split) for split in SPLITS)
        version = [tokens.made_of, classes, most]
        made = work.over(partial(taught, kind, tokens, classes, most), given, version=version)
        return pa.Table.from_batches(made, schema=LESSONS)


def _with_side(work: Work, split: str) -> Iterator[pa.RecordBatch]:
    """The rows by the columns of their task and their side: how a row is encoded may depend on that."""
    for batch, side in zip(work.own(split), work.batches(split, ["split"]), strict=True):
        yield batch.append_column("split", side["split"])

"""Memo: what a pure function made of a row is kept beside the build, so that a rebuild pays for the change alone.

An entry is found again by the content of the row; a memo as a whole by the code, the function, its settings and the
columns it is given. It changes no result: whatever is not in it, or cannot be believed, is made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from pipeline.memo.file import Entries, Writer, read
from pipeline.memo.keys import ROW, key_column, keys_by_row, keys_of, row_keys, with_row

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Keys = NDArray[np.uint64]

Given = TypeVar("Given")
Beside = TypeVar("Beside")
FOLDER = "memo"


class Sort(Protocol[Given]):
    """How batches of one sort are taken apart and put together."""

    def told(self, batch: Given) -> str:
        """What all batches have in common: names and types of columns."""
        ...

    def keys(self, batch: Given) -> Keys:
        """A key for every row: uint64[rows, 2]."""
        ...

    def pick(self, batch: Given, rows: Ints) -> Given:
        """The rows at these places."""
        ...

    def join(self, batches: Sequence[Given]) -> Given:
        """All rows of several batches."""
        ...


class Columns:
    """Batches of Arrow columns; the column `ROW`, if there is one, is for their keys alone."""

    def told(self, batch: pa.RecordBatch) -> str:
        """The schema."""
        return str(batch.schema.remove_metadata().names) + str(_bare(batch).schema.remove_metadata())

    def keys(self, batch: pa.RecordBatch) -> Keys:
        """Keys by the content of all columns."""
        return keys_by_row(batch) if ROW in batch.schema.names else row_keys(batch)

    def pick(self, batch: pa.RecordBatch, rows: Ints) -> pa.RecordBatch:
        """The rows at these places."""
        return _bare(batch).take(pa.array(rows))

    def join(self, batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
        """All rows of several batches."""
        return pa.concat_batches([_bare(batch) for batch in batches])


def _bare(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.drop_columns([ROW]) if ROW in batch.schema.names else batch


class Keyed(Columns):
    """Batches of Arrow columns whose first one (16 bytes) is the key."""

    def keys(self, batch: pa.RecordBatch) -> Keys:
        """The first column."""
        return key_column(batch.column(0))


COLUMNS, KEYED = Columns(), Keyed()


@dataclass
class Memos:
    """The memos of one stage, one file for each function: only what its last run used is kept."""

    folder: Path
    code: str
    """The version of the code: with another one nothing is remembered."""
    believed: bool = True
    """Whether what stands there is used; it is written in any case."""
    _names: Counter[str] = field(default_factory=Counter)
    _of_rows: list[tuple[str, Memo]] = field(default_factory=list)

    def anew(self, *, apart: bool) -> int:
        """How many rows were not remembered: `apart` where every function has rows of its own, else of the most run."""
        counts: Counter[str] = Counter()
        for called, memo in self._of_rows:
            counts[called] += memo.anew
        return counts.total() if apart else max(counts.values(), default=0)

    def of(self, function: Callable[..., Any], version: Any, *, rows: bool = True) -> Memo:
        """The memo of a function under these settings; `version` is JSON-able, `rows`: whether it is of rows."""
        plain = _unbound(function)
        called = f"{plain.__module__}.{plain.__qualname__}"
        basis = json.dumps([self.code, called, version], sort_keys=True, ensure_ascii=True)
        name = f"{plain.__name__}-{_hash(basis)[:12]}"
        self._names[name] += 1
        memo = Memo(self.folder / f"{name}-{self._names[name]}.arrow", basis, believed=self.believed)
        self._of_rows += [(called, memo)] if rows else []
        return memo

    def forget_others(self) -> None:
        """Remove what this run did not use: memos of other settings and other code."""
        used = {f"{name}-{number}.arrow" for name, count in self._names.items() for number in range(1, count + 1)}
        for path in self.folder.glob("*") if self.folder.is_dir() else ():
            if path.name not in used:
                path.unlink()


def _unbound(function: Callable[..., Any]) -> Any:
    while isinstance(function, partial):
        function = function.func
    return function


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Memo:
    """What one function made of rows in the last run."""

    path: Path
    basis: str
    believed: bool = True
    anew: int = 0
    """How many rows were not remembered."""

    def through(
        self,
        function: Callable[[Given], pa.RecordBatch],
        given: Iterable[tuple[Beside, Given]],
        *,
        mapped: Callable[[Callable[[Given], pa.RecordBatch], Iterator[Given]], Iterator[pa.RecordBatch]],
        batch_rows: int,
        sort: Sort[Given],
    ) -> Generator[tuple[Beside, pa.RecordBatch], None, None]:
        """What `function` makes of every batch, in order, beside what came with it.

        Only rows that are not remembered are handed to `mapped`, in full batches. Batches that wait for one of them
        are held as positions, so that memory stays narrow.
        """
        run: _Run[Beside, Given] = _Run(self, function, sort, batch_rows)
        try:
            for made in mapped(function, run.missing(given)):
                run.fresh.append(made)
                yield from run.ready()
            yield from run.ready()
            run.close()
        finally:
            run.abandon()


class _Run(Generic[Beside, Given]):
    """One pass: the batches that wait, and the rows that were made for them."""

    def __init__(
        self, memo: Memo, function: Callable[[Given], pa.RecordBatch], sort: Sort[Given], batch_rows: int
    ) -> None:
        self._memo, self._function, self._sort, self._batch_rows = memo, function, sort, batch_rows
        self._basis: str | None = None
        self._old: Entries | None = None
        self._writer: Writer | None = None
        self._waiting: deque[tuple[Beside, Keys, Ints]] = deque()
        self.fresh: deque[pa.RecordBatch] = deque()

    def missing(self, given: Iterable[tuple[Beside, Given]]) -> Iterator[Given]:
        """The rows that are not remembered, in batches of at least `batch_rows` but for the last."""
        gathered: list[Given] = []
        rows = 0
        for beside, batch in given:
            keys = self._sort.keys(batch)
            if self._basis is None and len(keys):
                self._open(batch, keys)
            places = self._old.find(keys) if self._old else np.full(len(keys), -1, dtype=np.int64)
            self._waiting.append((beside, keys, places))
            new = np.flatnonzero(places < 0)
            self._memo.anew += len(new)
            if len(new):
                gathered.append(batch if len(new) == len(keys) else self._sort.pick(batch, new))
                rows += len(new)
            if rows >= self._batch_rows:
                yield self._sort.join(gathered)
                gathered, rows = [], 0
        if rows:
            yield self._sort.join(gathered)

    def _open(self, first: Given, keys: Keys) -> None:
        """Read what is remembered; it is believed if it says of the very first row what the function says."""
        self._basis = _hash(self._memo.basis + self._sort.told(first))
        found = read(self._memo.path, self._basis) if self._memo.believed else None
        if found is not None and self._agrees(found, first, keys):
            self._old = found

    def _agrees(self, found: Entries, first: Given, keys: Keys) -> bool:
        own = self._function(self._sort.pick(first, np.zeros(1, dtype=np.int64)))
        places = found.find(keys[:1])
        if not found.schema.equals(own.schema):
            return False
        return bool(places[0] < 0 or (row_keys(found.take(places)) == row_keys(own)).all())

    def ready(self) -> Iterator[tuple[Beside, pa.RecordBatch]]:
        """The batches whose missing rows have been made, and that are remembered from now on."""
        there = sum(batch.num_rows for batch in self.fresh)
        while self._waiting and (needed := int((self._waiting[0][2] < 0).sum())) <= there:
            there -= needed
            beside, keys, places = self._waiting.popleft()
            if not len(keys):
                continue
            made = self._put_together(places, self._made(needed))
            self._remember(keys, made)
            yield beside, made

    def _made(self, rows: int) -> list[pa.RecordBatch]:
        """The next `rows` rows that were made."""
        parts = []
        while rows:
            batch = self.fresh.popleft()
            if batch.num_rows > rows:
                self.fresh.appendleft(batch.slice(rows))
                batch = batch.slice(0, rows)
            parts.append(batch)
            rows -= batch.num_rows
        return parts

    def _put_together(self, places: Ints, made: list[pa.RecordBatch]) -> pa.RecordBatch:
        known = places >= 0
        if self._old is None or not known.any():
            return made[0] if len(made) == 1 else pa.concat_batches(made)
        found = self._old.take(places[known])
        if not made:
            return found
        order = np.argsort(np.concatenate([np.flatnonzero(known), np.flatnonzero(~known)]))
        return pa.concat_batches([found, *made]).take(pa.array(order))

    def _remember(self, keys: Keys, made: pa.RecordBatch) -> None:
        if self._writer is None:
            assert self._basis is not None
            self._writer = Writer(self._memo.path, self._basis, made.schema)
        self._writer.write(keys, made)

    def close(self) -> None:
        """Put what is remembered in its place."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def abandon(self) -> None:
        """Let go of what was half written."""
        if self._writer is not None:
            self._writer.abandon()


__all__ = ["COLUMNS", "FOLDER", "KEYED", "Columns", "Keyed", "Memo", "Memos", "Sort", "keys_of", "row_keys", "with_row"]

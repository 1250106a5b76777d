"""The shelf: whole rows, what was said of them and what they are like, found by id without holding their texts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import store
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row

MOST_NEAR, MOST_SAID = 8, 60
NARROW = {"rejected": ("id",), "rows": ("id",), "annotations": ("row", "counts_for"), "pairs": ("left", "right")}
"""The columns by which lines of a table are found: all of it that is held."""
SAID = ["row", "annotator", "answer", "given", "time", "guideline", "problem", "verdict"]


@dataclass(frozen=True)
class Shard:
    """A file that is mapped: it can be read for as long as this is held, also when another took its place."""

    path: Path
    content: pa.Buffer

    @classmethod
    def of(cls, path: Path) -> Shard:
        """The shard at a path.

        Raises:
            AssayError: it cannot be read.
        """
        try:
            return cls(path, pa.memory_map(str(path)).read_buffer())
        except (pa.ArrowInvalid, OSError) as error:
            raise _illegible(path, error) from error

    def file(self) -> pq.ParquetFile:
        """A reader of its own for whoever asks.

        Raises:
            AssayError: it is no Parquet.
        """
        try:
            return pq.ParquetFile(pa.BufferReader(self.content))
        except (pa.ArrowInvalid, OSError) as error:
            raise _illegible(self.path, error) from error


@dataclass(frozen=True)
class Place:
    """One row group of a shard, and how many lines stand before it."""

    shard: Shard
    group: int
    before: int


class Table:
    """A table of Parquet shards, of which only the columns that lines are found by are held, once one is looked for."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.shards = [Shard.of(path) for path in sorted(folder.glob(f"{name}-*.parquet"))]
        self.places: list[Place] = []
        self._reading = Lock()

    @cached_property
    def narrow(self) -> pa.Table | None:
        """The columns that lines are found by; None where there are no shards."""
        with self._reading:
            if "narrow" in self.__dict__:  # another thread was here first
                return self.__dict__["narrow"]
            held, places, before = [], [], 0
            for shard in self.shards:
                with shard.file() as file:
                    named = [one for one in NARROW[self.name] if one in file.schema_arrow.names]
                    held.append(file.read(columns=named))
                    for group in range(file.metadata.num_row_groups):
                        places.append(Place(shard, group, before))
                        before += file.metadata.row_group(group).num_rows
            self.places = places
            self.__dict__["narrow"] = pa.concat_tables(held).combine_chunks() if held else None
            return self.__dict__["narrow"]

    def lines(self, value: str, *, columns: Sequence[str] | None = None, most: int = 1) -> list[dict[str, Any]]:
        """The first lines that hold `value` in a column that they are found by."""
        if self.narrow is None:
            return []
        scalar = pa.scalar(value, pa.string())
        found = np.zeros(self.narrow.num_rows, dtype=bool)
        for column in self.narrow.columns:
            found |= pc.fill_null(pc.equal(column, scalar), False).to_numpy()
        return self._read(np.flatnonzero(found)[:most], columns)

    def lines_of(self, values: Sequence[str]) -> list[dict[str, Any]]:
        """All lines that hold one of the values in the first column that they are found by."""
        if self.narrow is None:
            return []
        found = pc.is_in(self.narrow.column(0), value_set=pa.array(values, pa.string()))
        return self._read(np.flatnonzero(found.to_numpy()), None)

    def holds(self, value: str) -> bool:
        """Whether a line holds the value in the first column that they are found by."""
        return self.narrow is not None and pc.index(self.narrow.column(0), pa.scalar(value, pa.string())).as_py() >= 0

    def _read(self, positions: Any, columns: Sequence[str] | None) -> list[dict[str, Any]]:
        starts = [place.before for place in self.places]
        at = np.searchsorted(starts, positions, side="right") - 1
        lines: list[dict[str, Any]] = []
        for number in np.unique(at).tolist():
            place = self.places[number]
            with place.shard.file() as file:
                named = [one for one in columns if one in file.schema_arrow.names] if columns else None
                group = file.read_row_group(place.group, columns=named)
            lines += group.take(pa.array(positions[at == number] - place.before)).to_pylist()
        return lines


def _illegible(path: Path, error: Exception) -> AssayError:
    return AssayError(str(path), f"cannot be read: {error}", f"delete {path.parent} and run again")


class Shelf:
    """What the audit of a data set left when this was made, row by row, also once it was built anew."""

    def __init__(self, recipe: Recipe) -> None:
        self._tables = {name: Table(recipe.build / "audit", name) for name in NARROW}
        self.stamp = stamp(recipe)

    def _table(self, name: str) -> Table:
        return self._tables[name]

    def row(self, id_: str) -> Row | None:
        """The row with an id, kept or held back; None where there is none any more."""
        if kept := self._table("rows").lines(id_):
            return kept[0]
        for line in self._table("rejected").lines(id_):
            return _held_back(line.get("row"))
        return None

    def rows(self, ids: Sequence[str]) -> dict[str, Row]:
        """The rows with these ids, kept or held back, each table read once."""
        found = {row["id"]: row for row in self._table("rows").lines_of(ids)}
        missing = [id_ for id_ in ids if id_ not in found]
        for line in self._table("rejected").lines_of(missing) if missing else ():
            if row := _held_back(line.get("row")):
                found[row["id"]] = row
        return found

    def is_kept(self, id_: str) -> bool:
        """Whether the audit kept the row."""
        return self._table("rows").holds(id_)

    def why_rejected(self, id_: str) -> str:
        """What held the row back, in words; empty where nothing did."""
        for line in self._table("rejected").lines(id_, columns=["id", "reason", "evidence"]):
            return f"{line['reason']}: {line['evidence']}"
        return ""

    def said(self, id_: str) -> list[dict[str, Any]]:
        """What annotators said of the row, and of those that were merged into it."""
        return self._table("annotations").lines(id_, columns=SAID, most=MOST_SAID)

    def near(self, id_: str) -> list[dict[str, Any]]:
        """The rows that are like it: id, how alike (kind, similarity), why, what was made of it, and the row itself."""
        found = []
        for pair in self._table("pairs").lines(id_, most=MOST_NEAR):
            other = pair["right"] if pair["left"] == id_ else pair["left"]
            about = {name: pair.get(name) for name in ("kind", "similarity", "why", "outcome")}
            found.append({"id": other, **about, "row": self.row(other)})
        return found


def stamp(recipe: Recipe) -> tuple[tuple[int, int] | None, ...]:
    """What tells one build of what people look at from another, without reading it."""
    return tuple(_stamped(recipe.build / stage / store.REPORT) for stage in ("audit", "suspect"))


def _stamped(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _held_back(told: str | None) -> Row | None:
    """The row in a line of rejected records; None where the record never became one."""
    try:
        row = json.loads(told or "null")
    except ValueError:
        return None
    return row if isinstance(row, dict) and "id" in row else None

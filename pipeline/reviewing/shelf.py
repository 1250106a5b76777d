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
class Place:
    """One row group of a shard, and how many lines stand before it."""

    path: Path
    group: int
    before: int


class Table:
    """A table of Parquet shards, of which only the columns that lines are found by are held."""

    def __init__(self, folder: Path, name: str) -> None:
        self.places: list[Place] = []
        held, before = [], 0
        for path in sorted(folder.glob(f"{name}-*.parquet")):
            with _legible(path) as file:
                held.append(file.read(columns=[one for one in NARROW[name] if one in file.schema_arrow.names]))
                for group in range(file.metadata.num_row_groups):
                    self.places.append(Place(path, group, before))
                    before += file.metadata.row_group(group).num_rows
        self.narrow = pa.concat_tables(held).combine_chunks() if held else None

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
            with _legible(place.path) as file:
                named = [one for one in columns if one in file.schema_arrow.names] if columns else None
                group = file.read_row_group(place.group, columns=named)
            lines += group.take(pa.array(positions[at == number] - place.before)).to_pylist()
        return lines


def _legible(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise AssayError(str(path), f"cannot be read: {error}", f"delete {path.parent} and run again") from error


class Shelf:
    """What the audit of a data set left, row by row; tables are opened when they are first asked for."""

    def __init__(self, recipe: Recipe) -> None:
        self.folder = recipe.build / "audit"
        self._opening = Lock()

    @cached_property
    def _tables(self) -> dict[str, Table]:
        return {}

    def _table(self, name: str) -> Table:
        with self._opening:
            if name not in self._tables:
                self._tables[name] = Table(self.folder, name)
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


def _held_back(told: str | None) -> Row | None:
    """The row in a line of rejected records; None where the record never became one."""
    try:
        row = json.loads(told or "null")
    except ValueError:
        return None
    return row if isinstance(row, dict) and "id" in row else None

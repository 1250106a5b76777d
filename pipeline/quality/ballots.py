"""Ballots: who gave which label to which unit of which row, as numpy columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Ints = NDArray[np.int64]

ANONYMOUS = -1


@dataclass(frozen=True)
class Ballots:
    """Votes of annotators on units; a unit is what is voted on and belongs to one row.

    For classification the unit is the whole row, for multi-label one label, for tagging one token or character.

    Attributes:
        row: int64[n], the row of each ballot, 0..rows-1.
        unit: int64[n], the unit of each ballot, 0..units-1.
        annotator: int64[n], an index into `annotators`; -1 is anonymous.
        label: int64[n], an index into `labels`.
        unit_row: int64[units], the row that each unit belongs to; units stand in the order of (row, name).
        unit_name: int64[units], an index into `names`: what the unit is called inside its row.
        labels, annotators, names: the distinct values, sorted, so that nothing depends on the order of the ballots.
        rows: number of rows, with or without ballots.
        origin: int64[n], which annotation each ballot comes from, as the caller numbers them; -1 where none was named.
    """

    row: Ints
    unit: Ints
    annotator: Ints
    label: Ints
    unit_row: Ints
    unit_name: Ints
    labels: tuple[str, ...]
    annotators: tuple[str, ...]
    names: tuple[str, ...]
    rows: int
    origin: Ints

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.unit_row)

    def __len__(self) -> int:
        return len(self.unit)

    def only(self, kept: NDArray[np.bool_]) -> Ballots:
        """The ballots where `kept` (bool[n]) holds, on the same rows, units, labels and annotators as before."""
        return replace(
            self,
            row=self.row[kept],
            unit=self.unit[kept],
            annotator=self.annotator[kept],
            label=self.label[kept],
            origin=self.origin[kept],
        )


def ballots_from(
    rows: ArrayLike,
    units: Sequence[str] | pa.Array,
    annotators: Sequence[str | None] | pa.Array,
    labels: Sequence[str] | pa.Array,
    *,
    row_count: int | None = None,
    known_labels: Sequence[str] | None = None,
    origin: ArrayLike | None = None,
) -> Ballots:
    """Ballots from four columns of one length n: row index, unit name, annotator (None: anonymous) and label.

    The same label given twice to one unit by the same named annotator counts once; differing labels both count, and so
    does every anonymous ballot. `row_count` says how many rows there are (default: the last row with a ballot),
    `known_labels` adds labels that nobody gave, `origin` numbers the annotations that the ballots come from. The result
    does not depend on the order of the ballots.

    Raises:
        AssayError: the columns differ in length, a row index is outside 0..row_count-1, or a unit or label is null.
    """
    row = np.asarray(rows, dtype=np.int64).reshape(-1)
    columns = [_strings(column) for column in (units, annotators, labels)]
    _check(row, columns, row_count)
    name, names = _coded(columns[0])
    annotator, annotator_names = _coded(columns[1])
    label, label_names = _coded(columns[2], extra=known_labels or ())
    source = np.full(len(row), ANONYMOUS) if origin is None else np.asarray(origin, dtype=np.int64).reshape(-1)
    table = _settled(np.stack([row, name, annotator, label, source], axis=1))
    places, unit = np.unique(table[:, 0] * max(len(names), 1) + table[:, 1], return_inverse=True)
    unit_row, unit_name = np.divmod(places, max(len(names), 1))
    return Ballots(
        row=table[:, 0].copy(), unit=unit.reshape(-1).astype(np.int64), annotator=table[:, 2].copy(),
        label=table[:, 3].copy(), unit_row=unit_row, unit_name=unit_name, labels=label_names,
        annotators=annotator_names, names=names, rows=_row_count(row, row_count), origin=table[:, 4].copy(),
    )  # fmt: skip


def _row_count(row: Ints, row_count: int | None) -> int:
    if row_count is not None:
        return row_count
    return int(row.max()) + 1 if len(row) else 0


def _strings(column: Sequence[str | None] | pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    return column.cast(pa.large_string()) if isinstance(column, pa.Array) else pa.array(column, pa.large_string())


def _check(row: Ints, columns: list[pa.Array], row_count: int | None) -> None:
    lengths = [len(row), *map(len, columns)]
    if len(set(lengths)) > 1:
        raise AssayError("ballots", f"rows, units, annotators and labels have {lengths} entries", "give one of each")
    for name, column in (("unit", columns[0]), ("label", columns[2])):
        if column.null_count:
            raise AssayError("ballots", f"{column.null_count} ballots have no {name}", "leave out who did not vote")
    if len(row) and (row.min() < 0 or (row_count is not None and row.max() >= row_count)):
        raise AssayError("ballots", f"row indices run from {row.min()} to {row.max()}, rows are {row_count}")


def _coded(column: pa.Array, *, extra: Sequence[str] = ()) -> tuple[Ints, tuple[str, ...]]:
    """Indices into the sorted distinct values; -1 for null."""
    encoded: Any = pc.dictionary_encode(column)
    found: list[str] = encoded.dictionary.to_pylist()
    names = sorted({*found, *extra})
    place = {name: index for index, name in enumerate(names)}
    to_place = np.array([place[name] for name in found] + [ANONYMOUS], dtype=np.int64)
    # Null indices are filled with the length of the dictionary, where ANONYMOUS stands.
    codes = pc.fill_null(encoded.indices, len(found)).to_numpy(zero_copy_only=False)
    return to_place[codes], tuple(names)


def _settled(table: Ints) -> Ints:
    """The ballots (row, name, annotator, label, origin) in a fixed order, repeated ballots of named annotators once."""
    table = table[np.lexsort((table[:, 4], table[:, 3], table[:, 2], table[:, 1], table[:, 0]))]
    if len(table) < 2:
        return table
    repeated = np.zeros(len(table), dtype=bool)
    repeated[1:] = (table[1:, :4] == table[:-1, :4]).all(axis=1) & (table[1:, 2] != ANONYMOUS)
    return table[~repeated]

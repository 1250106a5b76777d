"""What was said of each row: which annotations count, which were superseded, and which are gold."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.answers import GOLD
from pipeline.dates import MILLISECONDS, moment

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Said:
    """The annotations in the order of their rows.

    Attributes:
        table: annotator, answer (canonical JSON), problem, verdict; sorted by row position.
        row: int64[n], the position of each one's row.
        starts: int64[rows + 1], where each row's annotations begin.
    """

    table: pa.Table
    row: Ints
    starts: Ints

    def seconds(self) -> Floats:
        """When each annotation was made, in seconds since 1970, local times as if they were UTC; nan where unknown."""
        times = self.table["time"].combine_chunks().dictionary_encode()
        known = [moment(time) for time in times.dictionary.to_pylist()]
        read = np.array([*(float("nan") if one is None else float(one[1]) for one in known), np.nan])
        read[read > MILLISECONDS] /= 1000
        codes = times.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
        return np.asarray(read[codes])

    def codes(self, name: str) -> tuple[Ints, tuple[str, ...]]:
        """A column (batch, guideline) as numbers into its sorted distinct values; -1 where there is none."""
        column = self.table[name].combine_chunks().dictionary_encode()
        found: list[str] = column.dictionary.to_pylist()
        names = sorted(found)
        rank = {value: at for at, value in enumerate(names)}
        place = np.array([*(rank[value] for value in found), -1], dtype=np.int64)
        codes = column.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
        return place[codes], tuple(names)


def said(annotations: pa.Table, ids: pa.Array) -> Said:
    """The annotations beside the rows `ids`, with a verdict on each: `counted`, `gold`, or why it does not count.

    Of several answers by one named annotator to one row the latest counts: by their times where all of them can be
    read and compared, else the one that stands last in the files. Gold answers are known truth and cast no vote.
    """
    row = (
        pc.index_in(annotations["row"].combine_chunks(), value_set=ids).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    order = np.argsort(row, kind="stable")
    table, row = annotations.take(pa.array(order)), row[order]
    # What could be read in part counts for that part, and its problem is told beside it.
    read, problems = table["answer"].is_valid().to_pylist(), table["problem"].to_pylist()
    verdicts = [
        "counted" if kept else (problem or "unread").split(":", 1)[0]
        for kept, problem in zip(read, problems, strict=True)
    ]
    _supersede(verdicts, row, table)
    golden = pc.fill_null(pc.equal(table["annotator"], GOLD), False).to_numpy(zero_copy_only=False)
    for at in np.flatnonzero(golden):
        verdicts[at] = "gold" if verdicts[at] == "counted" else verdicts[at]
    table = table.append_column("verdict", pa.array(verdicts, pa.string()))
    return Said(table, row, np.searchsorted(row, np.arange(len(ids) + 1)))


def _supersede(verdicts: list[str], row: Ints, table: pa.Table) -> None:
    annotators = table["annotator"].combine_chunks().dictionary_encode()
    codes = annotators.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    cell = row * (len(annotators.dictionary) + 1) + codes + 1
    _, places, counts = np.unique(cell, return_inverse=True, return_counts=True)
    times = table["time"].to_pylist()
    several = defaultdict(list)
    for at in np.flatnonzero((counts[places] > 1) & (codes >= 0)).tolist():
        if verdicts[at] == "counted":
            several[int(cell[at])].append(at)
    for rivals in several.values():
        last = _latest(rivals, [moment(times[at]) for at in rivals])
        for at in rivals:
            verdicts[at] = "counted" if at == last else "superseded"


def _latest(rivals: list[int], moments: list[tuple[bool, Decimal] | None]) -> int:
    """The one with the latest moment, of equal ones the last; the last one where any cannot be compared."""
    told = [moment for moment in moments if moment is not None]
    if len(told) < len(rivals) or len({everywhere for everywhere, _ in told}) > 1:
        return max(rivals)
    return max(zip(told, rivals, strict=True))[1]


def verdict_counts(heard: Said) -> dict[str, int]:
    """How many annotations count, and how many do not for which reason."""
    return dict(sorted(Counter(heard.table["verdict"].to_pylist()).items()))

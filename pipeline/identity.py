"""Which record is which row: the first with an id opens the row, others join it, repeat it, or are rejected."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contract import ANNOTATIONS, REJECTED
from pipeline.stage import batch_of, rejection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import RowSource
    from pipeline.shaping import Shaped


@dataclass
class Ledger:
    """The ids met so far and the counts of what became of records.

    It grows with the number of rows, by about 250 bytes each.
    """

    read: int = 0
    joined: int = 0
    seen: dict[str, bytes] = field(default_factory=dict)
    wholes: set[bytes] = field(default_factory=set)
    repeats: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    """The fields that the records of the present source have."""
    sources: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def told_apart(
    batch: Shaped, source: RowSource, ledger: Ledger, schema: pa.Schema
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Compare ids over the whole source: rows keep theirs, get a numbered one, join another row, or are rejected."""
    ids = batch.rows["id"].to_pylist()
    fates = [
        _fate(id_, whole, read, named, long="annotator" in source.columns, ledger=ledger)
        for id_, whole, read, named in zip(ids, batch.wholes, batch.inputs, batch.named, strict=True)
    ]
    kept = np.array([fate.keeps_row for fate in fates], dtype=bool)
    new_ids = pa.array([fate.id for fate in fates], pa.string())
    rows = batch.rows.set_column(0, schema.field("id"), new_ids)
    if not source.group_pattern and "group" not in source.columns:
        rows = rows.set_column(schema.get_field_index("group"), schema.field("group"), new_ids)
    yield "rows", rows.filter(pa.array(kept))
    places = batch.annotations["place"].to_numpy()
    said = np.array([fate.keeps_answers for fate in fates], dtype=bool)[places] if len(places) else np.zeros(0, bool)
    annotations = batch.annotations.set_column(0, ANNOTATIONS.field("row"), new_ids.take(pa.array(places)))
    yield "annotations", annotations.drop_columns(["place"]).filter(pa.array(said))
    dropped = [(number, fate) for number, fate in enumerate(fates) if fate.reason]
    again = [_repeat(batch, number, fate) for number, fate in dropped]
    # In the order of the records, so that it does not show where one batch ends and the next begins.
    order = np.argsort([*batch.rejected_at, *(batch.row_at[number] for number, _ in dropped)], kind="stable")
    both = pa.concat_batches([batch.rejected, batch_of(again, REJECTED)])
    yield "rejected", both.take(pa.array(order, pa.int64()))
    _count(batch, fates, source, ledger, annotations=int(said.sum()))


def _repeat(batch: Shaped, number: int, fate: Fate) -> dict[str, Any]:
    """The line of the rejected table for a record whose id was read before, with the answers that it brought."""
    row = batch.rows.slice(number, 1).to_pylist()[0]
    said = batch.annotations.filter(pc.equal(batch.annotations["place"], number)).drop_columns(["row", "place"])
    evidence = f"the id {row['id']!r} was read before"
    line = rejection(
        row | {"annotations": said.to_pylist()}, stage="ingest", reason=fate.reason or "", evidence=evidence
    )
    return line | {"id": f"record:{row['source']}"}


class Fate(NamedTuple):
    """What becomes of a record whose id may have been met before."""

    id: str
    keeps_row: bool
    keeps_answers: bool
    reason: str | None = None


def _fate(id_: str, whole: bytes, read: bytes, named: bool, *, long: bool, ledger: Ledger) -> Fate:
    before = ledger.seen.get(id_)
    if before is None:
        ledger.seen[id_] = read
        ledger.wholes.add(whole)
        return Fate(id_, True, True)
    if (named or long) and whole in ledger.wholes:
        return Fate(id_, False, False, "repeated_record")
    ledger.wholes.add(whole)
    if long and before == read:
        return Fate(id_, False, True)
    if named:
        return Fate(id_, False, False, "duplicate_id")
    ledger.repeats[id_] += 1
    return Fate(f"{id_}-{ledger.repeats[id_] + 1}", True, True)


def _count(batch: Shaped, fates: list[Fate], source: RowSource, ledger: Ledger, *, annotations: int) -> None:
    counts = ledger.sources[source.name]
    ledger.fields |= batch.fields
    apart = batch.records - len(fates) - batch.rejected.num_rows
    ledger.read += len(fates) + batch.rejected.num_rows
    ledger.joined += apart + sum(fate.keeps_answers and not fate.keeps_row for fate in fates)
    counts["records"] += len(fates) + batch.rejected.num_rows
    counts["rows"] += sum(fate.keeps_row for fate in fates)
    counts["annotations"] += annotations
    ledger.notes += batch.notes[: max(0, 1000 - len(ledger.notes))]

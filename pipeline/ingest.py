"""Ingest: raw files to rows and annotations; every record is kept, joined to its row, or rejected with its reason."""

from __future__ import annotations

import json
import os
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from pipeline import answers, fetch, readers
from pipeline.contract import ANNOTATIONS, REJECTED
from pipeline.errors import AssayError, Unfit
from pipeline.readers import Broken, Record
from pipeline.shaping import Joined, Shaped, refused, shaped
from pipeline.stage import Outcome, Stage, Work, batch_of, rejection

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from pipeline.recipe import Recipe
    from pipeline.settings import Reading, RowSource
    from pipeline.tasks import Row

NOTES_SHOWN = 20
Item = TypeVar("Item")


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
    sources: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def ingest(work: Work) -> Outcome:
    """Read every raw file of the recipe into rows of the task's contract and a long table of annotations."""
    ledger = Ledger()
    outcome = Outcome(
        stream=iter(()), schemas={"rows": work.contract.schema, "annotations": ANNOTATIONS, "rejected": REJECTED}
    )
    outcome.stream = _stream(work, ledger, outcome)
    return outcome


def _stream(work: Work, ledger: Ledger, outcome: Outcome) -> Iterator[tuple[str, pa.RecordBatch]]:
    settings = work.recipe.settings.ingest
    for source in settings.source:
        waiting = yield from _answers_apart(work, source, ledger)
        shape = partial(
            shaped, task=work.task, source=source, languages=settings.languages, sure_chars=settings.min_language_chars
        )
        chunks = chunked(_with_answers(_records(work.recipe, source), waiting, source), work.engine.batch_rows)
        for batch in work.engine.map(shape, chunks):
            yield from _told_apart(batch, source, ledger, work.contract.schema)
            work.tick(batch.records)
        yield "rejected", batch_of(_orphans(waiting, source), REJECTED)
    outcome.read, outcome.joined = ledger.read, ledger.joined
    outcome.details.update(
        sources={name: dict(sorted(counts.items())) for name, counts in ledger.sources.items()},
        notes=ledger.notes[:NOTES_SHOWN],
        notes_count=len(ledger.notes),
    )


def _records(recipe: Recipe, reading: Reading) -> Iterator[Record | Broken]:
    options = read_options(reading)
    for raw in raw_files(recipe, reading):
        yield from readers.read(raw, format=reading.format, options=options)


def raw_files(recipe: Recipe, reading: Reading) -> list[fetch.RawFile]:
    """The raw files of a part of the recipe, sorted by name within each pattern."""
    if reading.hub:
        return [fetch.RawFile(reading.hub)]
    specs = [_located(spec, recipe) for spec in reading.files]
    return [raw for spec in specs for raw in fetch.resolve(spec, folder=recipe.folder, sources=recipe.settings.fetch)]


def _located(spec: str, recipe: Recipe) -> str:
    """A path with `${NAME}` replaced by that environment variable, for data that lies elsewhere on each machine."""
    missing = [name for name in re.findall(r"\$\{(\w+)\}", spec) if name not in os.environ]
    if missing:
        where = f"recipe '{recipe.name}' [ingest] files"
        raise AssayError(where, f"{spec} needs the environment variable {missing[0]}", f"export {missing[0]}=FOLDER")
    return re.sub(r"\$\{(\w+)\}", lambda found: os.environ[found[1]], spec)


def read_options(reading: Reading) -> readers.ReadOptions:
    """What the readers need to know of a part of the recipe."""
    columns = getattr(reading, "columns", {})
    return readers.ReadOptions(
        encoding=reading.encoding,
        invalid_bytes=reading.invalid_bytes,
        delimiter=reading.delimiter,
        names=reading.names,
        token_column=reading.token_column,
        tag_columns=reading.tag_columns,
        scheme=reading.scheme,
        json_path=reading.json_path,
        messages_field=columns.get("messages"),
        hub=reading.hub is not None,
        hub_split=reading.hub_split,
    )


def chunked(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one shorter."""
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield chunk


Waiting = dict[str, list[tuple[str, list[answers.Given]]]]


def _answers_apart(
    work: Work, source: RowSource, ledger: Ledger
) -> Generator[tuple[str, pa.RecordBatch], None, Waiting]:
    """The annotations in files of their own, by the id of their row; held in memory until the row is read."""
    waiting: Waiting = defaultdict(list)
    for reading in (one for one in work.recipe.settings.ingest.annotations if one.source == source.name):
        rejected = []
        for record in _records(work.recipe, reading):
            ledger.read += 1
            _note(ledger, record)
            ledger.sources[source.name]["annotation records"] += 1
            try:
                row, given = _answer_record(record, reading.columns), None
                if isinstance(record, Record):
                    given = answers.given_apart(record.fields, reading)
                waiting[f"{source.name}/{row}"].append((record.place, given or []))
            except Unfit as unfit:
                rejected.append(refused(record, unfit))
        yield "rejected", batch_of(rejected, REJECTED)
    return waiting


def _answer_record(record: Record | Broken, columns: Mapping[str, str]) -> str:
    """The id of the row that a record of annotations belongs to."""
    if isinstance(record, Broken):
        raise Unfit(record.reason, record.evidence)
    named = columns.get("row", "row")
    if record.fields.get(named) in (None, ""):
        raise Unfit("missing_field", f"no field '{named}' among {', '.join(map(str, record.fields))}")
    return str(record.fields[named])


def _with_answers(records: Iterable[Record | Broken], waiting: Waiting, source: RowSource) -> Iterator[Joined]:
    """Each record with the annotations from other files that belong to it, and how many records they stood in."""
    id_field = source.columns.get("id")
    for record in records:
        own = record.fields.get(id_field) if isinstance(record, Record) and id_field else None
        found = waiting.pop(f"{source.name}/{own}", []) if own is not None else []
        yield record, [given for _, several in found for given in several], len(found)


def _orphans(waiting: Waiting, source: RowSource) -> Iterator[dict[str, Any]]:
    for row, found in waiting.items():
        for place, given in found:
            evidence = f"no row {row!r} was read from source '{source.name}'"
            whole = json.dumps([one.answer for one in given], ensure_ascii=False)
            yield {
                "id": f"annotation:{place}", "source": place, "stage": "ingest", "reason": "annotation_without_row",
                "evidence": evidence, "row": whole,
            }  # fmt: skip


def _told_apart(
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
    again = [_repeat(batch.rows.slice(number, 1).to_pylist()[0], fate) for number, fate in dropped]
    # In the order of the records, so that it does not show where one batch ends and the next begins.
    order = np.argsort([*batch.rejected_at, *(batch.row_at[number] for number, _ in dropped)], kind="stable")
    both = pa.concat_batches([batch.rejected, batch_of(again, REJECTED)])
    yield "rejected", both.take(pa.array(order, pa.int64()))
    _count(batch, fates, source, ledger, annotations=int(said.sum()))


def _repeat(row: Row, fate: Fate) -> dict[str, Any]:
    line = rejection(row, stage="ingest", reason=fate.reason or "", evidence=f"the id {row['id']!r} was read before")
    return line | {"id": f"record:{row['source']}"}


@dataclass(frozen=True)
class Fate:
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
    apart = batch.records - len(fates) - batch.rejected.num_rows
    ledger.read += len(fates) + batch.rejected.num_rows
    ledger.joined += apart + sum(fate.keeps_answers and not fate.keeps_row for fate in fates)
    counts["records"] += len(fates) + batch.rejected.num_rows
    counts["rows"] += sum(fate.keeps_row for fate in fates)
    counts["annotations"] += annotations
    ledger.notes += batch.notes[: max(0, 1000 - len(ledger.notes))]


def _note(ledger: Ledger, record: Record | Broken) -> None:
    if isinstance(record, Record) and len(ledger.notes) < 1000:
        ledger.notes += [f"{record.place}: {note}" for note in record.notes]


def inputs(recipe: Recipe) -> dict[str, str]:
    """The content hash of every raw file of the recipe; of a hub data set, the commit it stands at."""
    settings = recipe.settings.ingest
    found: dict[str, str] = {}
    for reading in (*settings.source, *settings.annotations):
        if reading.hub:
            found[reading.hub] = readers.hub_revision(reading.hub)
        else:
            found |= {raw.name: raw.sha256() for raw in raw_files(recipe, reading)}
    return found


STAGE = Stage(name="ingest", after=None, sections=("ingest", "fetch"), run=ingest, inputs=inputs)

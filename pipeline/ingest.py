"""Ingest: raw files to rows and annotations; every record is kept, joined to its row, or rejected with its reason."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from pipeline import answers, erased, lining, sources
from pipeline.contract import ANNOTATIONS, REJECTED
from pipeline.errors import AssayError, Unfit, nearest
from pipeline.identity import Ledger, told_apart
from pipeline.memo.records import Records
from pipeline.readers import Broken, Record
from pipeline.shaping import Beside, Joined, assembled, identifier, lines_of, refused
from pipeline.stage import Outcome, Stage, Work, batch_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from pipeline.recipe import Recipe
    from pipeline.settings import AnswerSource, RowSource
    from pipeline.shaping import Shaped

NOTES_SHOWN = 20
Item = TypeVar("Item")


def ingest(work: Work) -> Outcome:
    """Read every raw file of the recipe into rows of the task's contract and a long table of annotations."""
    ledger = Ledger()
    outcome = Outcome(
        stream=iter(()), schemas={"rows": work.contract.schema, "annotations": ANNOTATIONS, "rejected": REJECTED}
    )
    outcome.stream = _stream(work, ledger, outcome)
    return outcome


def _stream(work: Work, ledger: Ledger, outcome: Outcome) -> Iterator[tuple[str, pa.RecordBatch]]:
    settings, gone = work.recipe.settings.ingest, erased.of(work.recipe)
    for source in settings.source:
        ledger.fields = set()
        waiting = yield from _answers_apart(work, source, ledger)
        plain = not waiting and not gone and lining.is_lined(source)
        for batch in lining.shaped_lines(work, source) if plain else _parsed(work, source, waiting, gone):
            yield from told_apart(batch, source, ledger, work.contract.schema)
            work.tick(batch.records)
        yield "rejected", batch_of(_orphans(waiting, source), REJECTED)
        _check_columns(work.recipe, source, f"[[ingest.source]] '{source.name}'", ledger.fields)
    outcome.read, outcome.joined = ledger.read, ledger.joined
    outcome.details.update(
        sources={name: dict(sorted(counts.items())) for name, counts in ledger.sources.items()},
        notes=ledger.notes[:NOTES_SHOWN],
        notes_count=len(ledger.notes),
    )


def _parsed(work: Work, source: RowSource, waiting: Waiting, gone: erased.Erased) -> Iterator[Shaped]:
    """The records of a source, each parsed, with what stands elsewhere of it, but for what is erased."""
    records = erased.passed_over(sources.records(work.recipe, source), gone, source.name, source.columns.get("id"))
    chunks = chunked(_with_answers(records, waiting, source), work.engine.batch_rows)
    yield from _shaped(work, source, chunks, frozenset(gone.rows))


def _shaped(work: Work, source: RowSource, chunks: Iterator[list[Joined]], gone: frozenset[str]) -> Iterator[Shaped]:
    """The records as rows, annotations and rejections; those that say what they said in the last run are remembered."""
    settings = work.recipe.settings.ingest
    languages, sure_chars = settings.languages, settings.min_language_chars
    function = partial(lines_of, task=work.task, source=source, languages=languages, sure_chars=sure_chars, erased=gone)
    version = [source.model_dump(mode="json"), languages, sure_chars, sorted(gone)]
    beside = ((Beside.of(chunk), chunk) for chunk in chunks)
    for one, lines in work.beside(function, beside, version=version, sort=Records(_said)):
        yield assembled(one, lines, work.contract.schema)


def _said(joined: Joined) -> Any:
    """All that a record says, with the annotations of it from other files, as plain values."""
    record, given, _ = joined
    said = record.fields if isinstance(record, Record) else (record.reason, record.evidence, record.raw)
    return said, [(one.annotator, one.answer, one.time, one.batch, one.guideline, one.beside) for one in given]


def _check_columns(recipe: Recipe, reading: RowSource | AnswerSource, name: str, seen: set[str]) -> None:
    """Refuse a recipe that maps a field which no record has: groups, splits, annotators would be lost without a word.

    Raises:
        AssayError: naming the field and those that there are.
    """
    mapped = [field for part, field in reading.columns.items() if part not in sources.MADE_BY_READERS]
    for field in (*mapped, *getattr(reading, "annotator_columns", ())) if seen else ():
        if field not in seen:
            raise AssayError(
                f"recipe '{recipe.name}' {name}", f"no record has the field '{field}'", nearest(field, seen)
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
    gone = erased.of(work.recipe)
    for reading in (one for one in work.recipe.settings.ingest.annotations if one.source == source.name):
        rejected = []
        seen: set[str] = set()
        row_field = reading.columns.get("row", "row")
        for record in erased.passed_over(sources.records(work.recipe, reading), gone, source.name, row_field):
            seen |= record.fields.keys() if isinstance(record, Record) else set()
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
        _check_columns(work.recipe, reading, f"[[ingest.annotations]] of '{source.name}'", seen)
    return waiting


def _answer_record(record: Record | Broken, columns: Mapping[str, str]) -> str:
    """The id of the row that a record of annotations belongs to."""
    if isinstance(record, Broken):
        raise Unfit(record.reason, record.evidence)
    return identifier(record.fields, columns.get("row", "row"))


def _with_answers(records: Iterable[Record | Broken], waiting: Waiting, source: RowSource) -> Iterator[Joined]:
    """Each record with the annotations from other files that belong to it, and how many records they stood in."""
    if not waiting:
        yield from ((record, [], 0) for record in records)
        return
    id_field = source.columns.get("id")
    for record in records:
        own = _own_id(record, id_field)
        found = waiting.pop(f"{source.name}/{own}", []) if own is not None else []
        yield record, [given for _, several in found for given in several], len(found)


def _own_id(record: Record | Broken, id_field: str | None) -> str | None:
    """The id that a record names; None where it names none, or none that could be one."""
    if isinstance(record, Broken) or id_field is None:
        return None
    with suppress(Unfit):
        return identifier(record.fields, id_field)
    return None


def _orphans(waiting: Waiting, source: RowSource) -> Iterator[dict[str, Any]]:
    for row, found in waiting.items():
        for place, given in found:
            evidence = f"no row {row!r} was read from source '{source.name}'"
            whole = json.dumps([one.answer for one in given], ensure_ascii=False)
            yield {
                "id": f"annotation:{place}", "source": place, "stage": "ingest", "reason": "annotation_without_row",
                "evidence": evidence, "row": whole,
            }  # fmt: skip


def _note(ledger: Ledger, record: Record | Broken) -> None:
    if isinstance(record, Record) and len(ledger.notes) < 1000:
        ledger.notes += [f"{record.place}: {note}" for note in record.notes]


def inputs(recipe: Recipe) -> dict[str, str]:
    """The content hash of every raw file of the recipe; of a hub data set, the commit it stands at."""
    settings = recipe.settings.ingest
    found = erased.inputs(recipe)
    for reading in (*settings.source, *settings.annotations):
        found |= sources.content(recipe, reading)
    return found


STAGE = Stage(name="ingest", after=None, sections=("ingest", "fetch"), run=ingest, inputs=inputs)

"""Split: who learns, who chooses, who judges; stratified, grouped and true to the past, and nothing held out leaks.

Everything is decided on narrow columns (`sides.decide`) in the order of the ids, then streamed over the rows. The side
of every row goes into `split.lock` beside the recipe, which the next build reads: rows that stay keep their side.
"""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import lock, store
from pipeline.cache import file_hash
from pipeline.contract import REJECTED
from pipeline.dates import seconds
from pipeline.lock import SIDES
from pipeline.quality.splitting import searched, sourced
from pipeline.quality.splitting.folding import FOLDS
from pipeline.quality.splitting.published import overlaps
from pipeline.quality.splitting.sides import Verdicts, decide
from pipeline.stage import Outcome, Stage, Work, batch_of, rejection
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.recipe import Recipe
    from pipeline.settings import SplitSettings
    from pipeline.tasks import Row, Task

FACTS = pa.schema(
    [
        ("id", pa.string()),
        ("group", pa.string()),
        ("also_in", pa.list_(pa.string())),
        ("kin", pa.list_(pa.string())),
        ("split", pa.string()),
        ("source", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("strata", pa.list_(pa.string())),
        ("seconds", pa.float64()),
        ("key", pa.binary(16)),
        ("asked", pa.bool_()),
        ("mark", pa.int64()),
        ("text", pa.string()),
    ]
)
"""What the split knows of a row. `key`: a hash of its text in the normal form of duplicates; `asked`: whether its text
is all that was asked; `mark`: what the lock keeps of a hash of all that was; `text`: only where texts are compared
here."""

READ = ("id", "group", "also_in", "language", "split", "date", "parents")
"""What the split reads of every row beside the columns of its task."""


def split(work: Work) -> Outcome:
    """Deal the rows to train, validation and test; reject rows and copies that would give a held-out row away."""
    settings = work.recipe.settings.split
    sourced.check(settings, [source.name for source in work.recipe.settings.ingest.source])
    tables = {**dict.fromkeys(SIDES, work.contract.schema), "rejected": REJECTED}
    if settings.folds:
        tables["folds"] = FOLDS
    outcome = Outcome(stream=iter(()), schemas=tables, kept=SIDES)
    outcome.stream = _stream(work, outcome)
    return outcome


def _stream(work: Work, outcome: Outcome) -> Iterator[tuple[str, pa.RecordBatch]]:
    settings, path = work.recipe.settings.split, work.recipe.lock
    before = lock.read(path) if settings.lock else None
    verdicts = _verdicts(work, settings, before)
    outcome.details.update(verdicts.details)
    if (shared := _published(work)) is not None:
        outcome.details["official_overlaps"] = shared
    done = 0
    for table in ("rows", "made"):
        for batch in work.batches(table):
            yield from _dealt(batch, verdicts, done)
            done += batch.num_rows
            work.tick(batch.num_rows)
    if verdicts.folds is not None:
        yield from (("folds", batch) for batch in verdicts.folds.to_batches())
    if verdicts.lock is not None and verdicts.lock is not before:
        outcome.settle = partial(lock.write, path, verdicts.lock)


def _verdicts(work: Work, settings: SplitSettings, before: lock.Lock | None) -> Verdicts:
    """Decide on what the rows have in common: pairs that the audit found where it looked for near ones."""
    pairs = searched.near(work.recipe) if settings.near_duplicates else None
    merged = searched.accepted(work.recipe) if before is not None else None
    facts = _facts(work, settings, with_text=settings.near_duplicates and pairs is None)
    if pairs is not None and not pc.all(facts["asked"]).as_py():
        # More was asked than is shown, so that rows that show the same need not be a pair of the audit.
        pairs, facts = None, _facts(work, settings, with_text=True)
    facts = _with_annotators(work, facts, settings)
    found = decide(facts, settings, pairs=pairs, lock=before, merged=merged, recall=work.recalled)
    found.details["pairs_from"] = "split" if pairs is None else "audit"
    return found


def _published(work: Work) -> dict[str, dict[str, int]] | None:
    """What the official sides, as delivered, have in common; None without them or without pairs of the audit."""
    pairs = searched.accepted(work.recipe)
    if pairs is None or not _is_official(work.recipe):
        return None
    rows = work.earlier("ingest", "rows", ["id", "split"])
    return overlaps(rows.append_column("key", _keys(work, rows["id"], pairs)), pairs)


def _is_official(recipe: Recipe) -> bool:
    """Whether any source says of its rows on which side they stand."""
    return any(one.split or one.split_names or "split" in one.columns for one in recipe.settings.ingest.source)


def _keys(work: Work, ids: pa.ChunkedArray, pairs: pa.Table) -> pa.Array:
    """A hash of the text of every row of a pair, null for all others: binary[ids]."""
    paired = pa.concat_arrays([pairs[end].combine_chunks() for end in ("left", "right")])
    found: dict[str, bytes] = {}
    for batch in store.batches(work.recipe.build / "ingest", "rows", batch_rows=work.engine.batch_rows):
        for row in batch.filter(pc.is_in(batch["id"], value_set=paired)).to_pylist():
            found[row["id"]] = hashed(work.task.shown(row))
    return pa.array([found.get(name) for name in ids.to_pylist()], pa.binary())


def hashed(text: str) -> bytes:
    """16 bytes that stand for a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _dealt(batch: pa.RecordBatch, verdicts: Verdicts, done: int) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows of a batch by side, `split` filled in, and those that go no further."""
    sides = verdicts.sides[done : done + batch.num_rows]
    for number, name in enumerate(SIDES):
        rows = batch.filter(pa.array(sides == number))
        if rows.num_rows:
            place = rows.schema.get_field_index("split")
            column = pa.array([name] * rows.num_rows, pa.string())
            yield name, rows.set_column(place, rows.schema.field(place), column)
    gone = np.flatnonzero(sides < 0)
    if len(gone):
        rows = batch.take(pa.array(gone)).to_pylist()
        reasons = [verdicts.reasons[done + place] for place in gone.tolist()]
        lines = [
            rejection(row, stage="split", reason=reason, evidence=evidence)
            for row, (reason, evidence) in zip(rows, reasons, strict=True)
        ]
        yield "rejected", batch_of(lines, REJECTED)


def _facts(work: Work, settings: SplitSettings, *, with_text: bool) -> pa.Table:
    """The facts of all rows; where rows were made, with the texts that theirs are compared with."""
    with_text = with_text or (
        settings.near_duplicates and any(batch.num_rows for batch in work.batches("made", ["id"]))
    )
    function = partial(facts, work.task, settings.strata, with_text)
    version = {"strata": list(settings.strata), "text": with_text}
    # Not how sure anybody is of the answer: that changes for every row when one annotator's answer does.
    columns = list(dict.fromkeys([*READ, *work.contract.own]))
    found = [
        batch
        for table in ("rows", "made")
        for batch in work.each(function, version=version, table=table, columns=columns)
    ]
    return pa.Table.from_batches(found, schema=FACTS)


def facts(task: Task, strata: tuple[str, ...], with_text: bool, batch: pa.RecordBatch) -> pa.RecordBatch:
    """What the split needs to know of every row (`FACTS`)."""
    rows = []
    for row in batch.to_pylist():
        text, asked = task.shown(row), task.asked(row)
        key = hashed(normalised(text) or text)
        known = {name: row[name] for name in ("id", "group", "also_in", "split", "parents")}
        known |= {"kin": task.kin(row), "source": _source(row), "strata": _strata(task, row, strata, text)}
        known |= {"seconds": seconds(row.get("date")), "asked": asked == text, "key": key}
        known["mark"] = lock.text_mark(key if asked == text else hashed(normalised(asked) or asked))
        rows.append(known | {"text": text if with_text else None})
    return pa.RecordBatch.from_pylist(rows, schema=FACTS)


def _source(row: Row) -> str:
    """The name of the source in the recipe: what stands before the stroke in the id."""
    return str(row["id"]).partition("/")[0]


def _strata(task: Task, row: Row, strata: tuple[str, ...], text: str) -> list[str]:
    found = []
    if "answer" in strata:
        found += [f"answer={name}" for name in sorted(set(task.strata(row)))]
    if "source" in strata:
        found.append(f"source={_source(row)}")
    if "language" in strata:
        found.append(f"language={row['language']}")
    if "length" in strata:
        found.append(f"length={_bucket(len(text))}")
    return found


def _bucket(length_chars: int) -> str:
    """The octave a length is in: 64-127 characters.

    >>> _bucket(100), _bucket(0)
    ('64-127', '0')
    """
    top = 1 << length_chars.bit_length()
    return f"{top // 2}-{top - 1}" if length_chars else "0"


def _with_annotators(work: Work, found: pa.Table, settings: SplitSettings) -> pa.Table:
    """The facts, with those who answered a row among its keys of kin where the recipe keeps their rows together."""
    if "annotator" not in settings.together:
        return found
    said = work.earlier("audit", "annotations", ["row", "annotator"])
    said = said.filter(pc.is_valid(said["annotator"]))
    kin: dict[str, set[str]] = {}
    for row, who in zip(said["row"].to_pylist(), said["annotator"].to_pylist(), strict=True):
        kin.setdefault(row, set()).add(f"annotator {who}")
    pairs = zip(found["id"].to_pylist(), found["kin"].to_pylist(), strict=True)
    keys = [[*own, *sorted(kin.get(name, ()))] for name, own in pairs]
    place = found.schema.get_field_index("kin")
    return found.set_column(place, FACTS.field("kin"), pa.array(keys, pa.list_(pa.string())))


def inputs(recipe: Recipe) -> dict[str, str]:
    """The content of the lock, and of the annotations where rows of one annotator are kept together.

    And how the audit looked for duplicates: that it found the same pairs does not say that it looked for the same.
    """
    settings, audit = recipe.settings.split, recipe.settings.audit
    found = {"searched": f"{audit.duplicates} {audit.near_threshold}", "official": str(_is_official(recipe))}
    if settings.lock and recipe.lock.is_file():
        found["lock"] = file_hash(recipe.lock)
    if settings.together:
        report = store.read_report(recipe.build / "audit") or {"tables": {}}
        found["annotations"] = report["tables"].get("annotations", {}).get("content", "")
    return found


ALSO = (("audit", "pairs"), ("ingest", "rows"))
STAGE = Stage(
    name="split",
    after="augment",
    sections=("split",),
    run=split,
    inputs=inputs,
    also=ALSO,
)

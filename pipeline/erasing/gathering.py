"""Gathering: what the build and its versions hold of the rows that are to be erased, while it is still there."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import sources
from pipeline.erasing import leaves
from pipeline.errors import AssayError
from pipeline.versions import versions_folder
from pipeline.versions.spine import spine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.erasing.marks import Marks, Target
    from pipeline.recipe import Recipe

BATCH_ROWS = 8192
# Members of answers that hold names out of the guideline or the tool, and not the words of anybody.
NAMES = frozenset({"label", "labels", "tag", "tags", "role", "rating", "scheme"})


def gather(recipe: Recipe, marks: Marks) -> None:
    """Take in the ids, places and texts of a target's rows, of the copies made of them and of what was said of them."""
    for path in _tables(recipe):
        for batch in batches(path):
            _rows(batch.filter(mask(batch, marks.target)), marks)
    ids = set(marks.found["id"])
    for path in sorted(recipe.build.glob("*/annotations-*.parquet")):
        for batch in batches(path, ["row", "answer", "given"]):
            hashes = marks.hasher.names(batch["row"].to_pylist()).tolist()
            said = batch.filter(pa.array([hashed in ids for hashed in hashes], pa.bool_()))
            marks.add_texts(_answers(said))
    _unread(recipe, marks)


def _tables(recipe: Recipe) -> Iterator[Path]:
    """Every table of rows: of the stages, and of the versions that were kept."""
    named = (("ingest", "rows"), ("audit", "rows"), ("augment", "made"), ("split", "train"))
    for stage, table in (*named, ("split", "validation"), ("split", "test")):
        yield from sorted((recipe.build / stage).glob(f"{table}-*.parquet"))
    yield from sorted(versions_folder(recipe).glob("*/data/*.parquet"))


def batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The batches of a table; none of one that cannot be read, which the proof will tell."""
    with suppress(OSError, pa.ArrowInvalid), pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=BATCH_ROWS, columns=list(columns) if columns else None)


def mask(batch: pa.RecordBatch, target: Target) -> pa.Array:
    """Which rows are of the target, or were made of one that is."""
    own = _is_of(batch["id"], target)
    if "parents" not in batch.schema.names:
        return own
    parents = batch["parents"]
    made = pc.list_parent_indices(parents).filter(_is_of(pc.list_flatten(parents), target))
    at = pa.array(range(batch.num_rows), made.type)
    return pc.or_(own, pc.is_in(at, value_set=made))


def _is_of(ids: pa.Array, target: Target) -> pa.Array:
    return pc.starts_with(ids, target.prefix) if target.kind == "source" else pc.equal(ids, target.name)


def _rows(batch: pa.RecordBatch, marks: Marks) -> None:
    if not batch.num_rows:
        return
    names = set(batch.schema.names)
    made = pc.greater(pc.list_value_length(batch["parents"]), 0) if "parents" in names else pa.scalar(False)
    is_made = pc.fill_null(pc.and_(made, pa.array([True] * batch.num_rows)), False)
    before = len(marks.found["id"])
    marks.add_names("id", batch["id"].filter(pc.invert(is_made)).to_pylist())
    own_rows = len(marks.found["id"])
    marks.add_names("id", batch["id"].filter(is_made).to_pylist())
    marks.rows += own_rows - before
    marks.made += len(marks.found["id"]) - own_rows
    if "source" in names:
        marks.add_names("place", batch["source"].to_pylist())
    own = batch.select([name for name in batch.schema.names if name not in spine()])
    for column, values in leaves.of_batch(_unnamed(own)):
        if column not in NAMES:
            marks.add_texts(values.unique().to_pylist())


def _unnamed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch without the members of its lists and structs that hold names."""
    columns = {name: _without(batch[name]) for name in batch.schema.names if name not in NAMES}
    return pa.RecordBatch.from_pydict(columns)


def _without(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(array.offsets, _without(array.values), mask=array.is_null())
    if pa.types.is_struct(kind):
        kept = [member.name for member in kind if member.name not in NAMES]
        return pa.StructArray.from_arrays([_without(pc.struct_field(array, name)) for name in kept], kept)
    return array


def _answers(said: pa.RecordBatch) -> Iterator[str]:
    """The words in the answers of annotators."""
    for name in ("answer", "given"):
        for text in said[name].drop_null().unique().to_pylist():
            try:
                yield from (leaf for key, leaf in leaves.of_json(json.loads(text)) if key and key not in NAMES)
            except (ValueError, RecursionError):
                continue


def _unread(recipe: Recipe, marks: Marks) -> None:
    """Records of an erased source that made no row: by the name of their file, where no other source reads it."""
    if marks.target.kind != "source":
        return
    files = _own_files(recipe, marks.target.name)
    for path in sorted((recipe.build / "ingest").glob("rejected-*.parquet")):
        for batch in batches(path, ["id", "source", "row"]):
            places = batch["source"].to_pylist()
            own = batch.filter(pa.array([place.rpartition(":")[0] in files for place in places], pa.bool_()))
            marks.add_names("place", own["source"].to_pylist())
            marks.add_texts(_fields(own["row"].drop_null().to_pylist()))


def _own_files(recipe: Recipe, source: str) -> set[str]:
    settings = recipe.settings.ingest
    named: dict[bool, set[str]] = {True: set(), False: set()}
    for reading in (*settings.source, *settings.annotations):
        is_own = source == getattr(reading, "source", None) or source == getattr(reading, "name", None)
        with suppress(AssayError):  # files that are gone
            named[is_own] |= {raw.name for raw in sources.raw_files(recipe, reading)}
    return named[True] - named[False]


def _fields(rows: list[str]) -> Iterator[str]:
    for row in rows:
        try:
            parsed = json.loads(row)
        except (ValueError, RecursionError):
            yield row
            continue
        found = leaves.of_json(parsed) if isinstance(parsed, dict | list) else iter([("", row)])
        yield from (leaf for key, leaf in found if key and key not in NAMES)

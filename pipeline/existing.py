"""Existing sets: the rows of a data set that stands already, which the rows of this one must not bring in again."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import sources
from pipeline.errors import AssayError, nearest
from pipeline.shaping import shaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.recipe import Recipe
    from pipeline.settings import Against
    from pipeline.shaping import Joined, Shaped
    from pipeline.stage import Work
    from pipeline.tasks import Task

ITEMS = pa.schema(
    [("asked", pa.large_string()), *((name, pa.string()) for name in ("set", "place", "answer", "meaning"))]
)
"""A line for each record of an existing set: where it stands, what was asked, what was answered (null: nothing)."""
CHUNK_ROWS = 4096


def sets(recipe: Recipe) -> list[Against]:
    """The existing sets that the recipe names under `[[against]]`."""
    return [one for one in recipe.settings.against if one.kind == "existing"]


@contextmanager
def items(work: Work) -> Iterator[tuple[pa.Table, dict[str, dict[str, int]]]]:
    """The records of all existing sets (columns: `ITEMS`), and for each set how many could be read and how many not.

    The table lies in a file that is mapped into memory, until the end of the block.

    Raises:
        AssayError: nothing in a set can be read as a row of the task: a set that is not compared would seem clean.
    """
    with tempfile.TemporaryDirectory(prefix="assay-existing-") as folder:
        path = str(Path(folder) / "items.arrow")
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, ITEMS) as writer:
            counts = _read(work, writer)
        with pa.memory_map(path) as source:
            yield pa.ipc.open_file(source).read_all(), counts


def _read(work: Work, writer: Any) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for one in sets(work.recipe):
        read, unread, why = 0, 0, ""
        for batch in _shaped(work, one):
            writer.write_batch(_items(batch, one.name, work.task))
            read, unread = read + batch.rows.num_rows, unread + batch.rejected.num_rows
            if not why and batch.rejected.num_rows:
                why = f"{batch.rejected['source'][0]}: {batch.rejected['reason'][0]}: {batch.rejected['evidence'][0]}"
        if not read:
            place = f"recipe '{work.recipe.name}' [[against]] '{one.name}'"
            raise AssayError(
                place, f"none of its {unread} records is a row of the task; the first: {why}", "map its columns"
            )
        counts[one.name] = {"items": read, "unread": unread}
    return counts


def _shaped(work: Work, one: Against) -> Iterator[Shaped]:
    """The records of a set as rows of the task, by chunks."""
    settings = work.recipe.settings.ingest
    shape = partial(
        shaped, task=work.task, source=one, languages=settings.languages, sure_chars=settings.min_language_chars
    )
    records = sources.records(work.recipe, one, section="against")
    joined: Iterator[Joined] = ((record, [], 0) for record in records)
    seen: set[str] = set()
    for batch in work.engine.map(shape, _chunked(joined)):
        seen |= batch.fields
        yield batch
    for part, field in one.columns.items():
        if seen and field not in seen and part not in sources.MADE_BY_READERS:
            place = f"recipe '{work.recipe.name}' [[against]] '{one.name}'"
            raise AssayError(place, f"no record has the field '{field}'", nearest(field, seen))


def _chunked(items: Iterable[Joined]) -> Iterator[list[Joined]]:
    stream = iter(items)
    while chunk := list(islice(stream, CHUNK_ROWS)):
        yield chunk


def _items(batch: Shaped, name: str, task: Task) -> pa.RecordBatch:
    """A line for each row; of several answers the one that most gave, of as many the first in alphabetical order."""
    said: dict[int, Counter[str]] = {}
    for place, answer in zip(*(batch.annotations[part].to_pylist() for part in ("place", "answer")), strict=True):
        if answer is not None:
            said.setdefault(place, Counter())[answer] += 1
    lines: list[dict[str, Any]] = []
    for at, row in enumerate(batch.rows.to_pylist()):
        answer = min(said[at], key=lambda one: (-said[at][one], one)) if at in said else None
        meaning = None if answer is None else task.meaning(task.with_answer(row, json.loads(answer)))
        line = {"set": name, "place": row["source"], "asked": task.asked(row), "answer": answer, "meaning": meaning}
        lines.append(line)
    return pa.RecordBatch.from_pylist(lines, schema=ITEMS)


def inputs(recipe: Recipe) -> dict[str, str]:
    """The content of the raw files of all existing sets."""
    found: dict[str, str] = {}
    for one in sets(recipe):
        content = sources.content(recipe, one, section="against")
        found |= {f"against {one.name} {name}": value for name, value in content.items()}
    return found

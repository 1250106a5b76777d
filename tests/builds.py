"""Small builds for the tests of the stages: rows of a task as if the stage before had just kept them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline import recipe, stage, store
from pipeline.contract import contract
from pipeline.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.stage import Stage
    from pipeline.tasks import Row

SPINE: Row = {
    "source": "raw.csv:1",
    "also_at": [],
    "also_in": [],
    "parents": [],
    "language": "en",
    "split": None,
    "date": None,
    "weight": 1.0,
    "confidence": None,
    "made_by": None,
}


def a_recipe(folder: Path, *, task: str = "classification", **sections: Any) -> Recipe:
    """A recipe whose build lies under `folder`; the ingest section names a file that nobody reads."""
    ingest = {"source": [{"name": "film", "files": ["raw.csv"], "format": "csv"}]}
    settings = recipe.check({"task": task, "ingest": ingest, **sections}, name="tiny")
    return recipe.Recipe(name="tiny", folder=folder / "tiny", settings=settings)


def a_text(name: str, text: str, label: str = "positive", **columns: Any) -> Row:
    """A classification row."""
    return {**SPINE, "id": name, "group": name, "text": text, "text_pair": None, "labels": [label], **columns}


def a_tagged(name: str, text: str, mentions: Sequence[tuple[str, str]], **columns: Any) -> Row:
    """A tagging row whose mentions, (label, surface), are found in the text from left to right."""
    spans, done = [], 0
    for label, surface in mentions:
        start = text.index(surface, done)
        done = start + len(surface)
        spans.append({"start": start, "end": done, "label": label, "text": surface})
    return {**SPINE, "id": name, "group": name, "text": text, "spans": spans, "tokens": None, **columns}


def kept_by(before: str, made_of: Recipe, tables: Mapping[str, Sequence[Row]]) -> None:
    """Write the tables as the whole result of the stage `before`."""
    schema = contract(made_of.settings.task).schema
    with store.replacing(made_of.build / before) as folder:
        written = {}
        for name, rows in tables.items():
            table = store.Table(folder, name, schema, 50_000)
            for start in range(0, len(rows), 1000):
                table.write(stage.batch_of(rows[start : start + 1000], schema))
            written[name] = table.close()
        counts = {"kept_tables": list(tables)}
        store.write_report(folder, {"stage": before, "key": "none", "tables": written, "counts": counts, "details": {}})


def run(
    one: Stage, on: Recipe, *, workers: int = 1, batch_rows: int = 1000, shard_rows: int = 50_000
) -> dict[str, Any]:
    """Run a stage; its report."""
    engine = Engine(workers=workers, batch_rows=batch_rows)
    return stage.run(one, on, engine, tick=lambda rows: None, shard_rows=shard_rows)


def rows_of(of: Recipe, stage_name: str, table: str) -> list[Row]:
    """The rows of a table that a stage wrote."""
    return [row for batch in store.batches(of.build / stage_name, table) for row in batch.to_pylist()]

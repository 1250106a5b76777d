"""Keeping: the queue under data/build/NAME/review, made anew only when what it is made of changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import relabelling, store
from pipeline.reviewing.tables import GROUPS, QUEUE, Queue
from pipeline.stage import code_version

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

FOLDER = "review"
_SHARD_ROWS = 50_000
_MADE_BY = (
    "candidates",
    "counting",
    "echoes",
    "grouping",
    "keeping",
    "lines",
    "minutes",
    "phrases",
    "questions",
    "queue",
    "tables",
)
_READ_FROM = (("audit", ("rows", "rejected", "pairs")), ("suspect", ("suspects",)))


def key(recipe: Recipe) -> str:
    """What a queue depends on, as a hash: the code, the settings, and the content of the tables that it reads."""
    code = hashlib.sha256()
    for path in (Path(__file__).with_name(f"{name}.py") for name in _MADE_BY):
        code.update(path.name.encode() + path.read_bytes())
    settings = recipe.settings.model_dump(mode="json", include={"task", "guideline", "review"})
    basis = [code_version(), code.hexdigest(), settings, _contents(recipe), relabelling.basis(recipe)]
    return hashlib.sha256(json.dumps(basis, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def _contents(recipe: Recipe) -> dict[str, str]:
    reports = ((stage, tables, store.read_report(recipe.build / stage)) for stage, tables in _READ_FROM)
    return {
        f"{stage}/{table}": report["tables"][table]["content"]
        for stage, tables, report in reports
        if report
        for table in tables
        if table in report["tables"]
    }


def kept(recipe: Recipe, wanted: str) -> Queue | None:
    """The queue that lies there, if it is the one that is wanted."""
    folder = recipe.build / FOLDER
    report = store.read_report(folder)
    if report is None or report["key"] != wanted:
        return None
    return Queue(store.whole_table(folder, "queue"), store.whole_table(folder, "groups"), report["details"])


def keep(recipe: Recipe, wanted: str, queue: Queue) -> None:
    """Write a queue in place of the one that lies there."""
    with store.replacing(recipe.build / FOLDER) as folder:
        tables = {}
        for name, schema, rows in (("queue", QUEUE, queue.lines), ("groups", GROUPS, queue.groups)):
            table = store.Table(folder, name, schema, _SHARD_ROWS)
            for batch in rows.to_batches():
                table.write(batch)
            tables[name] = table.close()
        report = {"stage": FOLDER, "data_set": recipe.name, "key": wanted, "tables": tables, "details": queue.details}
        store.write_report(folder, report)

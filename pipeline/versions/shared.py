"""Shared: the table of the shares of labels in a version, beside the rows, joined by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from pipeline import store
from pipeline.cache import file_hash
from pipeline.versions.markdown import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Task

TABLE, FILE = "shares", "shares.parquet"


def written(recipe: Recipe, task: Task, folder: Path) -> dict[str, Any]:
    """Write shares.parquet, where rows have shares; the table as version.json has it, by its name, or nothing.

    They are those of the ambiguous rows, and the votes on all others where the recipe has models learn them.
    """
    from pipeline.finetune import shares  # it tells torch's threads how to wait, which is for who trains

    asked = recipe.settings.finetune.soft_labels
    known = shares.read(recipe, task, asked if asked == shares.VOTES else shares.AMBIGUOUS)
    if not known.num_rows:
        return {}
    content = store.Content(known.schema)
    for batch in known.to_batches():
        content.add(batch)
    path = folder / FILE
    pq.write_table(known, path, compression="zstd", row_group_size=store.ROW_GROUP_ROWS)
    file = {"name": FILE, "bytes": path.stat().st_size, "sha256": file_hash(path)}
    return {TABLE: {"rows": content.rows, "content": content.digest(), "files": [file]}}


def told(files: list[str]) -> Iterator[str]:
    """What the data card says of it, where it is among the files."""
    if FILE not in files:
        return
    yield "The configuration `shares` has a line for each label that may be meant of a row, joined by `id`: of rows"
    yield "that a person called ambiguous and, where models learn them, by the votes on all others. The one answer of"
    yield "a row stands in `labels`."
    yield ""
    rows = [
        ("id", "string", "The row. Rows without a line have their answer in `labels` alone."),
        ("part", "string", "Empty; or the one label of several that the line speaks of: others are as in `labels`."),
        ("label", "string", "A label; empty where nobody who voted gave the row one."),
        (
            "share",
            "double",
            "How probable it is, 0 to 1; of one label a row they sum to 1, of several each is its own.",
        ),
        ("by", "string", "`people`: somebody called it ambiguous; `votes`: the share of the annotators who gave it."),
    ]
    yield from table(("column", "type", "what it holds"), rows)


def config(files: list[str]) -> list[dict[str, Any]]:
    """The configuration of its own that it has for the hub, so that it is loaded by its name alone."""
    return [{"config_name": TABLE, "data_files": [{"split": TABLE, "path": [FILE]}]}] if FILE in files else []

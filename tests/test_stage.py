"""The frame around stages: no row goes missing, and nothing is done twice."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipeline import flow, stage
from pipeline.contract import REJECTED, contract
from pipeline.errors import AssayError
from pipeline.stage import Outcome, Stage, Work, batch_of, rejection
from tests.small import ALONE, CSV, built, contents, csv, made, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row

SCHEMA = contract("classification").schema
EXPECTED = ["ingest", "audit", "suspect", "augment", "split"]


def small(folder: Path, toml: str = CSV) -> Recipe:
    lines = [f"{n},a text that says number {n} and the word {'joy' if n % 2 else 'rain'},{n % 2}" for n in range(12)]
    return made(folder, toml, {"rows.csv": csv("id,text,label", lines)})


def fake(change: Callable[[list[Row]], tuple[list[Row], list[Row]]]) -> Stage:
    """An audit that keeps and rejects what `change` says."""

    def run(work: Work) -> Outcome:
        return Outcome(stream=stream(work), schemas={"rows": SCHEMA, "rejected": REJECTED})

    def stream(work: Work) -> Iterator[tuple[str, pa.RecordBatch]]:
        for batch in work.batches():
            kept, gone = change(batch.to_pylist())
            yield "rows", batch_of(kept, SCHEMA)
            lines = [rejection(row, stage="audit", reason="too_long", evidence="x") for row in gone]
            yield "rejected", batch_of(lines, REJECTED)

    return Stage(name="audit", after="ingest", sections=("audit",), run=run)


def run(one: Recipe, change: Callable[[list[Row]], tuple[list[Row], list[Row]]]) -> dict[str, Any]:
    return stage.run(fake(change), one, ALONE, tick=lambda rows: None)


# -- the law


def test_rejecting_keeps_the_law(tmp_path: Path) -> None:
    one = small(tmp_path)
    built(one, "ingest")
    report = run(one, lambda rows: (rows[3:], rows[:3]))
    counts = report["counts"]
    assert (counts["in"], counts["kept"], counts["rejected"], counts["reasons"]) == (12, 9, 3, {"too_long": 3})
    line = table(one, "audit", "rejected")[0]
    assert (line["id"], line["source"], line["stage"]) == ("s/0", "rows.csv:2", "audit")
    assert json.loads(line["row"])["text"] == "a text that says number 0 and the word rain"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: (rows[1:], []), "12 rows came in or were made, but 11 are accounted for"),
        (lambda rows: (rows, rows[:1]), "12 rows came in or were made, but 13 are accounted for"),
        (lambda rows: ([], []), "12 rows came in or were made, but 0 are accounted for"),
        (lambda rows: ([*rows[1:], rows[1]], []), "the ids that went out are not those that came in"),
        (
            lambda rows: ([{**rows[0], "id": "s/other"}, *rows[1:]], []),
            "the ids that went out are not those that came in",
        ),
        (lambda rows: ([*rows[1:], rows[1]], []), "please report it"),
    ],
)
def test_a_stage_that_loses_doubles_or_swaps_rows_fails(
    tmp_path: Path, change: Callable[[list[Row]], tuple[list[Row], list[Row]]], said: str
) -> None:
    one = small(tmp_path)
    built(one, "ingest")
    with pytest.raises(AssayError, match=f"^stage 'audit': .*{said}"):
        run(one, change)
    assert sorted(path.name for path in one.build.iterdir()) == [".lock", "ingest", "memo"]


def test_a_stage_that_fails_leaves_the_one_before_it(tmp_path: Path) -> None:
    one = small(tmp_path)
    built(one, "ingest")
    run(one, lambda rows: (rows, []))
    before = contents(one.build)

    def crash(rows: list[Row]) -> tuple[list[Row], list[Row]]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stage.run(replace(fake(crash), sections=("audit", "split")), one, ALONE, tick=lambda rows: None)
    assert contents(one.build) == before


def test_a_stage_without_the_one_before_it(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=r"^audit of 'small': the stage 'ingest' has not been run; assay run small$"):
        run(small(tmp_path), lambda rows: (rows, []))


# -- nothing is done twice


def fresh(one: Recipe) -> list[str]:
    return [name for name, report in built(one, "split").items() if report["fresh"]]


def edited(one: Recipe, more: str) -> Recipe:
    return small(one.folder.parent, CSV + more)


def test_what_is_up_to_date_is_not_run_again(tmp_path: Path) -> None:
    one = small(tmp_path)
    assert fresh(one) == EXPECTED
    before = contents(one.build)
    times = {path: path.stat().st_mtime_ns for path in one.build.rglob("*.parquet")}
    assert fresh(one) == []
    assert contents(one.build) == before
    assert {path: path.stat().st_mtime_ns for path in one.build.rglob("*.parquet")} == times


@pytest.mark.parametrize(
    ("more", "rerun"),
    [
        ("[ingest]\nlanguages = ['zh', 'en']", ["ingest"]),  # its rows come out the same: nothing else depends on it
        ("[audit]\nmax_text_chars = 5000", ["audit", "suspect"]),
        ("[audit]\nmin_text_chars = 43", ["audit", "suspect", "augment", "split"]),
        ("[augment]\nseed = 2", ["augment"]),
        ("[split]\nseed = 2", ["split"]),
        ("[gate]\nbounds = { conflicts = 0.1 }\n[finetune]\nepochs = 1", []),
        ("[guideline]\nversion = '2'", EXPECTED),
    ],
)
def test_one_setting_reruns_only_what_depends_on_it(tmp_path: Path, more: str, rerun: list[str]) -> None:
    one = small(tmp_path)
    fresh(one)
    toml = CSV.replace("[[ingest.source]]", more + "\n[[ingest.source]]") if more.startswith("[ingest]") else CSV + more
    changed = small(tmp_path, toml)
    assert fresh(changed) == rerun
    partial, whole = contents(one.build), small(tmp_path / "anew", toml)
    shutil.copy(one.folder / "split.lock", whole.folder)  # the past is an input of a build
    built(whole, "split")
    assert partial == contents(whole.build)


def test_changed_content_with_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    one = small(tmp_path)
    fresh(one)
    raw = one.folder / "rows.csv"
    before = raw.stat()
    raw.write_text(raw.read_text().replace("number 3", "number 7"))
    os.utime(raw, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (raw.stat().st_size, raw.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert fresh(one)[:2] == ["ingest", "audit"]


def test_touching_a_file_reruns_nothing(tmp_path: Path) -> None:
    one = small(tmp_path)
    fresh(one)
    os.utime(one.folder / "rows.csv", ns=(1, 1))
    assert fresh(one) == []


def test_a_cut_shard_reruns_its_stage_and_mends_it(tmp_path: Path) -> None:
    one = small(tmp_path)
    fresh(one)
    before = contents(one.build)
    shard = one.build / "audit" / "rows-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-9])
    assert fresh(one) == ["audit", "augment"]  # which let the rows stand: the file is one and the same
    assert contents(one.build) == before


def test_a_report_says_nothing_of_machine_or_time(tmp_path: Path) -> None:
    first, second = small(tmp_path / "one"), small(tmp_path / "two")
    built(first, "split")
    built(second, "split")
    for name in flow.NAMES:
        text = (first.build / name / "report.json").read_text(encoding="utf-8")
        assert str(tmp_path) not in text
        assert text == (second.build / name / "report.json").read_text(encoding="utf-8")


def test_libraries_that_stages_read_rows_with_count_and_those_of_gates_do_not() -> None:
    assert {"charset-normalizer", "datasets"} <= set(stage.MATTERS)
    assert "great_expectations" not in stage.MATTERS

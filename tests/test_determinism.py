"""The same inputs give the same bytes, however many workers, batches, shards, and in whatever order files came."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline import flow, store
from pipeline.engine import Engine
from tests.conftest import ROOT
from tests.small import ALONE, CSV, LABELS, Rows, built, contents, csv, jsonl, made, table

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

EVERYTHING = """
[[augment.edit]]
kind = "swap"
[[augment.edit]]
kind = "keyboard"
[[augment.edit]]
kind = "ocr"
[augment]
budget = 0.5
"""
CLASSIFICATION = CSV.replace('"rows.csv"', '"part-*.csv"').replace('label" }', 'label", annotator = "who" }')
TAGGING = """
task = "tagging"
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = { id = "id", spans = "spans" }
[augment]
budget = 0.5
[[augment.edit]]
kind = "mention_swap"
"""
WORDS = [
    "harbour",
    "quiet",
    "evening",
    "bread",
    "basket",
    "lantern",
    "garden",
    "winter",
    "promise",
    "letter",
    "bridge",
    "kettle",
    "morning",
    "window",
]
NAMES = ["Anna Berg", "Li Wei", "Omar", "Zoë", "Ines Paz"]


def phrase(number: int) -> str:
    return " ".join(WORDS[(number * step + step) % len(WORDS)] for step in (1, 3, 5, 9, 2)) + f" {number}"


def parts() -> dict[str, str]:
    """Two files: several annotators, disagreement, duplicates, conflicts, Chinese, and lines that cannot be read."""
    lines = []
    for number in range(60):
        text = phrase(number % 50) if number % 3 else f"第{number}天的晚上很安静，大家都回家了"
        said = [("ann", number % 2), ("bob", number % 2 if number % 5 else 1), ("eve", number % 7 == 0)]
        lines += [f"{number},{text},{'good' if label else 'bad'},{who}" for who, label in said]
    lines += ["0,another text,good,ann", "only one column", "99,unknown label,soso,ann"]
    return {f"part-{n}.csv": csv("id,text,label,who", lines[n::2]) for n in (0, 1)}


def sentences() -> dict[str, str]:
    records = []
    for number in range(40):
        name = NAMES[number % len(NAMES)]
        text = f"{phrase(number)} said {name} ."
        start = text.index(name)
        records.append(
            {"id": number, "text": text, "spans": [[start, start + len(name), "ORG" if number == 17 else "PER"]]}
        )
    return {"rows.jsonl": jsonl(records)}


def data_set(folder: Path, task: str) -> Recipe:
    if task == "tagging":
        return made(folder, TAGGING, sentences())
    return made(folder, CLASSIFICATION + LABELS + EVERYTHING, parts())


@pytest.fixture(scope="module", params=["classification", "tagging"])
def usual(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Recipe]:
    """A build with one worker and everything in one batch."""
    one = data_set(tmp_path_factory.mktemp("usual"), request.param)
    built(one, "split")
    return request.param, one


def test_the_build_is_worth_comparing(usual: tuple[str, Recipe]) -> None:
    task, one = usual
    reports = built(one, "split")
    assert reports["augment"]["counts"]["made"] > 3
    assert all(reports["split"]["tables"][side]["rows"] for side in ("train", "validation", "test"))
    looked = reports["suspect"]["tables"]
    assert looked["suspects"]["rows"] > 0
    assert looked["doubted"]["rows"] == reports["audit"]["tables"]["rows"]["rows"] > 20
    if task == "classification":
        assert set(reports["ingest"]["counts"]["reasons"]) == {"duplicate_id", "wrong_columns"}
        assert set(reports["audit"]["counts"]["reasons"]) >= {"merged_duplicate", "unknown_label"}


@pytest.mark.parametrize("engine", [Engine(1, 7), Engine(4, 7), Engine(4, 1000)], ids=str)
def test_workers_and_batches_change_no_byte(tmp_path: Path, usual: tuple[str, Recipe], engine: Engine) -> None:
    task, expected = usual
    one = data_set(tmp_path, task)
    built(one, "split", engine=engine)
    assert contents(one.build) == contents(expected.build)


ASKED = 'suspects = "{}"\nsuspect_model = "tiny"\nsuspect_folds = 2\n[finetune]\nmodel = "tiny"\n'
EVERYBODY = """
task = "classification"
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", gold = "gold" }
[guideline]
multiple = true
[audit]
"""


def heard() -> dict[str, str]:
    """Several answers a row, of named and unnamed annotators, in batches, under two guidelines, some rows with gold."""
    records = []
    for number in range(60):
        about = [{"batch": f"b{number % 4}", "guideline": f"v{number % 2}", "time": 1700000000 + 40 * number}] * 3
        given = [("ann", ["x", "y"][: number % 3]), ("bob", ["y"]), (None, ["x"] if number % 2 else ["z"])]
        said = [{"annotator": who, "answer": answer, **more} for (who, answer), more in zip(given, about, strict=True)]
        records.append(
            {"id": number, "text": phrase(number), "annotations": said, "gold": None if number % 7 else ["x"]}
        )
    return {"rows.jsonl": jsonl(records)}


@pytest.mark.parametrize("tier", ["quick", "encoder", "finetuned"])
def test_workers_and_batches_change_no_byte_of_what_models_say(tmp_path: Path, tier: str) -> None:
    """Whoever looks for suspects, and what is kept of it for the next time, beside the stages."""
    toml = EVERYBODY + ASKED.format(tier)
    engines = (ALONE, Engine(1, 7), Engine(4, 7))
    made_by = [made(tmp_path / str(at), toml, heard()) for at in range(len(engines))]
    both = [built(one, "suspect", engine=engine) for one, engine in zip(made_by, engines, strict=True)]
    reports = [each["audit"] for each in both]
    expected = contents(made_by[0].build)
    assert any(name.startswith("outputs/") for name in expected) == (tier != "quick")
    assert both[0]["suspect"]["tables"]["doubted"]["rows"] == reports[0]["counts"]["kept"] > 20
    assert reports[0]["details"]["annotations"]["gold"] == 9
    assert set(reports[0]["details"]["agreement"]["by_batch"]) == {"b0", "b1", "b2", "b3"}
    for one in made_by[1:]:
        assert contents(one.build) == expected


def hashes(one: Recipe) -> dict[str, dict[str, str]]:
    """The content hash of every table of every stage."""
    reports = {name: store.read_report(one.build / name) for name in flow.NAMES}
    return {
        name: {table: told["content"] for table, told in report["tables"].items()}
        for name, report in reports.items()
        if report
    }


@pytest.mark.parametrize("shard_rows", [7, 100, 10_000])
def test_shards_change_no_row(tmp_path: Path, usual: tuple[str, Recipe], shard_rows: int) -> None:
    task, expected = usual
    one = data_set(tmp_path, task)
    built(one, "split", engine=ALONE, shard_rows=shard_rows)
    assert hashes(one) == hashes(expected)


BUILD = """
import sys
from pathlib import Path
from pipeline import flow, recipe
from pipeline.engine import Engine
flow.build(recipe.load(Path(sys.argv[1])), Engine())
"""


@pytest.mark.parametrize("task", ["classification", "tagging"])
def test_hash_seed_changes_no_byte(tmp_path: Path, task: str) -> None:
    both = {seed: data_set(tmp_path / seed, task) for seed in ("0", "12345")}
    processes = []
    for seed, one in both.items():
        command = [sys.executable, "-c", BUILD, str(one.folder / "recipe.toml")]
        processes.append(subprocess.Popen(command, env=os.environ | {"PYTHONHASHSEED": seed}, cwd=ROOT))
    assert [process.wait() for process in processes] == [0, 0]
    assert contents(both["0"].build) == contents(both["12345"].build)


def test_files_made_in_another_order_change_no_byte(tmp_path: Path) -> None:
    files = parts()
    toml = CLASSIFICATION + LABELS
    one = made(tmp_path / "a", toml, files)
    other = made(tmp_path / "b", toml, dict(reversed(files.items())))
    built(one, "split")
    built(other, "split")
    assert contents(one.build) == contents(other.build)


def sides(one: Recipe) -> dict[str, str]:
    """The side of every row that annotators saw."""
    return {
        row["id"]: side
        for side in ("train", "validation", "test")
        for row in table(one, "split", side)
        if not row["parents"]
    }


def by_id(rows: Rows, *names: str) -> list[tuple[object, ...]]:
    return sorted(tuple(json.dumps(row[name]) for name in ("id", *names)) for row in rows)


def test_lines_in_another_order_change_no_answer_and_no_side(tmp_path: Path) -> None:
    header, *lines = sentences()["rows.jsonl"].splitlines(keepends=True)
    one = data_set(tmp_path / "a", "tagging")
    other = made(tmp_path / "b", TAGGING, {"rows.jsonl": "".join([*reversed(lines), header])})
    built(one, "split")
    built(other, "split")
    assert by_id(table(one, "audit"), "text", "spans") == by_id(table(other, "audit"), "text", "spans")
    assert by_id(table(one, "augment", "made"), "text") == by_id(table(other, "augment", "made"), "text")
    assert sides(one) == sides(other)

"""`assay decontaminate`: what stands in which row, as a table and as JSON, and a self-test with an exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from pipeline.commands import decontaminating
from pipeline.commands.app import app
from pipeline.errors import AssayError
from pipeline.quality.contamination import Proof, prove
from tests.quality.contamination.texts import SIZE, english
from tests.small import CSV, csv, jsonl, made

if TYPE_CHECKING:
    from pathlib import Path

BENCH = '[[against]]\nname = "bench"\nfiles = ["bench.jsonl"]\nformat = "jsonl"\n'
ITEMS = [english(seed, 20) for seed in range(60)]


def a_set(folder: Path, *, sets: str = BENCH, rows: int = 30) -> Path:
    """A data set whose third row holds an item and draws in markup; the path of its recipe."""
    texts = [english(1000 + at, 15) for at in range(rows)]
    texts[2] = f"[red]{ITEMS[7]}[/red]"
    lines = [f"{at},{text},good" for at, text in enumerate(texts)]
    bench = jsonl({"q": text} for text in ITEMS)
    one = made(folder, CSV + sets, {"rows.csv": csv("id,text,label", lines), "bench.jsonl": bench})
    return one.folder / "recipe.toml"


def asked(recipe: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["decontaminate", str(recipe), "--workers", "1", *options])


def test_rows_are_listed_with_their_items(tmp_path: Path) -> None:
    result = asked(a_set(tmp_path))
    assert result.exit_code == 0
    said = " ".join(result.output.split())
    assert "1 rows hold words of a held-out set" in said
    assert "s/2" in said
    assert "bench.jsonl:8" in said
    assert "100%" in said


def test_json_holds_every_line(tmp_path: Path) -> None:
    told = json.loads(asked(a_set(tmp_path), "--json").stdout)
    assert told["rows"] == 1
    assert [(line["id"], line["item"], line["field"]) for line in told["lines"]] == [("s/2", "bench.jsonl:8", "q")]


def test_a_recipe_without_a_held_out_set_says_how_to_name_one(tmp_path: Path) -> None:
    result = asked(a_set(tmp_path, sets=""))
    assert isinstance(result.exception, AssayError)
    assert "[[against]]" in str(result.exception)


@pytest.mark.parametrize("sets", [BENCH, ""], ids=["named", "own"])
def test_the_self_test_passes_on_named_sets_and_on_own_rows(tmp_path: Path, sets: str) -> None:
    result = asked(a_set(tmp_path, sets=sets, rows=60), "--selftest")
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert ("self-test on bench" if sets else "self-test on its own rows") in said
    assert "passed" in said
    told = json.loads(asked(a_set(tmp_path, sets=sets, rows=60), "--selftest", "--json").stdout)
    (proof,) = told.values()
    assert proof["passed"]
    assert {line["kind"] for line in proof["lines"]} > {"as it is", "inside a longer text", "its words shuffled"}


def test_a_self_test_that_fails_exits_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = prove(ITEMS, size=SIZE, least_share=0.4, most=5)
    bad = Proof(good.lines, good.precision, 0, passed=False)
    monkeypatch.setattr("pipeline.planted.proofs", lambda work: iter([("bench", bad)]))
    result = asked(a_set(tmp_path), "--selftest")
    assert result.exit_code == decontaminating.EXIT_MISSED
    assert "failed" in result.output


def test_too_few_texts_to_plant_are_refused(tmp_path: Path) -> None:
    result = asked(a_set(tmp_path, sets="", rows=8), "--selftest")
    assert isinstance(result.exception, AssayError)
    assert "8 texts are too few to plant" in str(result.exception)

"""`assay audit-plan`: a plan, its list, verdicts, and where they stand, as the terminal shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from pipeline import __main__ as command_line
from pipeline.checks import show
from pipeline.checks.reading import Taken
from pipeline.errors import AssayError
from tests.checks.sets import built, filled, row, said, sheet

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

RECIPE = """
task = "classification"
[guideline]
label = [{ name = "warm" }, { name = "cold" }]
[[ingest.source]]
name = "made"
format = "jsonl"
files = ["a.jsonl"]
"""


@pytest.fixture
def one(tmp_path: Path) -> Recipe:
    recipe = built(tmp_path, [row(number, labels=[("warm", "cold")[number % 2]]) for number in range(2_000)])
    (recipe.folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return recipe


def plan(one: Recipe, *arguments: str) -> Result:
    return CliRunner().invoke(command_line.app, ["audit-plan", "small", "--data", str(one.folder.parent), *arguments])


def test_from_the_plan_to_shown(one: Recipe, tmp_path: Path) -> None:
    told = plan(one, "--at-most", "0.05").output
    assert "To be shown: at most 5.00% of the rows are wrong, with 95% confidence" in told
    assert "label cold" in told
    assert "0 wrong: 72, 1 wrong: 126" in told
    path = filled(tmp_path / "a.csv", said(sheet(one), {}))
    told = plan(one, "--read", str(path)).output
    assert f"verdicts: {len(sheet(one))} new, 0 known already, 0 left blank" in told
    assert "Stop: the bound is shown." in told
    assert plan(one, "--status").output.splitlines()[0] == told.splitlines()[1]


def test_a_fixed_plan_says_why_and_nothing_of_stopping_early(one: Recipe) -> None:
    told = " ".join(plan(one, "--fixed", "--by", "source").output.split())
    assert "of a set with more than 2.00% wrong, 140 rows drawn by chance hold at most 0 wrong ones" in told
    assert "140 rows, 140 of them to be checked" in told
    assert "stopped anywhere" not in told


def test_suspects_are_named(tmp_path: Path, one: Recipe) -> None:
    built(tmp_path, [row(number) for number in range(2_000)], suspects=[f"made/{at}" for at in range(60)])
    told = " ".join(plan(one, "--by", "suspicion").output.split())
    assert re.search(r"Why: \d+ suspects and \d+ of the other rows are checked", told)


@pytest.mark.parametrize(
    ("arguments", "said_"),
    [
        (("--status",), "checks of 'small': there is no plan; assay audit-plan small"),
        (("--status", "--at-most", "0.1"), "a plan is made or changed on its own; leave --read and --status out"),
        (("--by", "lable"), "plan: by = 'lable'"),
        (("--read", "none.csv"), "there is no plan"),
    ],
)
def test_mistakes_are_told(one: Recipe, arguments: tuple[str, ...], said_: str) -> None:
    result = plan(one, *arguments)
    assert isinstance(result.exception, AssayError)
    assert said_ in str(result.exception)


def test_what_came_of_reading_is_told_without_control_characters() -> None:
    told = show.taken(Taken([], 1, ["a.csv:2: x\x1b[31m"], 2, 3, ("a", "b", "c", "d", "e", "f")))
    assert told == [
        "verdicts: 0 new, 1 known already, 2 left blank",
        "not counted, stale: a.csv:2: x[U+001B][31m",
        "3 corrections written to decisions.jsonl; the next build follows them",
        "wrong, but no right answer that all agree on: a, b, c, d, e and 1 more",
    ]

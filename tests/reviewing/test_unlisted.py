"""Rows that no list shows: those drawn by chance and checked, up to the first that nobody checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.chance import draw
from pipeline.checks.ledger import Check, append
from pipeline.checks.plan import plan_of, verdict_file
from pipeline.reviewing.progress import facts
from pipeline.reviewing.unlisted import sample
from tests.builds import a_recipe
from tests.reviewing.judging import a_queue, doubt, reviewed

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

IDS = [f"film/{at}" for at in range(40)]


def planned(folder: Path, **more: Any) -> Recipe:
    """A recipe with a plan."""
    made = a_recipe(folder, plan={}, **more)
    made.folder.mkdir(parents=True, exist_ok=True)
    return made


def order(made: Recipe) -> list[str]:
    """The rows in the order in which the plan draws them."""
    plan = plan_of(made)
    assert plan is not None
    return sorted(IDS, key=lambda id_: draw(plan.seed, "check", id_))


def check(made: Recipe, ids: list[str], wrong: int = 0) -> None:
    """Check rows, so many of them wrong."""
    said = (("wrong" if at < wrong else "fine", id_) for at, id_ in enumerate(ids))
    checks = [Check(id_, verdict, "ana", "2026-01-01", "text", "[]") for verdict, id_ in said]  # type: ignore[arg-type]
    append(verdict_file(made), checks)


def test_without_checks_or_plan_there_is_no_sample(tmp_path: Path) -> None:
    assert sample(planned(tmp_path / "1"), IDS).told() == {"checked": 0, "wrong": 0}
    bare = a_recipe(tmp_path / "2")
    bare.folder.mkdir(parents=True, exist_ok=True)
    check(bare, IDS)
    assert sample(bare, IDS).told() == {"checked": 0, "wrong": 0}


def test_those_before_the_first_hole_count(tmp_path: Path) -> None:
    made = planned(tmp_path)
    drawn = order(made)
    check(made, drawn[:10] + drawn[11:30], wrong=3)
    found = sample(made, IDS)
    assert found.rows == set(drawn[:10])
    assert found.wrong == 3
    assert sample(made, IDS[::-1]) == found
    check(made, drawn[10:11])
    assert len(sample(made, IDS).rows) == 30


def test_rows_that_a_list_shows_make_no_hole(tmp_path: Path) -> None:
    made = planned(tmp_path)
    drawn = order(made)
    check(made, drawn[1:5])
    assert sample(made, IDS).rows == frozenset()
    assert sample(made, drawn[1:]).rows == set(drawn[1:5])


def test_what_is_told_of_such_rows_follows_the_sample(tmp_path: Path) -> None:
    queue = a_queue(10)
    made = reviewed(tmp_path, [])
    made = replace(made, settings=planned(tmp_path).settings.model_copy(update={"task": "tagging"}))
    doubt(made, [0.01] * 500)
    guess = facts(made, queue)["left"]["below"]
    ids = sorted((f"film/{at}" for at in range(10, 500)), key=lambda id_: draw(plan_of(made).seed, "check", id_))  # type: ignore[union-attr]
    check(made, ids[:100], wrong=30)
    told = facts(made, queue)["left"]["below"]
    assert guess["sample"] == {"checked": 0, "wrong": 0}
    assert "guess" in guess["says"]
    assert told["sample"] == {"checked": 100, "wrong": 30}
    assert "drawn by chance" in told["says"]
    assert guess["value"] < 20
    assert 80 < told["low"] < told["value"] < told["high"] < 180

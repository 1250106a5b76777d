"""The plan: from the command line once, or from the recipe, and never two at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.checks.plan import plan_of, read_from, settle
from pipeline.errors import AssayError
from pipeline.settings import PlanSettings
from tests.checks.sets import built

if TYPE_CHECKING:
    from pathlib import Path


def test_a_plan_is_kept_and_changed_only_where_that_is_said(tmp_path: Path) -> None:
    recipe = built(tmp_path, [])
    assert plan_of(recipe) is None
    assert read_from(recipe) == []
    assert settle(recipe) == PlanSettings() == plan_of(recipe)
    settle(recipe, at_most=0.05, by=["source"])
    settle(recipe, sequential=False, at_most=None)
    assert plan_of(recipe) == PlanSettings(at_most=0.05, by=("source",), sequential=False)
    assert [path.name for path in read_from(recipe)] == ["plan.json"]


def test_the_recipe_wins_and_is_not_contradicted(tmp_path: Path) -> None:
    recipe = built(tmp_path, [], plan={"at_most": 0.01})
    assert settle(recipe, at_most=0.01).at_most == 0.01
    assert not (recipe.folder / "checks").exists()
    with pytest.raises(AssayError, match=r"\[plan\]: the command line asks for another plan; say it in \[plan\]"):
        settle(recipe, at_most=0.05)


def test_values_out_of_range_and_broken_files_are_named(tmp_path: Path) -> None:
    recipe = built(tmp_path, [])
    with pytest.raises(AssayError, match="plan: at_most = 2: Input should be less than 1; mend the option"):
        settle(recipe, at_most=2)
    with pytest.raises(AssayError, match="plan: by = 'lable'"):
        settle(recipe, by=["lable"])
    settle(recipe)
    (recipe.folder / "checks" / "plan.json").write_text('{"at_moust": 1}', encoding="utf-8")
    with pytest.raises(AssayError, match=r"checks/plan\.json: is no plan"):
        plan_of(recipe)

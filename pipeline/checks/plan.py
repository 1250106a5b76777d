"""The plan: what checking is to show, from the recipe or from the file that the command wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipeline.errors import AssayError
from pipeline.settings import PlanSettings

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

PLAN = "plan.json"
CONSEQUENCE = "say it in [plan] of the recipe, which wins over the command line"


def folder(recipe: Recipe) -> Path:
    """Where the plan and the lists to check lie, under version control with the recipe."""
    return recipe.folder / "checks"


def verdict_file(recipe: Recipe) -> Path:
    """The file of all verdicts that were read, one a line; only ever added to."""
    return recipe.folder / "checks.jsonl"


def read_from(recipe: Recipe) -> list[Path]:
    """The files that say where the checks stand, beside the build and the recipe: plan, verdicts, decisions."""
    return [path for path in (folder(recipe) / PLAN, verdict_file(recipe), recipe.decisions) if path.is_file()]


def plan_of(recipe: Recipe) -> PlanSettings | None:
    """The plan of a data set; None where nobody has asked for one.

    Raises:
        AssayError: the file of the plan cannot be read.
    """
    if recipe.settings.plan is not None:
        return recipe.settings.plan
    path = folder(recipe) / PLAN
    return _read(path) if path.is_file() else None


def settle(recipe: Recipe, **given: Any) -> PlanSettings:
    """The plan with what is `given` (None: as it was), written beside the recipe unless the recipe holds one.

    Raises:
        AssayError: a value out of range, or one that the recipe contradicts.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    before = plan_of(recipe)
    base = before.model_dump() if before else {}
    try:
        wanted = PlanSettings.model_validate(base | chosen)
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0]) if fault["loc"] else "plan"
        raise AssayError("plan", f"{name} = {fault['input']!r:.60}: {fault['msg']}", "mend the option") from error
    if recipe.settings.plan is not None:
        if wanted != before:
            raise AssayError(f"recipe '{recipe.name}' [plan]", "the command line asks for another plan", CONSEQUENCE)
        return wanted
    if wanted != before:
        place = folder(recipe)
        place.mkdir(parents=True, exist_ok=True)
        text = json.dumps(wanted.model_dump(mode="json"), indent=1, sort_keys=True)
        (place / PLAN).write_text(text + "\n", encoding="utf-8")
    return wanted


def _read(path: Path) -> PlanSettings:
    try:
        return PlanSettings.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = f"is no plan: {error.errors()[0]['msg']}"
        raise AssayError(f"{path.parent.name}/{path.name}", problem, "mend the file, or delete it") from error

"""What of a build is of an earlier split or model: reports are held to one another by content, not by row counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.pages.build import Build

SIDES = ("train", "validation", "test")


def gates_are_old(build: Build) -> bool:
    """Whether the gates judged another split than the one that stands there."""
    return "gate" in build.reports and _is_of_another_split(build, build.reports["gate"].get("split") or {})


def model_is_old(build: Build) -> bool:
    """Whether the model was trained on another split."""
    return "finetune" in build.reports and _is_of_another_split(build, build.details("finetune", "split"))


def scores_are_old(build: Build) -> bool:
    """Whether the scores are of another split, or of another model than the one that stands there."""
    if "evaluate" not in build.reports:
        return False
    trained = build.reports.get("finetune")
    is_other = trained is not None and build.details("evaluate").get("trained") != trained.get("key")
    return is_other or model_is_old(build) or _is_of_another_split(build, build.details("evaluate", "split"))


def _is_of_another_split(build: Build, seen: Mapping[str, Any]) -> bool:
    tables = build.reports.get("split", {}).get("tables", {})
    return bool(tables) and any(tables.get(side, {}).get("content") != seen.get(side) for side in SIDES)

"""Rebuilding: builds that take the place of the one that a page shows, for the tests of what it makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline import reviewing, stage, store
from pipeline.reviewing.desk import Desk
from pipeline.suspecting import SUSPECTS
from tests.builds import a_recipe, a_tagged
from tests.reviewing.queues import a_suspect
from tests.reviewing.seats import LABELS, built

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row

PART = "9:16"
TEAMS = ("Arsenal", "Chelsea", "Everton", "Cardiff", "Burnley", "Watford", "Norwich", "Swansea")
Scores = dict[int, float]
"""How probably the team of each match is marked wrongly, by the number of the match; each has a line."""


def match(at: int, what: str = "won", label: str = "LOC") -> Row:
    """A row in which a team of seven letters is marked; matches share little, so that no two are grouped."""
    team = TEAMS[at % len(TEAMS)]
    return a_tagged(f"film/{at}", f"Match {at}: {team} {what} at home.", [(label, team)])


def rebuild(recipe: Recipe, scores: Scores, rows: Sequence[Row] | None = None) -> None:
    """Build a data set of these matches anew."""
    told = [match(at) for at in scores] if rows is None else rows
    built(recipe, told)
    with store.replacing(recipe.build / "suspect") as place:
        table = store.Table(place, "suspects", SUSPECTS, 50_000)
        lines = [a_suspect(f"film/{at}", "LOC", "ORG", score, part=PART) for at, score in scores.items()]
        table.write(stage.batch_of(lines, SUSPECTS))
        store.write_report(place, {"stage": "suspect", "key": "x", "tables": {"suspects": table.close()}})


def matches(folder: Path, scores: Scores, **review: Any) -> Desk:
    """A desk with a line for each of these matches."""
    settings = {"double_share": 0.0, "blind_share": 0.0, **review}
    recipe = a_recipe(folder, task="tagging", guideline=LABELS, review=settings)
    rebuild(recipe, scores)
    return Desk(recipe, reviewing.queue(recipe))

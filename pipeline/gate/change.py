"""What changed since the version that the build is measured from: the frame `change`, of one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline import versions
from pipeline.gate.facts import NO_LABEL
from pipeline.shaping import ERASED
from pipeline.versions.drift import shares
from pipeline.versions.held import SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.recipe import Recipe
    from pipeline.versions import Held

TEST = "test"
COLUMNS = ("test_changed", "flipped_share", "flipped_rows", "lost_share", "class_drift")
NO_BASE = (
    "no earlier version that passed its gates holds other rows: the next build is held to the first that passes;"
    " [gate] base = ID measures from another"
)
_IDS = 5


def values(
    recipe: Recipe, classes: Mapping[str, int]
) -> tuple[pd.DataFrame, dict[str, str], dict[str, dict[str, str]]]:
    """The line, why its values are missing, and what was seen; `classes`: rows of the build by class.

    Raises:
        AssayError: the version cannot be compared with the build, or the recipe names one that is not there.
    """
    base = versions.base(recipe)
    if base is None:
        return _line(recipe, dict.fromkeys(COLUMNS)), dict.fromkeys(COLUMNS, NO_BASE), {}
    now = versions.standing(recipe)
    found = versions.change_of_rows(base, now, limit=_IDS)
    drift = shares(_classes(base), classes, rows=(sum(base.rows.values()), sum(now.rows.values())))
    common = found["rows"]["before"] - found["rows"]["removed"]
    lost = sum(_lost(found, side) for side in SIDES)
    test, told = _test(found, base, now)
    numbers = {
        "test_changed": test,
        "flipped_share": found["rows"]["relabelled"] / max(common, 1),
        "flipped_rows": found["rows"]["relabelled"],
        "lost_share": lost / max(found["rows"]["before"], 1),
        "class_drift": drift["total_variation"],
    }
    why = {"class_drift": "no row of the build, or none of the version, has a class"}
    seen = _seen(found, drift, base) | {"test_changed": f"since {base.name}: {told}"}
    return _line(recipe, numbers), why, {column: {recipe.name: said} for column, said in seen.items()}


def base_name(recipe: Recipe) -> str:
    """The version that is measured from, for the key of the gates; empty where there is none.

    Raises:
        AssayError: the recipe names one that is not there.
    """
    found = versions.base(recipe)
    return found.id if found else ""


def _line(recipe: Recipe, numbers: Mapping[str, Any]) -> pd.DataFrame:
    table = pd.DataFrame({"id": [recipe.name], **{name: [numbers[name]] for name in COLUMNS}})
    return table.astype(dict.fromkeys(COLUMNS, float))


def _lost(found: Mapping[str, Any], side: str) -> int:
    """Rows of a side that annotators saw and that are gone, but for those that were erased."""
    return sum(count for reason, count in found["lost"].get(side, {}).items() if reason != ERASED)


def _test(found: Mapping[str, Any], base: Held, now: Held) -> tuple[int, str]:
    """How many rows of the test side are not what they were, and which; what was asked for is told and not counted."""
    side = found["sides"][TEST]
    erased = found["lost"].get(TEST, {}).get(ERASED, 0)
    kinds = ("added", "removed", "moved_in", "moved_out", "relabelled", "retexted")
    told = ", ".join(f"{side[kind]:,} {kind.replace('_', ' ')}" for kind in kinds if side[kind]) or "nothing"
    told += f" ({erased:,} of them erased)" if erased else ""
    if base.about["edition"] != now.about["edition"]:
        return 0, f"{told}; the recipe asks for edition {now.about['edition']} of the split"
    count = side["added"] + side["removed"] - erased + side["moved_in"] + side["moved_out"] + side["differs"]
    return count, told


def _seen(found: Mapping[str, Any], drift: Mapping[str, Any], base: Held) -> dict[str, str]:
    flows = ", ".join(f"{one['from']} → {one['to']} {one['count']:,}" for one in found["labels"][:_IDS])
    ids = ", ".join(one["id"] for one in found["examples"]["relabelled"])
    flipped = f"since {base.name}: {found['rows']['relabelled']:,} rows" + (f" ({flows}): {ids}" if ids else "")
    gone = [f"{reason} {count:,}" for side in SIDES for reason, count in found["lost"].get(side, {}).items()]
    moved = [f"{one['name']} {one['before']:,} → {one['after']:,}" for one in drift["lines"][:_IDS]]
    return {
        "flipped_share": flipped,
        "flipped_rows": flipped,
        "lost_share": f"since {base.name}: {', '.join(gone) or 'none'}",
        "class_drift": f"since {base.name}: {', '.join(moved)}",
    }


def _classes(base: Held) -> dict[str, int]:
    counts: dict[str, int] = {}
    for side in SIDES:
        for name, rows in base.about["facts"][side]["classes"].items():
            if name != NO_LABEL:
                counts[name] = counts.get(name, 0) + rows
    return counts

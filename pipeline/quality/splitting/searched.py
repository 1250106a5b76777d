"""Searched: the pairs of rows that the audit found to say the same, for those who need not search again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline import store

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.recipe import Recipe

PAIRS = ("left", "right", "kind", "accepted", "outcome")
NEEDED = frozenset({"near", "contained"})


def accepted(recipe: Recipe) -> pa.Table | None:
    """The accepted pairs of the audit (columns: `PAIRS`); None where it has none, old or new."""
    folder = recipe.build / "audit"
    report = store.read_report(folder) or {"tables": {}}
    if "pairs" not in report["tables"]:
        return None
    found = store.whole_table(folder, "pairs", columns=PAIRS)
    return found.filter(found["accepted"])


def near(recipe: Recipe) -> pa.Table | None:
    """Those pairs, if the audit looked for near and contained ones as the split would; else None."""
    report = store.read_report(recipe.build / "audit") or {"details": {}}
    searched = report["details"].get("duplicates", {}).get("searched", ())
    same = recipe.settings.audit.near_threshold == recipe.settings.split.near_threshold
    return accepted(recipe) if same and set(searched) >= NEEDED else None

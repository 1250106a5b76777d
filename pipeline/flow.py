"""The way from raw files to gated splits: which stages there are, how they are run, and how their counts add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline import audit, augment, ingest, split, stage, store, suspect
from pipeline.errors import AssayError
from pipeline.finetune import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.engine import Engine
    from pipeline.recipe import Recipe

STAGES = (ingest.STAGE, audit.STAGE, suspect.STAGE, augment.STAGE, split.STAGE)
NAMES = tuple(one.name for one in STAGES)
DECIDING = tuple(name for name in NAMES if name != suspect.STAGE.name)
"""The stages that rows pass through; the other one only looks."""


def build(
    recipe: Recipe,
    engine: Engine,
    *,
    last: str = NAMES[-1],
    begin: Callable[[str], Callable[[int], None]] = lambda name: lambda rows: None,
    shard_rows: int = stage.SHARD_ROWS,
    fresh: bool = False,
) -> list[dict[str, Any]]:
    """Run the stages up to `last`, each unless its result is there already; their reports in order.

    `fresh`: run them all, whatever is there, and believe nothing that is remembered of earlier runs.
    `begin` is called with the name of each stage and gives the function that is told of rows done.
    """
    reports = []
    with store.locked(recipe.build):
        for one in STAGES[: NAMES.index(last) + 1]:
            tick = begin(one.name)
            reports.append(stage.run(one, recipe, engine, tick=tick, shard_rows=shard_rows, fresh=fresh))
    return reports


def reports(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """The reports of all stages that are whole, by name, in order."""
    named = [(name, store.read_report(recipe.build / name)) for name in (*NAMES, "gate", "finetune", "evaluate")]
    return {name: report for name, report in named if report is not None}


@dataclass(frozen=True)
class Line:
    """One line of the waterfall: the stage, what happened, to how many, and whether the number is a sum so far."""

    stage: str
    what: str
    count: int
    total: bool = False
    unit: str = "rows"


def ledger(recipe: Recipe) -> list[Line]:
    """The waterfall of counts from raw records to the tokens that the trainer learns from.

    Raises:
        AssayError: nothing was built, or the counts of two stages do not meet.
    """
    found = reports(recipe)
    if "ingest" not in found:
        raise AssayError(f"data set '{recipe.name}'", "nothing was built yet", f"assay run {recipe.name}")
    lines: list[Line] = []
    before = None
    for name in (name for name in DECIDING if name in found):
        lines += _stage_lines(name, found[name], before, recipe)
        before = found[name]["counts"]["kept"]
    if "split" in found:
        tables = found["split"]["tables"]
        lines += [Line("split", f"in {side}", tables[side]["rows"], True) for side in ("validation", "test", "train")]
    return lines + list(_learned(found, recipe))


def _stage_lines(name: str, report: dict[str, Any], before: int | None, recipe: Recipe) -> Iterator[Line]:
    counts = report["counts"]
    if before is not None and counts["in"] != before:
        raise AssayError(
            f"ledger of '{recipe.name}'",
            f"{name} took in {counts['in']} rows, but the stage before kept {before}",
            f"assay run {recipe.name}",
        )
    if before is None:
        yield Line(name, "records read", counts["in"], True)
    if counts["joined"]:
        yield Line(name, "joined to a row as its annotations", -counts["joined"])
    if counts["made"]:
        yield Line(name, "copies made", counts["made"])
    for reason, count in sorted(counts["reasons"].items(), key=lambda item: (-item[1], item[0])):
        yield Line(name, reason, -count)
    yield Line(name, "rows kept", counts["kept"], True)


def _learned(found: dict[str, dict[str, Any]], recipe: Recipe) -> Iterator[Line]:
    """What the trainer made of the training rows, down to the targets it learned from."""
    trained, dealt = found.get("finetune"), found.get("split")
    if trained is None or dealt is None:
        return
    counts = trained["details"]["ledger"]
    if not keys.is_of(trained, dealt):
        return  # a model of an earlier split, as the report of the build says: what it learned from is not these rows
    for what, name in (("left out of the sample", "sampled_out"), ("nothing to learn from", "rows_that_teach_nothing")):
        if counts[name]:
            yield Line("finetune", what, -counts[name])
    yield Line("finetune", "rows learned from", counts["rows_learned_from"], True)
    left = counts["rows"] - counts["sampled_out"] - counts["rows_that_teach_nothing"]
    if left != counts["rows_learned_from"]:
        problem = f"{left} rows are left to learn from, but {counts['rows_learned_from']} were learned from"
        raise AssayError(f"ledger of '{recipe.name}'", problem, f"assay finetune {recipe.name}")
    yield Line("finetune", "tokens in them, an epoch", counts["tokens"], True, "tokens")
    yield Line("finetune", "targets learned, an epoch", counts["learned_targets"], True, "targets")

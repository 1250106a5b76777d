"""What the checks show, as plain values and sentences for the report, the terminal and the gate."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.checks.plan import plan_of
from pipeline.checks.population import Population, population
from pipeline.checks.standing import Standing, State, idle, standing
from pipeline.checks.targets import targets

if TYPE_CHECKING:
    from pipeline.recipe import Recipe
    from pipeline.settings import PlanSettings


def facts(recipe: Recipe) -> dict[str, Any] | None:
    """Where the checks of a data set stand, as plain values for the report and the gate; None where there is no plan.

    Keys: plan, stage, rows, state ("shown" only if every target is), targets (see `Standing`, with `said`), too_few
    (strata in which the bound is not held, with their rows), idle (verdicts that count towards nothing yet), stale,
    conflicts, doubled, sentences.

    Raises:
        AssayError: nothing was built, or the plan or a line of the checks cannot be read.
    """
    plan = plan_of(recipe)
    if plan is None:
        return None
    people = population(recipe, plan)
    held, too_few = targets(people, plan)
    stands = [standing(people, target, plan) for target in held]
    states = {one.state for one in stands}
    state: State = "failed" if "failed" in states else "go on" if "go on" in states else "shown"
    return {
        "plan": plan.model_dump(mode="json"),
        "stage": people.stage,
        "rows": len(people.ids),
        "state": state,
        "checked": len(people.found),
        "targets": [asdict(one) | {"said": one.said, "over": one.over} for one in stands],
        "too_few": [{"name": name, "rows": rows} for name, rows in too_few],
        "stale": people.stale,
        "conflicts": people.conflicts,
        "doubled": {"rows": people.doubled[0], "same": people.doubled[1]},
        "idle": (waiting := idle(people, held, plan)),
        "sentences": _sentences(plan, people, stands, state, waiting),
    }


def _sentences(plan: PlanSettings, people: Population, stands: list[Standing], state: State, waiting: int) -> list[str]:
    overall = stands[0]
    told = [_asked(plan), overall.said]
    if overall.ambiguous:
        share = overall.ambiguous / overall.checked
        told.append(f"{overall.ambiguous} of the checked rows ({share:.1%}) are ambiguous; they do not count as wrong.")
    if overall.mended:
        told.append(
            f"{overall.mended} of the {overall.wrong} wrong ones were corrected or taken out since: at most "
            f"{overall.found_bound:.2%} were wrong, at most {overall.bound:.2%} are."
        )
    open_ = [one.name for one in stands[1:] if one.state != "shown"]
    if stands[1:]:
        told.append(f"{len(stands) - 1 - len(open_)} of {len(stands) - 1} strata are shown to hold the bound.")
    if waiting:
        told.append(f"{waiting} verdicts do not count yet: rows that come before them in the draw are not checked.")
    if people.stale:
        told.append(f"{len(people.stale)} verdicts no longer speak of a row and do not count.")
    if people.conflicts:
        told.append(f"On {len(people.conflicts)} rows people differ; a third one should look.")
    ends = {"shown": "Stop: the bound is shown.", "failed": "Stop: the bound does not hold; mend the data first."}
    return [*told, ends.get(state, "Go on.")]


def _asked(plan: PlanSettings) -> str:
    how = "looking after every check" if plan.sequential else "after a number of checks settled beforehand"
    return (
        f"To be shown: at most {plan.at_most:.2%} of the rows are wrong, with {plan.confidence:.0%} confidence, {how}."
    )

"""Where checks stand: what counts, what is shown, when to stop, after corrections too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.checks.facts import facts
from pipeline.checks.ledger import Check, append
from pipeline.checks.plan import plan_of, verdict_file
from pipeline.checks.population import Found, Population, population
from pipeline.checks.standing import Standing, standing
from pipeline.checks.targets import needed, targets
from pipeline.quality import acceptance, anytime
from pipeline.settings import PlanSettings
from tests.checks.sets import built, row

if TYPE_CHECKING:
    from pathlib import Path

PLAN = PlanSettings(by=())
FIXED = PlanSettings(by=(), sequential=False)


def people(
    rows: int, verdicts: dict[int, Found] | int, *, wrong: int = 0, mended: int = 0, **groups: Any
) -> Population:
    """A population of which the first rows were checked, the first of them wrong."""
    if isinstance(verdicts, int):
        ways = [Found("wrong", mended=at < mended) if at < wrong else Found("fine") for at in range(verdicts)]
        verdicts = dict(enumerate(ways))
    named = {(kind, name): np.array(at) for kind, own in groups.items() for name, at in own.items()}
    return Population("split", [f"r/{at}" for at in range(rows)], named, verdicts)


def overall(who: Population, plan: PlanSettings = PLAN) -> Standing:
    return standing(who, targets(who, plan)[0][0], plan)


def test_nothing_checked_shows_nothing() -> None:
    found = overall(people(10_000, 0))
    assert (found.bound, found.estimate, found.state, found.more) == (1.0, None, "go on", 185)


def test_it_is_shown_at_the_stop_and_not_before() -> None:
    assert overall(people(10_000, 184)).state == "go on"
    assert overall(people(10_000, 184)).more == 1
    assert overall(people(10_000, 185)).state == "shown"
    found = overall(people(10_000, 185, wrong=1))
    assert (found.state, found.more, found.more_at_rate) == ("go on", 324 - 185, found.more_at_rate)
    assert found.said.endswith(f"go on, {324 - 185} more if none is wrong.")
    assert overall(people(10_000, 324, wrong=1)).state == "shown"


def test_too_many_wrong_is_told_before_the_end() -> None:
    found = overall(people(10_000, 100, wrong=12))
    assert found.state == "failed"
    assert found.low > 0.02
    assert "stop, more than 2.00%" in found.said


def test_only_rows_before_the_first_unchecked_one_count() -> None:
    checked = {at: Found("fine") for at in range(300) if at != 50} | {299: Found("wrong")}
    assert (overall(people(10_000, checked)).checked, overall(people(10_000, checked)).wrong) == (50, 0)


def test_ambiguous_ones_are_told_and_are_not_wrong() -> None:
    found = overall(people(10_000, {at: Found("ambiguous" if at < 9 else "fine") for at in range(185)}))
    assert (found.state, found.ambiguous, found.wrong) == ("shown", 9, 0)


def test_what_was_mended_is_taken_off_the_bound() -> None:
    before, after = overall(people(1_000, 300, wrong=3)), overall(people(1_000, 300, wrong=3, mended=3))
    assert before.estimate == after.estimate == 0.01
    assert before.found_bound == after.found_bound == before.bound == anytime.upper(3, 300, 1_000)
    assert after.bound == pytest.approx((before.bound * 1_000 - 3) / 997)
    whole = overall(people(200, 200, wrong=10, mended=10))
    assert (whole.state, whole.bound, whole.found_bound) == ("shown", 0.0, 0.05)


def test_how_many_more_is_enough_with_and_without_corrections() -> None:
    for mended in (0, 2):
        found = overall(people(3_000, 250, wrong=2, mended=mended))
        assert found.more is not None
        assert overall(people(3_000, 250 + found.more, wrong=2, mended=mended)).state == "shown"
        assert overall(people(3_000, 250 + found.more - 1, wrong=2, mended=mended)).state == "go on"


def test_a_fixed_plan_speaks_when_all_of_it_is_checked_and_only_of_it() -> None:
    plan = acceptance.single_plan(0.02, rows=10_000)
    assert needed(10_000, FIXED) == (plan.checks, 0)
    early = overall(people(10_000, plan.checks - 1), FIXED)
    assert (early.state, early.more) == ("go on", 1)
    assert early.bound == acceptance.upper(1, plan.checks, rows=10_000)
    assert overall(people(10_000, plan.checks), FIXED).state == "shown"
    assert overall(people(10_000, 20, wrong=1), FIXED).state == "failed"
    later = {at: Found("wrong" if at == plan.checks else "fine") for at in range(plan.checks + 1)}
    found = overall(people(10_000, later), FIXED)
    assert (found.state, found.checked) == ("shown", plan.checks)


def test_a_fixed_plan_may_allow_wrong_ones() -> None:
    plan = FIXED.model_copy(update={"good": 0.005})
    checks, allowed = needed(10_000, plan)
    assert allowed > 0
    assert overall(people(10_000, checks, wrong=allowed), plan).state == "shown"
    assert overall(people(10_000, checks, wrong=allowed + 1), plan).state == "failed"


def test_strata_with_enough_rows_are_held_and_small_ones_together() -> None:
    plan = PlanSettings(by=("label",))
    groups = {"big": range(500), **{f"small {at}": range(500 + 60 * at, 560 + 60 * at) for at in range(5)}}
    held, too_few = targets(people(800, 0, label=groups), plan)
    assert [(one.name, one.rows) for one in held] == [
        ("overall", 800), ("label big", 500), ("label: 5 small ones together", 300)
    ]  # fmt: skip
    assert not too_few
    held, too_few = targets(people(560, 0, label={"big": range(500), "small": range(500, 560)}), plan)
    assert ([one.name for one in held], too_few) == (["overall", "label big"], [("label small", 60)])
    held, _ = targets(people(560, 0, label={"all": range(560)}), plan)
    assert [one.name for one in held] == ["overall"]


def test_suspects_are_checked_more_and_the_estimate_is_still_of_all_rows() -> None:
    plan = PlanSettings(by=("suspicion",))
    tiers = {"suspects": range(0, 10_000, 50), "the rest": [at for at in range(10_000) if at % 50]}
    nobody = people(10_000, 0, suspicion=tiers)
    (target,), _ = targets(nobody, plan)
    suspects, rest = target.limits
    assert suspects / 200 > 4 * rest / 9_800
    order = target.wanted(target.limits).tolist()
    assert len(set(order)) == suspects + rest
    assert sum(at % 50 == 0 for at in order[: len(order) // 2]) == pytest.approx(suspects / 2, abs=1)
    checked = {at: Found("wrong" if at % 500 == 0 else "fine") for at in order}
    found = overall(people(10_000, checked, suspicion=tiers), plan)
    wrong = sum(at % 500 == 0 for at in order)
    assert found.estimate is not None
    assert found.estimate == pytest.approx(wrong / suspects * 200 / 10_000)
    assert found.estimate < wrong / len(order) / 4
    assert found.low <= found.estimate <= found.high
    assert overall(people(10_000, dict.fromkeys(order, Found("fine")), suspicion=tiers), plan).state == "shown"


def test_suspects_that_are_wrong_ask_for_more_checks_which_do() -> None:
    plan, tiers = PlanSettings(by=("suspicion",)), {"suspects": range(200), "the rest": range(200, 10_000)}
    (target,), _ = targets(people(10_000, 0, suspicion=tiers), plan)
    checked = {int(at): Found("wrong" if at < 5 else "fine") for at in target.wanted(target.limits)}
    found = overall(people(10_000, checked, suspicion=tiers), plan)
    assert found.state == "go on"
    assert found.more
    more = {int(at): checked.get(int(at), Found("fine")) for at in target.wanted(found.limits)}
    assert overall(people(10_000, more, suspicion=tiers), plan).state == "shown"


def test_facts_are_plain_values_and_sentences(tmp_path: Path) -> None:
    rows = [row(number, labels=[("warm", "cold")[number % 2]]) for number in range(700)]
    recipe = built(tmp_path, rows, plan={"by": ["label"]})
    ids = population(recipe, plan_of(recipe) or PLAN).ids[:250]
    checks = [
        Check(id_, "fine", "mo", "2026-01-05", f"text number {id_[5:]}", f'["{("warm", "cold")[int(id_[5:]) % 2]}"]')
        for id_ in [*ids[:200], *ids[220:]]
    ]
    append(verdict_file(recipe), checks)
    found = facts(recipe)
    assert found is not None
    assert (found["state"], found["rows"], found["checked"], found["idle"]) == ("go on", 700, 230, 30)
    assert [(one["name"], one["state"]) for one in found["targets"]] == [
        ("overall", "shown"), ("label cold", "go on"), ("label warm", "go on")
    ]  # fmt: skip
    assert found["targets"][0]["over"] == 1.0
    assert found["targets"][1]["over"] > 1
    assert "0 of 2 strata are shown to hold the bound." in found["sentences"]
    assert any(line.startswith("30 verdicts do not count yet") for line in found["sentences"])
    assert found["sentences"][-1] == "Go on."
    assert facts(built(tmp_path / "other", rows)) is None

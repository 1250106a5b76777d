"""The population: one order for every draw, and what was found in rows that changed since."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.ledger import Check, append
from pipeline.checks.plan import verdict_file
from pipeline.checks.population import Found, population
from pipeline.errors import AssayError
from pipeline.recipe import Recipe, check
from pipeline.settings import PlanSettings
from tests.checks.sets import built, row

if TYPE_CHECKING:
    from pathlib import Path

PLAN = PlanSettings()


def judged(number: int, verdict: Any, *, answer: str = '["warm"]', **more: Any) -> Check:
    told = {"text": f"text number {number}", "who": "mo"} | more
    return Check(f"made/{number}", verdict, when="2026-01-05", answer=answer, **told)


def test_the_order_depends_on_the_seed_and_the_ids_alone(tmp_path: Path) -> None:
    rows = [row(number) for number in range(200)]
    first = population(built(tmp_path / "a", rows), PLAN).ids
    sides = [one | {"split": ("train", "test")[at % 2]} for at, one in enumerate(rows[::-1])]
    assert population(built(tmp_path / "b", sides), PLAN).ids == first
    grown = population(built(tmp_path / "c", [row(number) for number in range(300)]), PLAN).ids
    assert [id_ for id_ in grown if int(id_[5:]) < 200] == first
    assert population(built(tmp_path / "d", rows), PlanSettings(seed=2)).ids != first
    assert first != sorted(first)


def test_every_stratum_is_in_the_order_of_the_draw(tmp_path: Path) -> None:
    rows = [row(number, labels=[("warm", "cold")[number % 3 == 0]]) for number in range(60)]
    rows += [row(60, parents=["made/1"], made_by="swap")]
    plan = PlanSettings(by=("label", "batch", "source", "language", "split", "suspicion"))
    batches = {"made/1": "b1", "made/2": "b2"}
    people = population(built(tmp_path, rows, batches=batches, suspects=["made/3"]), plan)
    assert len(people.ids) == 60
    sizes = {group: len(members) for group, members in people.groups.items()}
    assert sizes == {
        ("label", "warm"): 40, ("label", "cold"): 20, ("batch", "b1"): 1, ("batch", "b2"): 1, ("source", "made"): 60,
        ("language", "en"): 60, ("split", "train"): 60, ("suspicion", "suspects"): 1, ("suspicion", "the rest"): 59,
    }  # fmt: skip
    assert all((members[1:] > members[:-1]).all() for members in people.groups.values())


def test_the_audit_serves_where_nothing_was_split(tmp_path: Path) -> None:
    recipe = built(tmp_path, [row(1)])
    (recipe.build / "split" / "report.json").unlink()
    people = population(recipe, PLAN)
    assert (people.stage, people.ids) == ("audit", [])
    source = {"name": "made", "format": "jsonl", "files": ["a.jsonl"]}
    settings = check({"task": "classification", "ingest": {"source": [source]}}, name="none")
    with pytest.raises(AssayError, match="nothing was built yet; assay run none"):
        population(Recipe("none", tmp_path / "none", settings), PLAN)


def found(tmp_path: Path, rows: list[Any], checks: list[Check], decided: tuple[str, ...] = ()) -> Any:
    recipe = built(tmp_path, rows)
    append(verdict_file(recipe), checks)
    line = {"verdict": "drop", "who": "mo", "when": "2026-01-06", "why": "w"}
    recipe.decisions.write_text("".join(json.dumps(line | {"row": id_}) + "\n" for id_ in decided), encoding="utf-8")
    people = population(recipe, PLAN)
    return people, {people.ids[at]: verdict for at, verdict in people.found.items()}


def test_a_check_of_another_text_or_answer_is_stale_and_never_counts(tmp_path: Path) -> None:
    rows = [row(1), row(2, text="changed"), row(3, labels=["cold"])]
    checks = [judged(1, "fine"), judged(2, "fine"), judged(3, "fine"), judged(4, "wrong")]
    people, counted = found(tmp_path, rows, checks)
    assert counted == {"made/1": Found("fine")}
    assert people.stale == [
        'made/2: mo found ["warm"] fine on 2026-01-05; the row has another text now',
        'made/3: mo found ["warm"] fine on 2026-01-05; the row has another answer now',
        "made/4: mo checked it on 2026-01-05; there is no such row now",
    ]


def test_a_wrong_answer_counts_as_it_was_found_and_is_mended_by_its_correction(tmp_path: Path) -> None:
    wrong = judged(1, "wrong", right_answer='["cold"]', groups=(("label", "warm"),))
    rows = [row(1, labels=["cold"]), row(2, labels=["cold"]), row(3)]
    people, counted = found(tmp_path, rows, [wrong, judged(2, "wrong"), judged(3, "wrong")], decided=("2",))
    assert counted == {
        "made/1": Found("wrong", mended=True),  # it has the right answer now
        "made/2": Found("wrong", mended=True),  # a person decided on it
        "made/3": Found("wrong"),
    }
    assert {people.ids[at] for at in people.groups["label", "warm"]} == {"made/1", "made/3"}


def test_a_correction_that_is_found_wrong_again_is_not_mended(tmp_path: Path) -> None:
    first = judged(1, "wrong", right_answer='["cold"]')
    again = judged(1, "wrong", answer='["cold"]')
    assert found(tmp_path, [row(1, labels=["cold"])], [first, again])[1] == {"made/1": Found("wrong")}


def test_a_row_that_was_taken_out_for_what_was_found_still_counts(tmp_path: Path) -> None:
    gone = judged(2, "wrong", groups=(("label", "warm"), ("batch", "b1")))
    people, counted = found(tmp_path, [row(1)], [gone], decided=("made/2",))
    assert counted == {"made/2": Found("wrong", mended=True)}
    assert {group: len(members) for group, members in people.groups.items()} == {
        ("label", "warm"): 2, ("batch", "b1"): 1
    }  # fmt: skip
    assert not people.stale


def test_people_who_differ_are_named(tmp_path: Path) -> None:
    checks = [judged(1, "fine"), judged(1, "wrong", who="jo"), judged(2, "fine"), judged(2, "fine", who="jo")]
    people, counted = found(tmp_path, [row(1), row(2)], checks)
    assert counted["made/1"] == Found("wrong")
    assert people.conflicts == ["made/1: mo says fine, jo says wrong; counted as wrong"]
    assert people.doubled == (2, 1)


@given(st.permutations(range(6)))
def test_the_order_of_what_people_said_of_other_rows_changes_nothing(order: list[int]) -> None:
    from pipeline.checks.ledger import together

    said = [judged(1, ("fine", "wrong", "ambiguous")[at % 3], who=f"p{at}") for at in order]
    assert together(said) == "wrong"

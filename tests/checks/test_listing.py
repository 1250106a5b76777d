"""The list to check: the same rows on every run, more where more is needed, nothing that people wrote lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.checks import facts, read_verdicts, settle, write_list
from pipeline.errors import AssayError
from pipeline.gate.sample import LABELS
from tests.checks.sets import built, filled, row, said, sample, sheet

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe


def rows(count: int = 700) -> list[dict[str, object]]:
    return [row(number, labels=[LABELS[number % 3 == 0]]) for number in range(count)]


def listed(recipe: Recipe, **plan: object) -> list[dict[str, str]]:
    write_list(recipe, settle(recipe, **plan))
    return sheet(recipe)


def test_a_second_run_gives_the_same_bytes(tmp_path: Path) -> None:
    recipe = built(tmp_path, rows())
    first, count, still_open = write_list(recipe, settle(recipe))
    content = first.read_bytes()
    assert first == recipe.folder / "checks" / "to-check.csv"
    assert count == still_open == len(sheet(recipe))
    write_list(built(tmp_path, rows()[::-1]), settle(recipe))
    assert first.read_bytes() == content
    machine = [json.loads(line) for line in (first.parent / "to-check.jsonl").read_text("utf-8").splitlines()]
    assert [line["id"] for line in machine] == [line["id"] for line in sheet(recipe)]


def test_overall_comes_first_and_strata_get_what_they_need(tmp_path: Path) -> None:
    lines = listed(built(tmp_path, rows(1200)))
    first = [line for line in lines if "overall" in line["for"]]
    assert [line["id"] for line in lines[: len(first)]] == [line["id"] for line in first]
    assert sum("label cold" in line["for"] for line in lines) >= sum(line["answer"] == "cold" for line in first)
    assert [int(line["number"]) for line in lines] == list(range(1, len(lines) + 1))
    assert {line["answer"] for line in lines} == {"warm", "cold"}
    assert not any(line["verdict"] for line in lines)


def test_read_verdicts_stand_in_the_list_and_a_wrong_one_makes_it_longer(tmp_path: Path) -> None:
    recipe = built(tmp_path, rows())
    before = listed(recipe, by=[])
    read_verdicts(recipe, filled(tmp_path / "a.csv", said(before, {5: "w"}, when="2026-01-05")))
    after = listed(recipe)
    assert [line["id"] for line in after[: len(before)]] == [line["id"] for line in before]
    assert [line["verdict"] for line in after[:7]] == ["fine"] * 5 + ["wrong", "fine"]
    assert after[0]["who"] == "mo"
    standing = (facts(recipe) or {})["targets"][0]
    assert len(after) - len(before) == standing["more"] > 0
    assert not any(line["verdict"] for line in after[len(before) :])


def test_verdicts_that_were_not_read_are_not_written_over(tmp_path: Path) -> None:
    recipe = built(tmp_path, rows())
    lines = listed(recipe)
    filled(recipe.folder / "checks" / "to-check.csv", said(lines[:3], {}), encoding="utf-8-sig")
    with pytest.raises(AssayError, match=r"to-check\.csv: holds 3 verdicts that were not read yet; assay audit-plan"):
        write_list(recipe, settle(recipe))
    read_verdicts(recipe, recipe.folder / "checks" / "to-check.csv")
    assert [line["verdict"] for line in listed(recipe)[:4]] == ["fine", "fine", "fine", ""]


def test_new_rows_take_their_places_and_checked_ones_stay_checked(tmp_path: Path) -> None:
    recipe = built(tmp_path, rows(400))
    old = listed(recipe, by=[])
    read_verdicts(recipe, filled(tmp_path / "a.csv", said(old, {})))
    grown = listed(built(tmp_path, rows(800)))
    still = [line["id"] for line in grown if line["verdict"]]
    assert still == [line["id"] for line in old if line["id"] in still]
    assert any(not line["verdict"] for line in grown[: len(old)])
    found = facts(recipe) or {}
    assert found["targets"][0]["checked"] < len(old)
    assert found["idle"] > 0


@pytest.mark.parametrize("task", ["chat", "classification", "rating", "relations", "tagging"])
def test_every_task_is_listed_read_and_counted(tmp_path: Path, task: str) -> None:
    recipe = built(tmp_path, sample(task, 120), task=task)
    lines = listed(recipe, at_most=0.05)
    assert all(line["text"] and line["answer"] for line in lines)
    taken = read_verdicts(recipe, filled(tmp_path / "a.csv", said(lines, {0: "wrong"}), encoding="utf-8-sig"))
    assert len(taken.new) == len(lines)
    overall = (facts(recipe) or {})["targets"][0]
    assert (overall["wrong"], overall["checked"] > 30) == (1, True)
    assert listed(recipe)[0]["verdict"] == "wrong"


def test_a_second_person_gets_a_part_of_it_blank(tmp_path: Path) -> None:
    recipe = built(tmp_path, rows())
    lines = listed(recipe, double_share=0.2)
    second = sheet(recipe, "to-check-second.csv")
    assert 0.1 < len(second) / len(lines) < 0.3
    read_verdicts(recipe, filled(tmp_path / "a.csv", said(lines, {})))
    read_verdicts(recipe, filled(tmp_path / "b.csv", said(second, {0: "wrong"}, who="jo")))
    found = facts(recipe) or {}
    assert found["doubled"] == {"rows": len(second), "same": len(second) - 1}
    assert found["conflicts"] == [f"{second[0]['id']}: mo says fine, jo says wrong; counted as wrong"]
    listed(recipe, double_share=0.0)
    assert not (recipe.folder / "checks" / "to-check-second.csv").exists()

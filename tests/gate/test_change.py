"""The frame `change`: what is measured against the last version that passed, and what was asked for and is not held."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import versions
from pipeline.errors import AssayError
from pipeline.gate import change, gate
from pipeline.gate.frames import change_frame
from pipeline.gate.rows import row_frames
from pipeline.gate.suite import declared
from tests.builds import a_text
from tests.versions.made import Sides, build, changed, gone, kept, moved, texts, with_row, without

if TYPE_CHECKING:
    from pathlib import Path


def seen(
    tmp_path: Path, rows: Sides, *, base: Sides | None = None, **told: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of the one line of the frame, and what was seen, after a version that passed."""
    kept(tmp_path, base or texts())
    recipe = build(tmp_path, rows, **told)
    versions.told(recipe, "PASS")
    frame = change_frame(recipe, row_frames(recipe)[1])
    assert frame.broken == ""
    (line,) = frame.table.to_dict("records")
    return {str(name): value for name, value in line.items()}, {
        column: found["tiny"] for column, found in frame.evidence.items()
    }


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        (changed(texts(), "film/5", labels=["negative"]), 1),
        (changed(texts(), "film/5", text="all new"), 1),
        (changed(texts(), "film/5", text="all new", labels=["negative"]), 1),
        (with_row(texts(), "test", a_text("film/77", "new")), 1),
        (without(texts(), "film/5"), 1),
        (moved(texts(), "film/5", "train"), 1),
        (moved(texts(), "film/1", "test"), 1),
        (moved(moved(texts(), "film/1", "test"), "film/5", "train"), 2),
        (changed(texts(), "film/1", text="all new"), 0),
    ],
)
def test_test_rows_that_are_not_what_they_were_are_counted(tmp_path: Path, rows: Sides, count: int) -> None:
    assert seen(tmp_path, rows)[0]["test_changed"] == count


@pytest.mark.parametrize("named", [{"row": "film/5"}, {"source": "film"}])
@pytest.mark.parametrize("line", ["record:raw.csv:9", None])
def test_rows_that_the_list_of_what_is_erased_names_are_not_counted(
    tmp_path: Path, named: dict[str, str], line: str | None
) -> None:
    """Ingest rejects an erased record by its place: its line has no id that a row could be matched by."""
    (tmp_path / "tiny").mkdir()
    erased_now = json.dumps(named | {"who": "ann", "when": "2026"})
    (tmp_path / "tiny" / "erased.jsonl").write_text(erased_now + "\n")
    rejected = [gone(line, "erased", "ingest")] if line else []
    found, told = seen(tmp_path, without(texts(), "film/5"), rejected=rejected)
    assert (found["test_changed"], found["lost_share"]) == (0, 0)
    assert "1 removed (1 of them erased)" in told["test_changed"]


def test_a_row_whose_id_begins_like_an_erased_one_is_counted(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    lines: list[dict[str, Any]] = [
        {"row": "film/55"},
        {"source": "fil"},
        {"row": "film/5"},
        {"row": "film/5", "keep": True},
    ]
    told = "".join(json.dumps(line | {"who": "ann", "when": "2026"}) + "\n" for line in lines)
    (tmp_path / "tiny" / "erased.jsonl").write_text(told)
    assert seen(tmp_path, without(texts(), "film/5"))[0]["test_changed"] == 1


def test_erased_rows_and_a_new_edition_are_told_and_not_counted(tmp_path: Path) -> None:
    line, told = seen(tmp_path / "a", without(texts(), "film/5"), rejected=[gone("film/5", "erased", "ingest")])
    assert (line["test_changed"], line["lost_share"]) == (0, 0)
    assert "1 removed (1 of them erased)" in told["test_changed"]
    line, told = seen(tmp_path / "b", moved(texts(), "film/5", "train"), split={"edition": "2"})
    assert line["test_changed"] == 0
    assert "1 moved out; the recipe asks for edition 2" in told["test_changed"]


def test_flips_losses_and_drift_are_shares_of_what_was(tmp_path: Path) -> None:
    rows = without(changed(texts(), "film/1", labels=["negative"]), "film/3")
    line, told = seen(tmp_path, rows)
    assert line["flipped_share"] == pytest.approx(1 / 11)
    assert (line["flipped_rows"], line["lost_share"]) == (1, pytest.approx(1 / 12))
    assert line["class_drift"] == pytest.approx(abs(7 / 11 - 6 / 12), abs=1e-6)
    assert "1 rows (positive → negative 1): film/1" in told["flipped_rows"]
    assert "not delivered 1" in told["lost_share"]


def test_a_copy_that_is_not_made_again_is_not_lost(tmp_path: Path) -> None:
    base = with_row(texts(), "train", a_text("film/1-swap", "copy", parents=["film/1"], made_by="swap seed 1"))
    assert seen(tmp_path, texts(), base=base)[0]["lost_share"] == 0


def test_without_a_version_there_is_a_reason_and_no_value(tmp_path: Path) -> None:
    recipe = build(tmp_path, texts())
    table, why, _ = change.values(recipe, {"positive": 6})
    assert table[list(change.COLUMNS)].isna().all(axis=None)
    assert set(why) == set(change.COLUMNS)
    assert change.base_name(recipe) == ""


def test_what_cannot_be_compared_is_broken_and_no_pass(tmp_path: Path) -> None:
    kept(tmp_path, texts())
    recipe = build(tmp_path, with_row(texts(), "test", texts()["train"][0]), gate={"base": "latest"})
    frame = change_frame(recipe, row_frames(recipe)[1])
    assert "two rows have the id 'film/0'" in frame.broken


def verdict(report: dict[str, Any], name: str = "test_untouched") -> str:
    return next(str(result["verdict"]) for result in report["results"] if result["gate"] == name)


def test_a_verdict_is_given_anew_when_what_is_measured_from_is_another(tmp_path: Path) -> None:
    rows = changed(texts(), "film/5", labels=["negative"])
    kept(tmp_path, texts())
    task = ("classification",)
    off = {one.name: "off" for one in declared() if one.frame != "change" and task[0] in (one.tasks or task)}
    recipe = build(tmp_path, rows, gate={"severity": off})
    assert verdict(gate(recipe)) == "PASS"  # nothing has passed yet
    versions.told(recipe, "PASS")
    again = gate(recipe)
    assert (again["fresh"], verdict(again)) == (True, "FAIL")
    assert not gate(recipe)["fresh"]
    versions.keep(recipe)
    versions.told(recipe, "FAIL")
    assert verdict(gate(recipe)) == "FAIL"  # and it stays one, however often it is built


def test_a_base_that_is_not_there_is_a_mistake_of_the_recipe(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="there is no version 'v123'"):
        gate(build(tmp_path, texts(), gate={"base": "v123"}))

"""Checks on the page: how each stratum stands; the command where there is no plan; an alarm where it cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import checks, pages
from pipeline.pages import checked, origin
from pipeline.pages.blocks import Points, Table, Text
from pipeline.pages.build import read
from tests.checks import sets

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

PLAN = {"at_most": 0.1, "by": []}


def _planned(folder: Path, *, wrong: int = 0, of: int = 60) -> Recipe:
    """A small set of 300 rows, of which the first `of` were checked."""
    made = sets.built(folder, [sets.row(number) for number in range(300)], plan=PLAN)
    checks.write_list(made, checks.settle(made))
    lines = sets.said(sets.sheet(made)[:of], dict.fromkeys(range(wrong), "wrong"))
    checks.read_verdicts(made, sets.filled(folder / "filled.csv", lines), who="mei", decide=False)
    return made


def _blocks(of: Recipe, kind: type) -> list[Any]:
    return [block for block in checked.checked(read(of)).blocks if isinstance(block, kind)]


def test_no_plan_is_a_command_and_no_proof(tmp_path: Path) -> None:
    of = sets.built(tmp_path, [sets.row(number) for number in range(3)])
    section = checked.checked(read(of))
    assert not section.blocks
    assert section.command == "assay audit-plan"
    page = pages.render(read(of))
    assert f"{checked.ABSENT} Run <code>assay audit-plan small</code>" in page
    assert f"{checked.ABSENT} Run assay audit-plan small." in getattr(origin.unchecked(read(of)).blocks[0], "items", [])


def test_what_is_shown_stands_in_words_and_in_a_table(tmp_path: Path) -> None:
    of = _planned(tmp_path)
    (points,) = _blocks(of, Points)
    assert points.items[0].startswith("To be shown: at most 10.00% of the rows are wrong")
    assert points.items[-1] == "Stop: the bound is shown."
    (table,) = _blocks(of, Table)
    assert [cell.value for cell in table.rows[0][:5]] == ["overall", "✓ shown", str(len(sets.sheet(of))), "0", "0"]


def test_going_on_says_how(tmp_path: Path) -> None:
    of = _planned(tmp_path, of=3)
    commands = [block.text for block in _blocks(of, Text) if block.tone == "command"]
    assert commands == ["assay audit-plan small", "assay audit-plan small --read FILE"]
    assert "<code>assay audit-plan small --read FILE</code>" in pages.render(read(of))


def test_a_bound_that_does_not_hold_is_an_alarm(tmp_path: Path) -> None:
    of = _planned(tmp_path, of=40, wrong=40)
    assert _blocks(of, Text)[0].tone == "alarm"
    assert _blocks(of, Table)[0].rows[0][1].value == "✕ does not hold"


def test_verdicts_make_a_new_page(tmp_path: Path) -> None:
    of = _planned(tmp_path)
    before = pages.write(of).read_text(encoding="utf-8")
    (of.folder / "checks.jsonl").unlink()
    assert pages.write(of).read_text(encoding="utf-8") != before


def test_checks_that_cannot_be_read_are_an_alarm_not_an_end(tmp_path: Path) -> None:
    of = _planned(tmp_path)
    (of.folder / "checks.jsonl").write_text("{broken\n", encoding="utf-8")
    (text,) = checked.checked(read(of)).blocks
    assert isinstance(text, Text)
    assert text.tone == "alarm"
    assert text.text.startswith("The checks cannot be read:")

"""Verdicts taken in: once, with what was judged, and into the decisions if that is wanted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline import decisions
from pipeline.checks import facts, read_verdicts, settle, write_list
from pipeline.checks.ledger import lines
from pipeline.checks.plan import verdict_file
from pipeline.errors import AssayError
from tests.checks.sets import built, filled, row, said, sheet

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

ROWS = [row(number) for number in range(100)]


@pytest.fixture
def one(tmp_path: Path) -> Recipe:
    recipe = built(tmp_path, ROWS)
    write_list(recipe, settle(recipe, at_most=0.1))
    return recipe


def test_a_verdict_is_kept_with_what_was_judged_and_read_only_once(one: Recipe, tmp_path: Path) -> None:
    listed = sheet(one)[:2]
    listed[0] |= {"right_answer": "cold", "note": "=ironie", "when": "2026-01-05"}
    path = filled(tmp_path / "a.csv", said(listed, {0: "w"}), delimiter=";", encoding="cp1252")
    taken = read_verdicts(one, path, when="2026-02-02")
    assert (len(taken.new), taken.known, taken.blank) == (2, 0, 0)
    first, second = lines(verdict_file(one))
    assert (first.row, first.verdict, first.who, first.when) == (listed[0]["id"], "wrong", "mo", "2026-01-05")
    assert (first.text, first.answer, first.right_answer) == (listed[0]["text"], '["warm"]', '["cold"]')
    assert (first.note, first.groups, first.guideline) == ("=ironie", (("label", "warm"),), "1")
    assert first.plan == {"at_most": 0.1, "confidence": 0.95, "seed": 1}
    assert second.when == "2026-02-02"
    content = verdict_file(one).read_bytes()
    again = read_verdicts(one, path, when="2026-03-03")
    assert (len(again.new), again.known) == (0, 2)
    assert verdict_file(one).read_bytes() == content


def test_a_person_may_think_again(one: Recipe, tmp_path: Path) -> None:
    listed = sheet(one)[:1]
    read_verdicts(one, filled(tmp_path / "a.csv", said(listed, {0: "w"}, when="2026-01-05")))
    read_verdicts(one, filled(tmp_path / "b.csv", said(listed, {}, when="2026-01-06")))
    assert (facts(one) or {})["targets"][0]["wrong"] == 0
    read_verdicts(one, filled(tmp_path / "c.csv", said(listed, {0: "w"}, when="2026-01-07")))
    assert (facts(one) or {})["targets"][0]["wrong"] == 1
    assert len(lines(verdict_file(one))) == 3


def test_nothing_of_a_table_is_taken_in_where_one_line_is_not_clear(one: Recipe, tmp_path: Path) -> None:
    listed = said(sheet(one)[:3], {0: "w"})
    listed[2] |= {"verdict": "w", "right_answer": "lukewarm"}
    with pytest.raises(AssayError, match=r"a\.csv:4: the right answer cannot be read: unknown_label: 'lukewarm'"):
        read_verdicts(one, filled(tmp_path / "a.csv", listed))
    listed[2] |= {"right_answer": "warm"}
    with pytest.raises(AssayError, match=r"a\.csv:4: the right answer is the one that was given"):
        read_verdicts(one, filled(tmp_path / "a.csv", listed))
    listed[2] |= {"right_answer": "", "id": "made/999"}
    with pytest.raises(AssayError, match=r"a\.csv:4: no row 'made/999' on the list of 'small'"):
        read_verdicts(one, filled(tmp_path / "a.csv", listed))
    assert not verdict_file(one).exists()


def test_a_list_of_an_earlier_build_is_read_for_what_it_judged(one: Recipe, tmp_path: Path) -> None:
    listed = said(sheet(one)[:2], {})
    changed = [one_ | ({"text": "another"} if one_["id"] == listed[0]["id"] else {}) for one_ in ROWS]
    built(tmp_path, changed)
    taken = read_verdicts(one, filled(tmp_path / "a.csv", listed))
    assert len(taken.new) == 2
    found = facts(one) or {}
    assert [line.partition(":")[0] for line in found["stale"]] == [listed[0]["id"]]
    assert found["checked"] == 1
    write_list(one, settle(one))
    (one.folder / "checks.jsonl").unlink()
    taken = read_verdicts(one, filled(tmp_path / "a.csv", listed))
    assert [line.partition(": ")[2] for line in taken.stale] == [
        f"{listed[0]['id']} has another text or answer than the one that was judged"
    ]
    assert [check.row for check in taken.new] == [listed[1]["id"]]


def test_without_the_column_judged_the_list_says_what_was_judged(one: Recipe, tmp_path: Path) -> None:
    listed = [{name: line[name] for name in ("id", "verdict", "who")} for line in said(sheet(one)[:2], {})]
    assert len(read_verdicts(one, filled(tmp_path / "a.csv", listed)).new) == 2


def test_corrections_become_decisions_once_and_only_clear_ones(one: Recipe, tmp_path: Path) -> None:
    listed = said(sheet(one)[:4], {0: "w", 1: "w", 2: "w"}, when="2026-01-05")
    listed[0] |= {"right_answer": "cold", "note": "irony"}
    listed[2] |= {"right_answer": "cold"}
    path = filled(tmp_path / "a.csv", listed)
    read_verdicts(one, filled(tmp_path / "b.csv", [listed[2] | {"who": "jo", "verdict": "fine", "right_answer": ""}]))
    taken = read_verdicts(one, path, decide=True)
    assert taken.decided == 1
    assert taken.undecided == tuple(sorted(line["id"] for line in listed[1:3]))
    (decision,) = decisions.read(one.decisions).lines
    assert (decision.row, decision.verdict, decision.answer, decision.was) == (
        listed[0]["id"], "wrong", '["cold"]', '["warm"]'
    )  # fmt: skip
    assert (decision.who, decision.when, decision.why, decision.text) == (
        "mo", "2026-01-05", "irony", listed[0]["text"]
    )  # fmt: skip
    assert read_verdicts(one, path, decide=True).decided == 0
    assert len(decisions.read(one.decisions).lines) == 1


def test_there_must_be_a_plan(tmp_path: Path) -> None:
    recipe = built(tmp_path, ROWS)
    with pytest.raises(AssayError, match="there is no plan; assay audit-plan small"):
        read_verdicts(recipe, tmp_path / "a.csv")


def test_a_table_of_nothing_but_blanks_changes_nothing(one: Recipe) -> None:
    path = one.folder / "checks" / "to-check.csv"
    taken = read_verdicts(one, path)
    assert (taken.new, taken.blank) == ([], len(sheet(one)))
    assert json.loads((path.parent / "plan.json").read_text("utf-8"))["at_most"] == 0.1

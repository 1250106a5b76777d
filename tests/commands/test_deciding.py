"""assay queue, decisions, lead, relabel: what they print, for people and programs, and how they end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from pipeline import decisions
from pipeline.commands import deciding
from pipeline.commands.app import app
from pipeline.errors import AssayError
from tests.exchange.rounds import decided, entities, topics

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe


def assay(*arguments: str, data: Path) -> Result:
    assert deciding.queue is not None  # its commands are on the app
    return CliRunner().invoke(app, [*arguments, "--data", str(data)], env={"COLUMNS": "200"})


def said(row: str, verdict: str = "fine", who: str = "ann", **more: Any) -> dict[str, Any]:
    return {"row": row, "verdict": verdict, "who": who, "when": "2026-01-05T09:00:00Z", "why": "seen"} | more


@pytest.fixture
def one(tmp_path: Path) -> Recipe:
    """A data set called small, with suspects."""
    return topics(tmp_path)


def test_the_queue_is_shown_with_what_it_is_expected_to_hold(one: Recipe, tmp_path: Path) -> None:
    told = assay("queue", "small", data=tmp_path)
    assert told.exit_code == 0, told.output
    assert "queue of small:" in told.stdout
    assert "errors expected:" in told.stdout
    decisions.add(one.decisions, [said("s/8", "wrong", answer=["sport"], was=["art"], seconds=6)])
    after = assay("queue", "small", data=tmp_path).stdout
    assert "judged: 1 lines in 1 decisions, 1 errors confirmed" in after


def test_groups_and_their_lines_are_told_as_json(tmp_path: Path) -> None:
    entities(tmp_path)
    groups = [json.loads(line) for line in assay("queue", "small", "--json", data=tmp_path).stdout.splitlines()]
    for group in groups:
        lines = assay("queue", "small", "--group", group["group"], "--json", "--limit", "0", data=tmp_path).stdout
        assert len(lines.splitlines()) == group["lines"]
        assert assay("queue", "small", "--group", group["group"], data=tmp_path).exit_code == 0


def test_decisions_are_listed_and_chosen(one: Recipe, tmp_path: Path) -> None:
    told = [said("s/1"), said("s/2", "drop", "bob"), said("s/3", when="2026-02-01"), said("s/3", "drop", "bob")]
    decisions.add(one.decisions, told)

    def rows(*more: str) -> list[str]:
        out = assay("decisions", "small", "--json", *more, data=tmp_path).stdout
        return [json.loads(line)["row"] for line in out.splitlines()]

    assert rows() == ["s/1", "s/2", "s/3", "s/3"]
    assert rows("--who", "ann") == ["s/1", "s/3"]
    assert rows("--verdict", "drop") == ["s/2", "s/3"]
    assert rows("--since", "2026-01-20") == ["s/3"]
    assert rows("--row", "2") == rows("--row", "s/2") == ["s/2"]
    assert rows("--conflicts") == ["s/3", "s/3"]
    assert rows("--rules") == []
    shown = assay("decisions", "small", data=tmp_path).stdout
    assert "in conflict" in shown
    assert "people differ, so neither is followed: row s/3" in shown


def test_where_nobody_decided_it_says_how_to_begin(one: Recipe, tmp_path: Path) -> None:
    assert "assay review small --who YOU" in assay("decisions", one.name, data=tmp_path).stdout


def test_a_decision_is_taken_back_by_a_line_and_for_a_reason(one: Recipe, tmp_path: Path) -> None:
    (name,) = decisions.add(one.decisions, [said("s/1", "drop")])
    with pytest.raises(AssayError, match="for a reason"):
        raise assay("decisions", "small", "--undo", name, data=tmp_path).exception or AssertionError
    told = assay("decisions", "small", "--undo", name, "--why", "misread", "--who", "bob", data=tmp_path)
    assert told.exit_code == 0
    assert [line.get("undo") for line in decided(one)] == [None, name]
    assert assay("decisions", "small", "--json", data=tmp_path).stdout == ""
    every = assay("decisions", "small", "--all", "--json", data=tmp_path).stdout.splitlines()
    states = [json.loads(line)["state"] for line in every]
    assert states == ["undone", "undoes"]


def test_what_data_say_is_shown_as_text(one: Recipe, tmp_path: Path) -> None:
    decisions.add(one.decisions, [said("s/1", who="[red]x\x1b[31m", why="a [bold]b\u202e")])
    shown = assay("decisions", "small", data=tmp_path).stdout
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown
    assert "[red]x" in shown


def test_the_lead_page_is_written(one: Recipe, tmp_path: Path) -> None:
    told = assay("lead", "small", data=tmp_path)
    assert told.exit_code == 0, told.output
    assert (one.build / "lead.html").is_file()


def test_relabel_needs_another_guideline(one: Recipe, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="no version that was kept has another guideline"):
        raise assay("relabel", "small", data=tmp_path).exception or AssertionError

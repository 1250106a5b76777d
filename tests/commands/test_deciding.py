"""assay queue, decisions, lead, relabel: what they print, for people and programs, and how they end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from pipeline import decisions, flow, reviewing
from pipeline.commands import deciding
from pipeline.commands.app import app
from pipeline.errors import AssayError
from tests.exchange.rounds import decided, topics
from tests.small import ALONE

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
    assert "judged: 1 line in 1 decision, 1 error confirmed" in after


def told(*arguments: str, data: Path) -> list[dict[str, Any]]:
    """What the queue says as JSON."""
    return [json.loads(line) for line in assay("queue", "small", "--json", *arguments, data=data).stdout.splitlines()]


def test_every_group_and_line_is_told_as_json_in_one_order(tmp_path: Path) -> None:
    one = topics(tmp_path, twice=True)
    left = reviewing.open_lines(reviewing.queue(one), decisions.read(one.decisions))
    found = told("--limit", "0", data=tmp_path)
    groups, lines = ([each for each in found if each["type"] == kind] for kind in ("group", "line"))
    assert [line["line"] for line in lines] == left.lines["line"].to_pylist()
    assert [group["group"] for group in groups] == left.groups["group"].to_pylist()
    assert {line["group"] for line in lines} == {"", *(group["group"] for group in groups)}
    for group in groups:
        at = found.index(group)
        inside = found[at + 1 : at + 1 + group["lines"]]
        assert inside == told("--group", group["group"], "--limit", "0", data=tmp_path)
        assert assay("queue", "small", "--group", group["group"], data=tmp_path).exit_code == 0
    shown = told("--limit", "2", data=tmp_path)
    assert shown == found[: len(shown)]
    assert sum(each["type"] == "group" or not each["group"] for each in shown) == 2


def test_groups_that_read_alike_show_some_of_their_text(tmp_path: Path) -> None:
    topics(tmp_path, twice=True)
    table = assay("queue", "small", data=tmp_path).stdout
    assert "“the team won match 90 in the cup”" in " ".join(table.replace("│", " ").split())
    assert "kind" in table


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


def test_decisions_on_another_text_are_marked_and_so_are_those_that_settle(one: Recipe, tmp_path: Path) -> None:
    about: dict[str, Any] = {"was": ["sport"], "text": "the team lost match 2 in the cup"}
    two = [said("s/2", "drop", "ada", **about), said("s/2", who="ben", **about)]
    ids = decisions.add(one.decisions, two)
    decisions.add(one.decisions, [said("s/2", who="carl", settles=list(ids), **about), said("s/4", who="dora")])

    def states() -> dict[str, str]:
        out = assay("decisions", "small", "--json", data=tmp_path).stdout
        return {line["who"]: line["state"] for line in map(json.loads, out.splitlines())}

    settled = "settled by carl"
    assert states() == {"ada": settled, "ben": settled, "carl": "in force", "dora": "in force"}
    flow.build(one, ALONE, last="audit")
    stale = "stale, not followed: the text is another"
    assert states() == {"ada": stale, "ben": stale, "carl": stale, "dora": "in force"}
    shown = " ".join(assay("decisions", "small", data=tmp_path).stdout.replace("│", " ").split())
    for number, who in enumerate(("ada", "ben", "carl"), 1):
        verdict = "drop" if who == "ada" else "fine"
        assert f"in the last build: decisions.jsonl:{number}: row s/2, {verdict} by {who}: {stale}" in shown
    assert "it read 'the team lost match 2 in the cup'; it now reads 'the team won match 2 in the cup'" in shown
    assert "settles what ada, ben said" in " ".join(assay("why", "s/2", data=tmp_path).stdout.split())


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

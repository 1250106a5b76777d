"""The queue: what stands in it, in which order, and that it is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import reviewing, stage, store
from pipeline.contract import REJECTED
from pipeline.engine import Engine
from pipeline.reviewing import GROUPS, QUEUE
from pipeline.rules import Rule
from tests.builds import a_tagged, a_text
from tests.reviewing.queues import a_build, a_suspect

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

TEAMS = [
    a_tagged(f"film/{at}", f"{at} times Arsenal won in Rome", [("LOC", "Arsenal"), ("LOC", "Rome")]) for at in range(9)
]


def teams(folder: Path, score: float = 0.7) -> Recipe:
    """A build in which a team is marked as a place, in eight of nine rows suspiciously."""
    lines = [a_suspect(f"film/{at}", "LOC", "ORG", score, part="8:15") for at in range(8)]
    lines.append(a_suspect("film/3", "LOC", "O", 0.2, part="23:27"))
    return a_build(folder, TEAMS, lines, task="tagging")


def test_one_decision_settles_what_errs_alike(tmp_path: Path) -> None:
    made = teams(tmp_path)
    queue = reviewing.queue(made)
    assert queue.lines.schema == QUEUE
    assert queue.groups.schema == GROUPS
    group, like = queue.groups.to_pylist()
    assert like["kind"] == "echo"
    assert group["says"] == "Wherever “arsenal” is marked LOC, make it ORG."
    assert Rule.read(json.loads(group["rule"])) == Rule("LOC", "ORG", surfaces=("arsenal",))
    facts = {name: group[name] for name in ("kind", "lines", "rows", "doubtful", "touches")}
    assert facts == {"kind": "surface", "lines": 8, "rows": 8, "doubtful": 0, "touches": 9}
    assert abs(group["expected"] - 5.6) < 1e-9
    lines = [line for line in queue.lines.to_pylist() if line["kind"] != "echo"]
    assert [line["group"] for line in lines] == [group["group"]] * 8 + [""]
    assert {line["surface"] for line in lines} == {"Arsenal", "Rome"}
    assert lines[-1]["text"] == "3 times Arsenal won in Rome"
    assert len({line["line"] for line in lines}) == 9
    assert queue.details["grouped"] == 8


def test_the_order_is_that_of_value(tmp_path: Path) -> None:
    rows = [a_text(f"film/{at}", f"text number {at}") for at in range(5)]
    lines = [a_suspect(f"film/{at}", "positive", "", score) for at, score in enumerate((0.3, 0.9, 0.5, 0.1, 0.7))]
    queue = reviewing.queue(a_build(tmp_path, rows, lines))
    assert queue.lines["id"].to_pylist() == ["film/1", "film/4", "film/2", "film/0", "film/3"]
    assert queue.groups.num_rows == 0


def test_neither_order_nor_workers_nor_batches_matter(tmp_path: Path) -> None:
    lines = [a_suspect(f"film/{at}", "LOC", "ORG", 0.6 + at / 100, part="8:15") for at in range(8)]
    one = reviewing.queue(a_build(tmp_path / "one", TEAMS, lines, task="tagging"))
    other = a_build(tmp_path / "other", TEAMS[::-1], lines[::-1], task="tagging")
    two = reviewing.queue(other, engine=Engine(batch_rows=2))
    assert one.lines.equals(two.lines)
    assert one.groups.equals(two.groups)


def test_it_is_made_anew_only_when_something_changed(tmp_path: Path) -> None:
    seen: list[int] = []
    made = teams(tmp_path)
    first = reviewing.queue(made, tick=seen.append)
    assert sum(seen) >= 9
    seen.clear()
    again = reviewing.queue(made, tick=seen.append)
    assert not seen
    assert again.lines.equals(first.lines)
    assert again.groups.equals(first.groups)
    assert again.details == first.details
    changed = reviewing.queue(teams(tmp_path, 0.6), tick=seen.append)
    assert seen
    assert not changed.lines.equals(first.lines)


def rejected(made: Recipe, reasons: list[tuple[str, str, str, str]]) -> None:
    """Write what the audit held back: (id, reason, evidence, text)."""
    folder = made.build / "audit"
    report = store.read_report(folder)
    assert report is not None
    lines = []
    for id_, reason, evidence, label in reasons:
        row: dict[str, Any] = a_text(id_, "Read alike!" if reason == "conflict" else f"of {id_}", label)
        lines.append(stage.rejection(row, stage="audit", reason=reason, evidence=evidence))
    table = store.Table(folder, "rejected", REJECTED, 50_000)
    table.write(stage.batch_of(lines, REJECTED))
    report["tables"]["rejected"] = table.close()
    store.write_report(folder, report)


def test_what_was_held_back_for_people_stands_in_it(tmp_path: Path) -> None:
    made = a_build(tmp_path, [a_text("film/1", "fine")])
    reasons = [
        ("film/2", "conflict", 'answers ["good"], but', "good"),
        ("film/3", "conflict", 'answers ["bad"], but', "bad"),
        ("film/4", "tied", "4 annotators, no answer ahead", "bad"),
        ("film/5", "low_confidence", "posterior 0.424 is under 0.6", "bad"),
        ("film/6", "too_short", "1 characters", "bad"),
    ]
    rejected(made, reasons)
    queue = reviewing.queue(made)
    told = {line["id"]: line for line in queue.lines.to_pylist()}
    assert {id_: (line["kind"], line["score"]) for id_, line in told.items()} == {
        "film/2": ("conflict", 0.5),
        "film/3": ("conflict", 0.5),
        "film/4": ("tied", 0.5),
        "film/5": ("low_confidence", 0.576),
    }
    assert told["film/2"]["given"] == "good"
    assert told["film/4"]["text"] == "of film/4"
    (group,) = queue.groups.to_pylist()
    assert (group["kind"], group["lines"], group["rule"]) == ("conflict", 2, "")
    assert told["film/2"]["group"] == told["film/3"]["group"] == group["group"]


def test_no_suspects_no_lines(tmp_path: Path) -> None:
    queue = reviewing.queue(a_build(tmp_path, [a_text("film/1", "fine")]))
    assert queue.lines.num_rows == queue.groups.num_rows == 0
    assert isinstance(queue.lines, pa.Table)

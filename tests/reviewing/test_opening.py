"""What is open after decisions, and what they say of the lines that are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pytest

from pipeline import decisions, reviewing
from pipeline.reviewing.opening import open_lines
from pipeline.rules import Rule
from tests.builds import a_tagged
from tests.reviewing.queues import a_build, a_line, a_suspect, a_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.reviewing import Queue


@dataclass(frozen=True)
class Book:
    """Decisions, as far as they are read."""

    standing: Sequence[Any] = ()
    rules: Sequence[Any] = ()


@dataclass(frozen=True)
class Said:
    """A decision."""

    row: str = ""
    part: str = ""
    verdict: str = "wrong"
    was: str | None = None
    answer: str | None = None
    text: str | None = None
    rule: Rule | None = None


def queue_of(folder: Path, scores: Sequence[float] = (0.5,) * 12) -> Queue:
    """A queue of one group of a surface, and a line of another confusion."""
    rows = [a_tagged(f"film/{at}", "Arsenal won", [("LOC", "Arsenal")]) for at in range(len(scores))]
    lines = [a_suspect(f"film/{at}", "LOC", "ORG", score, part="0:7") for at, score in enumerate(scores)]
    lines.append(a_suspect("film/0", "O", "PER", 0.4, part="8:11"))
    queue = reviewing.queue(a_build(folder, rows, lines, task="tagging"))
    is_listed = pc.not_equal(queue.lines["kind"], "echo")
    listed = pc.not_equal(queue.groups["kind"], "echo")
    return reviewing.Queue(queue.lines.filter(is_listed), queue.groups.filter(listed), queue.details)


def test_without_decisions_all_is_open_and_in_the_same_order(tmp_path: Path) -> None:
    queue = queue_of(tmp_path)
    found = open_lines(queue, Book())
    assert found.lines.equals(queue.lines)
    assert found.groups.equals(queue.groups)
    assert found.settled == {}


def test_a_decision_on_a_part_or_on_the_row_settles_a_line(tmp_path: Path) -> None:
    queue = queue_of(tmp_path)
    book = Book([Said("film/3", "0:7"), Said("0", "", "drop"), Said("film/4", "8:11")])
    found = open_lines(queue, book)
    left = set(zip(found.lines["id"].to_pylist(), found.lines["part"].to_pylist(), strict=True))
    assert ("film/3", "0:7") not in left
    assert not {("film/0", "0:7"), ("film/0", "8:11")} & left
    assert ("film/4", "0:7") in left
    assert sorted(found.settled.values()) == ["settled", "settled", "wrong"]


@pytest.mark.parametrize(
    ("said", "is_settled"),
    [
        (Said("film/3", "0:7", was="LOC"), True),
        (Said("film/3", "0:7", was="PER"), False),
        (Said("film/3", "0:7", was="PER", answer="LOC"), True),
        (Said("film/3", "0:7", text="Arsenal  WON"), True),
        (Said("film/3", "0:7", text="Another text"), False),
    ],
)
def test_a_decision_that_does_not_fit_any_more_settles_nothing(tmp_path: Path, said: Said, is_settled: bool) -> None:
    assert bool(open_lines(queue_of(tmp_path), Book([said])).settled) == is_settled


def test_a_rule_settles_what_it_speaks_of(tmp_path: Path) -> None:
    queue = queue_of(tmp_path)
    rule = Said(rule=Rule("LOC", "ORG", surfaces=("ARSENAL",), sources=("film",)))
    found = open_lines(queue, Book(rules=[rule]))
    assert found.lines["part"].to_pylist() == ["8:11"]
    assert found.groups.num_rows == 0
    for named in ({"surfaces": ("chelsea",)}, {"phrases": ("lost",)}, {"sources": ("x",)}, {"part": "joy"}):
        assert not open_lines(queue, Book(rules=[Said(rule=Rule("LOC", "ORG", **named))])).settled


def scores(found: reviewing.Open, given: str = "LOC") -> list[float]:
    """The scores of the lines that are open."""
    lines = found.lines.to_pylist()
    return [line["score"] for line in lines if line["given"] == given]


def test_what_was_found_in_a_group_says_something_of_the_others(tmp_path: Path) -> None:
    queue = queue_of(tmp_path)
    wrong = open_lines(queue, Book([Said(f"film/{at}", "0:7") for at in range(3)]))
    fine = open_lines(queue, Book([Said(f"film/{at}", "0:7", "fine") for at in range(3)]))
    mixed = open_lines(queue, Book([Said(f"film/{at}", "0:7", ("wrong", "fine")[at % 2]) for at in range(4)]))
    assert min(scores(wrong)) > 0.75
    assert max(scores(fine)) < 0.25
    assert wrong.groups["value"][0].as_py() > queue.groups["value"][0].as_py()
    assert wrong.groups["lines"].to_pylist() == [9]
    assert mixed.groups.num_rows == 0
    assert scores(wrong, "O") == scores(fine, "O") == [0.4]
    assert scores(mixed) == pytest.approx([0.5] * 8)


def test_the_order_follows_what_was_learned(tmp_path: Path) -> None:
    lines = [a_line(f"a/{at}", "A", "B", 0.5) for at in range(12)] + [
        a_line(f"b/{at}", "C", "D", 0.45) for at in range(6)
    ]
    table = a_table(lines)
    queue = reviewing.Queue(table, reviewing.GROUPS.empty_table())
    found = open_lines(queue, Book([Said(f"a/{at}", "", "fine") for at in range(6)]))
    assert [line["given"] for line in found.lines.to_pylist()] == ["C"] * 6 + ["A"] * 6
    assert all(0 <= score <= 1 for score in found.lines["score"].to_pylist())


def test_the_book_of_decisions_is_such_a_book(tmp_path: Path) -> None:
    queue = queue_of(tmp_path / "data")
    told = {"who": "ana", "when": "2026-01-01T10:00:00", "why": "a team", "verdict": "wrong"}
    decisions.add(
        tmp_path / "decisions.jsonl",
        [
            told | {"row": "film/3", "part": "0:7", "was": "LOC", "answer": "ORG"},
            told | {"rule": Rule("O", "PER", surfaces=("won",)).told()},
        ],
    )
    found = open_lines(queue, decisions.read(tmp_path / "decisions.jsonl"))
    assert found.lines.num_rows == 11
    assert sorted(found.settled.values()) == ["wrong", "wrong"]

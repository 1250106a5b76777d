"""Echoes: what reads like a suspect is asked about once one was found wrong as proposed, and not before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import decisions, reviewing
from pipeline.engine import Engine
from pipeline.reviewing import echoes
from pipeline.reviewing.desk import Desk
from pipeline.reviewing.heard import Echoing
from pipeline.reviewing.opening import open_lines
from tests.builds import a_tagged
from tests.reviewing.queues import a_build, a_line, a_suspect, a_table, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.reviewing import Open, Queue

FRIENDS = [
    a_tagged("film/0", "我的好友来了", []),
    *(a_tagged(f"film/{at}", f"{at}个好友都来了", []) for at in range(1, 8)),
    a_tagged("film/8", "一个好友来了", [("PER", "好友")]),
    a_tagged("film/9", "在 Leeds 的好友圈", [("LOC", "Leeds")]),
    *(a_tagged(f"film/{at}", f"Leeds {at}", [("LOC", "LEEDS" if at == 10 else "Leeds")]) for at in range(11, 14)),
]
LISTED = [
    a_suspect("film/0", "O", "PER", 0.3, part="2:4"),
    a_suspect("film/9", "O", "ORG", 0.2, part="8:11"),
    a_suspect("film/9", "LOC", "ORG", 0.6, part="2:7"),
]


@dataclass(frozen=True)
class Said:
    """A decision on a part."""

    row: str = "film/0"
    part: str = "2:4"
    verdict: str = "wrong"
    was: str | None = "O"
    answer: str | None = "PER"
    text: str | None = "我的好友来了"


@dataclass(frozen=True)
class Book:
    """Decisions, as far as they are read."""

    standing: tuple[Any, ...] = ()
    rules: tuple[()] = ()


def built(folder: Path, **more: Any) -> Recipe:
    """A build of friends who are marked once, and of a town."""
    made = a_build(folder, FRIENDS, LISTED, task="tagging", **more)
    made.folder.mkdir(parents=True, exist_ok=True)
    return made


def open_echoes(queue: Queue, *said: Said) -> dict[str, float]:
    """The scores of the echoes that are open after these decisions, by row."""
    lines = open_lines(queue, Book(said)).lines.to_pylist()
    return {line["id"]: line["score"] for line in lines if line["kind"] == "echo"}


def test_what_reads_alike_and_is_answered_alike_is_an_echo_and_no_more_than_that(tmp_path: Path) -> None:
    queue = reviewing.queue(built(tmp_path))
    found = [line for line in queue.lines.to_pylist() if line["kind"] == "echo"]
    friends = {(line["id"], line["surface"]) for line in found if line["given"] == "O"}
    assert friends == {(f"film/{at}", "好友") for at in range(1, 8)}
    assert {line["id"] for line in found if line["given"] == "LOC"} == {"film/11", "film/12", "film/13"}
    assert all(line["text"][int(line["part"].split(":")[0]) :].startswith(line["surface"]) for line in found)
    assert queue.details["lines"] == 3
    assert queue.details["echoes"] == 10
    (group,) = [one for one in queue.groups.to_pylist() if one["kind"] == "echo" and one["given"] == "O"]
    assert group["says"] == "Wherever “好友” is not marked, mark it PER."
    assert json.loads(group["rule"]) == {"given": "O", "becomes": "PER", "surfaces": ["好友"]}


def test_they_are_open_once_one_like_them_was_found_wrong_as_proposed(tmp_path: Path) -> None:
    queue = reviewing.queue(built(tmp_path))
    assert open_echoes(queue) == {}
    assert open_echoes(queue, Said(verdict="fine", answer=None)) == {}
    assert open_echoes(queue, Said(answer="LOC")) == {}
    assert open_echoes(queue, Said(was="PER", answer="O")) == {}
    assert set(open_echoes(queue, Said())) == {f"film/{at}" for at in range(1, 8)}
    assert open_echoes(queue, Said(text=None)) == open_echoes(queue, Said())


def test_what_is_found_of_them_says_how_probable_the_others_are(tmp_path: Path) -> None:
    queue = reviewing.queue(built(tmp_path))
    more = Said("film/1", "2:4", text="1个好友都来了")
    one, two = open_echoes(queue, Said()), open_echoes(queue, Said(), more)
    fine = open_echoes(queue, Said(), Said("film/1", "2:4", "fine", answer=None, text="1个好友都来了"))
    assert "film/1" not in two
    assert fine["film/2"] < one["film/2"] < two["film/2"]
    assert one["film/2"] == pytest.approx(echoes.MISSED)


def test_groups_of_them_open_with_them(tmp_path: Path) -> None:
    def kinds(found: Open) -> list[str]:
        return [str(kind) for kind in found.groups["kind"].to_pylist()]

    queue = reviewing.queue(built(tmp_path))
    assert kinds(open_lines(queue, Book())) == []
    opened = open_lines(queue, Book((Said(),)))
    assert kinds(opened) == ["echo"]
    assert opened.groups["lines"].to_pylist() == [7]


def test_what_people_found_has_echoes_after_the_row_was_mended(tmp_path: Path) -> None:
    made = built(tmp_path)
    told = {"who": "ana", "when": "2026-01-01T10:00:00", "why": "friends", "verdict": "wrong", "text": "一个好友来了"}
    decisions.add(made.decisions, [told | {"row": "film/8", "part": "2:4", "was": "O", "answer": "ORG"}])
    queue = reviewing.queue(made)
    found = [line for line in queue.lines.to_pylist() if line["kind"] == "echo" and line["given"] == "O"]
    assert {line["likely"] for line in found} == {"ORG"}
    left = open_lines(queue, decisions.read(made.decisions)).lines.to_pylist()
    assert sum(line["kind"] == "echo" for line in left) == 7


def test_neither_order_nor_batches_matter_and_many_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echoes, "MOST_ALIKE", 4)
    one = reviewing.queue(built(tmp_path / "one"))
    other = a_build(tmp_path / "two", FRIENDS[::-1], LISTED[::-1], task="tagging")
    assert reviewing.queue(other, engine=Engine(batch_rows=2)).lines.equals(one.lines)
    friends = [line for line in one.lines.to_pylist() if line["kind"] == "echo" and line["given"] == "O"]
    assert 0 < len(friends) < 7


def test_there_are_no_more_of_them_than_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echoes, "LEAST_ROOM", 3)
    made = built(tmp_path)
    lines = a_table([a_line("film/9", "LOC", "ORG", 0.6, part="2:7", surface="Leeds")])
    lines = a_table([*lines.to_pylist(), a_line("film/0", "O", "PER", 0.3, part="2:4", surface="好友")])
    found = echoes.echoes(lines, rows_of(made), ())
    assert found["given"].to_pylist() == ["LOC"] * 3


def test_labels_have_none(tmp_path: Path) -> None:
    queue = reviewing.queue(a_build(tmp_path, [], [], task="classification"))
    assert queue.details["echoes"] == 0
    assert not Echoing(queue.lines).opened([Said()])


def test_the_page_asks_about_them_after_the_line_that_they_are_like(tmp_path: Path) -> None:
    made = built(tmp_path)
    desk = Desk(made, reviewing.queue(made))
    assert len(desk.view("value", "ana")) == len(desk.view("lines", "ana")) == 3
    assert desk.lines["kind"][int(desk.view("value", "ana")[1])].as_py() == "suspect"
    told = {"who": "ana", "when": "2026-01-01T10:00:00", "why": "friends", "verdict": "wrong", "text": "我的好友来了"}
    decisions.add(made.decisions, [told | {"row": "film/0", "part": "2:4", "was": "O", "answer": "PER"}])
    desk.refresh()
    after = desk.place("value", "ana", desk.line_of(decisions.read(made.decisions).standing[0]))
    entry = int(desk.view("value", "ana")[desk.next_open("value", "ana", after)])
    assert entry < 0
    assert desk.groups["kind"][-1 - entry].as_py() == "echo"
    assert len(desk.view("lines", "ana")) == 10

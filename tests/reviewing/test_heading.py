"""The heading tells where review stands, and does not wait for what takes long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline import decisions, reviewing
from pipeline.reviewing.desk import Desk
from pipeline.reviewing.heading import Heading, agreeing, opened
from pipeline.reviewing.live import Live
from pipeline.reviewing.opening import open_lines
from tests.reviewing.seats import tagging
from tests.reviewing.test_desk import decide
from tests.reviewing.test_echoes import built

if TYPE_CHECKING:
    from pathlib import Path


def test_it_counts_at_once_and_reckons_beside(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    heading = Heading(Live(desk))
    for at, verdict in enumerate(("wrong", "wrong", "fine")):
        decide(desk, at, verdict)
    first = dict(heading.told("anna")["facts"])
    assert (first["left for you"], first["lines judged by you"]) == ("3 of 6", "3")
    heading._reckon(desk, (desk.version, desk.ledger.version))
    told = heading.told("ben")
    facts = dict(told["facts"])
    assert facts["lines judged by you"] == "0"
    assert facts["confirmed"] == "2 of 3"
    assert facts["precision"].startswith("67% (")
    assert told["say"]
    assert not told["pending"]


def test_it_says_what_is_wrong_with_the_file_of_decisions(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    desk.recipe.decisions.write_text("nothing\n")
    heading = Heading(Live(desk))
    heading._reckon(desk, (desk.version, 0))
    assert "decisions.jsonl:1" in heading.told("anna")["say"]


def test_two_people_agree_where_they_say_the_same(tmp_path: Path) -> None:
    desk = tagging(tmp_path, double_share=1.0)
    assert agreeing(desk) == []
    for at, (one, other) in enumerate([("wrong", "wrong"), ("fine", "drop"), ("fine", "fine")]):
        decide(desk, at, one)
        decide(desk, at, other, who="ben")
    decide(desk, 4, who="ben")
    assert agreeing(desk) == [("two people agree", "2 of 3")]


def test_the_page_opens_with_the_number_of_lines_that_the_queue_tells(tmp_path: Path) -> None:
    made = built(tmp_path)
    desk = Desk(made, reviewing.queue(made))
    assert opened(desk) == "3 lines to look at (10 echoes wait behind them)"
    assert open_lines(desk.waiting, decisions.read(made.decisions)).lines.num_rows == 3
    told = {"who": "ana", "when": "2026-01-01T10:00:00", "why": "friends", "verdict": "wrong", "text": "我的好友来了"}
    decisions.add(made.decisions, [told | {"row": "film/0", "part": "2:4", "was": "O", "answer": "PER"}])
    desk.refresh()
    left = open_lines(desk.waiting, decisions.read(made.decisions)).lines.num_rows
    assert opened(desk) == f"{left} lines to look at (3 echoes wait behind them)"
    assert dict(Heading(Live(desk)).told("ana")["facts"])["left for you"] == f"{left} of {left + 1}"

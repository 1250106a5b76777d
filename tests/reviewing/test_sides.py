"""Sides: only what was looked at alone tells of bias and agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.decisions import line_id
from pipeline.quality.reviewed import dealt
from pipeline.reviewing.judged import judged
from pipeline.reviewing.sides import agreed, spellings, swayed
from pipeline.reviewing.tables import named
from pipeline.settings import ReviewSettings
from tests.reviewing.judging import a_queue, says, the_book

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = ReviewSettings(blind_share=0.5)
QUEUE = a_queue(80)


def is_blind(row: int, who: str) -> bool:
    """Whether the line is dealt to the person without the proposal."""
    return dealt(1, named("q", f"film/{row}", "0:7", "suspect"), who, blind_share=0.5, double_share=0.1)[0]


def test_a_swayed_person_is_found(tmp_path: Path) -> None:
    told = [
        says(row, "fine" if is_blind(row, "mo") and row % 2 else "wrong", blind=is_blind(row, "mo"))
        for row in range(80)
    ]
    found = swayed(judged(the_book(tmp_path, told), QUEUE), SETTINGS)
    assert found["blind"] + found["shown"] == 80
    assert found["same"]["shown"] == 1.0
    assert found["same"]["low"] > 0.2
    assert found["says"].startswith("people say what is proposed more often")


def test_what_was_decided_by_group_or_settled_or_dealt_otherwise_is_on_no_side(tmp_path: Path) -> None:
    group = [says(row, act="a1") for row in range(5)]
    first = says(6, "fine", "li", blind=is_blind(6, "li"))
    spoiled = next(row for row in range(10, 80) if is_blind(row, "mo"))
    last = says(6, "wrong", "mo", settles=[line_id(first)])
    found = swayed(judged(the_book(tmp_path, [*group, first, last, says(spoiled)]), QUEUE), SETTINGS)
    assert found["blind"] + found["shown"] == 1
    assert found["says"].startswith("cannot be told")


def test_fine_is_the_proposal_where_nothing_else_was_proposed(tmp_path: Path) -> None:
    told = [says(0, "fine", suggested="LOC", blind=True), says(1, "ambiguous", blind=True), says(2, blind=True)]
    found = swayed(judged(the_book(tmp_path, told), QUEUE), SETTINGS)
    assert (found["blind"], found["shown"]) == (3, 0)


def test_agreement_is_on_lines_that_two_looked_at(tmp_path: Path) -> None:
    told = [says(row, who=who) for row in range(10) for who in ("mo", "li")]
    told += [says(row, verdict, who) for row in range(10, 16) for who, verdict in (("mo", "wrong"), ("li", "fine"))]
    told += [says(row, act="a1") for row in range(20, 30)] + [says(row, who="li", act="a2") for row in range(20, 30)]
    found = agreed(judged(the_book(tmp_path, told), QUEUE), 1)
    assert found["answers"]["lines"] == 16
    assert found["answers"]["raw"]["value"] == pytest.approx(10 / 16)
    assert found["verdicts"]["pairs"][0]["lines"] == 16


@pytest.mark.parametrize(
    ("suggested", "answer"),
    [("good", '["good"]'), ('"good"', '["good"]'), ('["good"]', '["good"]'), ("好", '["好"]'), ("1", '["1"]')],
)
def test_the_proposal_is_known_however_it_is_spelled(suggested: str, answer: str) -> None:
    assert answer in spellings(suggested)
    assert '["bad"]' not in spellings(suggested)

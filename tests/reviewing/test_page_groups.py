"""Groups in a real browser: answers that compete, numbered and marked; a group that is mostly right asks twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipeline import reviewing
from pipeline.reviewing.desk import Desk
from tests.reviewing.browsing import missing, press
from tests.reviewing.seats import served, tagging
from tests.reviewing.test_acts import answers
from tests.reviewing.test_page import NAMELESS, is_plain, written
from tests.reviewing.test_rivals import teams
from tests.small import built, rejected

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reviewing.browsing import Opening

TOO_WIDE = """() => [...document.querySelectorAll("#detail button, #detail label, #detail textarea")]
  .filter((one) => one.checkVisibility())
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > innerWidth)
  .map((one) => one.outerHTML.slice(0, 120))"""
pytestmark = [pytest.mark.browser, missing]


def test_answers_that_compete_are_shown_marked_and_chosen_by_number(tmp_path: Path, opened: Opening) -> None:
    one = teams(tmp_path)
    desk = Desk(one, reviewing.queue(one))
    with served(desk) as at:
        page = opened(at.links["anna"])
        marks = page.locator(".choice.rival .text mark.span").all_inner_texts()
        assert [mark.replace("\u2060", "") for mark in marks] == ["ArsenalORG", "LeedsLOC", "ArsenalLOC", "LeedsLOC"]
        assert page.locator(".choice kbd").all_inner_texts() == ["1", "2"]
        assert page.locator(".verdict.fine").count() == 0
        page.keyboard.press("w")
        assert "Say first what is right" in page.inner_text("#live")
        page.keyboard.press("f")
        page.wait_for_selector("#alert.on")
        assert "cannot all be fine" in page.inner_text("#alert")
        assert written(desk) == []
        page.keyboard.press("1")
        assert "answer 1" in page.inner_text(".verdict.wrong")
        press(page, "w")
        assert {line["row"]: line["verdict"] for line in written(desk)} == {
            "s/1": "wrong",
            "s/2": "fine",
            "s/3": "fine",
        }
    built(one, "audit")
    assert answers(one)["s/1"] == [[2, 9, "ORG"], [17, 22, "LOC"]]
    assert "conflict" not in dict(rejected(one, "audit")).values()


@pytest.mark.parametrize("width", [1280, 360])
def test_what_competes_has_names_stands_out_and_fits(tmp_path: Path, opened: Opening, width: int) -> None:
    one = teams(tmp_path)
    with served(Desk(one, reviewing.queue(one))) as at:
        page = opened(at.links["anna"], viewport={"width": width, "height": 740}, has_touch=width == 360)
        for _ in range(2):
            assert page.evaluate(NAMELESS) == []
            assert page.evaluate(TOO_WIDE) == []
            assert is_plain(page)
            press(page, "g")


def test_a_single_line_in_conflict_takes_a_number_or_what_is_written(tmp_path: Path, opened: Opening) -> None:
    one = teams(tmp_path)
    desk = Desk(one, reviewing.queue(one))
    with served(desk) as at:
        page = opened(at.links["anna"])
        press(page, "g")
        assert page.locator(".choice").count() == 2
        page.keyboard.press("2")
        page.fill("#words", "[Arsenal|PER]")
        assert page.locator(".choice input:checked").count() == 0
        page.fill("#words", "😀 [Arsenal|PER] won in Leeds on Sunday.")
        page.keyboard.press("Escape")
        press(page, "w")
        (line,) = written(desk)
        assert line["answer"] == [[2, 9, "PER"]]
        assert line["why"] == "no reason given"


def mostly_right(folder: Path, **told: Any) -> Desk:
    """A desk with a group of four lines of which so few are expected to be wrong."""
    desk = tagging(folder)
    at = desk.groups.schema.get_field_index("expected")
    desk.groups = desk.groups.set_column(at, "expected", pa.array([told["expected"]], pa.float64()))
    return desk


def test_a_group_that_is_mostly_right_is_not_made_wrong_by_one_key(tmp_path: Path, opened: Opening) -> None:
    desk = mostly_right(tmp_path, expected=1.0)
    with served(desk) as at:
        page = opened(at.links["anna"])
        page.keyboard.press("w")
        assert "About 3 of these 4 lines would be made wrong: press w again" in page.inner_text("#live")
        page.keyboard.press("1")  # what was warned of is not what would be sent now
        page.keyboard.press("w")
        assert "press w again" in page.inner_text("#live")
        assert written(desk) == []
        press(page, "w")
        assert len(written(desk)) == 4


def test_a_group_that_is_mostly_wrong_asks_once(tmp_path: Path, opened: Opening) -> None:
    desk = mostly_right(tmp_path, expected=2.0)
    with served(desk) as at:
        press(opened(at.links["anna"]), "w")
        assert len(written(desk)) == 4

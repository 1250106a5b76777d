"""The page while the data set is rebuilt: nothing that is looked at or written is lost; and two pages at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.reviewing.browsing import going_on, missing, press
from tests.reviewing.rebuilding import match, matches, rebuild
from tests.reviewing.seats import feeling, served

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.tasks import Row
    from tests.reviewing.browsing import Opening
    from tests.reviewing.rebuilding import Scores
    from tests.reviewing.seats import Served

pytestmark = [pytest.mark.browser, missing]
FOUR = {0: 0.9, 1: 0.8, 2: 0.7, 3: 0.6}
HEAD = "import('/page.js').then((page) => page.head())"


def rebuilt(at: Served, scores: Scores, rows: list[Row] | None = None, *pages: Any) -> None:
    """Build anew, and have the pages notice, as they would some seconds later by themselves."""
    rebuild(at.desk.recipe, scores, rows)
    for page in pages:
        page.evaluate(HEAD)
    at.live.wait()
    for page in pages:
        page.evaluate(HEAD)
        page.wait_for_selector("#news:not(:empty)")


def rows_of(at: Served) -> list[tuple[str, str]]:
    path = at.desk.recipe.decisions
    told = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(line["row"], line["why"]) for line in told]


def test_a_rebuild_is_told_quietly_and_taken_in_with_the_next_line(tmp_path: Path, opened: Opening) -> None:
    with served(matches(tmp_path, FOUR)) as at:
        page = opened(at.links["anna"])
        press(page, "j")
        page.keyboard.press("y")
        page.keyboard.type("half a thou")
        before = page.inner_text("#card")
        rebuilt(at, {0: 0.9, 1: 0.8, 2: 0.1, 5: 0.99, 6: 0.5}, None, page)
        told = page.inner_text("#news")
        assert told == "The data set was rebuilt: 2 new lines, 1 gone. The new order comes with the next line."
        assert page.evaluate("document.activeElement.id") == "why"
        page.keyboard.type("ght")
        assert page.input_value("#why") == "half a thought"
        assert page.inner_text("#card") == before
        page.keyboard.press("Enter")
        press(page, "f")
        assert rows_of(at) == [("film/1", "half a thought")]
        assert page.inner_text("#news") == ""
        assert page.locator(".badges .row").inner_text() == "film/6"  # what comes after film/1 in the new order
        told_by_list = page.locator("#list .entry[aria-selected=true]").get_attribute("aria-posinset")
        assert told_by_list == "4"
        press(page, "f", "f")
        assert [row for row, _ in rows_of(at)] == ["film/1", "film/6", "film/2"]
        assert page.locator(".badges .row").inner_text() == "film/5"


def test_a_line_that_changed_is_refused_shown_again_and_what_was_written_stays(tmp_path: Path, opened: Opening) -> None:
    with served(matches(tmp_path, FOUR)) as at:
        page = opened(at.links["anna"])
        page.keyboard.press("y")
        page.keyboard.type("a team")
        page.keyboard.press("Enter")
        page.keyboard.press("1")
        rows = [match(0, "lost"), match(1), match(2), match(3)]
        rebuilt(at, FOUR, rows, page)
        with going_on(page):
            page.keyboard.press("w")
        page.wait_for_selector("#alert.on")
        assert "not what you were shown" in page.inner_text("#alert")
        assert rows_of(at) == []
        assert "lost at home" in page.inner_text("#card .text")
        assert page.input_value("#why") == "a team"
        assert page.is_checked("input[name=right][value=PER]")
        press(page, "w")
        assert rows_of(at) == [("film/0", "a team")]
        assert not page.evaluate("document.querySelector('#alert.on')")


def test_a_line_that_is_gone_is_refused_and_the_next_key_goes_on(tmp_path: Path, opened: Opening) -> None:
    with served(matches(tmp_path, FOUR), "anna", "ben") as at:
        anna, ben = opened(at.links["anna"]), opened(at.links["ben"])
        press(ben, "j")
        for page in (anna, ben):
            page.keyboard.press("y")
            page.keyboard.type("seen")
            page.keyboard.press("Enter")
        rebuilt(at, {1: 0.4, 2: 0.7, 3: 0.6}, None, anna, ben)
        anna.keyboard.press("f")
        anna.wait_for_selector("#alert.on")
        assert "film/0" not in str(rows_of(at))
        assert anna.input_value("#why") == "seen"
        press(ben, "f")
        assert rows_of(at) == [("film/1", "seen")]
        press(anna, "n")
        assert anna.locator(".badges .row").inner_text() == "film/2"
        assert anna.inner_text("#news") == ""
        with going_on(ben):
            ben.click("#list [role=option] >> nth=1")
        assert ben.locator(".badges .row").inner_text() == "film/3"


def test_an_entry_of_the_old_order_is_found_in_the_new_one(tmp_path: Path, opened: Opening) -> None:
    with served(matches(tmp_path, FOUR)) as at:
        page = opened(at.links["anna"])
        rebuilt(at, {3: 0.95, 2: 0.9, 1: 0.8, 0: 0.7}, None, page)
        with going_on(page):
            page.click("#list [role=option] >> nth=3")  # film/3 as the list shows it
        assert page.locator(".badges .row").inner_text() == "film/3"
        assert page.locator("#list .entry[aria-selected=true]").get_attribute("aria-posinset") == "1"


def test_an_empty_queue_is_taken_in_too(tmp_path: Path, opened: Opening) -> None:
    with served(matches(tmp_path, FOUR)) as at:
        page = opened(at.links["anna"])
        rebuilt(at, {}, [match(at_) for at_ in FOUR], page)
        page.keyboard.press("n")
        page.wait_for_selector("#card .empty")


def test_pages_of_two_data_sets_in_one_browser_do_not_throw_each_other_out(tmp_path: Path, opened: Opening) -> None:
    with (
        served(feeling(tmp_path / "one", ["good", "bad", "so"])) as one,
        served(feeling(tmp_path / "two", ["well", "ill", "so"])) as two,
    ):
        first = opened(one.links["anna"])
        second = opened(two.links["anna"], beside=first)
        for _ in range(2):
            press(first, "f")
            press(second, "f")
        first.reload()
        first.wait_for_selector("body[data-usable]")
        press(first, "f")
        assert [len(rows_of(at)) for at in (one, two)] == [3, 2]
        names = {cookie["name"] for cookie in first.context.cookies()}
        assert names == {f"assay_review_{at.port}" for at in (one, two)}

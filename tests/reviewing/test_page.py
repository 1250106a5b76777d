"""The page in a real browser: keys, marks, two people, hostile rows, a phone, and who does not see or not point."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import decisions
from pipeline.reviewing.desk import Desk
from pipeline.text import visible
from tests.builds import a_recipe, a_tagged
from tests.reviewing.browsing import LINES, going_on, missing, press
from tests.reviewing.seats import LABELS, a_line, built, feeling, queued, served, tagging, talking

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reviewing.browsing import Opening

pytestmark = [pytest.mark.browser, missing]


def written(desk: Desk) -> list[dict[str, Any]]:
    path = desk.recipe.decisions
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_decisions_with_the_keyboard_alone(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path, count=10, grouped=0)
    with served(desk) as at:
        page = opened(at.links["anna"])
        for number in range(8):
            if number % 4 == 0:
                page.keyboard.press("1")
            press(page, "wfad"[number % 4])
        told = written(desk)
        assert [line["verdict"] for line in told] == ["wrong", "fine", "ambiguous", "drop"] * 2
        assert {line.get("answer") for line in told if line["verdict"] == "wrong"} == {"PER"}
        assert [line["row"] for line in told] == [f"film/{at}" for at in range(8)]
        assert all(0 < line["seconds"] < 60 for line in told)
        press(page, "u", "u")
        assert [line["undo"] for line in written(desk)[8:]] == [told[7]["act"], told[6]["act"]]


def test_a_key_that_comes_too_early_is_no_verdict_on_what_was_shown_before(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path, count=9, grouped=0)
    with served(desk) as at:
        page = opened(at.links["anna"])
        page.evaluate(
            """() => { for (const key of "wfwajjfdwfkwf") {
              document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            } }"""
        )
        page.wait_for_selector("body[data-drawn='2']")
        press(page, "f")
        rows = [line["row"] for line in written(desk)]
        assert len(rows) == len(set(rows)) == 2


def test_the_proposal_is_taken_with_one_key_and_why_with_a_few(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path, count=3, grouped=0)
    with served(desk) as at:
        page = opened(at.links["anna"])
        page.keyboard.press("y")
        page.keyboard.type("a team, jfk")
        page.keyboard.press("Enter")
        press(page, "w")
        (line,) = written(desk)
        assert (line["answer"], line["why"]) == ("ORG", "a team, jfk")


def test_a_group_is_decided_at_once_and_as_a_rule(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path)
    with served(desk) as at:
        page = opened(at.links["anna"])
        assert "Arsenal" in page.inner_text("#card h2")
        page.click(".members input >> nth=1")
        press(page, "w")
        assert [line["row"] for line in written(desk)] == ["film/0", "film/2", "film/3"]
        press(page, "u")
        page.keyboard.press("r")
        press(page, "w")
        assert written(desk)[-1]["rule"]["surfaces"] == ["Arsenal"]
        assert desk.done("anna").all()


def test_g_leads_from_a_group_to_a_line_and_back(tmp_path: Path, opened: Opening) -> None:
    with served(tagging(tmp_path)) as at:
        page = opened(at.links["anna"])
        press(page, "g")
        assert page.locator("#card .text").count() == 1
        press(page, "g")
        assert page.locator("#card .members").count() == 1


TEXT = "👩‍🚀 Team 😀 q\u0301rsenal\u202e won\x00 in 里兹 today."


def marking(folder: Path) -> Desk:
    """A desk with a span after emoji, combining marks and hidden characters."""
    recipe = a_recipe(folder, task="tagging", guideline=LABELS, review={"double_share": 0.0, "blind_share": 0.0})
    row = a_tagged("film/1", TEXT, [("LOC", "里兹")])
    built(recipe, [row])
    span = row["spans"][0]
    return Desk(recipe, queued([a_line("film/1", f"{span['start']}:{span['end']}", text=TEXT, likely="PER")]))


def selecting(page: Any, text: str) -> None:
    """Select a stretch of the text, as one does with a pointer."""
    page.evaluate(
        """(wanted) => {
          const holder = document.querySelector(".text");
          const walker = document.createTreeWalker(holder, NodeFilter.SHOW_TEXT), range = document.createRange();
          for (let node; (node = walker.nextNode());) {
            const at = node.data.indexOf(wanted[0]), end = node.data.indexOf(wanted[1]);
            if (at >= 0) range.setStart(node, at);
            if (end >= 0) range.setEnd(node, end + wanted[1].length);
          }
          document.getSelection().removeAllRanges();
          document.getSelection().addRange(range);
          document.dispatchEvent(new PointerEvent("pointerup"));
        }""",
        text.split("|"),
    )


SELECTED = {
    "Team|Team": "Team",
    "Team|rsenal": "Team 😀 q\u0301rsenal",
    " in|today": "in 里兹 today",
    "won|in": "won\x00 in",
}


def test_a_selection_is_told_in_code_points(tmp_path: Path, opened: Opening) -> None:
    desk = marking(tmp_path)
    with served(desk) as at:
        page = opened(at.links["anna"])
        for first_last, marked in SELECTED.items():
            with going_on(page):
                selecting(page, first_last)
            page.keyboard.press("2")
            press(page, "w")
            told = written(desk)[-1]
            start, _, end = told["part"].partition(":")
            assert TEXT[int(start) : int(end)] == marked
            assert told["answer"] == "ORG"


def test_ends_are_moved_by_keys(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path, count=1, grouped=0)
    with served(desk) as at:
        page = opened(at.links["anna"])
        press(page, "[", "[", "]", "}", "}", "w")
        assert [line["part"] for line in written(desk)] == ["9:16", "7:15"]


def test_hidden_characters_are_those_of_the_pipeline(tmp_path: Path, opened: Opening) -> None:
    with served(tagging(tmp_path)) as at:
        page = opened(at.links["anna"])
        found = page.evaluate(
            """async () => {
              const { isHidden } = await import("/text.js");
              return [...Array(0x10000).keys(), 0x1f600, 0x10ffff].filter(isHidden);
            }"""
        )
    assert found == [point for point in range(0x10000) if visible(chr(point)) != chr(point)]


HOSTILE = [
    "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>",
    "</div></article><button>Drop</button><a href=javascript:alert(1)>x</a>",
    "\u202egnp.exe \x00\x07 end\u2066 {{7*7}} `\u200b`",
    "word " * 200_000,
    "שלום עולם, זה סרט נהדר",
]


def test_hostile_rows_stay_text(tmp_path: Path, opened: Opening) -> None:
    desk = feeling(tmp_path, HOSTILE)
    with served(desk) as at:
        page = opened(at.links["anna"])
        before = page.locator("button").count()
        for text in HOSTILE:
            shown = page.text_content(".text")
            assert shown == visible(text[:6000])
            assert page.locator(".text *:not(.hidden-character)").count() == 0
            assert page.title() == "Review tiny"
            if len(text) < 6000:
                assert page.locator("button").count() == before
            press(page, "f")
        assert len(written(desk)) == len(HOSTILE)
        with going_on(page):
            page.click("#list [role=option] >> nth=3")
        with going_on(page):
            page.click(".more button")
        assert page.evaluate("document.querySelector('.text').textContent.length") == len(HOSTILE[3])


def test_texts_say_their_language_and_direction(tmp_path: Path, opened: Opening) -> None:
    desk = feeling(tmp_path, ["这部电影太好看了，我很喜欢", "שלום עולם, זה סרט נהדר"])
    with served(desk) as at:
        page = opened(at.links["anna"])
        assert page.get_attribute(".text", "lang") == "zh"
        press(page, "j")
        assert page.evaluate("getComputedStyle(document.querySelector('.text')).direction") == "rtl"


def test_two_people_side_by_side(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path, count=3, grouped=0, double_share=1.0)
    with served(desk, "anna", "ben", "mo") as at:
        anna, ben = opened(at.links["anna"]), opened(at.links["ben"])
        press(anna, "w")
        with going_on(ben):
            ben.click("#list [role=option] >> nth=0")
        assert "anna" not in ben.inner_text("#card")
        press(ben, "f")
        assert "You differ: anna said wrong → ORG" in ben.text_content("#live")
        mo = opened(at.links["mo"])
        with going_on(mo):
            mo.select_option("#view", "conflicts")
        assert "People differ" in mo.inner_text("#card")
        mo.evaluate("document.activeElement.blur()")
        with going_on(mo):
            mo.keyboard.press("w")
        assert decisions.read(desk.recipe.decisions).conflicts == ()


def test_a_blind_line_shows_no_proposal_and_wants_an_answer(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path, count=2, grouped=0, blind_share=1.0)
    with served(desk) as at:
        page = opened(at.links["anna"])
        assert page.locator(".proposed").count() == 0
        assert "80 %" not in page.inner_text("main")
        page.keyboard.press("w")
        page.wait_for_selector("#live.on")
        assert not written(desk)
        page.keyboard.press("Escape")
        page.keyboard.press("2")
        press(page, "w")
        assert written(desk)[0]["blind"]


def test_a_reply_is_written_and_a_conversation_stands_in_turns(tmp_path: Path, opened: Opening) -> None:
    desk = talking(tmp_path)
    with served(desk) as at:
        page = opened(at.links["anna"])
        assert page.locator(".passage").count() == 5
        assert "I went to the library" in page.inner_text(".passage.answer")
        page.fill("#words", "Rome. 😀")
        page.keyboard.press("Escape")
        press(page, "w")
        (line,) = written(desk)
        assert (line["was"], line["answer"]) == ("I went to the library yesterday.", "Rome. 😀")


def test_nothing_is_said_to_be_saved_that_is_not(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path, count=3, grouped=0)
    with served(desk) as at:
        page = opened(at.links["anna"])
        page.route("**/api/decide", lambda route: route.fulfill(status=422, body=json.dumps({"error": "disk full"})))
        page.keyboard.press("f")
        page.wait_for_selector("#alert.on")
        assert "disk full" in page.inner_text("#alert")
        assert "Saved" not in page.text_content("#live")
        page.unroute("**/api/decide")
        press(page, "f")
        assert len(written(desk)) == 1


NAMELESS = """() => [...document.querySelectorAll("button, input, select, textarea, summary, a[href], nav, #list")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.getAttribute("aria-label") || one.innerText || one.labels?.[0]?.innerText))
  .map((one) => one.outerHTML.slice(0, 120))"""
FAINT = """() => {
  const rgb = (colour) => (colour.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => {
    for (let node = one; node; node = node.parentElement) {
      const found = rgb(getComputedStyle(node).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !one.checkVisibility({ opacityProperty: true })) continue;
    const [front, back] = [light(rgb(getComputedStyle(one).color)), light(ground(one))];
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${one.outerHTML.slice(0, 100)}`);
  }
  return faint;
}"""


def is_plain(page: Any) -> bool:
    """Whether no text is faint, by day and by night."""
    faint = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        faint += page.evaluate(FAINT)
    assert faint == []
    return True


@pytest.mark.parametrize("width", [1280, 360])
def test_controls_have_names_and_texts_stand_out(tmp_path: Path, opened: Opening, width: int) -> None:
    with served(tagging(tmp_path)) as at:
        page = opened(at.links["anna"], viewport={"width": width, "height": 740})
        for _ in range(2):
            assert page.evaluate(NAMELESS) == []
            assert is_plain(page)
            press(page, "g")
        if width == 360:
            page.click("#to-list")
            assert is_plain(page)


def test_tab_leads_through_the_controls_in_order_with_a_mark_about_them(tmp_path: Path, opened: Opening) -> None:
    with served(tagging(tmp_path, count=3, grouped=0)) as at:
        page = opened(at.links["anna"])
        page.reload()
        page.wait_for_selector(LINES)
        page.evaluate("document.querySelector('.skip').focus()")
        seen = ["skip"]
        for _ in range(20):
            page.keyboard.press("Tab")
            name = page.evaluate("document.activeElement.id || document.activeElement.className")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none" or name in ("card", "")  # the end of the page
            seen.append(name)
        order = [
            seen.index(name) for name in ("skip", "help-open", "view", "list", "verdict wrong", "verdict fine", "why")
        ]
        assert order == sorted(order)


def test_a_phone_has_room_for_everything(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path)
    with served(desk) as at:
        page = opened(at.links["anna"], viewport={"width": 360, "height": 740}, has_touch=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        high = "[...document.querySelectorAll('.verdicts button')].map((one) => one.getBoundingClientRect().height)"
        assert min(page.evaluate(high)) >= 40
        page.tap("#to-list")
        page.tap("#list [role=option] >> nth=1")
        page.wait_for_selector("#card .text")
        with going_on(page):
            page.tap(".verdict.fine")
        assert written(desk)[0]["row"] == "film/4"


def test_what_happens_is_said_to_those_who_listen(tmp_path: Path, opened: Opening) -> None:
    with served(tagging(tmp_path, count=3, grouped=0)) as at:
        page = opened(at.links["anna"])
        chosen = page.get_attribute("#list", "aria-activedescendant")
        assert page.get_attribute(f"#{chosen}", "aria-selected") == "true"
        press(page, "f")
        assert page.text_content("#live") == "Fine. Saved."
        page.keyboard.press("?")
        assert page.evaluate("document.querySelector('dialog').open")
        page.keyboard.press("f")
        page.keyboard.press("Escape")
        assert not page.evaluate("document.querySelector('dialog').open")


def test_a_line_for_a_new_guideline_says_so_unless_the_mark_is_taken_away(tmp_path: Path, opened: Opening) -> None:
    desk = tagging(tmp_path, count=2, grouped=0)
    rows = desk.lines.to_pylist()
    told = [a_line(one["id"], one["part"], kind="relabel", text=one["text"], surface="Arsenal") for one in rows]
    desk = Desk(desk.recipe, queued(told))
    with served(desk) as at:
        page = opened(at.links["anna"])
        assert page.is_checked("#cause")
        press(page, "w")
        page.uncheck("#cause")
        page.evaluate("document.activeElement.blur()")
        press(page, "w")
        assert [line.get("cause", "error") for line in written(desk)] == ["guideline", "error"]

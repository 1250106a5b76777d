"""A rebuilt data set is taken in while people sit before the page, and nothing is decided on what was not seen."""

from __future__ import annotations

import fcntl
import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import AssayError
from pipeline.reviewing import detail, live
from pipeline.reviewing.live import Live, is_building
from tests.reviewing.rebuilding import PART, match, matches, rebuild
from tests.reviewing.seats import served
from tests.reviewing.test_server import Visitor

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.reviewing.desk import Desk

THREE = {0: 0.9, 1: 0.8, 2: 0.7}


def ids(desk: Desk) -> list[str]:
    found: list[str] = desk.lines["id"].to_pylist()
    return found


def taken_in(now: Live) -> Desk:
    """The desk once all that is being made is there."""
    now.look()
    now.wait()
    return now.desk


def test_a_later_build_is_taken_in_and_told(tmp_path: Path) -> None:
    desk = matches(tmp_path, THREE)
    now = Live(desk)
    assert taken_in(now) is desk
    rebuild(desk.recipe, {1: 0.2, 3: 0.95, 4: 0.6})
    later = taken_in(now)
    assert ids(later) == ["film/3", "film/4", "film/1"]
    told = {"version": later.version, "rebuilt": True, "new": 2, "gone": 2, "trouble": ""}
    assert now.news(desk.version) == told
    assert now.news("elsewhen")["new"] is None
    rebuild(desk.recipe, {3: 0.9})
    assert ids(taken_in(now)) == ["film/3"]
    since = [(now.news(one.version)["new"], now.news(one.version)["gone"]) for one in (desk, later)]
    assert since == [(1, 3), (0, 2)]


def test_a_build_of_the_same_is_no_news(tmp_path: Path) -> None:
    desk = matches(tmp_path, THREE)
    now = Live(desk)
    rebuild(desk.recipe, THREE)
    assert taken_in(now) is not desk
    assert now.desk.version == desk.version


def test_while_a_build_is_running_nothing_is_taken_in(tmp_path: Path) -> None:
    desk = matches(tmp_path, THREE)
    now = Live(desk)
    with (desk.recipe.build / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_building(desk.recipe.build)
        rebuild(desk.recipe, {3: 0.9})
        assert taken_in(now) is desk
        assert detail.line(desk, 0, "anna")["passages"][0]["text"] == match(0)["text"]
    assert not is_building(desk.recipe.build)
    assert ids(taken_in(now)) == ["film/3"]


def test_what_cannot_be_taken_in_is_told_and_the_page_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(recipe: Recipe) -> Desk:
        raise AssayError("recipe 'tiny'", "no setting 'lenght'", "mend it")

    desk = matches(tmp_path, THREE)
    now = Live(desk)
    with monkeypatch.context() as patched:
        patched.setattr(live, "desk_of", broken)
        rebuild(desk.recipe, {3: 0.9})
        assert taken_in(now) is desk
        assert "lenght" in now.trouble
        assert taken_in(now) is desk  # it is not tried again and again
    rebuild(desk.recipe, {3: 0.8})
    assert ids(taken_in(now)) == ["film/3"]
    assert now.trouble == ""


def decide(visitor: Visitor, told: dict[str, Any], act: str) -> tuple[int, Any]:
    """Decide on a line as it was shown; status and answer."""
    sent = {"act": act, "scope": "line", "target": told["line"], "verdict": "fine", "seen": told["seen"]}
    status, headers, content = visitor.ask("/api/decide", sent)
    assert headers["x-assay-queue"]
    return status, json.loads(content)


def test_two_reviewers_with_a_rebuild_between_them(tmp_path: Path) -> None:
    desk = matches(tmp_path, {0: 0.9, 1: 0.8, 2: 0.7, 3: 0.6})
    with served(desk, "anna", "ben") as page:
        anna, ben = (Visitor(page.links[who]).enter() for who in ("anna", "ben"))
        shown = {one["row"]: one["line"] for one in anna.told("/api/list?view=lines&start=0&count=9")["entries"]}
        seen = {row: anna.told(f"/api/line?line={line}") for row, line in shown.items()}
        assert decide(anna, seen["film/0"], "act-00000001")[0] == 200
        rows = [match(0), match(1, "lost"), match(2, label="PER"), match(5)]
        rebuild(desk.recipe, {0: 0.9, 1: 0.8, 2: 0.7, 5: 0.99}, rows)
        anna.told("/api/head")
        page.live.wait()
        told = {row: decide(ben, seen[row], f"act-ben-{row[-1]}-0") for row in seen}
        assert [told[f"film/{at}"][0] for at in range(4)] == [200, 422, 422, 422]
        assert [told[f"film/{at}"][1].get("outdated") for at in range(1, 4)] == ["changed", "changed", "gone"]
        assert "not what you were shown" in told["film/1"][1]["error"]
        assert ben.told("/api/next?view=value&after=-1")["at"] == 0
        again = ben.told(f"/api/line?line={shown['film/1']}")
        assert decide(ben, again, "act-ben-again")[0] == 200
        lines = [json.loads(line) for line in desk.recipe.decisions.read_text().splitlines()]
        assert [(one["who"], one["row"], one["part"]) for one in lines] == [
            ("anna", "film/0", PART), ("ben", "film/0", PART), ("ben", "film/1", PART),
        ]  # fmt: skip
        assert anna.told(f"/api/place?view=value&line={shown['film/3']}") == {"at": -1, "known": False}
        assert anna.told(f"/api/place?view=value&line={shown['film/2']}")["at"] >= 0

"""The annotators on the page: the suspicious ones at once, the page small however many there are, nobody wronged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipeline import pages
from pipeline.pages import overview, people
from pipeline.pages.blocks import Cards, Fold, Points, Text
from pipeline.pages.build import Build
from tests.builds import a_recipe
from tests.pages import stages


def _build(folder: Path, *cards: dict[str, Any]) -> Build:
    told = {"annotators": len(cards), "cards": list(cards), "notes": []}
    return Build(a_recipe(folder), {"audit": {"details": {"annotators": told}, "counts": {}}})


def _blocks(build: Build, kind: type) -> list[Any]:
    return [block for block in people.annotators(build).blocks if isinstance(block, kind)]


def test_suspicious_ones_are_named_at_once_and_at_the_top_of_the_page(tmp_path: Path) -> None:
    build = _build(tmp_path, stages.a_card("ana", suspect=True, copying=[]), stages.a_card("ben", copying=[]))
    (alarm,) = [block for block in _blocks(build, Text) if block.tone == "alarm"]
    assert alarm.text.startswith("1 of 2 annotators may have answered without reading, or copied: ana.")
    assert [notice.text for notice in overview.notices(build)] == [alarm.text]


def test_nobody_suspicious_nothing_said(tmp_path: Path) -> None:
    build = _build(tmp_path, stages.a_card("ana", copying=[]))
    assert people.suspicion(build) == ""
    assert overview.notices(build) == []


def test_many_suspicious_ones_are_counted(tmp_path: Path) -> None:
    build = _build(tmp_path, *(stages.a_card(f"a{number}", suspect=True) for number in range(40)))
    assert "a11 and 28 more." in people.suspicion(build)


def test_a_copying_pair_stands_once(tmp_path: Path) -> None:
    copy = {"shared": 50, "same": 49, "expected": 20.0, "odd": 7}
    pair = (
        stages.a_card("ana", copying=[copy | {"with": "ben"}]),
        stages.a_card("ben", copying=[copy | {"with": "ana"}]),
    )
    (points,) = _blocks(_build(tmp_path, *pair), Points)
    assert points.items == [
        "ana and ben: 49 of 50 common answers are the same, 20.0 would be expected; 7 of these against most of the rest"
    ]


def test_the_first_twelve_are_open(tmp_path: Path) -> None:
    build = _build(tmp_path, *(stages.a_card(f"a{number:03}", copying=[]) for number in range(30)))
    (shown,) = _blocks(build, Cards)
    assert [card.name for card in shown.items] == [f"a{number:03}" for number in range(12)]
    assert [fold.summary for fold in _blocks(build, Fold)] == ["The next 18 cards", "All 30 in a table"]


def test_five_hundred_annotators_make_no_heavy_page(tmp_path: Path) -> None:
    many = [stages.a_card(f"worker {number} {'x' * 300}", suspect=number < 100) for number in range(500)]
    page = pages.render(_build(tmp_path, *many))
    assert len(page.encode()) < 1_000_000
    assert len(re.findall('<article class="card', page)) == people.CARDS
    assert "worker 499" in page

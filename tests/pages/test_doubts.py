"""Suspects on the page: wrong ones first, the words in question marked, reasons as they stand, the rate no proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import pages
from pipeline.contract import contract
from pipeline.pages import doubts
from pipeline.pages.blocks import Examples, Fold, Text
from pipeline.pages.build import Build, read
from pipeline.suspecting import SUSPECTS
from tests.builds import SPINE, a_recipe
from tests.pages import stages

TEXT = "重庆点球大战淘汰了武汉。"


@pytest.fixture
def tagged(tmp_path: Path) -> Build:
    """A build of one tagged row with three suspects, the wrong one last."""
    of = a_recipe(tmp_path, task="tagging", guideline={"label": [{"name": "LOC"}]})
    row = SPINE | {"id": "zh/1", "group": "zh/1", "language": "zh", "text": TEXT, "tokens": None, "spans": []}
    lines = [_line("fine", "0:2"), _line("ambiguous", "0:2"), _line("wrong", "9:11", likely="O")]
    row = {name: row.get(name) for name in contract("tagging").schema.names}
    rows = {"rows": (contract("tagging").schema, [row])}
    rate = {"value": 0.02, "low": 0.01, "high": 0.03, "note": "an order of size"}
    told = {"listed": 1, "checked": 9, "verdicts": {"wrong": 1, "ambiguous": 1, "fine": 1}, "error_rate": rate}
    stages.whole(of, "audit", rows, counts=stages.counted(1, 1))
    stages.whole(of, "suspect", {"suspects": (SUSPECTS, lines)}, details=told, counts=stages.counted(1, 0))
    return read(of)


def _line(verdict: str, part: str, **told: Any) -> dict[str, Any]:
    usual = {"id": "zh/1", "part": part, "verdict": verdict, "score": 0.9, "given": "LOC", "likely": "ORG"}
    return {**usual, "why": ["model gives LOC 1 %"], "signals": [{"name": "tagger", "value": 6.7}], **told}


def _groups(build: Build) -> list[Fold]:
    return [block for block in doubts.suspects(build).blocks if isinstance(block, Fold)]


def test_wrong_ones_stand_first_and_open(tagged: Build) -> None:
    groups = _groups(tagged)
    assert [(group.summary, group.is_open) for group in groups] == [
        ("wrong: 1 span", True),
        ("ambiguous: 1 span", False),
        ("fine: 1 span", False),
    ]


def test_the_words_in_question_are_marked_in_their_language(tagged: Build) -> None:
    examples: Any = _groups(tagged)[0].blocks[1]
    assert isinstance(examples, Examples)
    (one,) = examples.items
    assert one.pieces == [("重庆点球大战淘汰了", False), ("武汉", True), ("。", False)]
    assert one.facts[:3] == [("given", "LOC"), ("likelier", "no span"), ("probability of being wrong", "90.0 %")]
    assert (one.reasons, one.folded) == (["model gives LOC 1 %"], [("tagger", "6.70")])
    assert 'lang="zh">重庆点球大战淘汰了<mark>武汉</mark>。</blockquote>' in pages.render(tagged)


def test_the_estimate_says_what_it_is_not(tagged: Build) -> None:
    said = " ".join(block.text for block in doubts.suspects(tagged).blocks if isinstance(block, Text))
    assert "What this estimate is, and is not: an order of size." in said


def test_nothing_looked_at_is_not_nothing_found(tmp_path: Path) -> None:
    told = {"listed": 0, "checked": 0, "note": "not checked: too few rows", "verdicts": {}, "error_rate": {}}
    build = Build(a_recipe(tmp_path), {"suspect": {"details": told}})
    assert doubts.suspects(build).blocks == [Text("Not checked: too few rows.", "note")]


@pytest.mark.parametrize(("start", "end"), [(0, 3), (5, 6), (2, 12)])
def test_marks_never_lose_text(start: int, end: int) -> None:
    text = "a short text"
    assert "".join(piece for piece, _ in doubts.marked(text, start, end)).strip("…") == text


def test_long_texts_are_cut_about_the_mark() -> None:
    pieces = doubts.marked("a" * 1000 + "NAME" + "b" * 1000, 1000, 1004)
    assert pieces[1] == ("NAME", True)
    assert all(len(piece) < 200 for piece, _ in pieces)


def test_a_part_that_is_not_in_the_text_is_named_and_the_text_shown_whole(tagged: Build) -> None:
    group: Any = doubts._group(tagged, "wrong", [_line("wrong", "9:99")], {"zh/1": (TEXT, "zh")}, {})
    (one,) = group.blocks[1].items
    assert (one.text, one.pieces) == (TEXT, ())
    assert ("part", "9:99") in one.facts

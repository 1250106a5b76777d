"""Twins on the page: every outcome side by side, what differs marked, everything from data escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline import pages
from pipeline.pages.blocks import Facts, Fold, Table, Text
from pipeline.pages.build import Build, read
from pipeline.pages.twins import duplicates, marked
from tests.builds import a_recipe
from tests.pages import stages

if TYPE_CHECKING:
    from pathlib import Path


def a_pair(outcome: str, left: str, right: str, why: str = "slip") -> dict[str, Any]:
    names = {"left": left[:30], "right": right[:30], "left_text": left, "right_text": right}
    return {**names, "kind": "misspelt", "similarity": 0.9, "accepted": True, "why": why, "outcome": outcome}


TOLD = {
    "searched": ["exact", "near"],
    "merged": 3,
    "in_conflict": 2,
    "merged_by_kind": {"exact": 1, "misspelt": 2},
    "conflicts_by_kind": {"normalised": 2},
    "conflicts_by_rule": {"hold-back": 2},
    "kept_both": {"number": 5, stages.HOSTILE[0]: 9},
    "same_side": {"contained": 4},
    "clusters": 2,
    "largest_cluster": 3,
    "examples": {
        "merged": [a_pair("merged", "the parcel came", "the pracel came")],
        "conflict": [a_pair("conflict", one, one[::-1], why=one) for one in stages.HOSTILE],
        "kept both": [a_pair("kept both", "我有三只猫", "我有两只猫")],
    },
    "known_elsewhere": {stages.HOSTILE[1]: {"items": 9, "rows": 2, "by_kind": {"exact": 2}, "by_answer": {}}},
}
CONTAMINATION = {
    "rows": 1,
    "sets": {stages.HOSTILE[2]: {"items": 164, "items_hit": 1, "rows_hit": 1, "rows_hit_that_stay": 0}},
    "examples": [{"id": stages.HOSTILE[3], "set": "eval", "item": "x:1", "share": 0.5, "words": stages.HOSTILE[4]}],
}


@pytest.fixture
def build(tmp_path: Path) -> Build:
    of = a_recipe(tmp_path)
    details = {"duplicates": TOLD, "contamination": CONTAMINATION}
    stages.whole(of, "audit", {}, details=details, counts=stages.counted(9, 4))
    return read(of)


def test_every_outcome_has_its_fold_in_order(build: Build) -> None:
    section = duplicates(build)
    folds = [block.summary.partition(";")[0] for block in section.blocks if isinstance(block, Fold)]
    assert folds == [
        "What keeps rows apart that look alike",
        "Merged: nearly the same input, the same answer",
        "In conflict: the same or nearly the same input, another answer",
        "Both kept: what differs matters",
        "Rows that hold words of a held-out set",
    ]
    (facts,) = (block for block in section.blocks if isinstance(block, Facts))
    assert dict(facts.items)["rows merged into another"] == "3"
    assert dict(facts.items)["pairs that keep one side"] == "4"
    captions = [block.caption for block in section.blocks if isinstance(block, Table)]
    assert captions[-2:] == ["Existing sets", "Held-out sets that must not be learned"]
    assert any(isinstance(block, Text) and "2 rows by hold-back" in block.text for block in section.blocks)


def test_only_what_differs_is_marked() -> None:
    one, other = marked("the parcel came on day 3", "the pracel came on day 4")
    assert one == '<bdi dir="auto">the <mark>parcel</mark> came on day <mark>3</mark></bdi>'
    assert other == '<bdi dir="auto">the <mark>pracel</mark> came on day <mark>4</mark></bdi>'
    assert marked("我有三只猫", "我有两只猫")[0] == '<bdi dir="auto">我有<mark>三</mark>只猫</bdi>'
    assert marked("", "a")[0] == '<bdi dir="auto"></bdi>'


@pytest.mark.parametrize("hostile", stages.HOSTILE)
def test_nothing_of_a_text_is_markup(hostile: str) -> None:
    for one in marked(hostile, "x") + marked("y", hostile):
        bare = one.replace('<bdi dir="auto">', "").replace("</bdi>", "").replace("<mark>", "").replace("</mark>", "")
        assert "<" not in bare
        assert "\u202e" not in bare


def test_the_page_holds_the_section_escaped(build: Build) -> None:
    page = pages.render(build)
    assert "<mark>pracel</mark>" in page
    assert "<script>" not in page
    assert "onerror=alert(1)>" not in page
    assert "[U+202E]" in page


def test_an_old_report_still_has_a_section(tmp_path: Path) -> None:
    of = a_recipe(tmp_path)
    stages.whole(of, "audit", {}, details={"duplicates": {"merged": 1, "in_conflict": 2}}, counts=stages.counted(9, 4))
    assert duplicates(read(of)).blocks
    assert not duplicates(read(a_recipe(tmp_path / "none"))).blocks

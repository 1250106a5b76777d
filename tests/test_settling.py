"""Settling: the first rule that a row breaks, and what rows with the same input have in common."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.settings import AuditSettings, Guideline
from pipeline.settling import first_problem, input_key
from pipeline.tasks import task

TASK = task("classification", Guideline())


def row(text: str, pair: str | None = None) -> dict[str, Any]:
    return {"text": text, "text_pair": pair, "labels": []}


@pytest.mark.parametrize(
    ("one", "other", "duplicates", "same"),
    [
        ("Hello!", "hello", "normalised", True),
        ("Hello!", "hello", "exact", False),
        ("hello", "hello", "exact", True),
        ("！！！", "???", "normalised", False),
        ("...", "...", "normalised", True),
        ("1.5", "15", "normalised", False),
    ],
)
def test_same_inputs(one: str, other: str, duplicates: str, same: bool) -> None:
    assert (input_key(row(one), TASK, duplicates) == input_key(row(other), TASK, duplicates)) is same


def test_a_pair_is_part_of_the_input() -> None:
    assert input_key(row("a", "b"), TASK, "exact") != input_key(row("a"), TASK, "exact")


SETTLED = {"answer": '["x"]', "confidence": 0.9, "tied": False}


@pytest.mark.parametrize(
    ("text", "line_of", "heard_of", "more", "expected"),
    [
        ("text", {}, (1, None), {}, None),
        (" \n", {}, (1, None), {}, "blank_text"),
        ("abc", {}, (1, None), {"min_text_chars": 4}, "too_short"),
        ("abc", {}, (1, None), {"max_text_chars": 2}, "too_long"),
        ("text", {"answer": None}, (0, None), {}, "unanswered"),
        ("text", {"answer": None}, (0, "unknown_label: 'y'"), {}, "unknown_label"),
        ("text", {}, (1, "unknown_label: 'y'"), {"min_annotators": 2}, "unanswered"),
        ("text", {"tied": True}, (2, None), {}, "tied"),
        ("text", {"tied": True}, (2, None), {"ties": "keep"}, None),
        ("text", {"answer": "[]"}, (2, None), {}, "not_one_label"),
        ("text", {}, (2, None), {"min_confidence": 0.91}, "low_confidence"),
        ("text", {}, (2, None), {"min_confidence": 0.9}, None),
        ("text", {"confidence": None}, (2, None), {"min_confidence": 0.9}, None),
    ],
)
def test_the_first_rule_that_a_row_breaks(
    text: str, line_of: dict[str, Any], heard_of: tuple[int, str | None], more: dict[str, Any], expected: str | None
) -> None:
    """`heard_of`: how many annotations count, and the problem of one that does not."""
    settings = AuditSettings.model_validate(more)
    found = first_problem(row(text), SETTLED | line_of, *heard_of, task=TASK, settings=settings)
    assert (found and found[0]) == expected

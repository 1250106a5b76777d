"""Settling: which annotations count, beside which row, and what rows with the same input have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract import ANNOTATIONS
from pipeline.settings import AuditSettings, Guideline
from pipeline.settling import first_problem, input_key, said, verdict_counts
from pipeline.tasks import task

TASK = task("classification", Guideline())
IDS = pa.array(["a", "b", "c"])


def line(row: str, annotator: str | None, answer: str | None = '["x"]', time: str | None = None) -> dict[str, Any]:
    problem = None if answer else "unknown_label: 'y'"
    return {"row": row, "annotator": annotator, "answer": answer, "time": time, "problem": problem}


def heard(*lines: dict[str, Any]) -> Any:
    return said(pa.Table.from_pylist(list(lines), schema=ANNOTATIONS), IDS)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["p", "q", None]), st.sampled_from(["1", "2", None])))
)
def test_annotations_stand_beside_their_rows_and_one_of_each_annotator_counts(
    given_lines: list[tuple[str, str | None, str | None]],
) -> None:
    found = heard(*(line(row, who, time=time) for row, who, time in given_lines))
    assert len(found.table) == len(given_lines)
    assert np.array_equal(found.row, np.sort(found.row))
    for at, row in enumerate("abc"):
        here = found.of(at, at + 1)
        assert set(here["row"].to_pylist()) <= {row}
        named = [
            who for who, verdict in zip(here["annotator"].to_pylist(), here["verdict"].to_pylist(), strict=True)
            if who and verdict == "counted"
        ]  # fmt: skip
        assert sorted(named) == sorted({who for of, who, _ in given_lines if of == row and who})
        anonymous = here.filter(pc.is_null(here["annotator"]))
        assert set(anonymous["verdict"].to_pylist()) <= {"counted"}


@pytest.mark.parametrize(
    ("times", "counts"),
    [((None, None), 1), (("2", "1"), 0), (("1", "2"), 1), (("2", None), 1), (("1", "1"), 1)],
)
def test_the_latest_counts(times: tuple[str | None, str | None], counts: int) -> None:
    verdicts = heard(*(line("a", "p", time=time) for time in times)).table["verdict"].to_pylist()
    assert verdicts == ["counted" if at == counts else "superseded" for at in (0, 1)]


def test_an_answer_that_cannot_be_read_supersedes_nothing() -> None:
    found = heard(line("a", "p"), line("a", "p", answer=None), line("b", None, answer=None))
    assert found.table["verdict"].to_pylist() == ["counted", "unknown_label", "unknown_label"]
    assert verdict_counts(found) == {"counted": 1, "unknown_label": 2}


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
    ],
)
def test_the_first_rule_that_a_row_breaks(
    text: str, line_of: dict[str, Any], heard_of: tuple[int, str | None], more: dict[str, Any], expected: str | None
) -> None:
    """`heard_of`: how many annotations count, and the problem of one that does not."""
    settings = AuditSettings.model_validate(more)
    found = first_problem(row(text), SETTLED | line_of, *heard_of, task=TASK, settings=settings)
    assert (found and found[0]) == expected

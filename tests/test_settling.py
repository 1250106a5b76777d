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
from pipeline.quality.ballots import ballots_from
from pipeline.settings import AuditSettings, Guideline
from pipeline.settling import UNMEASURED, elect, first_problem, input_key, said, verdict_counts
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
    [
        ((None, None), 1),
        (("2", "1"), 0),
        (("1", "2"), 1),
        (("2", None), 1),
        (("1", "1"), 1),
        (("10", "9"), 0),
        (("1700000000.5", "1700000000.25"), 0),
        (("2024-01-10 10:00", "2024-01-10 9:00"), 0),
        (("2024-1-10", "2024-1-9"), 0),
        (("2024-1-10 0:30", "2024-1-9 23:00"), 0),
        (("2024-01-10T10:00:00+00:00", "2024-01-10T11:00:00+02:00"), 0),
        (("2024-01-10T10:00:00Z", "2024-01-10 11:00:00 +0200"), 0),
        (("2024-01-10T10:00:00Z", "1700000000"), 0),  # both are moments everywhere
        (("2024-01-10T10:00:00.25", "2024-01-10T10:00:00.125"), 0),
        (("2024-01-11", "2024-01-10T10:00:00+00:00"), 1),  # who knows in which zone
        (("2024-01-11", "yesterday"), 1),
        (("2024-13-41", "2024-01-10"), 1),
        (("2024-01-10", "2024-01-10T00:00"), 1),
    ],
)
def test_the_latest_counts(times: tuple[str | None, str | None], counts: int) -> None:
    verdicts = heard(*(line("a", "p", time=time) for time in times)).table["verdict"].to_pylist()
    assert verdicts == ["counted" if at == counts else "superseded" for at in (0, 1)]


def test_one_time_that_cannot_be_read_leaves_all_of_them_to_the_order_of_the_file() -> None:
    found = heard(*(line("a", "p", time=time) for time in ("2024-3-1", "2024-2-1", "?", "2024-1-1")))
    assert found.table["verdict"].to_pylist() == ["superseded"] * 3 + ["counted"]


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


@given(
    st.lists(st.tuples(st.sampled_from(["p", "q", None]), st.sampled_from("xyz")), min_size=1, max_size=30),
    st.sampled_from(["majority", "dawid-skene"]),
    st.booleans(),
)
def test_where_nobody_answered_the_same_nothing_is_measured_and_every_answer_stands(
    votes: list[tuple[str | None, str]], method: str, free: bool
) -> None:
    ballots = ballots_from(range(len(votes)), [""] * len(votes), [who for who, _ in votes], [x for _, x in votes])
    election = elect(ballots, method, free=free)
    assert not election.measured
    assert election.note.endswith(UNMEASURED)
    assert election.truth.method == ("majority" if free else method)
    assert [ballots.labels[label] for label in election.truth.label] == [label for _, label in votes]


def test_one_row_that_was_answered_twice_is_a_measure() -> None:
    election = elect(ballots_from([0, 1, 1], [""] * 3, ["p", "p", "q"], ["x", "x", "x"]), "dawid-skene", free=False)
    assert (election.measured, election.note) == (True, "")

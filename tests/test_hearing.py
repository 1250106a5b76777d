"""Hearing: which annotations count, beside which row, and when they were made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.answers import GOLD
from pipeline.contract import ANNOTATIONS
from pipeline.hearing import said, verdict_counts

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
        here = found.table.slice(found.starts[at], found.starts[at + 1] - found.starts[at])
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


def test_gold_is_no_vote() -> None:
    found = heard(line("a", "p"), line("a", GOLD), line("b", GOLD, answer=None))
    assert found.table["verdict"].to_pylist() == ["counted", "gold", "unknown_label"]


def test_the_latest_gold_is_gold() -> None:
    found = heard(line("a", GOLD, time="2"), line("a", GOLD, time="1"))
    assert found.table["verdict"].to_pylist() == ["gold", "superseded"]


def test_times_are_told_in_seconds() -> None:
    times = ["1970-01-01T00:01:00Z", None, "when it rained", "1700000000", "1700000000000"]
    found = heard(*(line("a", None, time=time) for time in times))
    assert np.array_equal(found.seconds(), [60.0, np.nan, np.nan, 1.7e9, 1.7e9], equal_nan=True)


def test_batches_are_told_as_numbers() -> None:
    lines = [line("a", None) | {"batch": batch} for batch in ("late", None, "early", "late")]
    codes, names = heard(*lines).codes("batch")
    assert (codes.tolist(), names) == ([1, -1, 0, 1], ("early", "late"))

"""Copies: keys of what was asked, whose annotators are polled together, and what is settled of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.settling import SETTLED
from pipeline.twinning import pooled, read, spread
from pipeline.twinning.copies import keys_of, rank_of
from tests.heard import LABELLED, MARKED, TOPICS, heard_of, record, work_on
from tests.heard import read as ingested

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.hearing import Said

Vote = tuple[str | None, Any]
Asked = tuple[str, list[Vote], Any]


@pytest.mark.parametrize(
    ("one", "other", "kind", "same"),
    [
        ("Hello!", "hello", "same", True),
        ("Hello!", "hello", "exact", False),
        ("hello", "hello", "exact", True),
        ("！！！", "???", "same", False),
        ("...", "...", "same", True),
        ("1.5", "15", "same", False),
        ("我爱猫。", "我爱猫", "same", True),
    ],
)
def test_same_inputs(one: str, other: str, kind: str, same: bool) -> None:
    left, right = keys_of([one, other], kind=kind)
    assert (left == right) is same


@pytest.mark.parametrize("duplicates", ["exact", "normalised", "near"])
def test_both_ways_of_reading_give_the_same_keys(tmp_path: Path, duplicates: str) -> None:
    texts = ["Hello, World!", "hello world", "...", "我爱猫。", "a\u0000b", ""]
    records = [record(at, [("a", "x")], text=text) for at, text in enumerate(texts)]
    one = ingested(tmp_path, LABELLED, records, more=f'duplicates = "{duplicates}"')
    told = read(work_on(one))
    for name in ("exact", "same"):
        assert told[name].to_pylist() == keys_of(texts, kind=name)


def test_ids_are_ranked_as_people_count() -> None:
    assert rank_of(pa.array(["s/10", "s/9", "s/a", "t/1"])).tolist() == [3, 0, 1, 2]
    assert rank_of(pa.array([], pa.string())).tolist() == []


def polled(
    folder: Path, rows: Sequence[Asked], *, toml: str = LABELLED, more: str = ""
) -> tuple[list[int], list[tuple[int, str]], Said]:
    """Rows (text, votes, gold): in whose name each is polled, and (row, answer) of what is polled then."""
    records = [record(at, votes, text=text, gold=gold) for at, (text, votes, gold) in enumerate(rows)]
    work = work_on(ingested(folder, toml, records, more=more))
    own = work.narrow(["id", "source", "split", "group", "date", "weight"])
    heard, stands = pooled(work, heard_of(work), read(work), own)
    told = zip(heard.row.tolist(), heard.table["answer"].to_pylist(), strict=True)
    return stands.tolist(), list(told), heard


TWICE: list[Vote] = [("a", "x"), ("b", "x")]


def test_copies_are_polled_in_the_name_of_the_first_id(tmp_path: Path) -> None:
    rows: list[Asked] = [("Two.", TWICE, None), ("one", TWICE, None)]
    rows += [("two", [("c", "y")], None), ("Two!", [("d", "y")], None)]
    stands, told, heard = polled(tmp_path, rows)
    assert stands == [0, 1, 0, 0]
    assert [row for row, _ in told] == [0, 0, 0, 0, 1, 1]
    assert heard.starts.tolist() == [0, 4, 6, 6, 6]
    assert heard.table["row"].to_pylist() == ["s/0", "s/0", "s/2", "s/3", "s/1", "s/1"]


def test_rows_of_one_answer_each_are_not_polled(tmp_path: Path) -> None:
    stands, _, _ = polled(tmp_path, [("two", [("a", "x")], None), ("two", [("b", "y")], None)])
    assert stands == [0, 1]


def test_gold_is_polled_along_unless_it_contradicts_itself(tmp_path: Path) -> None:
    rows: list[Asked] = [("two", [("a", "x")], None), ("two", [("b", "y")], "y"), ("two", [("b", "y")], "y")]
    assert polled(tmp_path / "a", rows)[0] == [0, 0, 0]
    assert polled(tmp_path / "b", [*rows, ("two", TWICE, "x")])[0] == [0, 1, 2, 3]


def test_marks_in_texts_that_are_written_otherwise_are_not_polled_together(tmp_path: Path) -> None:
    spans: list[Vote] = [("a", [[0, 3, "A"]]), ("b", [[0, 3, "A"]])]
    rows = [("one two", spans, None), ("one two", spans, None), ("one, two", spans, None)]
    assert polled(tmp_path, rows, toml=MARKED)[0] == [0, 0, 2]
    topics: list[Vote] = [("a", ["x"]), ("b", ["x", "y"])]
    assert polled(tmp_path / "b", [(text, topics, None) for text, _, _ in rows], toml=TOPICS)[0] == [0, 0, 0]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('duplicates = "off"', [0, 1, 2, 3]),
        ('duplicates = "exact"', [0, 1, 0, 1]),
        ('conflicts = "newest"', [0, 0, 2, 3]),  # those that say the same; a tie by itself is polled by itself
        ('conflicts = "keep"', [0, 0, 2, 3]),
        ('conflicts = "trusted"\ntrusted_sources = ["s"]', [0, 0, 0, 0]),  # all are of one source
    ],
)
def test_what_the_recipe_says_of_conflicts_is_kept_to(tmp_path: Path, more: str, expected: list[int]) -> None:
    rows: list[Asked] = [
        ("two", TWICE, None),
        ("Two", TWICE, None),
        ("two", [("a", "y"), ("b", "y")], None),
        ("Two", [("a", "x"), ("b", "y")], None),
    ]
    assert polled(tmp_path, rows, more=more)[0] == expected


def test_what_is_settled_is_said_of_all_copies_but_for_their_own_text() -> None:
    lines = [
        {"answer": '["x"]', "confidence": 0.5, "tied": True, "reason": "tied", "evidence": "e"},
        {"answer": None, "reason": "unanswered", "evidence": "0 of 1"},
        {"answer": None, "reason": "too_long", "evidence": "9 characters"},
    ]
    settled = pa.Table.from_pylist(lines, schema=SETTLED)
    found = spread(settled, np.array([0, 0, 0]))
    assert found["reason"].to_pylist() == ["tied", "tied", "too_long"]
    assert found["answer"].to_pylist() == ['["x"]', '["x"]', None]
    assert spread(settled, np.arange(3)) is settled
    assert pc.equal(found["confidence"], 0.5).to_pylist() == [True, True, None]

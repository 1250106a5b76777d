"""Words of all rows as columns: order, offsets, tags, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import AssayError
from pipeline.quality.sentences import combined, sentences_from
from tests.quality.tagged import SCHEMA, row, tables, told


def test_rows_stand_by_id_and_know_where_they_came_from() -> None:
    words, order = sentences_from(tables([told(2, "In Rome", (1, 2, "LOC")), told(1, "Anna", (0, 1, "PER"))]))
    assert words.ids == ("r0001", "r0002")
    assert order.tolist() == [1, 0]
    assert words.tags == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert [words.tags[tag] for tag in words.tag] == ["B-PER", "O", "B-LOC"]
    assert words.surface(1, 3) == "In Rome"
    assert words.labels == ("LOC", "PER")


def test_a_neighbour_beyond_the_edge_of_the_row_is_no_word() -> None:
    words, _ = sentences_from(tables([told(1, "a b"), told(2, "c")]))
    none = len(words.vocabulary)
    spelled = [words.vocabulary[at] if at < none else "" for at in words.at(1)]
    assert spelled == ["b", "", ""]


def test_case_and_width_are_aside() -> None:
    words, _ = sentences_from(tables([told(1, "NATO Nato ＮＡＴＯ other")]))
    assert len(set(words.folded[words.spelling[:3]].tolist())) == 1
    assert len(set(words.folded[words.spelling].tolist())) == 2


def test_the_order_of_columns_matters_to_a_hash() -> None:
    one, two = np.array([1], np.uint64), np.array([2], np.uint64)
    assert combined(one, two) != combined(two, one)
    assert combined(one) != combined(one, one)


def test_nothing_is_something() -> None:
    words, order = sentences_from(SCHEMA.empty_table())
    assert (len(words), len(order), words.tags) == (0, 0, ("O",))


def test_a_row_without_words_and_one_without_group() -> None:
    words, _ = sentences_from(tables([{**row("a", [], []), "group": None}, row("b", ["x"], [])]))
    assert np.diff(words.first).tolist() == [0, 1]
    assert len(words.groups) == 2


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([{"start": 0, "end": 9, "tag": "O"}], "leaves its text"),
        ([{"start": 2, "end": 2, "tag": "O"}], "is empty"),
        ([{"start": 0, "end": 3, "tag": "O"}, {"start": 2, "end": 4, "tag": "O"}], "overlaps"),
        ([{"start": 0, "end": 3, "tag": "E-LOC"}], "is none of"),
    ],
)
def test_what_cannot_be_is_refused(words: list[dict[str, object]], problem: str) -> None:
    with pytest.raises(AssayError, match=problem):
        sentences_from(tables([{**told(1, "Rome"), "words": words}]))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(AssayError, match="words"):
        sentences_from(pa.table({"id": ["a"], "group": ["a"], "text": [""]}))

"""Cells: nothing in them runs or hides, and every way of saving a table is told apart."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tools.cells import CELL_CHARS, WORDS, cell, cell_text, delimiter, table
from tests.readers.memory import held


@given(st.text(max_size=40))
def test_no_cell_runs_and_what_it_shows_reads_back(text: str) -> None:
    shown = cell(text)
    assert shown[:1] not in ("=", "+", "-", "@", "|", "%", "\t", "\r")
    written = b"".join(table(("a", "b"), [{"a": text, "b": 1}])).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(written, newline=""))) == [["a", "b"], [shown, "1"]]
    if text.isprintable() and text == text.strip():
        assert cell_text(shown) == text


HEADS = [("a,b;c", ","), ("a;b;c", ";"), ("\ufeffa\tb", "\t"), ("\na;b", ";"), ("", ",")]


@pytest.mark.parametrize(("head", "found"), HEADS)
def test_what_parts_the_columns(head: str, found: str) -> None:
    assert delimiter(held(head)) == found


def test_values_that_are_no_text_stay_and_long_ones_are_cut() -> None:
    assert [cell(value) for value in (1, 0.5, None)] == [1, 0.5, None]
    assert cell_text(None) == ""
    assert cell("x" * (CELL_CHARS + 1)).endswith("beside this one]")


def test_words_for_verdicts_are_in_lower_case_and_never_yes() -> None:
    assert all(word == word.casefold() for word in WORDS)
    assert not {"yes", "no", "y", "n", "x", "1", "0", "true", "false", "是"} & set(WORDS)
    assert set(WORDS.values()) == {"wrong", "fine", "ambiguous", "drop"}

"""The sheet: opens in any spreadsheet, and nothing in it runs."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.sheet import CELL_CHARS, COLUMNS, unguarded, written

LINE: dict[str, Any] = dict.fromkeys(COLUMNS, "") | {"number": 1, "id": "made/1"}


def cells(text: str) -> dict[str, str]:
    content = written([LINE | {"text": text}])
    assert content.startswith(b"\xef\xbb\xbf")
    (line,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return line


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-5", "@SUM(A1)", " =cmd|' /C calc'!A0", "\t=1", "＝1", "'=1"])
def test_no_cell_is_run(text: str) -> None:
    shown = cells(text)["text"]
    assert shown.startswith("'")
    assert unguarded(shown) == text


@pytest.mark.parametrize("text", ["plain", "'tis so", "a = b", "你好，世界", 'he said "no"; yes', "two\nlines", ""])
def test_other_text_stands_as_it_is(text: str) -> None:
    assert cells(text)["text"] == text
    assert unguarded(text) == text


@given(st.text(max_size=40))
def test_any_text_can_be_written_and_hides_nothing(text: str) -> None:
    shown = cells(text)["text"]
    assert not set("\u202e\u200b\x00\ufeff") & set(shown)
    assert shown[:1] not in ("=", "+", "-", "@")


def test_long_texts_and_lone_surrogates_fit() -> None:
    assert cells("x" * 100_000)["text"].endswith("[... cut here, the whole stands in the JSONL file beside this one]")
    assert len(cells("x" * 100_000)["text"]) < 32_767
    assert len(cells("x" * CELL_CHARS)["text"]) == CELL_CHARS
    assert cells("a\ud800b")["text"] == "a[U+D800]b"

"""Cells of a table that people fill in with any spreadsheet: nothing in them runs or hides, and all reads back."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

from pipeline.readers.lines import lines
from pipeline.readers.record import ReadOptions
from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.fetch import RawFile

NONE = "(none)"
WORDS = {
    **dict.fromkeys(("wrong", "w", "incorrect", "error", "错", "错误", "不对", "✗", "✘", "❌"), "wrong"),
    **dict.fromkeys(("fine", "f", "ok", "okay", "right", "correct", "good", "对", "正确", "✓", "✔", "✅"), "fine"),
    **dict.fromkeys(("ambiguous", "a", "unclear", "?", "？", "歧义", "有歧义", "模糊", "不确定"), "ambiguous"),
    **dict.fromkeys(("drop", "d", "delete", "remove", "删", "删除", "删掉", "丢弃"), "drop"),
}
"""What people write for a verdict. Yes, no, true, false, x and numbers are not among them: yes, it is wrong?"""
WORKBOOKS = (".xlsx", ".xls", ".ods", ".numbers")
CELL_CHARS = 32_000
"""Excel takes at most 32,767 characters in a cell."""
CUT = " [... cut here, the whole stands in the JSONL file beside this one]"
# A cell that begins so is run as a formula (OWASP, "CSV injection"); an apostrophe makes it text.
_FORMULA = re.compile(r"['\s]*[=+\-@|%\t\r\uff1d\uff0b\uff0d\uff20]")


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """CSV for spreadsheets, piece by piece: UTF-8 with a byte-order mark, CRLF, no cell that is run as a formula."""
    yield b"\xef\xbb\xbf" + _line(columns)
    for row in rows:
        yield _line([cell(row[name]) for name in columns])


def _line(cells: Sequence[Any]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode("utf-8", "backslashreplace")


def cell(value: Any) -> Any:
    """A value as it may stand in a cell: what hides spelled out, what would run made text, what is too long cut."""
    if not isinstance(value, str):
        return value
    text = visible(value.replace("\r\n", "\n"))
    if len(text) > CELL_CHARS:
        text = text[:CELL_CHARS] + CUT
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What was written into a cell, without the apostrophe that keeps it from being run.

    >>> unguarded("'=1+1"), unguarded("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


def cell_text(value: Any) -> str:
    """What a person sees in a cell, spaces around it aside."""
    return "" if value is None else unguarded(str(value).strip().strip("\ufeff"))


def delimiter(raw: RawFile) -> str:
    """What parts the columns of the first line: Excel writes semicolons where a comma parts decimals."""
    _, rows = lines(raw, ReadOptions())
    head = next((row.text for row in rows if row.text.strip()), "")
    return max(",;\t", key=head.count)

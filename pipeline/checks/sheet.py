"""The sheet: a list to check as a table that people fill in, safe to open in any spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = ("number", "id", "text", "answer", "verdict", "right_answer", "who", "when", "note", "for", "judged")
"""What people fill in stands in verdict, right_answer, who, when and note; `judged` names what they judged."""

# A cell that begins so is run as a formula (OWASP, "CSV injection"); an apostrophe makes it text.
_FORMULA = re.compile(r"['\s]*[=+\-@|%\t\r\uff1d\uff0b\uff0d\uff20]")
CELL_CHARS = 32_000
"""Excel takes at most 32,767 characters in a cell."""
_CUT = " [... cut here, the whole stands in the JSONL file beside this one]"


def written(lines: Iterable[dict[str, Any]]) -> bytes:
    """The lines as CSV for spreadsheets: UTF-8 with a byte-order mark, CRLF, no cell that is run as a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([_cell(line[name]) for name in COLUMNS])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = visible(value.replace("\r\n", "\n"))
    if len(text) > CELL_CHARS:
        text = text[:CELL_CHARS] + _CUT
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What was written into a cell, without the apostrophe that keeps it from being run.

    >>> unguarded("'=1+1"), unguarded("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text

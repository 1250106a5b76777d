"""The sheet: a list to check as a table that people fill in, safe to open in any spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.tools.cells import CELL_CHARS, table, unguarded

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CELL_CHARS", "COLUMNS", "unguarded", "written"]

COLUMNS = ("number", "id", "text", "answer", "verdict", "right_answer", "who", "when", "note", "for", "judged")
"""What people fill in stands in verdict, right_answer, who, when and note; `judged` names what they judged."""


def written(lines: Iterable[dict[str, Any]]) -> bytes:
    """The lines as CSV for spreadsheets: UTF-8 with a byte-order mark, CRLF, no cell that is run as a formula."""
    return b"".join(table(COLUMNS, lines))

"""Human decisions: lines of a file under version control, replayed on every build and never lost."""

from __future__ import annotations

from pipeline.decisions.adding import add, now, undo
from pipeline.decisions.book import Book, Conflict, book, read
from pipeline.decisions.finding import found
from pipeline.decisions.lapsed import lapsed
from pipeline.decisions.line import Cause, Decision, Verdict, line_id
from pipeline.decisions.status import IN_FORCE, change, read_as, settling, status, where
from pipeline.decisions.understanding import is_of_another_text, understood

__all__ = [
    "IN_FORCE",
    "Book",
    "Cause",
    "Conflict",
    "Decision",
    "Verdict",
    "add",
    "book",
    "change",
    "found",
    "is_of_another_text",
    "lapsed",
    "line_id",
    "now",
    "read",
    "read_as",
    "settling",
    "status",
    "understood",
    "undo",
    "where",
]

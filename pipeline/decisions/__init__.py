"""Human decisions: lines of a file under version control, replayed on every build and never lost."""

from __future__ import annotations

from pipeline.decisions.adding import add, now, undo
from pipeline.decisions.book import Book, Conflict, book, read
from pipeline.decisions.finding import found
from pipeline.decisions.line import Cause, Decision, Verdict, line_id
from pipeline.decisions.understanding import understood

__all__ = [
    "Book",
    "Cause",
    "Conflict",
    "Decision",
    "Verdict",
    "add",
    "book",
    "found",
    "line_id",
    "now",
    "read",
    "understood",
    "undo",
]

"""Reading: a row as a reviewer reads it: passages of text with their marks, turns, and the answer in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pipeline.checks.words import in_words
from pipeline.errors import Unfit
from pipeline.tasks.parts import NOTHING, place
from pipeline.text import language as language_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.tasks import Row, Task

WINDOW_CHARS = 6000
"""So much of a long text is sent about what is judged; the rest where it is asked for."""
LINE_CHARS = 160

Kind = Literal["label", "labels", "spans", "extract", "relations", "rating", "text"]
"""What is answered: one label, several, marked spans, a stretch of the context, relations, a number, a text."""
KINDS: dict[str, Kind] = {"sequence": "label", "multilabel": "labels", "number": "rating"}


@dataclass
class Passage:
    """A stretch of what is read: `spans` are marked in it, `judged` is the stretch at hand, both in its own offsets.

    Offsets are half-open and count code points; `base` is how many come before what is shown, `after` how many follow.
    `can_mark`: the answer is marked in this text.
    """

    title: str
    text: str
    spans: list[tuple[int, int, str]] = field(default_factory=list)
    judged: tuple[int, int] | None = None
    role: str = ""
    is_answer: bool = False
    can_mark: bool = False
    base: int = 0
    after: int = 0

    def told(self) -> dict[str, Any]:
        """The passage for the page."""
        language = language_of(self.text)
        return {
            "title": self.title,
            "text": self.text,
            "spans": [list(one) for one in self.spans],
            "judged": list(self.judged) if self.judged else None,
            "role": self.role,
            "answer": self.is_answer,
            "mark": self.can_mark,
            "base": self.base,
            "after": self.after,
            "language": "" if language == "und" else language,
        }


def kind_of(task: Task) -> Kind:
    """What people answer about a row of the task."""
    if task.head == "token":
        return "extract" if task.free_text else "spans"
    if task.head == "causal" and not task.free_text:
        return "relations"
    return KINDS.get(task.head, "text")


def passages(task: Task, row: Row, part: str, *, is_whole: bool = False) -> list[Passage]:
    """What is read of a row, in the order of reading; long texts cut to what is about the part, unless `is_whole`."""
    found = list(_turns(row) if "messages" in row else _texts(task, row, part))
    return found if is_whole else [cut(one) for one in found]


def _turns(row: Row) -> Iterator[Passage]:
    turns = row["messages"]
    last = max((at for at, turn in enumerate(turns) if turn["role"] == "assistant"), default=-1)
    for at, turn in enumerate(turns):
        yield Passage(turn["role"], str(turn["content"]), role=turn["role"], is_answer=at == last)
    if row.get("tools"):
        yield Passage("tools", str(row["tools"]), role="system")


def _texts(task: Task, row: Row, part: str) -> Iterator[Passage]:
    if "question" in row:
        yield Passage("Question", row["question"])
        spans = [(one["start"], one["end"], "answer") for one in row.get("answers") or []]
        yield Passage("Context", row["context"], spans, can_mark=True)
        return
    can_mark = "spans" in row
    yield Passage(
        "Text", str(row.get("text") or ""), _spans(row), _judged(part, row) if can_mark else None, can_mark=can_mark
    )
    if row.get("text_pair") is not None:
        yield Passage("Second text", row["text_pair"])
    if row.get("context") is not None:
        yield Passage("Context", row["context"])
    if "target" in row:
        yield Passage("Written", str(row["target"]), is_answer=True)
    if "relations" in row:
        yield Passage("Relations", in_words(task, row), is_answer=True)


def _spans(row: Row) -> list[tuple[int, int, str]]:
    """The marked spans; entities carry their number, by which relations name them."""
    marked = [(one["start"], one["end"], one["label"]) for one in row.get("spans") or []]
    named = enumerate(row.get("entities") or [], 1)
    return [*marked, *((one["start"], one["end"], f"{at} {one['label']}") for at, one in named)]


def _judged(part: str, row: Row) -> tuple[int, int] | None:
    try:
        start, end = place(part)
    except Unfit:
        return None
    return (start, end) if end <= len(row["text"]) else None


def cut(passage: Passage, window_chars: int = WINDOW_CHARS) -> Passage:
    """The passage with no more of its text than a window about what is judged, or its beginning; offsets stay true."""
    length = len(passage.text)
    if length <= window_chars:
        return passage
    middle = sum(passage.judged) // 2 if passage.judged else 0
    start = max(min(middle - window_chars // 2, length - window_chars), 0)
    end = start + window_chars
    inside = [one for one in passage.spans if one[0] < end and start < one[1]]
    return Passage(
        **{name: getattr(passage, name) for name in ("title", "judged", "role", "is_answer", "can_mark")},
        text=passage.text[start:end],
        spans=[(max(one[0], start), min(one[1], end), one[2]) for one in inside],
        base=start,
        after=length - end,
    )


def about(text: str, part: str, around_chars: int = LINE_CHARS // 2) -> tuple[str, str, str]:
    """What stands before the part, the part, what follows it; all of it before where the part is no stretch.

    >>> about("He moved to Bristol.", "12:19", 6)
    ('…ed to ', 'Bristol', '.')
    """
    try:
        start, end = place(part)
    except Unfit:
        start = end = 0
    if not 0 < end <= len(text):
        cut_at = 2 * around_chars
        return text[:cut_at] + ("…" if len(text) > cut_at else ""), "", ""
    before, after = text[max(start - around_chars, 0) : start], text[end : end + around_chars]
    return (
        ("…" if start > around_chars else "") + before,
        text[start : min(end, start + 2 * around_chars)],
        after + ("…" if end + around_chars < len(text) else ""),
    )


def said_of(label: str | None) -> str:
    """A label as it is read out: "O" is no span at all."""
    return "no span" if label == NOTHING else (label or "")

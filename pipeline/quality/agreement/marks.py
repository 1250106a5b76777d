"""Marks: the spans that annotators marked, as numpy columns, cut into pieces in which nobody begins or ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.agreement.answers import Answers

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Marks:
    """Spans, and who looked at what: an answer without a span is an answer.

    Attributes:
        answer: int64[spans], the answer each span belongs to, 0..answers-1.
        start, end: int64[spans], half-open, in code points, start < end.
        label: int64[spans], an index into `labels`.
        row: int64[answers], the row of each answer.
        annotator: int64[answers], who gave it; -1 is anonymous. Nobody answers a row twice, except anonymously.
        labels: the distinct labels, sorted.
        annotators: names, by number.
        origin: int64[answers], the annotation of each answer; -1 where none was named.
    """

    answer: Ints
    start: Ints
    end: Ints
    label: Ints
    row: Ints
    annotator: Ints
    labels: tuple[str, ...]
    annotators: tuple[str, ...]
    origin: Ints

    def only(self, kept: NDArray[np.bool_]) -> Marks:
        """The answers where `kept` (bool[answers]) holds, with their spans."""
        place = np.cumsum(kept) - 1
        spans = kept[self.answer]
        return Marks(
            place[self.answer[spans]], self.start[spans], self.end[spans], self.label[spans], self.row[kept],
            self.annotator[kept], self.labels, self.annotators, self.origin[kept],
        )  # fmt: skip

    def met(self) -> Marks:
        """The answers to rows that two or more answers were given to."""
        return self.only(np.bincount(self.row)[self.row] > 1 if len(self.row) else np.zeros(0, dtype=bool))


def marks_from(answers: Answers) -> Marks:
    """From whole answers in canonical JSON, each a list of [start, end, label].

    A span that an answer names twice counts once.

    Raises:
        AssayError: an answer is no such list.
    """
    parsed: dict[str, list[tuple[int, int, str]]] = {}
    for text in answers.text:
        if text not in parsed:
            parsed[text] = _parsed(text)
    each = [parsed[text] for text in answers.text]
    labels = tuple(sorted({label for spans in parsed.values() for _, _, label in spans}))
    code = {label: at for at, label in enumerate(labels)}
    spans = [span for found in each for span in found]
    columns = np.array([(start, end, code[label]) for start, end, label in spans], dtype=np.int64).reshape(-1, 3)
    answer = np.repeat(np.arange(len(each)), [len(found) for found in each])
    return Marks(
        answer, columns[:, 0], columns[:, 1], columns[:, 2], answers.row, answers.annotator, labels,
        answers.annotators, answers.origin,
    )  # fmt: skip


def _parsed(text: str) -> list[tuple[int, int, str]]:
    try:
        found = sorted({(int(start), int(end), str(label)) for start, end, label in json.loads(text)})
    except (TypeError, ValueError) as problem:
        raise AssayError("agreement", f"no list of [start, end, label]: {text!r:.80}") from problem
    if any(not 0 <= start < end for start, end, _ in found):
        raise AssayError("agreement", f"a span that ends where it begins or before: {text!r:.80}")
    return found


@dataclass(frozen=True)
class Pieces:
    """Spans cut at every edge of any span of the row; one line for every piece of every span.

    Attributes:
        span: int64[n], an index into the spans that were cut.
        cell: int64[n], the stretch of text, numbered so that stretches of different rows differ.
        length: int64[n], its characters.
    """

    span: Ints
    cell: Ints
    length: Ints


def pieces(marks: Marks) -> Pieces:
    """The pieces of all spans."""
    if not len(marks.start):
        nothing = np.zeros(0, dtype=np.int64)
        return Pieces(nothing, nothing, nothing)
    row = marks.row[marks.answer]
    width = int(marks.end.max()) + 1
    begins, ends = row * width + marks.start, row * width + marks.end
    edges = np.sort(np.concatenate([begins, ends]))
    edges = edges[np.diff(edges, prepend=-1) > 0]
    first, last = np.searchsorted(edges, begins), np.searchsorted(edges, ends)
    span = np.repeat(np.arange(len(begins)), last - first)
    cell = np.arange(len(span)) - np.repeat(np.cumsum(last - first) - last, last - first)
    return Pieces(span, cell, edges[cell + 1] - edges[cell])


def united(marks: Marks, *, labels: bool = True) -> Marks:
    """The marks with overlapping spans of one answer (of the same label, or of any without `labels`) made one."""
    if not len(marks.start):
        return marks
    label = marks.label if labels else np.zeros_like(marks.label)
    order = np.lexsort((marks.start, label, marks.answer))
    answer, label, start, end = marks.answer[order], label[order], marks.start[order], marks.end[order]
    group = np.cumsum(np.diff(answer, prepend=-1).astype(bool) | np.diff(label, prepend=-1).astype(bool))
    width = int(end.max()) + 1
    reach = np.maximum.accumulate(group * width + end) - group * width
    opens = np.ones(len(start), dtype=bool)
    # Spans that only touch stay two.
    opens[1:] = (group[1:] != group[:-1]) | (start[1:] >= reach[:-1])
    last = np.append(np.flatnonzero(opens)[1:] - 1, len(start) - 1)
    return Marks(
        answer[opens], start[opens], reach[last], label[opens], marks.row, marks.annotator, marks.labels,
        marks.annotators, marks.origin,
    )  # fmt: skip

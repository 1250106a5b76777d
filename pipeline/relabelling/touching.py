"""Touching: which answers of a build a change of the guideline touches, and how."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import store
from pipeline.contract import contract
from pipeline.relabelling import losing
from pipeline.relabelling.changing import GONE, Change
from pipeline.relabelling.hinting import Hints, proposed
from pipeline.relabelling.spoken import Spoken
from pipeline.tasks.parts import WHOLE, YES, label_at, labelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.recipe import Recipe
    from pipeline.settings import Guideline
    from pipeline.tasks import Answer, Row, Task

RELABEL = pa.schema(
    [(name, pa.string()) for name in ("id", "part", "given", "label", "likely", "kind", "why", "text", "language")]
)
"""A line for each part of an answer that is touched: `label` is the label that changed, `likely` what may be right
instead of `given`, empty where nothing says so, `kind` one of `KINDS`."""
KINDS = {
    "gone": "holds a label that there is no more",
    "redefined": "holds a label that means something else now",
    "bordering": "holds a label that one which changed, or is new, is told apart from",
    "lost": "an annotator gave a label that there is no more",
    "rival": "an annotator gave a label that is new or means something else now",
    "example": "has words that the guideline gives as an example of such a label",
    "alike": "may be one: it reads like a text that the guideline gives as an example",
    "model": "may be one: it is a suspect, and other rows speak for such a label",
}
"""How a change touches a part of a row; one that is touched in several ways is told for the first."""

Said = list[tuple[str, str]]
"""Part, label."""


@dataclass
class Search:
    """Goes through the rows of a build and finds what a change of the guideline touches.

    Attributes:
        before: the guideline as it was; old: the task under it, task: the task under that of now.
        spoken: what was said under the guideline of now.
        new_already: counts rows of which that leaves out something.
    """

    recipe: Recipe
    before: Guideline
    old: Task
    task: Task
    changes: Sequence[Change]
    spoken: Spoken = field(default_factory=Spoken)
    new_already: int = 0

    def lines(self) -> Iterator[dict[str, Any]]:
        """Everything that is touched, in the order of the build; what is held back last."""
        if not self.changes:
            return
        columns = contract(self.recipe.settings.task).schema.names
        for batch in store.batches(self.recipe.build / "audit", "rows", columns=columns):
            for row in batch.to_pylist():
                yield from self._open(row, self._touched(row))
        yield from self._held_back()

    def _open(self, row: Row, touched: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """What is touched of a row, each part once, but for what somebody spoke of under the new guideline."""
        parts: dict[str, dict[str, Any]] = {}
        for line in touched:
            parts.setdefault(line["part"], line)
        found = list(parts.values())
        is_answered = bool(found) and self.spoken.of_row(row["id"])
        left = [] if is_answered else [line for line in found if not self.spoken.of(self.task, row, line["part"])]
        self.new_already += len(left) < len(found)
        yield from left

    def _touched(self, row: Row) -> Iterator[dict[str, Any]]:
        """All that touches a row, the surest first."""
        answer = self.task.answer(row)
        said = self._said(row)
        for kind in ("redefined", "bordering"):
            for part, label in said:
                if (label, kind) in self._changed:
                    yield self._line(row, part, label, kind, self._changed[label, kind].says)
        for who, labels in self._lost.get(row["id"], ()):
            yield self._line(row, WHOLE, labels, "lost", f"{who or 'an annotator'} gave {labels}: {GONE}")
        for part, label in self._given(row, said):
            yield self._line(row, part, label, "rival", f"an annotator gave {label}", likely=label)
        for part, label, kind, why in self._hints.of(row):
            if not self._carries(answer, part, label, said):
                yield self._line(row, part, label, kind, why, likely=label)

    def _carries(self, answer: Answer, part: str, label: str, said: Said) -> bool:
        """Whether an answer says a label of a part already."""
        if self.task.head == "token":
            return part != WHOLE and label_at(self.task, answer, part) == label
        return label in {own for _, own in said}

    def _said(self, row: Row) -> Said:
        """(part, label) of all that a row's answer says; of relations and the like, each label of the whole."""
        if found := labelled(self.task, self.task.answer(row)):
            return found
        names = set(self.task.guideline.names)
        return [(WHOLE, label) for label in dict.fromkeys(self.task.strata(row)) if label in names]

    def _given(self, row: Row, said: Said) -> Iterator[tuple[str, str]]:
        """(part, label) that an annotator said of a row, the answer does not, and a change is about."""
        for answer in self._rivals.get(row["id"], ()):
            for part, label in self._said(self.task.with_answer(row, json.loads(answer))):
                if label in self._sought and (part, label) not in said:
                    yield part, label

    @cached_property
    def _changed(self) -> dict[tuple[str, str], Change]:
        return {(change.label, change.what): change for change in self.changes}

    @cached_property
    def _sought(self) -> set[str]:
        """Labels that rows may have to carry now."""
        return {change.label for change in self.changes if change.what in ("redefined", "added")}

    @cached_property
    def _spelled(self) -> dict[str, str]:
        gone = {change.label for change in self.changes if change.what == "gone"}
        return losing.spellings(self.before, gone)

    @cached_property
    def _hints(self) -> Hints:
        labels = [label for label in self.task.guideline.label if label.name in self._sought]
        added = {change.label for change in self.changes if change.what == "added"}
        return Hints(self.task, labels, proposed(self.recipe, added))

    @cached_property
    def _rivals(self) -> dict[str, dict[str, None]]:
        """The answers to each row that name one of the labels sought."""
        found: dict[str, dict[str, None]] = {}
        spelled = [json.dumps(label, ensure_ascii=False) for label in self._sought]
        columns = ("counts_for", "answer")
        for batch in store.batches(self.recipe.build / "audit", "annotations", columns=columns) if spelled else ():
            for row, answer in zip(batch["counts_for"].to_pylist(), batch["answer"].to_pylist(), strict=True):
                if answer is not None and any(label in answer for label in spelled):
                    found.setdefault(row, {})[answer] = None
        return found

    @cached_property
    def _lost(self) -> dict[str, list[tuple[str, str]]]:
        """(annotator, labels) of answers with a label that is gone, by the row that they count for."""
        found: dict[str, list[tuple[str, str]]] = {}
        for _, row, who, _, labels in losing.lost(self.recipe, self._spelled):
            found.setdefault(row, []).append((who, ", ".join(labels)))
        return found

    def _held_back(self) -> Iterator[dict[str, Any]]:
        """Rows that were held back because their label is none any more: a whole answer has to be given anew."""
        lost = {row: (given, labels) for row, _, _, given, labels in losing.lost(self.recipe, self._spelled)}
        for batch in store.batches(self.recipe.build / "audit", "rejected", columns=("id", "reason", "row")):
            unknown = batch.filter(pc.equal(batch["reason"], "unknown_label"))
            for id_, raw in zip(unknown["id"].to_pylist(), unknown["row"].to_pylist(), strict=True):
                if id_ in lost:
                    row = json.loads(raw)
                    yield from self._open(row, iter([self._gone(row, *lost[id_])]))

    def _gone(self, row: Row, given: str, labels: list[str]) -> dict[str, Any]:
        said, marks = losing.under(self.old, given, row)
        text = self.task.shown(row)
        places = ", ".join(_marked(text, part, label) for part, label in marks if ":" in part and label in labels)
        why = f"{', '.join(labels)}: {GONE}" + (f" ({places})" if places else "")
        return self._line(row, WHOLE, ", ".join(labels), "gone", why) | {"given": said}

    def _line(self, row: Row, part: str, label: str, kind: str, why: str, *, likely: str = "") -> dict[str, Any]:
        """A line for a part of a row."""
        several = self.task.head == "multilabel" and part != WHOLE
        told = {"given": self._now(row, part), "likely": YES if several and likely else likely, "kind": kind}
        read = {"text": self.task.shown(row), "language": row["language"]}
        return {"id": row["id"], "part": part, "label": label, "why": why, **told, **read}

    def _now(self, row: Row, part: str) -> str:
        """What the answer of a row says of a part."""
        if part == WHOLE and self.task.head == "sequence":
            return next((label for _, label in self._said(row)), "")
        return label_at(self.task, self.task.answer(row), part)


def _marked(text: str, part: str, label: str) -> str:
    start, _, end = part.partition(":")
    return f"“{text[int(start) : int(end)]}” at {part} was {label}"


__all__ = ["KINDS", "RELABEL", "Search"]

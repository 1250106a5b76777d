"""Touching: which answers of a build a change of the guideline touches, and how."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import store
from pipeline.contract import contract
from pipeline.relabelling.changing import GONE, Change
from pipeline.rules import finder
from pipeline.tasks.parts import WHOLE, labelled
from pipeline.text import nfc, units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row, Task

RELABEL = pa.schema(
    [(name, pa.string()) for name in ("id", "part", "given", "label", "kind", "why", "text", "language")]
)
"""A line for each part of an answer that is touched: `label` is the label that changed, `kind` one of `KINDS`."""
KINDS = {
    "gone": "holds a label that there is no more",
    "redefined": "holds a label that means something else now",
    "rival": "an annotator gave a label that is new or means something else now",
    "example": "has words that the guideline gives as an example of such a label",
}
"""How a change touches a row; one that is touched in several ways is told for the first."""
LONGEST_EXAMPLE = 6
"""Words, or characters, that an example may have to be looked for in texts; a longer one is a text of its own."""


@dataclass
class Search:
    """Goes through the rows of a build and finds what a change of the guideline touches."""

    recipe: Recipe
    task: Task
    changes: Sequence[Change]
    under: set[str]
    new_already: int = 0

    def lines(self) -> Iterator[dict[str, Any]]:
        """Everything that is touched, in the order of the build; what is held back last."""
        if not self.changes:
            return
        redefined = {change.label: change for change in self.changes if change.what == "redefined"}
        rivals = self._rivals({change.label for change in self.changes if change.what in ("redefined", "added")})
        columns = contract(self.recipe.settings.task).schema.names
        for batch in store.batches(self.recipe.build / "audit", "rows", columns=columns):
            for row in batch.to_pylist():
                touched = list(self._touched(row, redefined, rivals.get(row["id"], ())))
                if touched and _named(row["id"], self.under):
                    self.new_already += 1
                else:
                    yield from touched
        gone = {change.label for change in self.changes if change.what == "gone"}
        yield from self._held_back(gone)

    def _touched(
        self, row: Row, redefined: Mapping[str, Change], rivals: Sequence[tuple[str, str]]
    ) -> Iterator[dict[str, Any]]:
        said = labelled(self.task, self.task.answer(row))
        seen = set()
        for part, label in said:
            if label in redefined:
                seen.add(part)
                yield self._line(row, part, label, label, "redefined", redefined[label].says)
        for part, label in rivals:
            if part not in seen and (part, label) not in said:
                seen.add(part)
                given = next((own for other, own in said if other == part), "O" if ":" in part else "")
                yield self._line(row, part, given, label, "rival", f"an annotator gave {label}")
        yield from self._examples(row, said, seen)

    def _examples(self, row: Row, said: Sequence[tuple[str, str]], seen: set[str]) -> Iterator[dict[str, Any]]:
        """Words of a text that the guideline gives as examples of a changed label, and that do not carry it."""
        wanted = self._wanted
        if not wanted or self.task.head not in ("token", "sequence"):
            return
        text = self.task.shown(row)
        labels = {label for _, label in said}
        for start, end, which in finder(tuple(wanted)).found(text):
            label, part = wanted[which], f"{start}:{end}" if self.task.head == "token" else WHOLE
            given = next((own for other, own in said if other == part), "O" if self.task.head == "token" else "")
            if part in seen or given == label or (part == WHOLE and label in labels):
                continue
            seen.add(part)
            why = f"“{text[start:end]}” stands in the guideline"
            yield self._line(row, part, given or next(iter(labels), ""), label, "example", why)

    @cached_property
    def _wanted(self) -> dict[str, str]:
        """Short examples of labels that are new or mean something else -> the label."""
        known = {label.name: label for label in self.task.guideline.label}
        new = [known[change.label] for change in self.changes if change.what in ("added", "redefined")]
        return {
            nfc(example): label.name
            for label in new
            for example in label.examples
            if 0 < len(list(units(nfc(example)))) <= LONGEST_EXAMPLE
        }

    def _rivals(self, wanted: set[str]) -> dict[str, list[tuple[str, str]]]:
        """(part, label) that an annotator said of each row, where it is one of the wanted labels."""
        found: dict[str, dict[tuple[str, str], None]] = {}
        columns = ("counts_for", "answer")
        for batch in store.batches(self.recipe.build / "audit", "annotations", columns=columns):
            for row, answer in zip(batch["counts_for"].to_pylist(), batch["answer"].to_pylist(), strict=True):
                if answer is not None and any(f'"{label}"' in answer for label in wanted):
                    said = labelled(self.task, json.loads(answer))
                    found.setdefault(row, {}).update({one: None for one in said if one[1] in wanted})
        return {row: list(said) for row, said in found.items()}

    def _held_back(self, gone: set[str]) -> Iterator[dict[str, Any]]:
        """Rows that were held back because their label is none any more."""
        lost = self._lost(gone)
        for batch in store.batches(self.recipe.build / "audit", "rejected", columns=("id", "reason", "row")):
            unknown = batch.filter(pc.equal(batch["reason"], "unknown_label"))
            for id_, raw in zip(unknown["id"].to_pylist(), unknown["row"].to_pylist(), strict=True):
                row = json.loads(raw)
                for part, label in lost.get(id_, {}).items():
                    yield self._line(row, part, label, label, "gone", GONE)

    def _lost(self, gone: set[str]) -> dict[str, dict[str, str]]:
        """The labels that are none any more, as they were given, by row and part."""
        found: dict[str, dict[str, str]] = {}
        columns = ("row", "given", "problem")
        for batch in store.batches(self.recipe.build / "audit", "annotations", columns=columns) if gone else ():
            unread = batch.filter(pc.fill_null(pc.starts_with(batch["problem"], "unknown_label"), False))
            for row, given in zip(unread["row"].to_pylist(), unread["given"].to_pylist(), strict=True):
                for label in sorted(gone):
                    if label == given or f'"{label}"' in given:
                        found.setdefault(row, {})[WHOLE] = label
        return found

    def _line(self, row: Row, *told: str) -> dict[str, Any]:
        """A line for a row: part, given, label, kind, why."""
        named = dict(zip(("part", "given", "label", "kind", "why"), told, strict=True))
        return {"id": row["id"], **named, "text": self.task.shown(row), "language": row["language"]}


def _named(row: str, names: set[str]) -> bool:
    """Whether a row is named by its id, or without its source."""
    return row in names or row.partition("/")[2] in names

"""Hinting: what speaks for a label that is new or means something else, where nobody gave it: told with a doubt."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import store
from pipeline.rules import finder, keyed
from pipeline.tasks.parts import WHOLE, YES
from pipeline.text import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.recipe import Recipe
    from pipeline.settings import Label
    from pipeline.tasks import Row, Task

LONGEST_EXAMPLE = 6
"""Words, or characters of unspaced scripts, that an example may have to be looked for in texts; a longer one is a text
of its own, which others may be like."""
ALIKE = 0.5
"""So much of the words of an example and of a text together must be those of both: by hand, not measured."""
_QUOTED = re.compile(r"[“\"「『‘]([^”\"」』’]{1,80})[”\"」』’]")

Hint = tuple[str, str, str, str]
"""Part, label, kind, why."""


@dataclass
class Hints:
    """Looks for labels in rows that do not carry them."""

    task: Task
    labels: Sequence[Label]
    """Those that are new or mean something else."""
    proposed: dict[str, list[tuple[str, str, float]]] = field(default_factory=dict)
    """(part, label, probability) that the stage `suspect` proposes instead of what is given, by row."""

    def of(self, row: Row) -> Iterator[Hint]:
        """All that speaks for such a label in a row, whether or not it carries it."""
        if self.labels and self.task.head in ("token", "sequence", "multilabel") and not self.task.free_text:
            text = self.task.shown(row)
            yield from self._examples(text)
            yield from self._alike(text)
        for part, label, wrong in self.proposed.get(row["id"], ()):
            yield part, label, "model", f"other rows speak for {label} ({wrong:.0%} likely that what is given is wrong)"

    def _part(self, label: str) -> str:
        return label if self.task.head == "multilabel" else WHOLE

    def _examples(self, text: str) -> Iterator[Hint]:
        """Words that the guideline gives as examples of a label, or quotes in its definition."""
        for start, end, which in finder(tuple(self._short)).found(text) if self._short else ():
            label = self._short[which]
            part = f"{start}:{end}" if self.task.head == "token" else self._part(label)
            yield part, label, "example", f"“{text[start:end]}” stands in the guideline for {label}"

    def _alike(self, text: str) -> Iterator[Hint]:
        """Whole texts that read like one that the guideline gives as an example."""
        if not self._long or self.task.head == "token":
            return
        words = frozenset(keyed(text))
        for example, wanted, label in self._long:
            share = len(words & wanted) / max(len(words | wanted), 1)
            if share >= ALIKE:
                why = f"{share:.0%} of its words are those of “{example[:80]}”, an example of {label}"
                yield self._part(label), label, "alike", why

    @cached_property
    def _short(self) -> dict[str, str]:
        """Short examples, and what definitions quote -> the label."""
        named = ((text, label.name) for label in self.labels for text in (*label.examples, *quoted(label.definition)))
        return {nfc(text): name for text, name in named if 0 < len(keyed(nfc(text))) <= LONGEST_EXAMPLE}

    @cached_property
    def _long(self) -> list[tuple[str, frozenset[str], str]]:
        named = ((nfc(text), label.name) for label in self.labels for text in label.examples)
        return [(text, frozenset(words), name) for text, name in named if len(words := keyed(text)) > LONGEST_EXAMPLE]


def quoted(definition: str) -> list[str]:
    """What stands in quotation marks in a definition.

    >>> quoted("a drink, like “beer” or 「啤酒」")
    ['beer', '啤酒']
    """
    return _QUOTED.findall(definition)


def proposed(recipe: Recipe, labels: set[str]) -> dict[str, list[tuple[str, str, float]]]:
    """(part, label, probability) of what the stage `suspect` proposes, where that is one of the labels, by row."""
    folder = recipe.build / "suspect"
    if not labels or store.read_report(folder) is None:
        return {}
    found: dict[str, list[tuple[str, str, float]]] = {}
    names = pa.array(sorted(labels), pa.string())
    for batch in store.batches(folder, "suspects", columns=("id", "part", "likely", "score")):
        put_on = pc.and_(pc.equal(batch["likely"], YES), pc.is_in(batch["part"], value_set=names))
        for line in batch.filter(pc.or_(pc.is_in(batch["likely"], value_set=names), put_on)).to_pylist():
            label = line["part"] if line["likely"] == YES else line["likely"]
            found.setdefault(line["id"], []).append((line["part"], label, line["score"]))
    return found

"""Data sets that live: records that are added, changed, deleted, moved, answered anew and decided about."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline import recipe
from pipeline.decisions import line_id
from tests.small import made

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

LABELLED = """
task = "classification"
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", label = "label", annotator = "who" }
[[guideline.label]]
name = "good"
[[guideline.label]]
name = "bad"
[audit]
bootstrap = 10
suspects = "off"
min_annotators = 1
[augment]
budget = 0.4
[[augment.edit]]
kind = "swap"
[[augment.edit]]
kind = "keyboard"
"""
MARKED = """
task = "tagging"
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", spans = "spans", annotator = "who" }
[audit]
bootstrap = 10
suspects = "off"
[augment]
budget = 0.4
[[augment.edit]]
kind = "mention_swap"
"""
KINDS = {"labelled": LABELLED, "marked": MARKED}
WORDS = ("harbour", "quiet", "evening", "bread", "basket", "lantern", "garden", "winter", "promise", "letter", "kettle")
NAMES = ("Anna Berg", "Li Wei", "Omar", "Zoë", "Ines Paz", "Tom")
PEOPLE = ("ann", "bob", "eve")
DONE = (
    "add", "change", "delete", "shuffle", "relabel", "annotate", "decide", "decide a part", "lay down a rule", "undo",
    "copy", "take back",
)  # fmt: skip
"""What may happen to a data set between two builds."""


@dataclass
class Living:
    """A data set under `folder`, its records and decisions, and the chance by which it changes."""

    folder: Path
    kind: str
    chance: random.Random
    records: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    added: int = 0

    @classmethod
    def begun(cls, folder: Path, kind: str, seed: int, rows: int) -> Living:
        """A data set of so many rows, each answered by one to three people."""
        one = cls(folder, kind, random.Random(seed))
        for _ in range(rows):
            one.add()
        return one

    def written(self) -> Recipe:
        """The recipe, once everything stands in files."""
        files = {"rows.jsonl": "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in self.records)}
        files["decisions.jsonl"] = "".join(json.dumps(decision) + "\n" for decision in self.decisions)
        return made(self.folder, KINDS[self.kind], files)

    def elsewhere(self, folder: Path) -> Recipe:
        """The same data set in a folder that holds no build of it; the split lock is copied along."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder / "small", folder / "small")
        return recipe.load(folder / "small" / "recipe.toml")

    def happens(self, what: str) -> None:
        """One of the things that may happen (`DONE`)."""
        getattr(self, what.replace(" ", "_"))()

    def add(self) -> None:
        """A new row, somewhere among the others."""
        self.added += 1
        text = self._text()
        people = self.chance.sample(PEOPLE, self.chance.choice((1, 1, 2, 3)))
        new = [{"id": self.added, "text": text, "who": who, **self._answer(text)} for who in people]
        at = self.chance.randrange(len(self.records) + 1)
        self.records[at:at] = new

    def change(self) -> None:
        """A row is written otherwise."""
        id_, text = self._any()["id"], self._text()
        for record in self.records:
            if record["id"] == id_:
                record |= {"text": text, **self._answer(text)}

    def delete(self) -> None:
        """A row with all its answers is gone."""
        id_ = self._any()["id"]
        if len({record["id"] for record in self.records}) > 4:
            self.records = [record for record in self.records if record["id"] != id_]

    def shuffle(self) -> None:
        """The records stand in another order."""
        self.chance.shuffle(self.records)

    def relabel(self) -> None:
        """Somebody answers otherwise."""
        record = self._any()
        record |= self._answer(record["text"])

    def annotate(self) -> None:
        """One more answer to a row."""
        record = self._any()
        self.records.append(record | {"who": self.chance.choice(PEOPLE), **self._answer(record["text"])})

    def copy(self) -> None:
        """A row comes again under another id, perhaps answered otherwise."""
        self.added += 1
        record = self._any()
        self.records.append(record | {"id": self.added, **self._answer(record["text"])})

    def decide(self) -> None:
        """A person decides about a row."""
        verdict = self.chance.choice(("fine", "drop", "ambiguous"))
        self.decisions.append({"row": f"s/{self._any()['id']}", "verdict": verdict, **self._by()})

    def decide_a_part(self) -> None:
        """A person decides about a span, or about what its label is."""
        one = self._any()
        line = {"row": f"s/{one['id']}", "verdict": "wrong", **self._by()}
        if self.kind == "labelled":
            self.decisions.append(line | {"answer": self.chance.choice(("good", "bad"))})
        elif one["spans"]:
            start, end, label = self.chance.choice(one["spans"])
            becomes = self.chance.choice(("PER", "ORG", "O"))
            self.decisions.append(line | {"part": f"{start}:{end}", "was": label, "answer": becomes})

    def lay_down_a_rule(self) -> None:
        """A person decides about all rows that a rule speaks of, those that come later, too."""
        rule: dict[str, Any] = {"given": "good", "becomes": "bad", "phrases": [self.chance.choice(WORDS)]}
        if self.kind != "labelled":
            given, becomes = self.chance.choice((("PER", "ORG"), ("ORG", "PER"), ("O", "PER"), ("PER", "O")))
            rule = {"given": given, "becomes": becomes, "surfaces": [self.chance.choice(NAMES)]}
        self.decisions.append({"rule": rule, "verdict": "wrong", **self._by()})

    def undo(self) -> None:
        """A decision is undone by a line of its own."""
        if self.decisions:
            line = self.chance.choice(self.decisions)
            self.decisions.append({"undo": line_id(line), **self._by()})

    def take_back(self) -> None:
        """A decision is taken out of the file."""
        if self.decisions:
            self.decisions.pop(self.chance.randrange(len(self.decisions)))

    def _by(self) -> dict[str, str]:
        who = self.chance.choice(("mo", "mo", "ann"))
        return {"who": who, "when": "2026-11-24", "why": f"seen {self.chance.randrange(10**6)}"}

    def _any(self) -> dict[str, Any]:
        return self.chance.choice(self.records)

    def _text(self) -> str:
        words = [*self.chance.sample(WORDS, 6), self.chance.choice(NAMES), str(self.chance.randrange(1000))]
        return "今天" + words[0] if self.chance.random() < 0.1 else " ".join(words)

    def _answer(self, text: str) -> dict[str, Any]:
        if self.kind == "labelled":
            return {"label": self.chance.choice(("good", "bad", "good", "soso"))}
        found = [(text.find(name), name) for name in NAMES if name in text]
        spans = [[at, at + len(name), self.chance.choice(("PER", "PER", "ORG"))] for at, name in found]
        return {"spans": spans}

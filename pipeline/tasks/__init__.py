"""What a task must answer; one file per task, and stages never name one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.errors import AssayError, nearest
from pipeline.text import is_unspaced, normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.settings import Guideline

Row = dict[str, Any]
"""One row as Python values, by column."""

Answer = Any
"""What one annotator said of one row, as JSON-able Python: labels, spans, a reply."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that a row breaks and what was seen."""

    rule: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Several answers made one: the answer, its posterior probability, and whether the annotators were split evenly."""

    answer: Answer
    confidence: float
    tied: bool


@dataclass(frozen=True, slots=True)
class Encoded:
    """Model inputs and targets of one row.

    `inputs` are what the model takes (`input_ids`, ... each of `tokens` numbers); `targets` is one class index for a
    sequence head, several 0/1 for a multi-label one, and one per input token for token and causal heads, where -100
    means "not learned from". `cut` says whether the length limit took something away.
    """

    inputs: dict[str, list[int]]
    targets: int | list[int] | list[float]
    cut: bool
    learned: int
    """How many targets the trainer learns from."""


@dataclass(frozen=True)
class Scores:
    """How right a set of answers is: the headline metric's name, metrics by name, and a table of them per class."""

    headline: str
    metrics: dict[str, float]
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    confusion: dict[str, dict[str, int]] = field(default_factory=dict)


class Task(Protocol):
    """What one task means under one guideline; every question is asked of one row, adapters make columns of answers.

    Tasks are frozen and picklable: they travel to worker processes.
    """

    name: str
    guideline: Guideline
    free_text: bool
    """Whether answers are free text, no set of labels that annotators could confuse."""
    head: str
    """Which model head learns it: "sequence", "multilabel", "token" or "causal"."""

    # -- ingest
    def shape(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
        """The task's own columns, answers not settled, from a record's fields; raises Unfit."""
        ...

    def raw_answer(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
        """The answer that stands in the record itself, as delivered, or None."""
        ...

    def read_answer(self, given: Any, fields: Mapping[str, Any], row: Row) -> Answer:
        """The answer that an annotator gave, by the guideline, with offsets into the row's own text; raises Unfit."""
        ...

    # -- what was read, what was answered
    def shown(self, row: Row) -> str:
        """What the annotator read."""
        ...

    def asked(self, row: Row) -> str:
        """What was read and what else the answer depends on: the same for rows that are duplicates or in conflict."""
        ...

    def answer(self, row: Row) -> Answer:
        """The settled answer of a row."""
        ...

    def meaning(self, row: Row) -> str:
        """What the settled answer says, apart from how the text is written: equal for duplicates that agree."""
        ...

    def with_answer(self, row: Row, answer: Answer) -> Row:
        """The row with another answer."""
        ...

    # -- audit
    def ballots(self, row: Row, answers: Sequence[Answer]) -> dict[str, list[str | None]]:
        """What is voted on: for every unit of the row, each annotator's label (None: said nothing of it)."""
        ...

    def elect(self, row: Row, answers: Sequence[Answer], winners: Mapping[str, tuple[str, float, bool]]) -> Settled:
        """One answer from the winning label, posterior and tie of every unit."""
        ...

    def problems(self, row: Row) -> Iterator[Problem]:
        """The rules that a settled row breaks."""
        ...

    def guess_units(self, row: Row) -> list[tuple[str, str]]:
        """(context, label) pairs that a quick model can learn, to find suspects by its out-of-fold outputs."""
        ...

    # -- split and augment
    def strata(self, row: Row) -> list[str]:
        """What the row counts towards when shares are kept equal: its classes, entity types, topics."""
        ...

    def kin(self, row: Row) -> list[str]:
        """Keys (see `kin_key`), each once, that no two rows on different sides may have in common.

        They stand for parts that make two rows one example though they read differently as a whole: how a chat begins,
        one text of a pair. Empty where only the whole counts.
        """
        ...

    def free_pieces(self, row: Row) -> list[str]:
        """The pieces of text that may be reworded without touching the answer or its evidence, in order."""
        ...

    def with_pieces(self, row: Row, pieces: Sequence[str]) -> Row:
        """The row with its free pieces replaced, offsets moved; as many pieces as `free_pieces` gives."""
        ...

    def mentions(self, row: Row) -> list[tuple[str, str]]:
        """(kind, surface) of the parts of the answer that another of its kind could stand for; empty for most tasks."""
        ...

    def with_mentions(self, row: Row, surfaces: Sequence[str]) -> Row:
        """The row with the surfaces of its mentions replaced, offsets moved."""
        ...

    # -- finetune and evaluate
    def classes(self, seen: Sequence[str]) -> list[str]:
        """The model's output classes: of the guideline, or those seen in training; none for causal heads."""
        ...

    def encode(self, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int) -> Encoded:
        """Model inputs and targets of a row."""
        ...

    def prompt(self, row: Row, tokenizer: Any, *, max_tokens: int) -> list[int]:
        """Token ids to generate the answer from, at most `max_tokens`; empty for heads that do not generate."""
        ...

    def decode(
        self, output: Any, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int
    ) -> tuple[Answer, float]:
        """The answer that a model's output for the row means, of the same shape as the gold, and its probability.

        `output` is an array of probabilities: [classes] for sequence and multi-label heads, [tokens, classes] for a
        token head; the generated text (str) for a causal one.
        """
        ...

    def score(self, gold: Sequence[Answer], found: Sequence[Answer], rows: Sequence[Row]) -> Scores:
        """How right `found` is, answer by answer, against `gold`."""
        ...


KNOWN = ("chat", "classification", "tagging")


def task(name: str, guideline: Guideline) -> Task:
    """The task called `name`.

    Raises:
        AssayError: there is no such task; the known ones are named.
    """
    if name not in KNOWN:
        raise AssayError("task", f"no task '{name}'", nearest(name, KNOWN))
    made: Task = import_module(f"pipeline.tasks.{name}").make(guideline)
    return made


SHORTEST_KIN_SPACED, SHORTEST_KIN_UNSPACED = 12, 4
"""Characters, normalised, from which on a part of a row is its own: "hi" and "yes" are anybody's."""
_LONGEST_KEY = 80


def kin_key(*parts: str) -> str | None:
    """The key of parts of a row in the normal form of duplicates; None where they are too short to tell rows apart.

    A long key is cut and carries a hash of the whole, so that keys stay narrow.

    >>> kin_key("What is the capital of Italy?"), kin_key("Hi!"), kin_key("法国的首都")
    ('whatisthecapitalofitaly', None, '法国的首都')
    """
    keys = [normalised(part) for part in parts]
    length = sum(map(len, keys))
    own = length >= SHORTEST_KIN_SPACED or (length >= SHORTEST_KIN_UNSPACED and is_unspaced("".join(keys)))
    return whole_key(keys) if own else None


def whole_key(keys: Sequence[str]) -> str:
    """One key of several in their order, however short they are."""
    key = "|".join(keys)
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:_LONGEST_KEY]}|{blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def canonical(answer: Answer) -> str:
    """The one JSON spelling of an answer: what is equal is spelled the same."""
    if type(answer) is list and len(answer) == 1 and type(answer[0]) is str:
        return _one_label(answer[0])
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@lru_cache(maxsize=4096)
def _one_label(label: str) -> str:
    """Most answers by far are one label, again and again."""
    return json.dumps([label], ensure_ascii=False)

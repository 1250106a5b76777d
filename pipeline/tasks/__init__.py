"""What a task must answer; one file per task, and stages never name one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pipeline.errors import AssayError, nearest
from pipeline.text import is_unspaced, normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pipeline.settings import Guideline

Measure = Literal["nominal", "ordinal", "interval", "ratio", "sets", "spans", "texts"]
"""How answers differ: as labels, ranks, numbers, numbers with a true zero, sets of labels, marked spans, texts."""

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
class Vote:
    """What became of the vote on one unit: the winning label, its posterior, whether another is as likely.

    `shares` holds the posterior of every label that is not next to impossible, the winner's among them.
    """

    label: str
    posterior: float
    tie: bool
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A sign, seen in one row alone, that its answer may be wrong: no rule is broken, but a person should look.

    `kind` is one word for the reasons of the kind, `evidence` says in words what was seen.
    """

    kind: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A labelled stretch of text, or several that belong together: `at` are all its offsets, `text` what it covers."""

    label: str
    text: str
    at: tuple[int, ...]


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
    sequence head, several 0/1 for a multi-label one, one number (nan: not learned from) for a number head, and one per
    input token for token and causal heads, where -100 means "not learned from". `cut` says whether the length limit
    took something away.
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
    """Which model head learns it: "sequence", "multilabel", "token", "number" or "causal"."""

    @property
    def measure(self) -> Measure:
        """How answers differ, which says how agreement is measured and how answers are made one."""
        ...

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

    def marks(self, row: Row) -> list[Mark] | None:
        """What the answer marks in the text of the row; None where answers mark nothing in it."""
        ...

    def spoken(self, meaning: str) -> list[tuple[str, str]] | None:
        """(normalised surface, label) of all that a `meaning` marks, in order, where it stands left out.

        None where answers that differ in nothing but the wording of the text mean the very same.
        """
        ...

    def with_answer(self, row: Row, answer: Answer) -> Row:
        """The row with another answer."""
        ...

    # -- audit
    def ballots(self, row: Row, answers: Sequence[Answer]) -> dict[str, list[str | None]]:
        """What is voted on: for every unit of the row, each annotator's label (None: said nothing of it)."""
        ...

    def values(self, labels: Sequence[str]) -> list[float]:
        """The rank or number that each label that can be voted for stands for; empty where labels have no order."""
        ...

    def distance(self, one: Answer, other: Answer) -> float:
        """How far apart two whole answers are: 0 (the same) to 1, for sets, spans and texts; 0 or 1 for labels."""
        ...

    def elect(self, row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Settled:
        """One answer from what became of the vote on every unit."""
        ...

    def problems(self, row: Row) -> Iterator[Problem]:
        """The rules that a settled row breaks."""
        ...

    def tagged(self, row: Row) -> list[tuple[int, int, str]]:
        """(start, end, tag) of every word of the text that a tagging model reads; empty for other heads."""
        ...

    def doubts(self, row: Row) -> Iterator[Doubt]:
        """What makes the settled answer look wrong though it breaks no rule."""
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
        token head; [1] the number itself for a number head; the generated text (str) for a causal one.
        """
        ...

    def by_word(self, output: Any, row: Row, tokenizer: Any, *, max_tokens: int) -> NDArray[np.float32]:
        """The probabilities [words, classes] of the words of `tagged` from a token head's output [tokens, classes].

        Words that the model was not asked about are nan; other heads have no words.
        """
        ...

    def score(self, gold: Sequence[Answer], found: Sequence[Answer], rows: Sequence[Row]) -> Scores:
        """How right `found` is, answer by answer, against `gold`."""
        ...


KNOWN = ("answering", "chat", "classification", "rating", "relations", "tagging", "writing")


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


def masi(one: Collection[str], other: Collection[str]) -> float:
    """Distance of two sets of labels: 1 - Jaccard likeness x how one contains the other (1, 2/3, 1/3 or 0).

    Two empty sets are the same. Method: Passonneau 2006, "Measuring agreement on set-valued items".

    >>> masi(["joy"], ["joy"]), masi(["joy"], ["joy", "awe"]), masi(["joy"], ["awe"])
    (0.0, 0.6666666666666667, 1.0)
    """
    left, right = set(one), set(other)
    if left == right:
        return 0.0
    both = left & right
    likeness = 2 / 3 if both in (left, right) else 1 / 3 if both else 0.0
    return 1 - likeness * len(both) / len(left | right) if both else 1.0


def canonical(answer: Answer) -> str:
    """The one JSON spelling of an answer: what is equal is spelled the same."""
    if type(answer) is list and len(answer) == 1 and type(answer[0]) is str:
        return _one_label(answer[0])
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@lru_cache(maxsize=4096)
def _one_label(label: str) -> str:
    """Most answers by far are one label, again and again."""
    return json.dumps([label], ensure_ascii=False)

"""Rows of the split as the model sees them: surveyed, sampled, encoded, and every token accounted for."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import store
from pipeline.errors import AssayError
from pipeline.tasks import Row, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from pipeline.settings import FinetuneSettings
    from pipeline.tasks import Encoded, Task

UNLEARNED = -100
OF_THE_ROW = frozenset({"multilabel", "number"})
"""Heads whose targets are floats [classes] that belong to the row as a whole; nan is not learned from."""


def chance(*parts: object) -> int:
    """A number in [0, 2^63) drawn from `parts` alone: a seed, what it is for, a row id."""
    drawn = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") >> 1


def rows(folder: Path, table: str) -> Iterator[Row]:
    """The rows of a table of the split, one after the other."""
    for batch in store.batches(folder, table):
        yield from batch.to_pylist()


def origin(row_id: str) -> str:
    """The source that a row id begins with.

    >>> origin("movies/17")
    'movies'
    """
    return row_id.split("/", 1)[0]


@dataclass
class Survey:
    """What must be known of a whole table before rows are chosen from it: narrow columns, row by row."""

    ids: list[str] = field(default_factory=list)
    strata: list[list[str]] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def seen(self) -> list[str]:
        """Every class that occurs, sorted."""
        return sorted({name for names in self.strata for name in names})

    @property
    def usual(self) -> str:
        """The most frequent answer (canonical JSON), the first by spelling of several."""
        return min(self.answers, key=lambda answer: (-self.answers[answer], answer)) if self.answers else "null"


def survey(table: Iterable[Row], task: Task) -> Survey:
    """One pass over a table: ids, strata, and how often each answer is given (not for replies: all differ)."""
    made = Survey()
    for row in table:
        made.ids.append(row["id"])
        made.strata.append(list(task.strata(row)))
        if task.head != "causal":
            made.answers[canonical(task.answer(row))] += 1
    return made


def sample(found: Survey, size: int, *, seed: int) -> set[str] | None:
    """The ids of `size` rows, every (rarest class, source) in proportion; None where there are no more rows than that.

    Within a stratum rows stand in the order of a keyed hash of their ids; those at the lowest quantiles of their strata
    are taken, so that a larger sample holds a smaller one.
    """
    if len(found.ids) <= size:
        return None
    counts = Counter(name for names in found.strata for name in names)
    strata: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for row_id, names in zip(found.ids, found.strata, strict=True):
        rarest = min(names, key=lambda name: (counts[name], name), default="")
        strata.setdefault((rarest, origin(row_id)), []).append((chance(seed, "sample", row_id), row_id))
    ranked = [
        ((rank + 0.5) / len(members), key, row_id)
        for members in strata.values()
        for rank, (key, row_id) in enumerate(sorted(members))
    ]
    return {row_id for _, _, row_id in sorted(ranked)[:size]}


@dataclass(frozen=True, slots=True)
class Example:
    """One encoded row: int32 inputs [tokens], targets (scalar, [classes] or [tokens]), loss weight, targets learned.

    Targets [classes] of a sequence head are shares that sum to 1; nan where there is nothing to learn.
    """

    id: str
    inputs: dict[str, np.ndarray[Any, Any]]
    targets: np.ndarray[Any, Any]
    weight: float
    learned: int

    @property
    def tokens(self) -> int:
        """The length of the inputs."""
        return len(self.inputs["input_ids"])


@dataclass
class Ledger:
    """Where the rows of a table went on their way to the model."""

    rows: int = 0
    sampled_out: int = 0
    encoded: int = 0
    cut: int = 0
    tokens: int = 0
    learned: int = 0
    teach_nothing: list[str] = field(default_factory=list)
    """Ids of encoded rows without a target to learn from, or of weight 0."""

    def told(self) -> dict[str, Any]:
        """The counts by name, for the report."""
        return {
            "rows": self.rows,
            "sampled_out": self.sampled_out,
            "rows_encoded": self.encoded,
            "rows_cut": self.cut,
            "rows_that_teach_nothing": len(self.teach_nothing),
            "teach_nothing_ids": self.teach_nothing,
            "rows_learned_from": self.encoded - len(self.teach_nothing),
            "tokens": self.tokens,
            "learned_targets": self.learned,
        }


def encode(
    table: Iterable[Row],
    encoder: Callable[[Row], Encoded],
    *,
    head: str,
    chosen: set[str] | None = None,
    row_weights: bool = False,
    tick: Callable[[int], None] = lambda rows: None,
) -> tuple[list[Example], Ledger]:
    """Encode the `chosen` rows (None: all of them); `row_weights` takes the column `weight`, else all count 1."""
    made, ledger = [], Ledger()
    for row in table:
        ledger.rows += 1
        if chosen is not None and row["id"] not in chosen:
            ledger.sampled_out += 1
            continue
        encoded = encoder(row)
        example = _example(row, encoded, head=head, weight=float(row["weight"]) if row_weights else 1.0)
        made.append(example)
        ledger.encoded += 1
        ledger.cut += encoded.cut
        if not example.learned or example.weight <= 0:
            ledger.teach_nothing.append(example.id)
        else:
            ledger.tokens += example.tokens
            ledger.learned += example.learned
        tick(1)
    return made, ledger


def _example(row: Row, encoded: Encoded, *, head: str, weight: float) -> Example:
    inputs = {name: np.asarray(values, dtype=np.int32) for name, values in encoded.inputs.items()}
    of_row = head in OF_THE_ROW or (head == "sequence" and isinstance(encoded.targets, list))
    targets = np.asarray(encoded.targets, dtype=np.float32 if of_row else np.int64)
    learned = targets_learned(targets, head=head)
    if learned != encoded.learned or (targets.ndim and not of_row and len(targets) != len(inputs["input_ids"])):
        problem = f"{encoded.learned} targets announced for {learned} that can be learned"
        raise AssayError(f"row '{row['id']}'", problem, "this is a fault in Assay: please report it")
    return Example(id=row["id"], inputs=inputs, targets=targets, weight=weight, learned=learned)


def targets_learned(targets: np.ndarray[Any, Any], *, head: str) -> int:
    """How many targets give a gradient: a causal model never predicts its first token."""
    if head in OF_THE_ROW:
        return int(np.isfinite(targets).sum())
    if targets.dtype.kind == "f":
        return int(np.isfinite(targets).all())
    shifted = targets[1:] if head == "causal" else targets
    return int((shifted != UNLEARNED).sum())


def teachers(examples: Sequence[Example], ledger: Ledger, *, place: str) -> list[Example]:
    """The examples to learn from.

    Raises:
        AssayError: there is none, or the ledger does not add up.
    """
    taught = [example for example in examples if example.learned and example.weight > 0]
    if not taught or not ledger.learned:
        some = ", ".join(ledger.teach_nothing[:5]) or "there are none"
        raise AssayError(
            place,
            f"none of {ledger.encoded} training rows has anything to learn from (rows: {some}"
            + (" ...)" if len(ledger.teach_nothing) > 5 else ")"),
            "raise max_tokens, or look at the labels, the learned turns and the weights of these rows",
        )
    there = ledger.encoded + ledger.sampled_out, len(taught) + len(ledger.teach_nothing)
    if there != (ledger.rows, ledger.encoded) or ledger.tokens != sum(example.tokens for example in taught):
        raise AssayError(place, f"the ledger does not add up: {ledger.told()}", "please report this fault in Assay")
    return taught


def encoder_of(
    task: Task, tokenizer: Any, *, classes: Sequence[str], settings: FinetuneSettings
) -> Callable[[Row], Encoded]:
    """The task's encoding with this tokenizer and length limit."""
    return lambda row: task.encode(row, tokenizer, classes=classes, max_tokens=settings.max_tokens)

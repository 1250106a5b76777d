"""Copying: the functions of a batch behind `augment`, from rows to facts about them and from orders to made rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.chance import draw
from pipeline.edits import MENTION_SWAP, edit
from pipeline.edits.mention_swap import Donor, Inventory, Mention, swapped
from pipeline.edits.words import primary
from pipeline.errors import Unfit
from pipeline.tasks import canonical
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.tasks import Row, Task

ATTEMPTS = 3
FACTS = pa.schema(
    [
        ("id", pa.string()),
        ("eligible", pa.bool_()),
        ("language", pa.string()),
        ("weight", pa.float64()),
        ("confidence", pa.float64()),
        ("also_in", pa.list_(pa.string())),
        ("rank", pa.uint64()),
        ("key", pa.uint64()),
        ("strata", pa.list_(pa.string())),
        ("mentions", pa.list_(pa.struct([("kind", pa.string()), ("surface", pa.string())]))),
    ]
)


@dataclass(frozen=True, slots=True)
class Order:
    """One copy to be made: the edit, which of its copies, and, for a mention swap, what each attempt may use."""

    kind: str
    number: int
    share: float
    counted: str
    """The class whose budget pays for it."""
    offers: tuple[dict[Mention, Donor], ...] = ()

    def offered(self, row: dict[str, Any], inventory: Inventory, *, seed: int) -> Order:
        """The order with other names for the mentions of `row` (`id`, `language`, `mentions`)."""
        mentions = [(mention["kind"], mention["surface"]) for mention in row["mentions"]]
        offers = tuple(
            inventory.offers(
                row["id"],
                mentions,
                language=row["language"],
                share=self.share,
                seed=draw(seed, self.kind, row["id"], self.number, attempt),
            )
            for attempt in range(ATTEMPTS)
        )
        return replace(self, offers=offers)


@dataclass
class Made:
    """The copies made of a batch, beside each its edit, text key, class and example; and what was refused."""

    rows: pa.RecordBatch
    kinds: list[str] = field(default_factory=list)
    keys: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    classes: list[str] = field(default_factory=list)
    examples: list[tuple[int, str, str, str]] = field(default_factory=list)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)


def facts(task: Task, min_confidence: float, seed: int, mentions: bool, batch: pa.RecordBatch) -> pa.RecordBatch:
    """What the plan needs to know of every row (columns `FACTS`); official held-out rows are not eligible."""
    rows = [
        {
            **{name: row[name] for name in ("id", "language", "weight", "confidence", "also_in")},
            "eligible": row["split"] in (None, "train") and _sure(row, min_confidence) and not row["parents"],
            "rank": draw(seed, "rank", row["id"]),
            "key": text_key(task.shown(row)),
            "strata": sorted(set(task.strata(row))),
            "mentions": [{"kind": kind, "surface": surface} for kind, surface in task.mentions(row)]
            if mentions
            else [],
        }
        for row in batch.to_pylist()
    ]
    return pa.RecordBatch.from_pylist(rows, schema=FACTS)


def _sure(row: Row, min_confidence: float) -> bool:
    return row["confidence"] is None or row["confidence"] >= min_confidence


def text_key(text: str) -> int:
    """A 64-bit hash of the normalised text."""
    return int.from_bytes(blake2b(normalised(text).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def allowed(kind: str, language: str, named: bool) -> bool:
    """Whether an edit can do rows in this language, with or without mentions."""
    return named if kind == MENTION_SWAP else primary(language) in edit(kind).languages


def made_of(task: Task, schema: pa.Schema, seed: int, chosen: tuple[pa.RecordBatch, list[tuple[Order, ...]]]) -> Made:
    """The copies of a batch of rows by their orders; every copy that was ordered is made or refused with a reason."""
    batch, orders = chosen
    rows: list[Row] = []
    keys: list[int] = []
    made = Made(rows=batch)
    for parent, own in zip(batch.to_pylist(), orders, strict=True):
        before, seen = task.shown(parent), {text_key(task.shown(parent))}
        for order in own:
            row, reason = _copy(task, parent, order, seed, seen)
            if row is None:
                made.refused[order.kind, reason] += 1
                continue
            rows.append(row)
            keys.append(text_key(task.shown(row)))
            seen.add(keys[-1])
            made.kinds.append(order.kind)
            made.classes.append(order.counted)
            made.examples.append((draw(seed, "example", row["id"]), row["id"], before, task.shown(row)))
    made.rows = pa.RecordBatch.from_pylist(rows, schema=schema)
    made.keys = np.array(keys, dtype=np.uint64)
    return made


def _copy(task: Task, parent: Row, order: Order, seed: int, seen: set[int]) -> tuple[Row | None, str]:
    """The first attempt that is a good copy, or None and why the last one was not."""
    reason, mentions = "unchanged", task.mentions(parent)
    for attempt in range(ATTEMPTS):
        offers = order.offers[attempt] if order.offers else {}
        try:
            row = _attempt(task, parent, order, offers, draw(seed, order.kind, parent["id"], order.number, attempt))
        except Unfit as unfit:  # the task cannot put the words back, for one into a sentence that is given as tokens
            reason = unfit.reason
            continue
        wanted = [(kind, offers[kind, text].surface if (kind, text) in offers else text) for kind, text in mentions]
        reason = next(_faults(task, parent, row, wanted, seen), "") if row is not None else "unchanged"
        if row is not None and not reason:
            name = f"{parent['id']}~{order.kind}{order.number}"
            made_by = f"{order.kind}:seed={seed}:share={order.share:g}:attempt={attempt + 1}"
            return {**_signed(row, parent, list(offers.values())), "id": name, "made_by": made_by}, ""
    return None, reason


def _attempt(task: Task, parent: Row, order: Order, offers: dict[Mention, Donor], seed: int) -> Row | None:
    if order.kind == MENTION_SWAP:
        return swapped(task, parent, offers) if offers else None
    pieces = edit(order.kind).reword(
        task.free_pieces(parent),
        language=parent["language"],
        share=order.share,
        seed=seed,
    )
    return task.with_pieces(parent, pieces) if pieces else None


def _faults(task: Task, parent: Row, row: Row, wanted: list[Mention], seen: set[int]) -> Iterator[str]:
    """Why a row is no good copy of its parent; `wanted` are the mentions it should have."""
    if task.shown(row) == task.shown(parent):
        yield "unchanged"
    for problem in task.problems(row):
        yield f"breaks_{problem.rule}"
    if wanted != task.mentions(row):
        yield "surface_mismatch"
    if not wanted and canonical(task.answer(row)) != canonical(task.answer(parent)):
        yield "answer_changed"
    if text_key(task.shown(row)) in seen:
        yield "same_as_existing"


def _signed(row: Row, parent: Row, donors: list[Donor]) -> Row:
    """The copy with its parents and all that was merged into them, as sure and as weighty as the least of them."""
    sure = [value for value in (parent["confidence"], *(d.confidence for d in donors)) if value is not None]
    return {
        **row,
        "parents": [parent["id"], *sorted({donor.row for donor in donors})],
        "also_at": [],
        "also_in": sorted({*parent["also_in"], *(group for donor in donors for group in donor.also_in)}),
        "split": None,
        "weight": min(parent["weight"], *(donor.weight for donor in donors)) if donors else parent["weight"],
        "confidence": min(sure, default=None),
    }


__all__ = ["FACTS", "Made", "Order", "allowed", "facts", "made_of", "text_key"]

"""Copying: the functions of a batch behind `augment`, from rows to facts about them and from orders to copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

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

    from pipeline.tasks import Row, Task

ATTEMPTS = 3
FACTS = pa.schema(
    [
        ("rank", pa.uint64()),
        ("key", pa.uint64()),
        ("strata", pa.list_(pa.string())),
        ("mentions", pa.list_(pa.struct([("kind", pa.string()), ("surface", pa.string())]))),
    ]
)
OFFER = pa.struct([("kind", pa.string()), ("surface", pa.string()), ("other", pa.string())])
ORDER = pa.struct(
    [("kind", pa.string()), ("number", pa.int32()), ("share", pa.float64()), ("offers", pa.list_(pa.list_(OFFER)))]
)
"""What is ordered, without what does not change the words of a copy."""
REFUSED = pa.struct([("order", pa.int32()), ("reason", pa.string())])
OF_COPY = (("order", pa.int32()), ("attempt", pa.int32()), ("key", pa.uint64()))


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

    def told(self) -> dict[str, Any]:
        """As plain values (`ORDER`)."""
        offers = [
            [{"kind": kind, "surface": text, "other": donor.surface} for (kind, text), donor in sorted(own.items())]
            for own in self.offers
        ]
        return {"kind": self.kind, "number": self.number, "share": self.share, "offers": offers}

    def donors(self, attempt: int) -> list[Donor]:
        """The rows that lent a name to an attempt."""
        return list(self.offers[attempt].values()) if self.offers else []


def facts(task: Task, seed: int, mentions: bool, batch: pa.RecordBatch) -> pa.RecordBatch:
    """What the plan needs to know of every row (columns `FACTS`), by its id and the columns of its task."""
    rows = [
        {
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


def text_key(text: str) -> int:
    """A 64-bit hash of the normalised text."""
    return int.from_bytes(blake2b(normalised(text).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def allowed(kind: str, language: str, named: bool) -> bool:
    """Whether an edit can do rows in this language, with or without mentions."""
    return named if kind == MENTION_SWAP else primary(language) in edit(kind).languages


def copies_schema(own: pa.Schema) -> pa.Schema:
    """What is made of a row by its orders: copies by the columns of their task (`own`), and what was refused and why.

    Of each copy also the number of its order and of the attempt that was good, from 0, and the key of its text.
    """
    return pa.schema([("copies", pa.list_(pa.struct([*own, *OF_COPY]))), ("refused", pa.list_(REFUSED))])


def copies_of(batch: pa.RecordBatch, *, task: Task, schema: pa.Schema, seed: int) -> pa.RecordBatch:
    """The copies of a batch of rows (id, language, columns of the task) by their `_orders` (list of `ORDER`).

    Every copy that was ordered is made, or refused with a reason. `schema`: see `copies_schema`.
    """
    return pa.RecordBatch.from_pylist([_copies(row, task, seed) for row in batch.to_pylist()], schema=schema)


def _copies(parent: Row, task: Task, seed: int) -> dict[str, Any]:
    seen = {text_key(task.shown(parent))}
    made, refused = [], []
    for number, order in enumerate(parent.pop("_orders")):
        row, told = _copy(task, parent, _as_ordered(order), seed, seen)
        if row is None:
            refused.append({"order": number, "reason": told})
            continue
        key = text_key(task.shown(row))
        seen.add(key)
        made.append(row | {"order": number, "attempt": told, "key": key})
    return {"copies": made, "refused": refused}


def _as_ordered(told: dict[str, Any]) -> Order:
    offers = tuple(
        {(one["kind"], one["surface"]): Donor("", one["other"], 1.0, None) for one in own} for own in told["offers"]
    )
    return Order(kind=told["kind"], number=told["number"], share=told["share"], counted="", offers=offers)


def _copy(task: Task, parent: Row, order: Order, seed: int, seen: set[int]) -> tuple[Row | None, Any]:
    """The first attempt that is a good copy and its number, or None and why the last one was not."""
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
            return row, attempt
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


def signed(parent: Mapping[str, Any], order: Order, *, attempt: int, seed: int) -> Row:
    """The spine of a copy: its parents, what was merged into them, and how sure and weighty the least of them is."""
    donors = order.donors(attempt)
    sure = [value for value in (parent["confidence"], *(donor.confidence for donor in donors)) if value is not None]
    return {
        **parent,
        "id": f"{parent['id']}~{order.kind}{order.number}",
        "made_by": f"{order.kind}:seed={seed}:share={order.share:g}:attempt={attempt + 1}",
        "parents": [parent["id"], *sorted({donor.row for donor in donors})],
        "also_at": [],
        "also_in": sorted({*parent["also_in"], *(group for donor in donors for group in donor.also_in)}),
        "split": None,
        "weight": min([parent["weight"], *(donor.weight for donor in donors)]),
        "confidence": min(sure, default=None),
    }


__all__ = ["FACTS", "ORDER", "Order", "allowed", "copies_of", "copies_schema", "facts", "signed", "text_key"]

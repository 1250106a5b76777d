"""Augment: copies of true rows in other words, rarer classes first, each with its parents and the answer they had.

Which rows get copies is decided on narrow columns (`_plan`); the copies are made in a stream (`edits.copying`).
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.chance import draw
from pipeline.edits import MENTION_SWAP, edit
from pipeline.edits.budget import copies, quotas, rarest
from pipeline.edits.copying import FACTS, ORDER, Order, allowed, copies_of, copies_schema, facts, signed
from pipeline.edits.mention_swap import Donor, Inventory
from pipeline.memo import COLUMNS
from pipeline.stage import Outcome, Stage, Work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.settings import AugmentSettings

EXAMPLES = 10


@dataclass
class Plan:
    """Which rows get which copies: orders by position of the row, and what the report says of them."""

    orders: dict[int, tuple[Order, ...]] = field(default_factory=dict)
    keys: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    """Sorted hashes of all normalised texts that there are."""
    classes: dict[str, dict[str, int]] = field(default_factory=dict)


def augment(work: Work) -> Outcome:
    """Let all rows stand as they are, and write the copies made of some into the table `made`.

    Raises:
        AssayError: the recipe names an edit that there is not.
    """
    settings = work.recipe.settings.augment
    for wanted in settings.edit:
        if wanted.kind != MENTION_SWAP:
            edit(wanted.kind)
    schema = work.contract.schema
    details: dict[str, Any] = {}
    stream = _stream(work, settings, details)
    return Outcome(stream=stream, schemas={"made": schema}, adopted=("rows",), details=details)


def _stream(work: Work, settings: AugmentSettings, details: dict[str, Any]) -> Iterator[tuple[str, pa.RecordBatch]]:
    tally = _Tally(settings)
    plan = _plan(work, settings) if settings.edit and settings.budget else Plan()
    tally.classes = plan.classes
    own = pa.schema([work.contract.schema.field(name) for name in work.contract.own])
    function = partial(copies_of, task=work.task, schema=copies_schema(own), seed=settings.seed)
    chosen = _chosen(work, plan) if plan.orders else ()
    for parents, made in work.beside(function, chosen, version=settings.seed, sort=COLUMNS):
        yield "made", tally.take(_made(work, parents, made, plan.keys, settings.seed))
    details.update(tally.details())


@dataclass
class Parents:
    """The rows of a batch that get copies, by the columns that every task has, and their orders."""

    spine: list[dict[str, Any]]
    orders: list[tuple[Order, ...]]
    batch: pa.RecordBatch


def _chosen(work: Work, plan: Plan) -> Iterator[tuple[Parents, pa.RecordBatch]]:
    """The rows that get copies, as they stand in their batches, each with its orders."""
    done, own = 0, list(work.contract.own)
    spine = [name for name in work.contract.schema.names if name not in own]
    chosen = np.array(sorted(plan.orders), dtype=np.int64)
    for batch in work.batches():
        begin, end = np.searchsorted(chosen, [done, done + batch.num_rows])
        places = chosen[begin:end] - done
        done += batch.num_rows
        work.tick(batch.num_rows)
        if len(places):
            orders = [plan.orders[at] for at in chosen[begin:end].tolist()]
            rows = batch.take(pa.array(places))
            told = pa.array([[order.told() for order in each] for each in orders], pa.list_(ORDER))
            given = rows.select(["id", "language", *own])
            yield (
                Parents(rows.select(spine).to_pylist(), orders, rows.select(own)),
                pa.RecordBatch.from_arrays([*given.columns, told], names=[*given.schema.names, "_orders"]),
            )


@dataclass
class Made:
    """The copies made of a batch, beside each its edit, class and example; and what was refused."""

    rows: pa.RecordBatch
    kinds: list[str]
    classes: list[str]
    examples: list[tuple[int, str, str, str]]
    refused: Counter[tuple[str, str]]


def _made(work: Work, parents: Parents, made: pa.RecordBatch, keys: NDArray[np.uint64], seed: int) -> Made:
    """The copies as whole rows, but for those that say what another row says."""
    lists, task = made["copies"], work.task
    copies = pa.RecordBatch.from_struct_array(lists.flatten())
    parent = np.repeat(np.arange(len(lists)), np.asarray(lists.value_lengths()))
    key = np.asarray(copies["key"])
    fresh = keys[np.minimum(np.searchsorted(keys, key), len(keys) - 1)] != key
    told = zip(parent.tolist(), copies["order"].to_pylist(), copies["attempt"].to_pylist(), strict=True)
    by = [(parents.spine[at], parents.orders[at][order], attempt) for at, order, attempt in told]
    refused = Counter({(order.kind, "same_as_existing"): 0 for _, order, _ in by})
    refused.update((order.kind, "same_as_existing") for (_, order, _), new in zip(by, fresh, strict=True) if not new)
    for orders, own in zip(parents.orders, made["refused"].to_pylist(), strict=True):
        refused.update((orders[one["order"]].kind, one["reason"]) for one in own)
    stays = pa.array(np.flatnonzero(fresh))
    by = [by[at] for at in stays.to_pylist()]
    spine = [signed(row, order, attempt=attempt, seed=seed) for row, order, attempt in by]
    copies = copies.take(stays)
    rows = _whole(work, spine, copies)
    before = parents.batch.take(pa.array(parent).take(stays)).to_pylist()
    shown = zip(spine, before, copies.to_pylist(), strict=True)
    examples = [
        (draw(seed, "example", row["id"]), row["id"], task.shown(one), task.shown(two)) for row, one, two in shown
    ]
    return Made(rows, [order.kind for _, order, _ in by], [order.counted for _, order, _ in by], examples, +refused)


def _whole(work: Work, spine: list[dict[str, Any]], copies: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of the contract from their two halves."""
    own = set(work.contract.own)
    columns = [
        copies[field.name] if field.name in own else pa.array([row[field.name] for row in spine], field.type)
        for field in work.contract.schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=work.contract.schema)


def _plan(work: Work, settings: AugmentSettings) -> Plan:
    swaps = any(wanted.kind == MENTION_SWAP for wanted in settings.edit)
    function = partial(facts, work.task, settings.seed, swaps)
    found = work.each(function, version=[settings.seed, swaps], columns=["id", *work.contract.own])
    table = pa.Table.from_batches(list(found), schema=FACTS)
    if not table.num_rows:
        return Plan()
    spine = work.narrow(["id", "language", "weight", "confidence", "also_in", "split", "parents"])
    eligible = _eligible(spine, settings.min_confidence)
    rows = _side_by_side(spine.drop_columns(["split", "parents"]), table).filter(pa.array(eligible))
    places = np.flatnonzero(eligible)
    inventory = _inventory(rows) if swaps else Inventory()
    slots = _slots(rows, settings)
    classes, names = rarest(rows["strata"].to_pylist())
    capacity = np.fromiter((len(own) for own in slots), dtype=np.int64, count=len(slots))
    size = np.bincount(classes, minlength=len(names))
    room = np.bincount(classes, weights=capacity, minlength=len(names)).astype(np.int64)
    quota = quotas(size, room, budget=settings.budget, balance=settings.balance)
    number = copies(classes, capacity, np.asarray(rows["rank"]), quota)
    wanted = np.flatnonzero(number)
    told = rows.select(["id", "language", "mentions"]).take(pa.array(wanted)).to_pylist()
    orders = {
        int(places[at]): _ordered(row | {"class": names[classes[at]]}, slots[at], int(number[at]), settings, inventory)
        for at, row in zip(wanted.tolist(), told, strict=True)
    }
    return Plan(
        orders=orders,
        keys=np.sort(np.asarray(table["key"])),
        classes={
            name: {"rows": int(size[code]), "wanted": int(quota[code])} for code, name in enumerate(names) if size[code]
        },
    )


def _eligible(spine: pa.Table, min_confidence: float) -> NDArray[np.bool_]:
    """Which rows may be copied: none of an official held-out side, none that is unsure, none that was made itself."""
    trained = pc.fill_null(pc.equal(spine["split"], "train"), True)
    sure = pc.fill_null(pc.greater_equal(spine["confidence"], min_confidence), True)
    own = pc.equal(pc.list_value_length(spine["parents"]), 0)
    return np.asarray(pc.and_(pc.and_(trained, sure), own))


def _side_by_side(one: pa.Table, other: pa.Table) -> pa.Table:
    """The columns of both."""
    return pa.table([*one.columns, *other.columns], schema=pa.schema([*one.schema, *other.schema]))


def _inventory(rows: pa.Table) -> Inventory:
    inventory = Inventory()
    for row in rows.select(["id", "language", "weight", "confidence", "also_in", "mentions"]).to_pylist():
        for mention in row["mentions"]:
            donor = Donor(row["id"], mention["surface"], row["weight"], row["confidence"], tuple(row["also_in"]))
            inventory.add(donor, language=row["language"], kind=mention["kind"])
    return inventory


def _slots(rows: pa.Table, settings: AugmentSettings) -> list[list[tuple[int, int]]]:
    """For every row the copies that could be made of it: (which edit of the recipe, which copy, from 1)."""
    deep = max(wanted.copies for wanted in settings.edit)
    known: dict[tuple[str, bool], list[tuple[int, int]]] = {}
    found = []
    for language, named in zip(
        rows["language"].to_pylist(), pc.list_value_length(rows["mentions"]).to_pylist(), strict=True
    ):
        key = (language, named > 0)
        if key not in known:
            able = [at for at, wanted in enumerate(settings.edit) if allowed(wanted.kind, *key)]
            known[key] = [(at, n) for n in range(1, deep + 1) for at in able if settings.edit[at].copies >= n]
        found.append(known[key])
    return found


def _ordered(
    row: dict[str, Any], slots: list[tuple[int, int]], number: int, settings: AugmentSettings, inventory: Inventory
) -> tuple[Order, ...]:
    """The first `number` slots of a row: first copies first, beginning with an edit that is drawn from its id."""
    start, edits = draw(settings.seed, "slots", row["id"]), len(settings.edit)
    slots = sorted(slots, key=lambda slot: (slot[1], (slot[0] + start) % edits))
    orders = []
    for at, n in slots[:number]:
        wanted = settings.edit[at]
        order = Order(kind=wanted.kind, number=n, share=wanted.share, counted=row["class"])
        orders.append(order.offered(row, inventory, seed=settings.seed) if wanted.kind == MENTION_SWAP else order)
    return tuple(orders)


class _Tally:
    """What was made and refused, counted as it streams by."""

    def __init__(self, settings: AugmentSettings) -> None:
        self.kinds = [wanted.kind for wanted in settings.edit]
        self.made: Counter[str] = Counter()
        self.per_class: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.classes: dict[str, dict[str, int]] = {}
        self.examples: dict[str, list[tuple[int, str, str, str]]] = {kind: [] for kind in self.kinds}

    def take(self, made: Made) -> pa.RecordBatch:
        """The made rows, counted."""
        self.refused.update(made.refused)
        self.made.update(made.kinds)
        self.per_class.update(made.classes)
        for kind, example in zip(made.kinds, made.examples, strict=True):
            self._show(kind, example)
        return made.rows

    def _show(self, kind: str, example: tuple[int, str, str, str]) -> None:
        """Keep the examples that rank first by a hash, whatever the order they come in."""
        best = self.examples[kind]
        best.append(example)
        if len(best) > 4 * EXAMPLES:
            self.examples[kind] = heapq.nsmallest(EXAMPLES, best)

    def details(self) -> dict[str, Any]:
        """For the report: planned = made + refused, for every edit."""
        refused: dict[str, dict[str, int]] = {kind: {} for kind in self.kinds}
        for (kind, reason), count in sorted(self.refused.items()):
            refused[kind][reason] = count
        each = -(-EXAMPLES // max(len(self.kinds), 1))
        shown = [(kind, one) for kind in self.kinds for one in heapq.nsmallest(each, self.examples[kind])]
        return {
            "edits": {
                kind: {
                    "planned": self.made[kind] + sum(refused[kind].values()),
                    "made": self.made[kind],
                    "refused": refused[kind],
                }
                for kind in self.kinds
            },
            "classes": {
                name: {**counts, "made": self.per_class[name]} for name, counts in sorted(self.classes.items())
            },
            "examples": [
                {"edit": kind, "id": name, "before": before, "after": after}
                for kind, (_, name, before, after) in shown[:EXAMPLES]
            ],
        }


STAGE = Stage(name="augment", after="audit", sections=("augment",), run=augment)

"""Augment: copies of true rows in other words, rarer classes first, each with its parents and the answer they had.

Which rows get copies is decided on narrow columns (`_plan`); the copies are made in a stream (`edits.copying.made_of`).
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
from pipeline.edits.copying import FACTS, Made, Order, allowed, facts, made_of
from pipeline.edits.mention_swap import Donor, Inventory
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
    """Stream all rows through unchanged, and the copies made of some into the table `made`.

    Raises:
        AssayError: the recipe names an edit that there is not.
    """
    settings = work.recipe.settings.augment
    for wanted in settings.edit:
        if wanted.kind != MENTION_SWAP:
            edit(wanted.kind)
    schema = work.contract.schema
    details: dict[str, Any] = {}
    return Outcome(stream=_stream(work, settings, details), schemas={"rows": schema, "made": schema}, details=details)


def _stream(work: Work, settings: AugmentSettings, details: dict[str, Any]) -> Iterator[tuple[str, pa.RecordBatch]]:
    for batch in work.batches():
        yield "rows", batch
        work.tick(batch.num_rows)
    tally = _Tally(settings)
    plan = _plan(work, settings) if settings.edit and settings.budget else Plan()
    tally.classes = plan.classes
    function = partial(made_of, work.task, work.contract.schema, settings.seed)
    for made in work.engine.map(function, _chosen(work, plan)):
        yield "made", tally.take(made, plan.keys)
    details.update(tally.details())


def _chosen(work: Work, plan: Plan) -> Iterator[tuple[pa.RecordBatch, list[tuple[Order, ...]]]]:
    """The rows that get copies, as they stand in their batches, each with its orders."""
    done = 0
    for batch in work.batches() if plan.orders else ():
        places = [place for place in range(batch.num_rows) if done + place in plan.orders]
        if places:
            yield batch.take(pa.array(places, pa.int64())), [plan.orders[done + place] for place in places]
        done += batch.num_rows


def _plan(work: Work, settings: AugmentSettings) -> Plan:
    swaps = any(wanted.kind == MENTION_SWAP for wanted in settings.edit)
    function = partial(facts, work.task, settings.min_confidence, settings.seed, swaps)
    table = pa.Table.from_batches(list(work.engine.map(function, work.batches())), schema=FACTS)
    if not table.num_rows:
        return Plan()
    eligible = np.asarray(table["eligible"])
    rows = table.filter(table["eligible"])
    places = np.flatnonzero(eligible)
    inventory = _inventory(rows) if swaps else Inventory()
    slots = _slots(rows, settings)
    classes, names = rarest(rows["strata"].to_pylist())
    capacity = np.fromiter((len(own) for own in slots), dtype=np.int64, count=len(slots))
    size = np.bincount(classes, minlength=len(names))
    room = np.bincount(classes, weights=capacity, minlength=len(names)).astype(np.int64)
    quota = quotas(size, room, budget=settings.budget, balance=settings.balance)
    number = copies(classes, capacity, np.asarray(rows["rank"]), quota)
    orders = {}
    for at in np.flatnonzero(number).tolist():
        row = {name: rows[name][at].as_py() for name in ("id", "language", "mentions")}
        row["class"] = names[classes[at]]
        orders[int(places[at])] = _ordered(row, slots[at], int(number[at]), settings, inventory)
    return Plan(
        orders=orders,
        keys=np.sort(np.asarray(table["key"])),
        classes={
            name: {"rows": int(size[code]), "wanted": int(quota[code])} for code, name in enumerate(names) if size[code]
        },
    )


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

    def take(self, made: Made, keys: NDArray[np.uint64]) -> pa.RecordBatch:
        """The made rows that say something that no row said before."""
        self.refused.update(made.refused)
        place = np.minimum(np.searchsorted(keys, made.keys), len(keys) - 1)
        fresh = keys[place] != made.keys
        for new, kind, counted, example in zip(fresh.tolist(), made.kinds, made.classes, made.examples, strict=True):
            if not new:
                self.refused[kind, "same_as_existing"] += 1
                continue
            self.made[kind] += 1
            self.per_class[counted] += 1
            self._show(kind, example)
        return made.rows.filter(pa.array(fresh))

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

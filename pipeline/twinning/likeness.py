"""Likeness: which rows were asked nearly the same, with the evidence of every pair that was compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.quality.duplicates import SIGNED, pairs, semantic_pairs, signed
from pipeline.quality.duplicates.evidence import CONTAINED, EXACT, NORMALISED
from pipeline.quality.duplicates.frequency import rarest
from pipeline.quality.duplicates.proposing import flat
from pipeline.quality.duplicates.recalling import Recall, anew
from pipeline.twinning.embedding import TEXTS_AT_ONCE as EMBEDDED_AT_ONCE
from pipeline.twinning.embedding import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.quality.duplicates import Found
    from pipeline.settings import AuditSettings
    from pipeline.tasks import Task
    from pipeline.twinning.asked import Asked

    Ints = NDArray[np.int64]
    TextsOf = Callable[[Ints], list[str]]

EQUAL = (EXACT, NORMALISED)
NEAR = ("near", "semantic")
"""Settings of `duplicates` under which texts are compared that are not equal."""
OPEN = ("words", "too different")
"""What is said of pairs that are put too differently for their words to decide: an encoder may look at them again."""
TEXTS_AT_ONCE = 2000
USUAL_ROWS = 5
"""A word that so many texts have is a word; how many more have it says nothing of slips."""


@dataclass(frozen=True)
class Near:
    """Pairs of rows by position, and what was seen of each: parallel columns.

    `accepted` says whether the two say the same, `why` what differs; `not_listed` counts rejected pairs that are only
    counted, by what keeps them apart.
    """

    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    similarity: list[float] = field(default_factory=list)
    accepted: list[bool] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    not_listed: dict[str, int] = field(default_factory=dict)

    def add(self, left: int, right: int, found: Found, at: int) -> None:
        """Take in the pair `at` of what was found, under the names `left` and `right`."""
        self.left.append(left)
        self.right.append(right)
        self.kind.append(found.kind[at])
        self.similarity.append(float(found.similarity[at]))
        self.accepted.append(bool(found.accepted[at]))
        self.why.append(found.why[at])

    def alike(self) -> list[tuple[int, int]]:
        """The pairs that say the same as a whole; a text that another holds says less than that one."""
        told = zip(self.left, self.right, self.kind, self.accepted, strict=True)
        return [(left, right) for left, right, kind, accepted in told if accepted and kind != CONTAINED]


def signed_in(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    """What the search has to know of every row of a batch (columns: `SIGNED`)."""
    return signed_texts([task.asked(row) for row in batch.to_pylist()])


def signed_texts(texts: Sequence[str]) -> pa.RecordBatch:
    """The same of texts."""
    return signed(pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.large_string())}))


def usual(told: pa.Table) -> list[int]:
    """In how many texts the rarest word of each row stands, at most `USUAL_ROWS`: a word with a slip in it is rare."""
    return [*map(int, rarest(*flat(told["words"]), USUAL_ROWS))]


def near(
    rows: Sequence[int],
    ids: Sequence[str],
    told: pa.Table,
    texts_of: TextsOf,
    settings: AuditSettings,
    *,
    recall: Recall = anew,
) -> Near:
    """Pairs among `rows` (positions, in the order in which they stand for others; no two read the same).

    `told` is `SIGNED` of all rows.
    """
    # In the order of the ids, so that nothing depends on the order of the rows.
    positions = np.array(sorted(rows, key=lambda row: ids[row]), dtype=np.int64)

    def texts(at: Ints) -> list[str]:
        return texts_of(positions[at])

    options: dict[str, Any] = {"threshold": settings.near_threshold, "seed": settings.seed, "recall": recall}
    found = pairs(told.take(pa.array(positions)), texts, ids=[ids[row] for row in positions.tolist()], **options)
    made = Near(not_listed=dict(found.not_listed))
    if settings.duplicates == "semantic":
        vectors = embedded(map(texts, _blocks(len(rows))), settings.semantic_model)
        is_open = np.array([not ok and why.startswith(OPEN) for ok, why in zip(found.accepted, found.why, strict=True)])
        decided = found.only(~is_open) if len(found) else found
        meant = semantic_pairs(vectors, settings.semantic_threshold, texts_of=texts, but=decided)
        _take_in(made, meant, positions, rows)
    _take_in(made, found, positions, rows)
    return made


def _blocks(size: int) -> Iterator[Ints]:
    yield from (np.arange(at, min(at + EMBEDDED_AT_ONCE, size)) for at in range(0, size, EMBEDDED_AT_ONCE))


def _take_in(made: Near, found: Found, positions: Ints, rows: Sequence[int]) -> None:
    """Take in new pairs of places in `positions`, each with the row first that stands before the other in `rows`."""
    place = {row: at for at, row in enumerate(rows)}
    known = {frozenset(pair) for pair in zip(made.left, made.right, strict=True)}
    for at, pair in enumerate(zip(positions[found.left].tolist(), positions[found.right].tolist(), strict=True)):
        # A contained text stands right of the one that holds it.
        left, right = pair if found.kind[at] == CONTAINED else sorted(pair, key=place.__getitem__)
        if frozenset(pair) not in known:
            made.add(left, right, found, at)


def near_between(
    rows: Sequence[int],
    ids: Sequence[str],
    told: pa.Table,
    texts_of: TextsOf,
    *,
    items: Asked,
    names: Sequence[str],
    settings: AuditSettings,
) -> Near:
    """Pairs (row, number of the item) of rows and the texts of another set, whose items have `names`."""
    positions, size = np.array(rows, dtype=np.int64), len(names)
    lines = [signed_texts(texts) for texts in items.batches(TEXTS_AT_ONCE)]
    own = told.select(SIGNED.names).take(pa.array(positions))
    both = pa.concat_tables([pa.Table.from_batches(lines, schema=SIGNED), own])

    def texts(at: Ints) -> list[str]:
        theirs, mine = iter(items.of(at[at < size])), iter(texts_of(positions[at[at >= size] - size]))
        return [next(theirs) if number < size else next(mine) for number in at.tolist()]

    # Names of items come first, whatever the ids are, so that none is equal to one.
    found = pairs(
        both,
        texts,
        threshold=settings.near_threshold,
        seed=settings.seed,
        ids=[*(f"0{name}" for name in names), *(f"1{ids[row]}" for row in rows)],
        between=np.repeat([0, 1], [size, len(rows)]),
    )
    made = Near(not_listed=dict(found.not_listed))
    for at, pair in enumerate(zip(found.left.tolist(), found.right.tolist(), strict=True)):
        item, row = sorted(pair)
        if found.kind[at] not in EQUAL:
            made.add(rows[row - size], item, found, at)
    return made

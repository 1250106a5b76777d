"""Copies: rows that were asked the same, whose annotators are polled together before the vote."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.hearing import Said
from pipeline.quality.duplicates import SIGNED
from pipeline.text import same_key
from pipeline.twinning.likeness import NEAR, signed_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.settings import AuditSettings
    from pipeline.stage import Work
    from pipeline.tasks import Task

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

KEYS = pa.schema([("exact", pa.binary(16)), ("same", pa.binary(16))])
"""What rows with the same input have in common: as it stands, and once width, case and punctuation are put aside."""
# What is wrong with a text stays wrong whatever anybody says of its answer.
TEXT_RULES = frozenset({"blank_text", "too_short", "too_long"})
PLACELESS = frozenset({"nominal", "ordinal", "interval", "ratio", "sets"})
"""Measures of answers that name no place in the text, so that they are true of every way to write it."""


def keys_of(texts: Sequence[str], *, kind: str) -> list[bytes]:
    """The keys (16 bytes) of what was asked, `exact` or `same`; of texts without letters or digits both are one."""
    told = texts if kind == "exact" else [same_key(text) for text in texts]
    return [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in told]


def read(work: Work) -> pa.Table:
    """What has to be known of what was asked of every row, in order: `exact` and `same` (`KEYS`), one wide pass.

    Where near duplicates are looked for, these stand beside the columns that the search reads (`SIGNED`).
    """
    version = [work.task.name, work.task.guideline.model_dump(mode="json")]
    if work.recipe.settings.audit.duplicates in NEAR:
        told = pa.Table.from_batches(
            list(work.each(partial(signed_in, task=work.task), version=version, columns=work.contract.own)),
            schema=SIGNED,
        )
        return told.append_column("same", told["key"])
    function = partial(keys_in, task=work.task)
    return pa.Table.from_batches(list(work.each(function, version=version, columns=work.contract.own)), schema=KEYS)


def keys_in(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    """The keys (columns: `KEYS`) of a batch of rows."""
    asked = [task.asked(row) for row in batch.to_pylist()]
    return pa.RecordBatch.from_pydict({name: keys_of(asked, kind=name) for name in KEYS.names}, schema=KEYS)


def rank_of(ids: pa.Array | pa.ChunkedArray) -> Ints:
    """Which place each id has among all, shorter ones first (9 before 10): int64[rows], whatever order they came in."""
    names = np.array(ids.to_pylist(), dtype=object)
    lengths = np.array([len(name) for name in names], dtype=np.int64)
    order = np.lexsort((names, lengths)) if len(names) else np.zeros(0, dtype=np.int64)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    return rank


def pooled(work: Work, heard: Said, keys: pa.Table, rows: pa.Table) -> tuple[Said, Ints]:
    """The annotations with those of copies put together, and the row in whose name each row is polled: int64[rows].

    Three annotators on each of two copies are six votes on one, gold included; one annotator who says the same of both
    is one vote. Rows are copies if they were asked the same (`keys`); where answers name places in the text (spans), it
    has to be written the same. Rows of which each has one answer only are not polled: where those differ, it is a
    conflict of rows, for the recipe's rule to settle. So are copies whose gold differs; under `trusted` only copies of
    one source are polled together, and under `newest` and `keep` only those that give the same answer by themselves.
    """
    settings = work.recipe.settings.audit
    own = np.arange(len(heard.starts) - 1)
    if settings.duplicates == "off" or not len(own):
        return heard, own
    rank = rank_of(rows["id"])
    group = _groups(heard, keys, rows, work.task, settings)
    stands = own.copy()
    order = np.lexsort((rank, group))
    first = np.concatenate([[True], np.diff(group[order]) > 0])
    heads = order[np.flatnonzero(first)]
    stands[order] = heads[np.cumsum(first) - 1]
    stands = np.where(_polled(heard, stands), stands, own)
    if (stands == own).all():
        return heard, stands
    row = stands[heard.row]
    # The order of what was said of one is that of the ids of the copies, then that of each copy.
    placed = np.lexsort((np.arange(len(row)), rank[heard.row], row))
    starts = np.searchsorted(row[placed], np.arange(len(own) + 1))
    return Said(heard.table.take(pa.array(placed)), row[placed], starts), stands


def _groups(heard: Said, keys: pa.Table, rows: pa.Table, task: Task, settings: AuditSettings) -> Ints:
    """A number for each row, the same for those that may be polled together."""
    placeless = task.measure in PLACELESS and settings.duplicates != "exact"
    group = _codes(keys["same" if placeless else "exact"])
    if settings.conflicts == "trusted":
        source = _codes(pa.array([id_.partition("/")[0] for id_ in rows["id"].to_pylist()], pa.string()))
        return _joined(group, source)
    if settings.conflicts in ("newest", "keep"):
        return _joined(group, _commonest(heard))
    return group


def _codes(column: pa.Array | pa.ChunkedArray) -> Ints:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = pc.dictionary_encode(whole)
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64))


def _joined(one: Ints, other: Ints) -> Ints:
    """A number for each distinct pair."""
    both = one * (int(other.max(initial=0)) + 1) + other
    return np.asarray(np.unique(both, return_inverse=True)[1].reshape(-1).astype(np.int64))


def _commonest(heard: Said) -> Ints:
    """The answer that most annotators give of each row, as a number; a number of its own where there is not one."""
    counted = np.flatnonzero(pc.equal(heard.table["verdict"], "counted").to_numpy(zero_copy_only=False))
    answers = pc.fill_null(heard.table["answer"].combine_chunks().take(pa.array(counted)), "")
    code, rows = _codes(answers), len(heard.starts) - 1
    cells, votes = np.unique(np.stack([heard.row[counted], code]), axis=1, return_counts=True)
    order = np.lexsort((votes, cells[0]))
    row, code, votes = cells[0][order], cells[1][order], votes[order]
    last = np.flatnonzero(np.concatenate([np.diff(row) > 0, [True]])) if len(row) else np.zeros(0, dtype=np.int64)
    tied = np.array([at > 0 and row[at - 1] == row[at] and votes[at - 1] == votes[at] for at in last], dtype=bool)
    found = np.arange(rows) + int(code.max(initial=0)) + 1
    found[row[last][~tied]] = code[last][~tied]
    return found


def _polled(heard: Said, stands: Ints) -> Bools:
    """Whether the copies of each row are polled: somebody answered one of them twice, or gold answers one, as one."""
    rows = len(stands)
    verdict = heard.table["verdict"]
    counted = pc.equal(verdict, "counted").to_numpy(zero_copy_only=False)
    golden = np.flatnonzero(pc.equal(verdict, "gold").to_numpy(zero_copy_only=False))
    votes = np.bincount(heard.row[counted], minlength=rows)
    several, gold = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool)
    np.logical_or.at(several, stands, votes > 1)
    gold[stands[heard.row[golden]]] = True
    answers = heard.table["answer"].combine_chunks().take(pa.array(golden)).to_pylist()
    said: dict[int, set[str]] = {}
    for head, answer in zip(stands[heard.row[golden]].tolist(), answers, strict=True):
        said.setdefault(head, set()).add(answer)
    for head, told in said.items():
        if len(told) > 1:
            several[head] = gold[head] = False
    return np.asarray((several | gold)[stands])


def spread(settled: pa.Table, stands: Ints) -> pa.Table:
    """What was settled of each row, of copies what was settled of the one in whose name they were polled.

    What is wrong with the text of a copy itself stays said of it.
    """
    own = np.arange(len(stands))
    if (stands == own).all():
        return settled
    wrong = pc.is_in(settled["reason"], pa.array(sorted(TEXT_RULES))).to_numpy(zero_copy_only=False)
    return settled.take(pa.array(np.where(wrong, own, stands)))

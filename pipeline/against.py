"""Against: rows in which words of a named held-out set stand, with the item that they are from; no server, no network.

The items of all sets become one narrow index on the disk, which every process maps; rows stream past it, and what sees
all rows together sees only which piece of which item stands in which row.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import heldout
from pipeline.heldout import inputs
from pipeline.quality import contamination
from pipeline.quality.contamination import Hits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.heldout import HeldOut
    from pipeline.quality.contamination import Finding, Verdict
    from pipeline.stage import Work
    from pipeline.tasks import Task

CONTAMINATED = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "set", "item", "field")),
        ("share", pa.float64()),
        ("run_chars", pa.int32()),
        ("words", pa.string()),
    ]
)
"""A line for each held-out item that stands in a row, the one that stands there most first; at most five a row.

`share` (0..1) is how much of the item's own wording stands there, `words` the longest piece of it, `run_chars` long.
"""
HITS = pa.schema([(name, pa.list_(pa.int32())) for name in ("item", "start", "end", "kind")])
"""What `contamination.search` finds in a row; a list for each column of `Hits`."""
STAY = frozenset({"validation", "test"})
"""Official splits that are not learned from."""
MOST_ITEMS, EXAMPLES = 5, 10
DECIMALS = 4


@dataclass
class Contamination:
    """What is contaminated, by position of the row; empty where the recipe names no held-out set."""

    evidence: list[str | None]
    table: pa.Table = field(default_factory=CONTAMINATED.empty_table)
    details: dict[str, Any] = field(default_factory=dict)


def contaminated(work: Work, rows: pa.Table) -> Contamination:
    """Which of the rows (id, split: in the order in which they are stored) hold words of the recipe's held-out sets.

    Rows of an official validation or test split stay, and are counted.

    Raises:
        AssayError: a set cannot be read, has no record with a text, or lacks a field that is named.
    """
    if not heldout.named(work.recipe):
        return Contamination([None] * rows.num_rows)
    stays = np.array([split in STAY for split in rows["split"].to_pylist()], dtype=bool)
    told: dict[str, dict[str, int]] = {}
    ignored: Counter[str] = Counter()
    lines: list[tuple[int, dict[str, Any]]] = []
    for held_out in heldout.read(work.recipe):
        verdict = _judged(work, held_out, rows["id"], ignored)
        told |= _counts(held_out, verdict.found, stays)
        lines += _lines(held_out, verdict.found, stays)
    lines.sort(key=lambda line: (line[0], -line[1]["share"], -line[1]["run_chars"], line[1]["set"], line[1]["item"]))
    found = _gathered(lines, rows["id"])
    found.details = {
        "rows": len({at for at, _ in lines}),
        "sets": told,
        "ignored": dict(ignored),
        "examples": found.table.slice(0, EXAMPLES).to_pylist(),
    }
    return found


def _gathered(lines: list[tuple[int, dict[str, Any]]], ids: pa.ChunkedArray) -> Contamination:
    """The evidence of each row is its first line; of very many lines the first few are kept."""
    evidence: list[str | None] = [None] * len(ids)
    taken: Counter[int] = Counter()
    kept: list[dict[str, Any]] = []
    for at, line in lines:
        evidence[at] = evidence[at] or said(line)
        taken[at] += 1
        if taken[at] <= MOST_ITEMS:
            kept.append({"id": ids[at].as_py(), **line})
    return Contamination(evidence, pa.Table.from_pylist(kept, schema=CONTAMINATED))


def said(line: dict[str, Any]) -> str:
    """The evidence in words."""
    where = f"{line['field']!r} of {line['item']} (held-out set {line['set']!r})"
    return f"holds {line['share']:.0%} of {where}, {line['run_chars']} characters in a row: {line['words']}"


# -- the rows


def _judged(work: Work, held_out: HeldOut, ids: pa.ChunkedArray, ignored: Counter[str]) -> Verdict:
    index, least = held_out.index(), held_out.sets[0].least_share
    with tempfile.TemporaryDirectory(prefix="assay-index-") as folder:
        index.save(Path(folder))
        hits = _searched(work, ids, index.digest(), partial(search_batch, folder=Path(folder), least_share=least))
    verdict = contamination.judged(hits, index, texts=len(ids), least_share=least)
    ignored["ngrams"] += int(index.common[1])
    ignored["common_ngrams"] += int(index.common[0])
    ignored["common_words"] += verdict.common_units
    ignored["common_short_items"] += verdict.common_items
    return verdict


def _searched(work: Work, ids: pa.ChunkedArray, digest: str, search: partial[pa.RecordBatch]) -> Hits:
    """What is found in the rows' own columns, and in the answers of tasks that write: those stand beside the rows."""
    version, columns = [digest, search.keywords["least_share"]], [*work.contract.own]
    own = partial(search, task=work.task)
    hits = _hits(list(work.each(own, version=[*version, work.task.name], columns=columns)))
    if not work.task.free_text:
        return hits
    lines = work.narrow(["row"], "annotations")["row"]
    row_of = np.asarray(pc.fill_null(pc.index_in(lines, ids.combine_chunks()), -1)).astype(np.int64)
    answers = _hits(list(work.each(search, version=[*version, "answer"], table="annotations", columns=["answer"])))
    answers = answers.only(row_of[answers.text] >= 0)
    both = Hits(*(np.concatenate(columns) for columns in zip(hits, answers, strict=True)))
    texts = np.concatenate([hits.text, len(ids) + answers.text])
    return contamination.best(both._replace(text=texts), np.concatenate([hits.text, row_of[answers.text]]))


def search_batch(
    batch: pa.RecordBatch, *, folder: Path, least_share: float, task: Task | None = None
) -> pa.RecordBatch:
    """The pieces of held-out items in each line (columns: `HITS`); the index is read from its folder.

    A line is a row's own columns, or, where no task is given, an answer as JSON.
    """
    texts: list[str] = []
    rows: list[int] = []
    sole: list[bool] = []
    for at, row in enumerate(batch.to_pylist()):
        own = texts_of(row) if task else _written(row["answer"])
        whole = task.shown(row) if task else None
        texts += own
        rows += [at] * len(own)
        sole += [text == whole for text in own]
    hits = contamination.search(
        texts,
        contamination.opened(folder),
        least_share=least_share,
        rows=np.array(rows, dtype=np.int64),
        sole=np.array(sole, dtype=bool),
    )
    begins = np.searchsorted(hits.text, np.arange(batch.num_rows + 1))
    columns = [
        pa.ListArray.from_arrays(pa.array(begins, pa.int32()), pa.array(column, pa.int32())) for column in hits[1:]
    ]
    return pa.RecordBatch.from_arrays(columns, schema=HITS)


def _written(answer: str | None) -> list[str]:
    """The text of an answer that is one."""
    said = json.loads(answer) if answer else None
    return [said] if isinstance(said, str) else []


def texts_of(row: dict[str, Any]) -> list[str]:
    """The texts of a row's own columns: plain ones, each of several, and what was said in each turn."""
    found: list[str] = []
    for value in row.values():
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list):
            found += [one if isinstance(one, str) else one["content"] for one in value if _is_text(one)]
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("content"), str))


def _hits(found: list[pa.RecordBatch]) -> Hits:
    table = pa.Table.from_batches(found, schema=HITS)
    lists = [table[name].combine_chunks() for name in HITS.names]
    text = np.asarray(pc.list_parent_indices(lists[0])).astype(np.int64)
    return Hits(text, *(np.asarray(pc.list_flatten(one)).astype(np.int64) for one in lists))


# -- what is told


def _counts(held_out: HeldOut, found: Finding, stays: NDArray[np.bool_]) -> dict[str, dict[str, int]]:
    """By set: what was read, and the items and rows that were hit."""
    numbers = np.array(held_out.items.sets, dtype=np.int64)[found.item]
    told = {}
    for number, one in enumerate(held_out.sets):
        text, item = found.text[numbers == number], found.item[numbers == number]
        leave = ~stays[text]
        told[one.name] = {
            **held_out.told[one.name],
            "items_hit": len(np.unique(item[leave])),
            "rows_hit": len(np.unique(text[leave])),
            "rows_hit_that_stay": len(np.unique(text[~leave])),
        }
    return told


def _lines(held_out: HeldOut, found: Finding, stays: NDArray[np.bool_]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The row and the line of the table for each finding in a row that would be learned from."""
    items = held_out.items
    for text, item, share, start, end in zip(*(column[~stays[found.text]].tolist() for column in found), strict=True):
        shown, chars = contamination.words(items.texts[item], start, end, held_out.size)
        yield (
            text,
            {
                "set": held_out.sets[items.sets[item]].name,
                "item": items.places[item],
                "field": items.fields[item],
                "share": round(share, DECIMALS),
                "run_chars": chars,
                "words": shown,
            },
        )


__all__ = ["CONTAMINATED", "Contamination", "contaminated", "inputs", "texts_of"]

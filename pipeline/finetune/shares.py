"""Shares: how probable each label of a row is, by the people who called it ambiguous or by its annotators' votes.

The audit's tables hold them: `distributions` what people said, `annotations` every vote. Copies made by an edit have
the shares of the row that they were made of, as long as they have its answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import store
from pipeline.errors import AssayError
from pipeline.tasks import canonical
from pipeline.tasks.parts import WHOLE, YES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Task

SHARES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("part", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("share", pa.float64(), nullable=False),
        pa.field("by", pa.string(), nullable=False),
    ]
)
"""A line for each label that a row may have, sorted by id. Where rows have one label, the shares of a row sum to 1;
where they may have several, each label has a share of its own, labels that are not named have none, and a line with a
`part` speaks of that label alone: all others are as the row says. `by` is `VOTES` or `PEOPLE`."""

SAID = pa.schema([*((name, pa.string()) for name in ("id", "part", "label", "reason")), ("share", pa.float64())])
VOTED = pa.schema([(name, pa.string()) for name in ("counts_for", "answer", "verdict")])
ORDER = [("id", "ascending"), ("share", "descending"), ("label", "ascending"), ("part", "ascending")]
SIDES = ("train", "validation", "test")
HEADS = ("sequence", "multilabel")
AMBIGUOUS, VOTES, PEOPLE = "ambiguous", "votes", "people"
DECIMALS = 6
LEAST_VOTES = 2


def has_shares(task: Task) -> bool:
    """Whether the answers of a task can have shares: labels of whole rows."""
    return task.head in HEADS and not task.free_text


def check(recipe: Recipe, task: Task) -> None:
    """See that what the recipe asks for can be had.

    Raises:
        AssayError: soft labels are asked for where answers are no labels of whole rows.
    """
    asked = recipe.settings.finetune.soft_labels
    if asked != "off" and not has_shares(task):
        problem = f"soft_labels = '{asked}', but shares are for labels of whole rows: '{task.name}' has none"
        raise AssayError("[finetune]", problem, 'set soft_labels = "off"')


def content(recipe: Recipe, asked: str) -> list[str]:
    """What the shares that are asked for depend on: hashes of tables of the audit; nothing where there are none."""
    report = store.read_report(recipe.build / "audit") if asked != "off" else None
    names = ("distributions", "annotations") if asked == "votes" else ("distributions",)
    return [report["tables"].get(name, {}).get("content", "") for name in names] if report else []


def read(recipe: Recipe, task: Task, asked: str) -> pa.Table:
    """The shares of the rows of the split (columns: `SHARES`): of none, of the ambiguous ones, or of all with votes.

    A build whose audit wrote no such tables has none.
    """
    if asked == "off" or not has_shares(task):
        return SHARES.empty_table()
    audit, split = recipe.build / "audit", recipe.build / "split"
    said = _said(audit)
    found = pa.Table.from_pylist(_by_people(said, task), schema=SHARES)
    if asked == "votes":
        found = pa.concat_tables([found, _by_votes(audit, task, but=said["id"])])
    if not found.num_rows:
        return found
    found = found.filter(pc.is_in(found["id"], value_set=_ids(split)))
    found = pa.concat_tables([found, _inherited(split, task, found)])
    return found.sort_by(ORDER).combine_chunks()


def _ids(split: Path) -> pa.Array:
    ids = [batch["id"] for side in SIDES for batch in store.batches(split, side, columns=["id"])]
    return pa.concat_arrays(ids) if ids else pa.array([], pa.string())


def _table(audit: Path, name: str, schema: pa.Schema) -> pa.Table:
    """Columns of a table of the audit; no rows where an earlier Assay wrote no such table, or not with all of them."""
    if any(not set(schema.names) <= set(pq.read_schema(path).names) for path in audit.glob(f"{name}-*.parquet")):
        return schema.empty_table()
    return pa.Table.from_batches(list(store.batches(audit, name, columns=schema.names)), schema=schema)


# -- what people said


def _said(audit: Path) -> pa.Table:
    said = _table(audit, "distributions", SAID)
    return said.filter(pc.is_null(said["reason"]))


def _by_people(said: pa.Table, task: Task) -> list[dict[str, Any]]:
    """Shares of less than 1; what somebody is sure of is the row's answer."""
    lines: dict[tuple[str, str, str], float] = {}
    for one in said.filter(pc.less(said["share"], 1)).to_pylist():
        for label, share in _labels(task, one["part"], one["label"], one["share"]):
            key = one["id"], one["part"], label
            lines[key] = lines.get(key, 0.0) + share
    return [
        {"id": row, "part": part, "label": label, "share": round(share, DECIMALS), "by": PEOPLE}
        for (row, part, label), share in lines.items()
    ]


def _labels(task: Task, part: str, said: str, share: float) -> list[tuple[str, float]]:
    """(label, share) of a line: a part of an answer with several labels is said yes or no of."""
    if part != WHOLE:
        return [(part, share if said == YES else 0.0)]
    if task.head == "sequence":
        return [(said, share)]
    try:
        labels = json.loads(said)
    except ValueError:
        labels = said
    return [(str(label), share) for label in (labels if isinstance(labels, list) else [said])]


# -- what annotators voted


def _by_votes(audit: Path, task: Task, *, but: pa.ChunkedArray) -> pa.Table:
    """The share of those who gave a label among those who answered the row; rows `but` these, and those with gold."""
    told = _table(audit, "annotations", VOTED)
    golden = told.filter(pc.equal(told["verdict"], "gold"))["counts_for"]
    told = told.filter(pc.equal(told["verdict"], "counted"))
    for known in (golden, but):
        told = told.filter(pc.invert(pc.is_in(told["counts_for"], value_set=known.combine_chunks())))
    if not told.num_rows:
        return SHARES.empty_table()
    row, of_answer = told["counts_for"].combine_chunks(), told["answer"].combine_chunks().dictionary_encode()
    lists = pa.array([_voted(task, answer) for answer in of_answer.dictionary.to_pylist()], pa.list_(pa.string()))
    given = lists.take(of_answer.indices)
    if task.head == "sequence":  # who gave no label said nothing
        row, given = (kept.filter(pc.greater(pc.list_value_length(given), 0)) for kept in (row, given))
    return _counted(row, given)


def _voted(task: Task, answer: str) -> list[str]:
    labels = sorted(set(json.loads(answer)))
    return labels[:1] if task.head == "sequence" else labels


def _counted(row: pa.Array, given: pa.ListArray) -> pa.Table:
    """The shares of labels among the votes on each row, where there are enough; a row without labels has a line too."""
    voters = pa.table({"id": row}).group_by("id", use_threads=False).aggregate([([], "count_all")])
    voters = voters.filter(pc.greater_equal(voters["count_all"], LEAST_VOTES))
    votes = pa.table({"id": row.take(pc.list_parent_indices(given)), "label": pc.list_flatten(given)})
    counts = votes.group_by(["id", "label"], use_threads=False).aggregate([([], "count_all")])
    at = pc.index_in(counts["id"], value_set=voters["id"].combine_chunks())
    counts, at = counts.filter(at.is_valid()), at.filter(at.is_valid())
    share = np.asarray(counts["count_all"]) / np.asarray(voters["count_all"].take(at))
    none = voters["id"].filter(pc.invert(pc.is_in(voters["id"], value_set=counts["id"].combine_chunks())))
    names = pa.chunked_array([*counts["id"].chunks, *none.chunks], pa.string())
    labels = pa.chunked_array([*counts["label"].chunks, pa.array([""] * len(none), pa.string())], pa.string())
    shares = np.concatenate([np.round(share, DECIMALS), np.zeros(len(none))])
    same = [pa.array([value] * len(names), pa.string()) for value in ("", VOTES)]
    return pa.table([names, same[0], labels, pa.array(shares), same[1]], schema=SHARES)


# -- copies


def _inherited(split: Path, task: Task, found: pa.Table) -> pa.Table:
    """The shares of copies: those of the one row that each was made of, where the answer is the same."""
    parents = _parents(split, known=found["id"].combine_chunks())
    wanted = {*parents, *parents.values()}
    answers = {row["id"]: canonical(task.answer(row)) for row in _rows(split, wanted)} if wanted else {}
    same = [(copy, of) for copy, of in parents.items() if answers[copy] == answers.get(of)]
    if not same:
        return SHARES.empty_table()
    heirs = pa.table([[copy for copy, _ in same], [of for _, of in same]], names=["copy", "of"])
    heirs = heirs.cast(pa.schema([("copy", pa.string()), ("of", pa.string())]))
    joined = heirs.join(found, keys="of", right_keys="id", join_type="inner", use_threads=False)
    return pa.table([joined["copy"], *(joined[name] for name in SHARES.names[1:])], schema=SHARES)


def _parents(split: Path, *, known: pa.Array) -> dict[str, str]:
    """The copies that an edit made of one row whose shares are known, each with that row."""
    found: dict[str, str] = {}
    for batch in store.batches(split, "train", columns=["id", "parents", "made_by"]):
        single = pc.and_(pc.is_valid(batch["made_by"]), pc.equal(pc.list_value_length(batch["parents"]), 1))
        made = batch.filter(single)
        of = pc.list_flatten(made["parents"])
        kept = pc.is_in(of, value_set=known)
        found.update(zip(made["id"].filter(kept).to_pylist(), of.filter(kept).to_pylist(), strict=True))
    return found


def copies(split: Path) -> set[str]:
    """The ids of the rows that an edit made."""
    batches = store.batches(split, "train", columns=["id", "made_by"])
    return {name for batch in batches for name in batch["id"].filter(pc.is_valid(batch["made_by"])).to_pylist()}


def _rows(split: Path, wanted: Iterable[str]) -> Iterable[dict[str, Any]]:
    names = pa.array(sorted(wanted), pa.string())
    for batch in store.batches(split, "train"):
        yield from batch.filter(pc.is_in(batch["id"], value_set=names)).to_pylist()

"""The life of a row: where it came from, what was said of it, what was decided and why, and what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline import decisions, store
from pipeline.errors import AssayError
from pipeline.finetune import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe

ROW_TABLES = (
    ("ingest", "rows"), ("audit", "rows"), ("augment", "rows"), ("augment", "made"),
    ("split", "train"), ("split", "validation"), ("split", "test"),
)  # fmt: skip
SPINE = frozenset(
    (
        "id",
        "source",
        "also_at",
        "also_in",
        "group",
        "parents",
        "language",
        "split",
        "date",
        "weight",
        "confidence",
        "made_by",
    )
)

PAIRS_SHOWN = 5
STATES = {"undone": "undone since", "in conflict": "people differ, and nobody settled it: not followed"}
"""How the status of a decision is told here, where it is not as everywhere."""


@dataclass(frozen=True)
class Event:
    """One thing that happened to a row: at which stage, and what, in words; `more` holds the particulars."""

    stage: str
    what: str
    more: tuple[str, ...] = ()


def life(recipe: Recipe, row: str) -> list[Event]:
    """Everything the build knows of a row, in the order it happened; `row` is an id, or a raw place `file:line`.

    Raises:
        AssayError: no stage has seen such a row; ids that begin or end alike are named.
    """
    id_ = _id_of(recipe, row)
    events = [
        *_read(recipe, id_), *_said(recipe, id_), *_decided(recipe, id_), *_audited(recipe, id_),
        *_compared(recipe, id_), *_suspected(recipe, id_), *_copied(recipe, id_), *_dealt(recipe, id_),
        *_rejected(recipe, id_), *_predicted(recipe, id_),
    ]  # fmt: skip
    order = ("ingest", "annotations", "decisions", "audit", "augment", "split", "evaluate")
    return sorted(events, key=lambda event: order.index(event.stage))


def _query(folder: Path, table: str, where: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows of a table that meet a condition on its columns."""
    paths = sorted(str(path) for path in folder.glob(f"{table}-*.parquet"))
    if not paths:
        return []
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT * FROM read_parquet(?) WHERE {where}", params=[paths, *values])
        return list(found.to_arrow_table().to_pylist())


def _id_of(recipe: Recipe, row: str) -> str:
    """The id of the row that is meant by its id, its raw place, or the end of either."""
    rejected = [(name, "rejected") for name in ("ingest", "audit", "split")]
    read, made = [("ingest", "rows"), *rejected], ("augment", "made")
    ways = (
        ("id = ?", [row], [*read, made]),
        ("source = ?", [row], read),
        ("ends_with(id, ?) OR ends_with(source, ?)", [f"/{row}"] * 2, read),
    )
    for where, values, tables in ways:
        found = {str(one["id"]) for name, table in tables for one in _query(recipe.build / name, table, where, values)}
        if len(found) == 1:
            return found.pop()
    near = sorted(
        str(one["id"])
        for one in _query(recipe.build / "ingest", "rows", "contains(id, ?) OR contains(source, ?)", [row] * 2)
    )
    hint = f"perhaps {', '.join(near[:5])}" if near else "ids stand in data/build/<name>/ingest/rows-*.parquet"
    raise AssayError(f"data set '{recipe.name}'", f"no row '{row}'", hint)


def _read(recipe: Recipe, id_: str) -> Iterator[Event]:
    for row in _query(recipe.build / "ingest", "rows", "id = ?", [id_]):
        own = [
            f"{name}: {_shown(value)}" for name, value in row.items() if name not in SPINE and value not in (None, [])
        ]
        yield Event(
            "ingest", f"read from {row['source']}", (*own, f"language: {row['language']}", f"group: {row['group']}")
        )
    for row in _query(recipe.build / "augment", "made", "id = ?", [id_]):
        own = [
            f"{name}: {_shown(value)}" for name, value in row.items() if name not in SPINE and value not in (None, [])
        ]
        yield Event("augment", f"made from {', '.join(row['parents'])} by {row['made_by']}", tuple(own))


def _said(recipe: Recipe, id_: str) -> Iterator[Event]:
    folder = recipe.build / ("audit" if store.read_report(recipe.build / "audit") else "ingest")
    said = _query(folder, "annotations", "row = ?", [id_])
    if not said:
        return
    counts: dict[tuple[str, str], int] = {}
    text = _text(recipe, id_)
    for one in said:
        answer = (
            decisions.read_as(one["answer"], text)
            if one["answer"] is not None
            else f"{one['given']!r:.60} ({one['problem']})"
        )
        verdict = one.get("verdict", "counted")
        key = (answer, "" if verdict == "counted" else f" [{verdict}]")
        counts[key] = counts.get(key, 0) + 1
    if all(one["annotator"] is None for one in said):
        told = [
            f"{count} x {answer}{verdict}" for (answer, verdict), count in sorted(counts.items(), key=lambda c: -c[1])
        ]
    else:
        told = [_annotation(one, text) for one in said]
    yield Event("annotations", f"{len(said)} answers", tuple(told))
    if "counts_for" in said[0]:
        yield from _said_of_copies(folder, id_)


def _said_of_copies(folder: Path, id_: str) -> Iterator[Event]:
    """What was said of the rows that were merged into it, and counts for it now."""
    copies = _query(folder, "annotations", "counts_for = ? AND row <> ?", [id_] * 2)
    if copies:
        told = [f"of {one['row']}: {_annotation(one)}" for one in copies[:PAIRS_SHOWN]]
        more = [f"and {len(copies) - PAIRS_SHOWN} more"] if len(copies) > PAIRS_SHOWN else []
        yield Event("annotations", f"{len(copies)} answers of rows that were merged into it", (*told, *more))


def _text(recipe: Recipe, id_: str) -> str | None:
    """What a row reads, where it is one text."""
    found = _query(recipe.build / "ingest", "rows", "id = ?", [id_])
    return found[0].get("text") if found else None


def _annotation(one: dict[str, Any], text: str | None = None) -> str:
    answer = (
        decisions.read_as(one["answer"], text)
        if one["answer"] is not None
        else f"{one['given']!r:.60}: {one['problem']}"
    )
    about = ", ".join(f"{name} {one[name]}" for name in ("time", "batch", "guideline") if one[name])
    verdict = one.get("verdict", "counted")
    tail = (f" ({about})" if about else "") + ("" if verdict == "counted" else f" [{verdict}]")
    return f"{one['annotator'] or '(anonymous)'}: {_shown(answer)}{tail}"


def _decided(recipe: Recipe, id_: str) -> Iterator[Event]:
    """The decisions on a row, also those that were undone or that people differ in; rules are told by what they did."""
    book, lapsed = decisions.read(recipe.decisions), decisions.lapsed(store.read_report(recipe.build / "audit"))
    for line in book.lines:
        if line.row and (line.row == id_ or id_.endswith(f"/{line.row}")):
            was, becomes = decisions.change(line)
            change = f", {was or 'what stood there'} became {becomes}" if becomes else f", {was}" if was else ""
            at = f" on {decisions.where(line)}" if line.part else ""
            what = f"{line.who} decided '{line.verdict}'{at}{_shown(change)} on {line.when}: {line.why}"
            state = decisions.status(line, book, lapsed)
            told = [settles] if (settles := decisions.settling(line, book)) else []
            told += [] if state == decisions.IN_FORCE else [STATES.get(state, state)]
            yield Event("decisions", what, (line.place, *told))


def _audited(recipe: Recipe, id_: str) -> Iterator[Event]:
    for row in _query(recipe.build / "audit", "rows", "id = ?", [id_]):
        own = [
            f"{name}: {_shown(value)}" for name, value in row.items() if name not in SPINE and value not in (None, [])
        ]
        merged = [f"stands also for {place}" for place in row["also_at"]]
        sure = "" if row["confidence"] is None else f", posterior {row['confidence']:.3f}"
        yield Event("audit", f"kept with weight {row['weight']:.3f}{sure}", (*own, *merged))


def _compared(recipe: Recipe, id_: str) -> Iterator[Event]:
    """The rows it was compared with: those it is like, by what became of the pair, and the nearest that it is not."""
    found = _query(recipe.build / "audit", "pairs", '"left" = ? OR "right" = ?', [id_] * 2)
    for outcome in ("merged", "conflict", "same side", "known elsewhere", "kept both"):
        mine = sorted((pair for pair in found if pair["outcome"] == outcome), key=lambda pair: -pair["similarity"])
        if mine:
            lines = [_pair(pair, pair["right"] if pair["left"] == id_ else pair["left"]) for pair in mine[:PAIRS_SHOWN]]
            more = [f"and {len(mine) - PAIRS_SHOWN} more"] if len(mine) > PAIRS_SHOWN else []
            yield Event("audit", f"compared, {outcome}: {len(mine)}", (*lines, *more))


def _pair(pair: dict[str, Any], other: str) -> str:
    why = f": {pair['why']}" if pair["why"] else ""
    return f"{other} ({pair['kind']} {pair['similarity']:.2f}{why})"


def _suspected(recipe: Recipe, id_: str) -> Iterator[Event]:
    for suspect in _query(recipe.build / "suspect", "suspects", "id = ?", [id_]):
        what = f"a suspect, {suspect['verdict']}: {suspect['score']:.0%} likely to be wrong"
        yield Event("audit", what, _why(suspect))


def _why(suspect: dict[str, Any]) -> tuple[str, ...]:
    what = suspect["given"] or "nothing"
    about = f"at {suspect['part']}: " if suspect["part"] else ""
    likelier = f", likelier {suspect['likely']}" if suspect["likely"] else ""
    return (f"{about}given {what:.80}{likelier:.80}", *suspect["why"])


def _copied(recipe: Recipe, id_: str) -> Iterator[Event]:
    for row in _query(recipe.build / "augment", "made", "list_contains(parents, ?)", [id_]):
        own = [
            f"{name}: {_shown(value)}" for name, value in row.items() if name not in SPINE and value not in (None, [])
        ]
        yield Event("augment", f"copy {row['id']} made by {row['made_by']}", tuple(own))


def _dealt(recipe: Recipe, id_: str) -> Iterator[Event]:
    for side in ("train", "validation", "test"):
        for row in _query(recipe.build / "split", side, "id = ?", [id_]):
            yield Event("split", f"dealt to {side}", (f"group {row['group']}",))


def _rejected(recipe: Recipe, id_: str) -> Iterator[Event]:
    for stage in ("ingest", "audit", "split"):
        for line in _query(recipe.build / stage, "rejected", "id = ?", [id_]):
            yield Event(stage, f"REJECTED: {line['reason']}", (line["evidence"], f"record: {_shown(line['row'])}"))


def _predicted(recipe: Recipe, id_: str) -> Iterator[Event]:
    """What the model answered to a held-out row; what an earlier one did is said to be that."""
    scored, trained, dealt = (store.read_report(recipe.build / name) for name in ("evaluate", "finetune", "split"))
    is_current = bool(scored and trained and dealt and keys.are_current(scored, trained, dealt))
    who, says, is_ = ("the model", "says", "is") if is_current else ("an earlier model", "said", "was")
    changed = f"the split or the model has changed since: assay finetune {recipe.name}, assay evaluate {recipe.name}"
    for one in _query(recipe.build / "evaluate", "predictions", "id = ?", [id_]):
        gold, told = (_shown(decisions.read_as(one[name], _text(recipe, id_))) for name in ("gold", "found"))
        gold = f"gold {is_} {gold}"
        right = gold if one["right"] is None else "right" if one["right"] else f"wrong, {gold}"
        what = f"{who} {says} {told}: {right}"
        if one["found"] is None:
            what = f"{who} was not asked for an answer"
        sure = [f"{name} {one[name]:.3f}" for name in ("probability", "loss") if one[name] is not None]
        yield Event("evaluate", what, (*sure[:1], *(() if is_current else (changed,))))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 400 else text[:397] + "..."

"""Judging: small queues and what played people decide about them, for the tests of what review has shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import decisions, stage, store
from pipeline.reviewing.tables import GROUPS, QUEUE, Queue
from pipeline.suspecting import DOUBTED
from tests.builds import a_recipe
from tests.reviewing.queues import a_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.decisions import Book
    from pipeline.recipe import Recipe

ORG = json.dumps({"given": "LOC", "becomes": "ORG", "surfaces": ["arsenal"]})


def a_queue(count: int, *, grouped: int = 0, score: float = 0.6, kind: str = "suspect") -> Queue:
    """Lines `film/0`... of which the first `grouped` are in group `g1`, which has a rule."""
    lines = [
        a_line(
            f"film/{at}", "LOC", "ORG", round(score * (1 - at / (2 * count)), 6), part="0:7", kind=kind,
            surface="Arsenal" if at < grouped else "Spurs", group="g1" if at < grouped else "",
        )
        for at in range(count)
    ]  # fmt: skip
    expected = sum(line["score"] for line in lines[:grouped])
    group: dict[str, Any] = {
        "group": "g1",
        "kind": "surface",
        "says": "Arsenal",
        "rule": ORG,
        "given": "LOC",
        "likely": "ORG",
    }
    group |= {"lines": grouped, "rows": grouped, "expected": expected, "doubtful": 0, "touches": grouped}
    group |= {"minutes": 0.5, "value": expected}
    return Queue(
        pa.Table.from_pylist(lines, schema=QUEUE),
        pa.Table.from_pylist([group] if grouped else [], schema=GROUPS),
    )


def says(row: int, verdict: str = "wrong", who: str = "mo", **more: Any) -> dict[str, Any]:
    """A decision on the line `film/ROW`."""
    said = {"row": f"film/{row}", "part": "0:7", "verdict": verdict, "who": who, "when": "2026-01-05", "why": "read"}
    said |= {"was": "LOC"} | ({"answer": "ORG"} if verdict == "wrong" else {})
    return {
        name: value for name, value in (said | {"suggested": "ORG", "score": 0.5} | more).items() if value is not None
    }


def a_rule(who: str = "mo", **more: Any) -> dict[str, Any]:
    """A decision by the rule of group g1."""
    said = {"rule": json.loads(ORG), "verdict": "wrong", "who": who, "when": "2026-01-05", "why": "read"}
    return said | {"group": "g1", "suggested": "ORG"} | more


def reviewed(folder: Path, entries: Iterable[dict[str, Any]], **review: Any) -> Recipe:
    """A recipe whose decisions are these."""
    made = a_recipe(folder, task="tagging", review=review)
    made.folder.mkdir(parents=True, exist_ok=True)
    if told := list(entries):
        decisions.add(made.decisions, told)
    return made


def the_book(folder: Path, entries: Iterable[dict[str, Any]]) -> Book:
    """These decisions as a book."""
    return decisions.read(reviewed(folder, entries).decisions)


def doubt(made: Recipe, wrong: Sequence[float], *, first: int = 0) -> None:
    """The table of the stage `suspect` that doubts `film/FIRST` and so on with these probabilities."""
    told = [{"id": f"film/{first + at}", "wrong": share} for at, share in enumerate(wrong)]
    with store.replacing(made.build / "suspect") as place:
        table = store.Table(place, "doubted", DOUBTED, 50_000)
        table.write(stage.batch_of(told, DOUBTED))
        store.write_report(place, {"stage": "suspect", "key": "x", "tables": {"doubted": table.close()}})

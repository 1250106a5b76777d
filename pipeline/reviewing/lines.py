"""Lines: the parts that people are to look at, from the suspects and from what the audit held back."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import relabelling, store
from pipeline.errors import Unfit
from pipeline.reviewing.tables import CONFLICT, HELD, QUEUE, RELABEL, SUSPECT, named
from pipeline.tasks.parts import WHOLE, label_at, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row, Task

EVEN = 0.5
"""How probably an answer is wrong that stands against another, where nothing says which is right."""
READ = ("id", "part", "verdict", "score", "given", "likely", "why")
_POSTERIOR = re.compile(r"posterior ([01]\.\d+)")
_DECIMALS = 6

Read = tuple[str, str]
"""What is read of a row, and its language."""


def lines(recipe: Recipe, task: Task, tick: Callable[[int], None]) -> pa.Table:
    """All lines of the queue, in no order and in no groups (columns `QUEUE`); rows are streamed once, for the texts."""
    found = suspected(recipe)
    wanted = {line["id"]: None for line in found}
    texts = _texts(recipe, task, pa.array(list(wanted), pa.string()), tick)
    columns: dict[str, list[Any]] = {name: [] for name in QUEUE.names}
    read = (_read(line, texts.get(line["id"], ("", "")), task) for line in found)
    for line in (*read, *held(recipe, task), *touched(recipe, task)):
        line["line"] = named("q", line["id"], line["part"], line["kind"])
        line["source"] = line["id"].partition("/")[0]
        line["group"] = ""
        for name, column in columns.items():
            column.append(line[name])
    return pa.table(columns, schema=QUEUE)


def suspected(recipe: Recipe) -> list[dict[str, Any]]:
    """The lines of the stage `suspect`, without their texts; none where it has not been run."""
    folder = recipe.build / "suspect"
    if store.read_report(folder) is None:
        return []
    found: list[dict[str, Any]] = store.whole_table(folder, "suspects", columns=READ).to_pylist()
    return found


def _texts(recipe: Recipe, task: Task, wanted: pa.Array, tick: Callable[[int], None]) -> dict[str, Read]:
    """What is read of the rows with these ids."""
    found: dict[str, Read] = {}
    for batch in store.batches(recipe.build / "audit", "rows"):
        for row in batch.filter(pc.is_in(batch["id"], value_set=wanted)).to_pylist():
            found[row["id"]] = (task.shown(row), row["language"])
        tick(batch.num_rows)
    return found


def _read(line: dict[str, Any], read: Read, task: Task) -> dict[str, Any]:
    """A suspect with its text and, of a stretch of text, what stands there."""
    text, language = read
    surface = _surface(line["part"], text, task)
    return {**line, "kind": SUSPECT, "surface": surface, "text": text, "language": language}


def _surface(part: str, text: str, task: Task) -> str:
    """What a part covers that is a stretch of text; empty for others."""
    if task.head == "token":
        with suppress(Unfit):
            start, end = place(part)
            return text[start:end]
    return ""


def held(recipe: Recipe, task: Task) -> Iterator[dict[str, Any]]:
    """A line for each row that the audit held back for people."""
    if store.read_report(recipe.build / "audit") is None:
        return
    rejected = list(_rejected(recipe))
    answers = _answers(rejected, task)
    against = _against(recipe, answers)
    for entry in rejected:
        row = json.loads(entry["row"])
        given = answers[entry["id"]]
        yield {
            "id": entry["id"],
            "part": WHOLE,
            "kind": entry["reason"],
            "verdict": "ambiguous",
            "score": _score(entry),
            "given": given,
            "likely": against.get(entry["id"], ""),
            "why": [entry["evidence"]],
            "surface": "",
            "text": task.shown(row),
            "language": row["language"],
        }


def touched(recipe: Recipe, task: Task) -> Iterator[dict[str, Any]]:
    """A line for each part of an answer that has to be given again, because the guideline is another one now."""
    for line in relabelling.lines(recipe).to_pylist():
        about = {name: line[name] for name in ("id", "part", "given", "text", "language")}
        is_gone = line["kind"] == "gone"
        told = {"kind": RELABEL, "verdict": "wrong" if is_gone else "ambiguous", "score": 1.0 if is_gone else EVEN}
        if line["kind"] == "model":
            continue  # it stands in the queue as the suspect that it is
        more = {"likely": line["likely"], "why": [line["why"]], "surface": _surface(line["part"], line["text"], task)}
        yield about | told | more


def _rejected(recipe: Recipe) -> Iterator[dict[str, Any]]:
    for batch in store.batches(recipe.build / "audit", "rejected"):
        yield from batch.filter(pc.is_in(batch["reason"], value_set=pa.array(HELD, pa.string()))).to_pylist()


def _answers(rejected: list[dict[str, Any]], task: Task) -> dict[str, str]:
    """What each row answers as a whole."""
    rows: Iterator[Row] = (json.loads(entry["row"]) for entry in rejected)
    return {row["id"]: label_at(task, task.answer(row), WHOLE) for row in rows}


def _against(recipe: Recipe, answers: Mapping[str, str]) -> dict[str, str]:
    """What the rows that each row is in conflict with answer, where they are held back too and say all the same."""
    said: dict[str, set[str]] = {}
    for batch in store.batches(recipe.build / "audit", "pairs", columns=("left", "right", "outcome")):
        for pair in batch.filter(pc.equal(batch["outcome"], CONFLICT)).to_pylist():
            for one, other in ((pair["left"], pair["right"]), (pair["right"], pair["left"])):
                if one in answers and other in answers:
                    said.setdefault(one, set()).add(answers[other])
    return {row: next(iter(others)) for row, others in said.items() if len(others - {answers[row]}) == len(others) == 1}


def _score(entry: dict[str, Any]) -> float:
    """How probably the row is answered wrongly: what its posterior leaves, where it is told."""
    told = _POSTERIOR.search(entry["evidence"] or "")
    return round(1 - float(told[1]), _DECIMALS) if told else EVEN

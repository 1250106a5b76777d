"""What annotators said of small data sets, ready for the parts of the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline import hearing
from pipeline.contract import ANNOTATIONS, contract
from pipeline.stage import Work
from pipeline.tasks import task
from tests.small import ALONE, built, jsonl, made

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.engine import Engine
    from pipeline.recipe import Recipe

SOURCE = """
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", gold = "gold" }
"""
LABELLED = 'task = "classification"\n' + SOURCE
TOPICS = LABELLED + "[guideline]\nmultiple = true\n"
MARKED = 'task = "tagging"\n' + SOURCE
RATED = 'task = "rating"\n' + SOURCE + "[guideline]\nlow = 0\nhigh = 10\n"
ASKED = 'task = "answering"\n' + SOURCE.replace("text = ", "context = ").replace(
    "gold =", 'question = "question", gold ='
)


def record(number: int, said: Sequence[tuple[str | None, Any]], **fields: Any) -> dict[str, Any]:
    """A record with what (annotator, answer) said of it; an answer may be a dict with its time, batch and guideline."""
    answers = [
        {"annotator": who, **(answer if isinstance(answer, dict) else {"answer": answer})} for who, answer in said
    ]
    return {"id": number, "text": f"text number {number}", "annotations": answers, "gold": None, **fields}


def read(folder: Path, toml: str, records: Sequence[dict[str, Any]], more: str = "") -> Recipe:
    """A data set of these records, read by ingest and by nothing after it."""
    one = made(folder, toml + "[audit]\nbootstrap = 20\n" + more, {"rows.jsonl": jsonl(records)})
    built(one, "ingest")
    return one


def work_on(one: Recipe, engine: Engine = ALONE) -> Work:
    """What the audit of a data set is given."""
    settings = one.settings
    own = task(settings.task, settings.guideline)
    return Work(one, own, contract(settings.task), engine, one.build / "ingest", tick=lambda rows: None)


def heard_of(work: Work) -> hearing.Said:
    """What was said of its rows."""
    ids = work.narrow(["id"])["id"].combine_chunks()
    return hearing.said(work.narrow(ANNOTATIONS.names, "annotations"), ids)

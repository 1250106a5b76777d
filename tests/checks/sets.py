"""Finished builds of any size, written as the split and the audit leave them, without running a stage."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from pipeline import store
from pipeline.contract import ANNOTATIONS, contract
from pipeline.gate.sample import GUIDELINES, OWN
from pipeline.recipe import Recipe, check
from pipeline.stage import batch_of
from pipeline.suspecting import SUSPECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pipeline.tasks import Row


def row(number: int, **own: Any) -> Row:
    """A row of a classification, its text its own."""
    return spine(number) | {"text": f"text number {number}", "text_pair": None, "labels": ["warm"]} | own


def spine(number: int) -> Row:
    """What every row has."""
    return {
        "id": f"made/{number}", "source": f"a.jsonl:{number + 1}", "also_at": [], "also_in": [],
        "group": f"document {number}", "parents": [], "language": "en", "split": "train", "weight": 1.0,
        "confidence": 0.9, "made_by": None,
    }  # fmt: skip


def sample(task: str, count: int) -> list[Row]:
    """Rows of any task, half of them Chinese."""
    return [spine(number) | OWN[task](number, number % 2 == 1) for number in range(count)]


def built(
    folder: Path,
    rows: Sequence[Row],
    *,
    task: str = "classification",
    batches: Mapping[str, str] | None = None,
    suspects: Iterable[str] = (),
    plan: Mapping[str, Any] | None = None,
) -> Recipe:
    """A data set called `small` under `folder`, its split standing; a second call builds it anew."""
    source = {"name": "made", "format": "jsonl", "files": ["a.jsonl"]}
    raw = {"task": task, "guideline": GUIDELINES[task], "ingest": {"source": [source]}}
    settings = check(raw | ({"plan": dict(plan)} if plan is not None else {}), name="small")
    recipe = Recipe(name="small", folder=folder / "small", settings=settings)
    recipe.folder.mkdir(parents=True, exist_ok=True)
    sides = {name: [one for one in rows if one["split"] == name] for name in ("train", "validation", "test")}
    write(recipe, "split", {name: (contract(task).schema, side) for name, side in sides.items()})
    said = [dict.fromkeys(ANNOTATIONS.names) | {"row": id_, "batch": name} for id_, name in (batches or {}).items()]
    doubted = [dict.fromkeys(SUSPECTS.names) | {"id": id_} for id_ in suspects]
    write(recipe, "audit", {"annotations": (ANNOTATIONS, said)})
    write(recipe, "suspect", {"suspects": (SUSPECTS, doubted)})
    return recipe


def write(recipe: Recipe, stage: str, tables: Mapping[str, Any]) -> None:
    """A stage's folder with its tables and report."""
    told = {}
    with store.replacing(recipe.build / stage) as partial:
        for name, (schema, rows) in tables.items():
            table = store.Table(partial, name, schema, 1000)
            table.write(batch_of(rows, schema))
            told[name] = table.close()
        store.write_report(partial, {"stage": stage, "key": "", "tables": told})


def sheet(recipe: Recipe, name: str = "to-check.csv") -> list[dict[str, str]]:
    """The lines of the list as a spreadsheet shows them."""
    text = (recipe.folder / "checks" / name).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def filled(path: Path, lines: Sequence[Mapping[str, str]], *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """A table that people have filled in, as their spreadsheet saves it."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(lines[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(lines)
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def said(lines: Sequence[dict[str, str]], verdicts: Mapping[int, str], **more: str) -> list[dict[str, str]]:
    """The lines with a verdict for some of them, by their place in the list, and fine for the others."""
    return [line | {"verdict": verdicts.get(at, "fine"), "who": "mo"} | more for at, line in enumerate(lines)]

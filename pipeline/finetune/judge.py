"""From a trained model to its scores: predict what was held out, compare, and say how sure that is."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import store
from pipeline.errors import AssayError
from pipeline.finetune import keys, model, nearness, replies, scores, shares
from pipeline.finetune.bench import Bench
from pipeline.finetune.fit import TIMINGS
from pipeline.finetune.soft import Soft
from pipeline.tasks import canonical
from pipeline.tasks import task as task_named

if TYPE_CHECKING:
    import torch
    from rich.console import Console

    from pipeline.finetune.bench import Part
    from pipeline.finetune.predict import Prediction
    from pipeline.recipe import Recipe
    from pipeline.tasks import Row, Task

PREDICTIONS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("gold", pa.string(), nullable=False),
        pa.field("found", pa.string()),
        pa.field("right", pa.bool_()),
        pa.field("probability", pa.float64()),
        pa.field("loss", pa.float64()),
    ]
)
"""One line per held-out row: both answers as canonical JSON; found is null where a causal model did not generate.

Numbers are more or less right: for them `right` and `probability` are null.
"""

SPLITS = ("validation", "test")
MOST_ERRORS = 200


def judge(
    recipe: Recipe,
    split: dict[str, Any],
    trained: dict[str, Any],
    *,
    key: str,
    device: torch.device,
    console: Console,
) -> dict[str, Any]:
    """Predict, score and write the stage; its report."""
    began = time.perf_counter()
    details, settings = trained["details"], recipe.settings.finetune
    task = task_named(recipe.settings.task, recipe.settings.guideline)
    folder = recipe.build / "finetune" / "model"
    tokenizer = model.load_tokenizer(folder, iter(()), head=task.head)
    learner = model.load(
        folder, tokenizer, head=task.head, classes=details["classes"], seed=settings.seed, device=device
    )
    bench = Bench(recipe, task, learner, console, _soft(recipe, task, details["classes"]))
    parts = {table: bench.predict(table) for table in SPLITS}
    predicted = time.perf_counter()
    count = sum(len(part.rows) for part in parts.values())
    console.print(f"  predicted {count:,} held-out rows ({count / max(predicted - began, 1e-9):.0f} rows/s)")
    if not count:
        raise AssayError(f"evaluate of '{recipe.name}'", "no row was held out", "give test a share in [split]")
    if task.head == "causal":
        told = replies.told(bench, parts)
    else:
        told = _decoded(bench, parts, usual=details["usual_answer"])
    report = {
        "stage": "evaluate",
        "data_set": recipe.name,
        "task": task.name,
        "key": key,
        "counts": {name: part.counts for name, part in parts.items()},
        "details": {
            "split": keys.contents(split),
            "trained": trained["key"],
            "scores": told,
            "sampled": _sampled(parts),
            "bootstrap": settings.bootstrap,
        },
    }
    with store.replacing(recipe.build / "evaluate") as out:
        report["tables"] = {"predictions": _written(out, task, parts)}
        seconds = {"predict": round(predicted - began, 2), "seconds": round(time.perf_counter() - began, 2)}
        (out / TIMINGS).write_text(json.dumps(seconds) + "\n", encoding="utf-8")
        store.write_report(out, report)
    return report


def _soft(recipe: Recipe, task: Task, classes: list[str]) -> Soft | None:
    """The shares of all rows that have some, whatever the model learned from; None for answers that have none."""
    if not shares.has_shares(task):
        return None
    return Soft.of(shares.read(recipe, task, shares.VOTES), classes, head=task.head)


def _sampled(parts: dict[str, Part]) -> dict[str, Any] | None:
    """Which tables were scored on a sample, or None where all rows were scored."""
    counts = {name: part.counts for name, part in parts.items() if part.counts["rows"] < part.counts["of_rows"]}
    return {"why": "there is no GPU", **counts} if counts else None


def _written(folder: Any, task: Task, parts: dict[str, Part]) -> dict[str, Any]:
    table = store.Table(folder, "predictions", PREDICTIONS, 50_000)
    for split, part in parts.items():
        lines = [_line(task, split, row, said) for row, said in zip(part.rows, part.predictions, strict=True)]
        table.write(pa.RecordBatch.from_pylist(lines, schema=PREDICTIONS))
    return table.close()


def _line(task: Task, split: str, row: Row, said: Prediction) -> dict[str, Any]:
    gold, answered = task.answer(row), said.found is not None
    return {
        "id": row["id"],
        "split": split,
        "gold": canonical(gold),
        "found": canonical(said.found) if answered else None,
        "right": scores.is_right(gold, said.found) if answered and task.head != "number" else None,
        "probability": said.probability,
        "loss": said.loss,
    }


# -- tasks whose answer is decoded from probabilities


def _decoded(bench: Bench, parts: dict[str, Part], *, usual: str) -> dict[str, Any]:
    """Scores of every split; the test with baseline, calibration, slices and errors."""
    task, settings = bench.task, bench.recipe.settings.finetune
    fewer, seed = scores.fewer(settings.bootstrap), settings.seed
    told: dict[str, Any] = {}
    for split, part in parts.items():
        if not part.rows:
            told[split] = {"n": 0}
            continue
        gold = [task.answer(row) for row in part.rows]
        judged = scores.Judged(part.rows, gold, [said.found for said in part.predictions])
        times = settings.bootstrap if split == "test" else fewer
        told[split] = scores.table(judged, task, times=times, seed=seed) | {"majority": None}
        if bench.soft:
            told[split]["shares"] = nearness.told(part, bench.soft, times=times, seed=seed)
        if split == "test":
            always = scores.Judged(part.rows, gold, [json.loads(usual)] * len(gold))
            told[split] |= {
                "majority": {"answer": usual, **scores.against(judged, always, task, times=fewer, seed=seed)},
                "slices": scores.slices(judged, task, times=fewer, seed=seed),
                "calibration": _calibration(gold, part.predictions),
                "errors": _errors(task, gold, part),
            }
    return told


def _calibration(gold: list[Any], predictions: list[Prediction]) -> dict[str, Any] | None:
    """How far probabilities can be believed; None where the model gives none."""
    if any(one.probability is None for one in predictions):
        return None
    said = [one.probability or 0.0 for one in predictions]
    return scores.calibration(said, [scores.is_right(g, one.found) for g, one in zip(gold, predictions, strict=True)])


def _errors(task: Task, gold: list[Any], part: Part) -> list[dict[str, Any]]:
    """The wrong answers, the most confident first; numbers, which have no probability, by how far off they are."""
    wrong = [
        (
            task.distance(true, said.found) if said.probability is None else said.probability,
            {
                "id": row["id"],
                "gold": canonical(true),
                "found": canonical(said.found),
                "probability": None if said.probability is None else scores.rounded(said.probability),
            },
        )
        for row, true, said in zip(part.rows, gold, part.predictions, strict=True)
        if not scores.is_right(true, said.found)
    ]
    ordered = sorted(wrong, key=lambda error: (-scores.rounded(error[0]), error[1]["id"]))
    return [error for _, error in ordered[:MOST_ERRORS]]

"""From the split to a trained model in a folder: choose rows, encode, train, save, and account for every token."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING, Any

from pipeline import store
from pipeline.finetune import card, keys, model, predict
from pipeline.finetune.checkpoint import Checkpoints, State
from pipeline.finetune.course import Course
from pipeline.finetune.prepare import prepare
from pipeline.finetune.show import padding_line, progress
from pipeline.finetune.train import Training

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from rich.console import Console

    from pipeline.finetune.prepare import Prepared
    from pipeline.finetune.train import Appraisal
    from pipeline.recipe import Recipe
    from pipeline.settings import FinetuneSettings

TIMINGS = "timings.json"


def fit(
    recipe: Recipe, split: dict[str, Any], *, key: str, base: Path | None, device: torch.device, console: Console
) -> dict[str, Any]:
    """Train and save; the report of the stage."""
    began = time.perf_counter()
    ready = prepare(recipe, base=base, device=device, console=console)
    settings = recipe.settings.finetune
    course = Course(ready.taught, settings, ready.plan.epochs)
    epochs = course.told()
    padding_line(console, epochs)
    training = Training(ready.learner, course)
    checkpoints = Checkpoints(recipe.build / "finetune.run", key)
    checkpoints.open()
    state, seconds = _train(training, ready, checkpoints, console=console)
    learner = model.merged(ready.learner)
    with store.replacing(recipe.build / "finetune") as folder:
        model.save(learner, folder / "model")
        report = _report(recipe, split, ready, state, epochs, key=key, base=base, folder=folder)
        card.write(folder / "model", recipe, report, None)
        timings = {"seconds": round(time.perf_counter() - began, 2), "training_seconds": round(seconds, 2)}
        (folder / TIMINGS).write_text(json.dumps(timings) + "\n", encoding="utf-8")
        store.write_report(folder, report)
    checkpoints.close()
    return report


def _train(training: Training, ready: Prepared, checkpoints: Checkpoints, *, console: Console) -> tuple[State, float]:
    settings, course = training.settings, training.course
    began, rows_before = time.perf_counter(), 0
    events = _events(checkpoints)
    with progress(console, "train", course.steps) as tick:
        done = 0

        def watch(state: State) -> None:
            nonlocal done
            tick(state.step - done)
            done = state.step
            if state.history and state.history[-1]["step"] == state.step:
                events.entry(state.history[-1])

        def appraise() -> Appraisal:
            return headline(ready, settings)

        state = training.run(checkpoints, appraise=appraise, watch=watch)
    events.close()
    seconds = time.perf_counter() - began
    console.print(
        f"  trained {state.step} of {course.steps} steps in {seconds:.0f} s "
        f"({(state.rows - rows_before) / max(seconds, 1e-9):.0f} rows/s), best {state.history[-1]['metric']} "
        f"{state.best:.4f} after step {state.best_step}" + (", stopped early" if state.stopped else "")
    )
    return state, seconds


def headline(ready: Prepared, settings: FinetuneSettings) -> Appraisal:
    """The task's headline metric on validation; for a causal head minus the mean loss of a learned token."""
    task, rows = ready.task, ready.validation
    found = predict.predictions(
        ready.learner,
        task,
        rows,
        ready.judged_by,
        max_tokens=settings.max_tokens,
        batch_rows=settings.eval_batch_rows,
    )
    mean = sum(one.loss_sum for one in found) / max(1, sum(one.learned for one in found))
    if task.head == "causal":
        return "minus_token_loss", -mean, mean
    scores = task.score([task.answer(row) for row in rows], [one.found for one in found], rows)
    return scores.headline, float(scores.metrics[scores.headline]), mean


class _Events:
    """TensorBoard curves of this training, beside its checkpoints and kept when these go."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder))

    def entry(self, entry: dict[str, Any]) -> None:
        """Training loss and validation metric at a step."""
        self._writer.add_scalar("loss/train", entry["train_loss"], entry["step"])
        self._writer.add_scalar(f"validation/{entry['metric']}", entry["value"], entry["step"])
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def _events(checkpoints: Checkpoints) -> _Events:
    folder = checkpoints.folder.with_name("finetune.events")
    if not any(checkpoints.folder.glob("step-*")):
        shutil.rmtree(folder, ignore_errors=True)
    return _Events(folder)


def _report(
    recipe: Recipe,
    split: dict[str, Any],
    ready: Prepared,
    state: State,
    epochs: list[dict[str, int]],
    *,
    key: str,
    base: Path | None,
    folder: Path,
) -> dict[str, Any]:
    plan, told = ready.plan, ready.ledger.told()
    counts = ready.validation_counts
    short = plan.shortened or counts["rows"] < counts["of_rows"]
    sampled = {
        "why": "there is no GPU",
        "rows": plan.rows,
        "of_rows": plan.of_rows,
        "epochs": plan.epochs,
        "of_epochs": plan.of_epochs,
        "validation_rows": counts["rows"],
        "of_validation_rows": counts["of_rows"],
    }
    seen = {
        "rows": state.rows,
        "tokens": state.tokens,
        "padding_tokens": state.padding,
        "learned_targets": state.learned,
    }
    return {
        "stage": "finetune",
        "data_set": recipe.name,
        "task": ready.task.name,
        "key": key,
        "tables": {"model": _files(folder)},
        "counts": {name: told[name] for name in ("rows", "sampled_out", "rows_encoded", "rows_that_teach_nothing")},
        "details": {
            "model": recipe.settings.finetune.model,
            "base_files": keys.folder_content(base),
            "head": ready.task.head,
            "classes": ready.learner.classes,
            "device": ready.learner.device.type,
            "precision": "float32" if ready.learner.device.type == "cpu" else "bfloat16 autocast",
            "versions": keys.versions(),
            "split": keys.contents(split),
            "settings": recipe.settings.finetune.model_dump(mode="json"),
            "sampled": sampled if short else None,
            "soft_labels": ready.soft_labels,
            "ledger": told | {"epochs": epochs, "trained_on": seen, "stopped_early": state.stopped},
            "history": state.history,
            "best_step": state.best_step,
            "usual_answer": ready.survey.usual,
        },
    }


def _files(folder: Path) -> dict[str, Any]:
    """The files of the model as a table of the report, so that a model with a file missing is no model."""
    hashes = keys.folder_content(folder / "model")
    files = [
        {"name": f"model/{name}", "bytes": (folder / "model" / name).stat().st_size, "sha256": digest}
        for name, digest in hashes.items()
    ]
    return {"rows": 0, "content": hashes.get("model.safetensors", ""), "files": files}

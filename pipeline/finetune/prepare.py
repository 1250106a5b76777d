"""What training needs before it can begin: rows chosen and encoded, the model with its head, and the counts of both."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.finetune import examples, model, shares, tiny
from pipeline.finetune.show import progress, schedule_line, soft_line
from pipeline.finetune.soft import Soft
from pipeline.tasks import task as task_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch
    from rich.console import Console

    from pipeline.finetune.examples import Example, Ledger, Survey
    from pipeline.finetune.model import Learner
    from pipeline.recipe import Recipe
    from pipeline.settings import FinetuneSettings
    from pipeline.tasks import Row, Task


@dataclass(frozen=True)
class Schedule:
    """How much of the training rows is learned from, and how often."""

    rows: int
    of_rows: int
    epochs: int
    of_epochs: int

    @property
    def shortened(self) -> bool:
        """Whether it is less than the recipe asks for."""
        return self.rows < self.of_rows or self.epochs < self.of_epochs


def schedule(settings: FinetuneSettings, rows: int, *, gpu: bool) -> Schedule:
    """All of it on a GPU; on a CPU at most `cpu_rows` rows, `cpu_epochs` times, or fewer rows as much more often."""
    if gpu:
        return Schedule(rows, rows, settings.epochs, settings.epochs)
    taken = min(rows, settings.cpu_rows)
    room = settings.cpu_rows * settings.cpu_epochs // max(taken, 1)
    return Schedule(taken, rows, min(settings.epochs, max(settings.cpu_epochs, room)), settings.epochs)


def held_out(
    split: Path, table: str, task: Task, settings: FinetuneSettings, *, gpu: bool
) -> tuple[list[Row], dict[str, int]]:
    """The rows of a held-out table to score, a stratified sample on a CPU, and how many of how many they are."""
    found = examples.survey(examples.rows(split, table), task)
    chosen = None if gpu else examples.sample(found, settings.cpu_eval_rows, seed=settings.seed)
    rows = [row for row in examples.rows(split, table) if chosen is None or row["id"] in chosen]
    return rows, {"rows": len(rows), "of_rows": len(found.ids)}


@dataclass
class Prepared:
    """All that training needs: learner, rows to learn from, rows to choose by, and the counts of both."""

    task: Task
    learner: Learner
    taught: list[Example]
    ledger: Ledger
    validation: list[Row]
    judged_by: list[Example]
    survey: Survey
    plan: Schedule
    validation_counts: dict[str, int]
    soft_labels: dict[str, Any] | None = None
    """How many rows are learned as shares, and whose; None where the recipe wants none."""


def prepare(recipe: Recipe, *, base: Path | None, device: torch.device, console: Console) -> Prepared:
    """Choose and encode the rows, and load the model.

    Raises:
        AssayError: there is nothing to learn from, or nothing to choose by.
    """
    settings, gpu, split = recipe.settings.finetune, device.type != "cpu", recipe.build / "split"
    task = task_named(recipe.settings.task, recipe.settings.guideline)
    place = f"finetune of '{recipe.name}'"
    found = examples.survey(examples.rows(split, "train"), task)
    plan = schedule(settings, len(found.ids), gpu=gpu)
    schedule_line(console, recipe.name, plan, device)
    chosen = examples.sample(found, plan.rows, seed=settings.seed)
    texts = (task.shown(row) for row in examples.rows(split, "train") if chosen is None or row["id"] in chosen)
    tokenizer = model.load_tokenizer(base, islice(texts, tiny.MOST_TEXTS), head=task.head)
    classes = task.classes(found.seen)
    encoder = examples.encoder_of(task, tokenizer, classes=classes, settings=settings)
    soft = _soft(recipe, task, classes)
    with progress(console, "encode", plan.rows) as tick:
        encoded, ledger = examples.encode(
            examples.rows(split, "train"),
            soft.encoder(encoder) if soft else encoder,
            head=task.head,
            chosen=chosen,
            row_weights=settings.row_weights,
            tick=tick,
        )
    taught = examples.teachers(encoded, ledger, place=place)
    softly = soft.told(taught, shares.copies(split)) if soft else None
    soft_line(console, softly, asked=settings.soft_labels)
    validation, counts = held_out(split, "validation", task, settings, gpu=gpu)
    judged_by, validation_ledger = examples.encode(validation, encoder, head=task.head)
    if not validation_ledger.learned and (task.head == "causal" or not validation):
        raise AssayError(
            place, "validation has no row to choose the best weights by", "give it a larger share in [split]"
        )
    learner = model.load(base, tokenizer, head=task.head, classes=classes, seed=settings.seed, device=device)
    model.check_length(learner, settings.max_tokens)
    model.prepare(learner, settings)
    return Prepared(task, learner, taught, ledger, validation, judged_by, found, plan, counts, softly)


def _soft(recipe: Recipe, task: Task, classes: Sequence[str]) -> Soft | None:
    """The shares that the recipe wants rows learned as.

    Validation is encoded as it stands: the best weights are chosen by the one answer of each row, whatever is learned.
    """
    asked = recipe.settings.finetune.soft_labels
    return None if asked == "off" else Soft.of(shares.read(recipe, task, asked), classes, head=task.head)

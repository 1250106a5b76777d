"""Held-out rows and what the model says of them, ready to be scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.finetune import examples, predict
from pipeline.finetune.prepare import held_out
from pipeline.finetune.show import progress

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.finetune.examples import Example
    from pipeline.finetune.model import Learner
    from pipeline.finetune.predict import Prediction
    from pipeline.finetune.soft import Soft
    from pipeline.recipe import Recipe
    from pipeline.tasks import Row, Task


@dataclass
class Part:
    """One held-out table: rows, the same encoded, what the model said, and how many of how many rows they are."""

    rows: list[Row]
    examples: list[Example]
    predictions: list[Prediction]
    counts: dict[str, int]


@dataclass(frozen=True)
class Bench:
    """What scoring needs beside a table: the recipe, its task, the trained model, the console, and shares."""

    recipe: Recipe
    task: Task
    learner: Learner
    console: Console
    soft: Soft | None = None
    """What shares the labels of held-out rows have; None where answers have none."""

    @property
    def gpu(self) -> bool:
        """Whether everything is scored, or a sample."""
        return self.learner.device.type != "cpu"

    def predict(self, table: str) -> Part:
        """Predict a held-out table."""
        settings = self.recipe.settings.finetune
        rows, counts = held_out(self.recipe.build / "split", table, self.task, settings, gpu=self.gpu)
        encoder = examples.encoder_of(
            self.task, self.learner.tokenizer, classes=self.learner.classes, settings=settings
        )
        encoded, _ = examples.encode(rows, encoder, head=self.task.head)
        with progress(self.console, f"predict {table}", len(rows)) as tick:
            found = predict.predictions(
                self.learner,
                self.task,
                rows,
                encoded,
                max_tokens=settings.max_tokens,
                batch_rows=settings.eval_batch_rows,
                whole=self.soft.begins if self.soft else (),
                tick=tick,
            )
        return Part(rows, encoded, found, counts)

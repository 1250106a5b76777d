"""The course of a training, known before it begins: which rows in which step, how fast, and when it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError
from pipeline.finetune.batches import padding, plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.finetune.batches import Indices
    from pipeline.finetune.examples import Example
    from pipeline.settings import FinetuneSettings


@dataclass(frozen=True)
class Course:
    """What happens in which step: the batches of every epoch, accumulated into optimizer steps, and the evaluations."""

    examples: Sequence[Example]
    settings: FinetuneSettings
    epochs: int

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in an epoch; the last one may be smaller."""
        batches = -(-len(self.examples) // self.settings.batch_rows)
        return -(-batches // self.settings.accumulate_batches)

    @property
    def steps(self) -> int:
        """Optimizer steps in the whole training, unless it is stopped early."""
        return self.steps_per_epoch * self.epochs

    def batches(self, epoch: int) -> list[Indices]:
        """The batches of an epoch, counted from 0."""
        chosen = self.settings
        return plan(self.examples, epoch=epoch, seed=chosen.seed, batch_rows=chosen.batch_rows)

    def after(self, step: int) -> Iterator[tuple[int, list[Indices]]]:
        """(number of the step, its batches) for all steps after the first `step` ones."""
        size = self.settings.accumulate_batches
        for epoch in range(step // self.steps_per_epoch, self.epochs):
            batches, first = self.batches(epoch), epoch * self.steps_per_epoch
            for number in range(max(step - first, 0), self.steps_per_epoch):
                yield first + number + 1, batches[number * size : (number + 1) * size]

    def evaluated_after(self, step: int) -> bool:
        """Whether validation is scored after this step."""
        times = self.settings.evaluations_per_epoch
        within = (step - 1) % self.steps_per_epoch + 1
        return within in {-(-number * self.steps_per_epoch // times) for number in range(1, times + 1)}

    def rate(self, step: int) -> float:
        """The share of the learning rate in this step: a line up over the warm-up, then a line down to 0."""
        warm = max(1, round(self.settings.warmup_share * self.steps))
        return step / warm if step <= warm else max(0.0, (self.steps - step) / max(1, self.steps - warm))

    def told(self) -> list[dict[str, int]]:
        """Per epoch: rows, tokens, padding tokens, learned targets.

        Raises:
            AssayError: a row is missing from an epoch, or stands in it twice.
        """
        epochs = []
        for epoch in range(self.epochs):
            batches = self.batches(epoch)
            rows = np.sort(np.concatenate(batches))
            if not np.array_equal(rows, np.arange(len(self.examples))):
                raise AssayError(
                    "token ledger", f"epoch {epoch + 1} does not hold every row once", "please report this"
                )
            epochs.append(
                {
                    "rows": len(rows),
                    "tokens": sum(self.examples[n].tokens for n in rows),
                    "padding_tokens": padding(self.examples, batches),
                    "learned_targets": sum(self.examples[n].learned for n in rows),
                }
            )
        return epochs

"""Out-of-fold outputs: what a fine-tuned model that did not see a row says of the row's answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import AssayError
from pipeline.finetune import examples, model, tiny
from pipeline.finetune.checkpoint import State
from pipeline.finetune.course import Course

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from pipeline.finetune.examples import Example
    from pipeline.finetune.model import Learner
    from pipeline.settings import FinetuneSettings
    from pipeline.tasks import Row, Task


@dataclass(frozen=True)
class Outputs:
    """What models that did not see them say of n rows.

    Attributes:
        classes: the model's output classes; none for a causal head.
        probabilities: float32[n, classes], or [words, classes] with the words (see `Task.tagged`) of all rows one after
            another; nan where the model could not be asked. None for a causal head.
        losses: float64[n, 2], the mean and the largest loss of a learned target of each row; nan where there is none.
    """

    classes: list[str]
    probabilities: NDArray[np.float32] | None
    losses: NDArray[np.float64]


def out_of_fold(
    rows: Sequence[Row],
    fold: NDArray[np.int64],
    task: Task,
    settings: FinetuneSettings,
    *,
    base: Path | None,
    tick: Callable[[int], None] = lambda rows: None,
) -> Outputs:
    """Train one model for every fold on the rows of the others, and ask it about those of its own.

    `fold` is int64[n]; rows that must not be parted have the same. Trained as `assay finetune` trains, to the last
    step: there is no validation to choose weights by. On a CPU every model learns from at most `cpu_rows` rows.

    Raises:
        AssayError: a fold leaves nothing to learn from, or the folder holds no such model.
    """
    model.quieten()
    device = model.device()
    found = examples.survey(rows, task)
    classes = task.classes(found.seen)
    tokenizer = model.load_tokenizer(base, islice(map(task.shown, rows), tiny.MOST_TEXTS), head=task.head)
    encoder = examples.encoder_of(task, tokenizer, classes=classes, settings=settings)
    encoded, _ = examples.encode(rows, encoder, head=task.head, row_weights=settings.row_weights)
    said: list[NDArray[Any] | None] = [None] * len(rows)
    losses = np.full((len(rows), 2), np.nan)
    for number in np.unique(fold):
        others = [one for at, one in enumerate(encoded) if fold[at] != number and one.learned and one.weight > 0]
        learner = model.load(base, tokenizer, head=task.head, classes=classes, seed=settings.seed, device=device)
        model.check_length(learner, settings.max_tokens)
        model.prepare(learner, settings)
        _teach(learner, _sampled(others, settings, device), settings, cpu=device.type == "cpu")
        held_out = np.flatnonzero(fold == number)
        for at, output, loss in _ask(learner, [encoded[at] for at in held_out], settings):
            said[held_out[at]], losses[held_out[at]] = output, loss
            tick(1)
    if task.head == "causal":
        return Outputs([], None, losses)
    if task.head == "token":
        ask = partial(task.by_word, tokenizer=tokenizer, max_tokens=settings.max_tokens)
        return Outputs(classes, _by_word(rows, said, task, ask, len(classes)), losses)
    blank = np.full(len(classes), np.nan, dtype=np.float32)
    return Outputs(classes, np.stack([blank if one is None else one for one in said]).astype(np.float32), losses)


def _sampled(taught: list[Example], settings: FinetuneSettings, device: torch.device) -> list[Example]:
    """The examples to learn from: all on a GPU, on a CPU those at the lowest keyed hashes."""
    if not taught:
        raise AssayError("out-of-fold outputs", "a fold leaves nothing to learn from", "give more rows or fewer folds")
    if device.type != "cpu":
        return taught
    return sorted(taught, key=lambda one: (examples.chance(settings.seed, "fold", one.id), one.id))[: settings.cpu_rows]


class _Nowhere:
    """Checkpoints that are not kept: a fold is trained whole or not at all."""

    def load(self) -> None:
        """Nothing."""

    def save(self, state: State, tensors: dict[str, torch.Tensor]) -> None:
        """Nothing."""


def _teach(learner: Learner, taught: list[Example], settings: FinetuneSettings, *, cpu: bool) -> None:
    from pipeline.finetune.train import Training

    epochs = settings.cpu_epochs if cpu else settings.epochs
    once = settings.model_copy(update={"evaluations_per_epoch": 1})
    training = Training(learner, Course(taught, once, epochs))
    # Every appraisal is better than the one before, so that the last weights are the ones kept.
    training.run(_Nowhere(), appraise=lambda: ("step", float(training.state.step), 0.0))  # type: ignore[arg-type]


def _ask(learner: Learner, held_out: list[Example], settings: FinetuneSettings) -> Any:
    """(number, probabilities or None, (mean loss, largest loss)) of every row."""
    import torch

    from pipeline.finetune import loss, predict
    from pipeline.finetune.batches import by_length, collate

    learner.model.eval()
    for numbers in by_length(held_out, settings.eval_batch_rows):
        batch = collate([held_out[at] for at in numbers], pad_token=learner.tokenizer.pad_token_id, head=learner.head)
        batch = batch.to(learner.device)
        with torch.inference_mode():
            logits = learner.logits(batch.inputs)
            each = loss.losses(logits, batch, head=learner.head)
            shares = predict.probabilities(logits, head=learner.head)
        values, owners = each.losses.float().cpu().numpy(), each.owners.cpu().numpy()
        for place, at in enumerate(numbers):
            own = values[owners == place]
            told = (float(own.mean()), float(own.max())) if len(own) else (float("nan"), float("nan"))
            yield int(at), None if shares is None else shares[place], told


def _by_word(
    rows: Sequence[Row], said: list[NDArray[Any] | None], task: Task, ask: Callable[..., Any], classes: int
) -> NDArray[np.float32]:
    """The outputs of the words of all rows, one after another."""
    blocks = [
        np.full((len(task.tagged(row)), classes), np.nan, dtype=np.float32) if one is None else ask(one, row)
        for row, one in zip(rows, said, strict=True)
    ]
    return np.concatenate([np.zeros((0, classes), dtype=np.float32), *blocks])

"""What the model says of rows: probabilities and losses, row by row, whatever they are batched with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pipeline.finetune import loss
from pipeline.finetune.batches import by_length, collate

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from pipeline.finetune.examples import Example
    from pipeline.finetune.model import Learner
    from pipeline.tasks import Answer, Row, Task


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model said of a row.

    The answer (None where a causal model did not generate), its probability (None for a number, too), the sum of the
    losses of the row's targets, how many these are, and where it was asked for the whole output of the model.
    """

    found: Answer
    probability: float | None
    loss_sum: float
    learned: int
    output: np.ndarray[Any, Any] | None = None

    @property
    def loss(self) -> float | None:
        """The mean loss of a target; None where the row has none."""
        return self.loss_sum / self.learned if self.learned else None


def predictions(
    learner: Learner,
    task: Task,
    rows: Sequence[Row],
    examples: Sequence[Example],
    *,
    max_tokens: int,
    batch_rows: int,
    whole: Container[str] = (),
    tick: Callable[[int], None] = lambda rows: None,
) -> list[Prediction]:
    """A prediction for every row, in the order of the rows; `examples` are the same rows, encoded.

    Those of the rows in `whole` (ids) keep the whole output of the model.
    """
    made: list[Prediction | None] = [None] * len(rows)
    for number, loss_sum, output in outputs(learner, examples, batch_rows=batch_rows, tick=tick):
        found, probability = None, None
        if output is not None:
            found, probability = task.decode(
                output, rows[number], learner.tokenizer, classes=learner.classes, max_tokens=max_tokens
            )
            probability = None if learner.head == "number" else probability
        kept = output if examples[number].id in whole else None
        made[number] = Prediction(found, probability, loss_sum, examples[number].learned, kept)
    return [prediction for prediction in made if prediction is not None]


def outputs(
    learner: Learner, examples: Sequence[Example], *, batch_rows: int, tick: Callable[[int], None]
) -> Iterator[tuple[int, float, np.ndarray[Any, Any] | None]]:
    """(row number, sum of losses, probabilities) in batches of like length.

    Probabilities are [classes] for sequence and multi-label heads, [tokens, classes] for a token head, for a number
    head its output [1], else None.
    """
    learner.model.eval()
    for numbers in by_length(examples, batch_rows):
        batch = collate([examples[n] for n in numbers], pad_token=learner.tokenizer.pad_token_id, head=learner.head)
        batch = batch.to(learner.device)
        with torch.inference_mode():
            logits = learner.logits(batch.inputs)
            sums = loss.losses(logits, batch, head=learner.head).per_row(len(numbers)).cpu().numpy()
            shares = probabilities(logits, head=learner.head)
        for place, number in enumerate(numbers):
            row = None if shares is None else shares[place]
            if row is not None and learner.head == "token":
                row = row[: examples[number].tokens]
            yield int(number), float(sums[place]), row
        tick(len(numbers))


def probabilities(logits: torch.Tensor, *, head: str) -> np.ndarray[Any, Any] | None:
    """Softmax over the classes, a sigmoid each for a multi-label head; a number as it is, nothing for a vocabulary."""
    if head == "causal":
        return None
    shares = logits.float()
    if head != "number":
        shares = shares.sigmoid() if head == "multilabel" else shares.softmax(-1)
    made: np.ndarray[Any, Any] = shares.cpu().numpy()
    return made


def replies(
    learner: Learner,
    prompts: Sequence[Sequence[int]],
    *,
    reply_tokens: int,
    batch_rows: int,
    tick: Callable[[int], None] = lambda rows: None,
) -> list[str]:
    """The greedy reply to every prompt (token ids), at most `reply_tokens` long, without special tokens."""
    from transformers import GenerationConfig

    tokenizer = learner.tokenizer
    config = GenerationConfig(
        max_new_tokens=reply_tokens,
        do_sample=False,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=ends(learner),
    )
    made = [""] * len(prompts)
    learner.model.eval()
    order = np.argsort([-len(prompt) for prompt in prompts], kind="stable")
    for start in range(0, len(order), batch_rows):
        numbers = order[start : start + batch_rows]
        inputs = _padded_left([prompts[n] for n in numbers], tokenizer.pad_token_id)
        inputs = {name: values.to(learner.device) for name, values in inputs.items()}
        with torch.inference_mode(), learner.precision():
            whole = learner.model.generate(**inputs, generation_config=config)
        for number, tokens in zip(numbers, whole[:, inputs["input_ids"].shape[1] :], strict=True):
            made[number] = tokenizer.decode(tokens, skip_special_tokens=True).strip()
        tick(len(numbers))
    return made


def ends(learner: Learner) -> list[int]:
    """The tokens that end a reply: those of the tokenizer and of the model's own settings."""
    own = learner.model.generation_config.eos_token_id
    known = [learner.tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])]
    return sorted({token for token in known if token is not None})


def _padded_left(prompts: Sequence[Sequence[int]], pad_token: int) -> dict[str, torch.Tensor]:
    width = max(len(prompt) for prompt in prompts)
    ids = torch.full((len(prompts), width), pad_token, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for number, prompt in enumerate(prompts):
        ids[number, width - len(prompt) :] = torch.tensor(list(prompt), dtype=torch.long)
        mask[number, width - len(prompt) :] = 1
    return {"input_ids": ids, "attention_mask": mask}

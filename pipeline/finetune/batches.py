"""Which rows are learned together: shuffled by keyed hashes, of like length, padded as little as may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.finetune.examples import UNLEARNED, chance

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from pipeline.finetune.examples import Example

# Rows are sorted by length within so many batches: more saves little padding and makes batches more alike.
POOL_BATCHES = 64

Indices = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Batch:
    """Tensors of some rows: inputs [rows, width], targets [rows], [rows, classes] or [rows, width], weights [rows]."""

    inputs: dict[str, torch.Tensor]
    targets: torch.Tensor
    weights: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The batch on `device`; on a GPU through pinned memory, so that copying and computing overlap."""
        if device.type == "cpu":
            return self
        inputs = {name: _sent(values, device) for name, values in self.inputs.items()}
        return Batch(inputs=inputs, targets=_sent(self.targets, device), weights=_sent(self.weights, device))


def _sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    pinned: torch.Tensor = tensor.pin_memory()
    return pinned.to(device, non_blocking=True)


def plan(examples: Sequence[Example], *, epoch: int, seed: int, batch_rows: int) -> list[Indices]:
    """The batches of one epoch as row numbers; every row stands in exactly one.

    The order depends on seed, epoch and row ids only, never on the order of `examples`.
    """
    keys = np.array([chance(seed, "order", epoch, example.id) for example in examples], dtype=np.int64)
    lengths = np.array([example.tokens for example in examples], dtype=np.int64)
    order = np.argsort(keys, kind="stable")
    pool = POOL_BATCHES * batch_rows
    batches: list[Indices] = []
    for start in range(0, len(order), pool):
        part = order[start : start + pool]
        alike = part[np.lexsort((keys[part], lengths[part]))]
        batches += [alike[begin : begin + batch_rows] for begin in range(0, len(alike), batch_rows)]
    return sorted(batches, key=lambda batch: chance(seed, "batch", epoch, examples[batch[0]].id))


def by_length(examples: Sequence[Example], batch_rows: int) -> list[Indices]:
    """All rows in batches of like length, the longest first, so that memory runs out at once or never."""
    order = np.argsort([-example.tokens for example in examples], kind="stable")
    return [order[start : start + batch_rows] for start in range(0, len(order), batch_rows)]


def padding(examples: Sequence[Example], batches: Sequence[Indices]) -> int:
    """How many padding tokens these batches hold."""
    lengths = np.array([example.tokens for example in examples], dtype=np.int64)
    return sum(int(lengths[batch].max() * len(batch) - lengths[batch].sum()) for batch in batches)


def collate(examples: Sequence[Example], *, pad_token: int, head: str) -> Batch:
    """One batch of some rows, padded on the right to the longest; padding is masked and never learned from."""
    import torch

    width = max(example.tokens for example in examples)
    shape = (len(examples), width)
    names = sorted({*examples[0].inputs, "attention_mask"})
    inputs = {name: np.full(shape, pad_token if name == "input_ids" else 0, dtype=np.int64) for name in names}
    per_token = head in {"token", "causal"}
    targets = np.full(shape, UNLEARNED, dtype=np.int64) if per_token else np.stack([e.targets for e in examples])
    for number, example in enumerate(examples):
        for name in names:
            inputs[name][number, : example.tokens] = example.inputs.get(name, 1)
        if per_token:
            targets[number, : example.tokens] = example.targets
    return Batch(
        inputs={name: torch.from_numpy(values) for name, values in inputs.items()},
        targets=torch.from_numpy(targets),
        weights=torch.tensor([example.weight for example in examples], dtype=torch.float32),
    )

"""What the model is held to: the loss of every target, and how much each target counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from pipeline.finetune.examples import UNLEARNED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.finetune.batches import Batch
    from pipeline.finetune.examples import Example

MOST_WEIGHT = 10.0


@dataclass(frozen=True)
class Losses:
    """Three vectors of equal length, one entry per learned target: its loss, its weight, the row it belongs to."""

    losses: torch.Tensor
    weights: torch.Tensor
    owners: torch.Tensor

    def weighted(self) -> torch.Tensor:
        """The sum of losses times weights; divide by the sum of the weights of the whole step."""
        return (self.losses * self.weights).sum()

    def per_row(self, rows: int) -> torch.Tensor:
        """The unweighted sum of the losses of every row: [rows]."""
        return torch.zeros(rows, device=self.losses.device).index_add_(0, self.owners, self.losses)


def losses(logits: torch.Tensor, batch: Batch, *, head: str, class_weights: torch.Tensor | None = None) -> Losses:
    """The loss of every target of a batch; logits are [rows, classes] or [rows, width, classes].

    Cross entropy, for every class of its own where a row may have several; the squared error for numbers. Targets may
    be shares (floats [rows, classes]): then it is the cross entropy against them, which for shares of 1 and 0 is the
    very same number (soft labels: Uma et al. 2021, "Learning from Disagreement", DOI 10.1613/jair.1.12752).
    """
    owners, weights = _weights(batch, head=head, class_weights=class_weights)
    if head == "multilabel":
        scale = class_weights if class_weights is not None else None
        each = binary_cross_entropy_with_logits(logits.float(), batch.targets, pos_weight=scale, reduction="none")
        return Losses(each.flatten(), weights, owners)
    if head == "number":
        known = batch.targets.isfinite()
        return Losses((logits.float()[known] - batch.targets[known]).square(), weights, owners)
    if batch.targets.is_floating_point():
        shares = batch.targets[owners]
        return Losses(-(shares * logits[owners].float().log_softmax(-1)).sum(-1), weights, owners)
    if head == "causal":
        logits = logits[:, :-1]
    targets = shifted(batch.targets, head=head)
    learned = targets != UNLEARNED
    # Only the learned positions are taken to 32 bits: the logits of a vocabulary are the largest tensor there is.
    return Losses(cross_entropy(logits[learned].float(), targets[learned], reduction="none"), weights, owners)


def mass(batch: Batch, *, head: str, class_weights: torch.Tensor | None = None) -> torch.Tensor:
    """How much all targets of a batch count together; it needs no model."""
    return _weights(batch, head=head, class_weights=class_weights)[1].sum()


def _weights(batch: Batch, *, head: str, class_weights: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The row and the weight of every learned target: the row's weight times that of the target's class.

    Where targets are shares, times the weights of all classes, each by its share.
    """
    if head == "multilabel":
        rows, classes = batch.targets.shape
        owners = torch.arange(rows, device=batch.weights.device).repeat_interleave(classes)
        return owners, batch.weights[owners]
    if batch.targets.is_floating_point():
        owners = batch.targets.isfinite().all(-1).nonzero()[:, 0]
        weights = batch.weights[owners]
        return owners, weights if class_weights is None else weights * (batch.targets[owners] @ class_weights)
    targets = shifted(batch.targets, head=head)
    learned = targets != UNLEARNED
    owners = learned.nonzero()[:, 0]
    weights = batch.weights[owners]
    return owners, weights if class_weights is None else weights * class_weights[targets[learned]]


def shifted(targets: torch.Tensor, *, head: str) -> torch.Tensor:
    """What the logits are compared with: a causal model's logits at one position speak of the next."""
    return targets[:, 1:] if head == "causal" else targets


def class_weights(examples: Sequence[Example], classes: int, *, head: str) -> torch.Tensor | None:
    """Weights [classes] by inverse frequency, from 1/10 to 10; None for a causal head and for numbers: no classes.

    Sequence and token heads: n / (classes * n_c), so that every class counts the same in sum. Multi-label heads: noes
    per yes, the weight of a yes. Shares count as parts of rows.
    """
    if head in {"causal", "number"}:
        return None
    if head == "multilabel":
        yes = np.sum([example.targets for example in examples], axis=0)
        balanced = (len(examples) - yes) / np.maximum(yes, 1)
    else:
        counts = _counts(examples, classes)
        balanced = counts.sum() / (classes * np.maximum(counts, 1))
    return torch.tensor(np.clip(balanced, 1 / MOST_WEIGHT, MOST_WEIGHT), dtype=torch.float32)


def _counts(examples: Sequence[Example], classes: int) -> np.ndarray[Any, Any]:
    """How often each class is learned: [classes]."""
    if any(example.targets.dtype.kind == "f" for example in examples):
        return np.asarray(np.nansum([example.targets for example in examples], axis=0, dtype=np.float64))
    targets = np.concatenate([np.atleast_1d(example.targets) for example in examples])
    return np.bincount(targets[targets != UNLEARNED], minlength=classes)

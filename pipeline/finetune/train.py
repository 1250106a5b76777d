"""Training: warm-up, clipping, accumulation, early stopping on the task's own metric, and going on after a kill.

A loop of our own, because every step draws its chance from (seed, step) alone: a killed training needs no state of a
random generator to end with the same weights, and the loss is divided by the weights of the whole step, so that neither
padding, nor accumulation, nor the length of a batch changes what a target counts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pipeline.errors import AssayError
from pipeline.finetune import loss
from pipeline.finetune.batches import collate
from pipeline.finetune.checkpoint import State
from pipeline.finetune.examples import chance
from pipeline.finetune.model import head_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.finetune.batches import Indices
    from pipeline.finetune.checkpoint import Checkpoints
    from pipeline.finetune.course import Course
    from pipeline.finetune.examples import Example
    from pipeline.finetune.model import Learner

DECAYED_DIMENSIONS = 2

Appraisal = tuple[str, float, float]
"""What validation says: the name of the headline metric, its value (higher is better), the mean loss of a target."""


class Training:
    """One training: a learner, its course, its optimizer, and how far it has come."""

    def __init__(self, learner: Learner, course: Course) -> None:
        self.learner, self.course, self.settings = learner, course, course.settings
        self.weights = {name: w for name, w in learner.model.named_parameters() if w.requires_grad}
        if not self.weights:
            raise AssayError("[finetune]", "every weight is frozen", "lower freeze_layers")
        self.best: dict[str, torch.Tensor] = {}
        self.state = State()
        self.optimizer = torch.optim.AdamW(self._groups(), lr=self.settings.learning_rate, fused=True)
        wanted = loss.class_weights(course.examples, len(learner.classes), head=learner.head)
        use = self.settings.class_weights and wanted is not None
        self.class_weights = wanted.to(learner.device) if use and wanted is not None else None

    def _groups(self) -> list[dict[str, Any]]:
        """Parameter groups: head and body may learn at different rates; vectors (norms, biases) are not decayed."""
        model = self.learner.model
        plain = getattr(model, "get_base_model", lambda: model)()
        heads = set() if self.learner.head == "causal" else set(head_names(plain))
        groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
        for name, weight in self.weights.items():
            kind = bool(heads & set(name.split("."))), weight.ndim >= DECAYED_DIMENSIONS
            groups.setdefault(kind, []).append(weight)
        chosen, head_rate = self.settings, self.settings.head_learning_rate or self.settings.learning_rate
        return [
            {
                "params": groups[kind],
                "weight_decay": chosen.weight_decay if kind[1] else 0.0,
                "base": head_rate if kind[0] else chosen.learning_rate,
            }
            for kind in sorted(groups)
        ]

    def run(
        self,
        checkpoints: Checkpoints,
        *,
        appraise: Callable[[], Appraisal],
        watch: Callable[[State], None] = lambda state: None,
    ) -> State:
        """Train to the end, or until validation is not getting better; the best weights are left in the model.

        `appraise` scores validation as the weights are now; `watch` is called after every step.
        """
        if found := checkpoints.load():
            self._restore(*found)
        saved = time.monotonic()
        for step, batches in self.course.after(self.state.step):
            if self.state.stopped:
                break
            self._learn(step, batches)
            if self.course.evaluated_after(step):
                self._appraise(step, appraise)
            watch(self.state)
            if time.monotonic() - saved >= self.settings.checkpoint_seconds:
                checkpoints.save(self.state, self._tensors())
                saved = time.monotonic()
        self._hold_ledger()
        with torch.no_grad():
            for name, weight in self.best.items():
                self.weights[name].copy_(weight)
        return self.state

    def _learn(self, step: int, numbers: Sequence[Indices]) -> None:
        """One optimizer step over its batches."""
        learner = self.learner
        torch.manual_seed(chance(self.settings.seed, "step", step))
        learner.model.train()
        examples = [[self.course.examples[n] for n in batch] for batch in numbers]
        pad = learner.tokenizer.pad_token_id
        batches = [collate(rows, pad_token=pad, head=learner.head).to(learner.device) for rows in examples]
        whole = sum(loss.mass(batch, head=learner.head, class_weights=self.class_weights) for batch in batches)
        total = torch.zeros((), device=learner.device)
        for batch in batches:
            logits = learner.logits(batch.inputs)
            one = loss.losses(logits, batch, head=learner.head, class_weights=self.class_weights).weighted() / whole
            one.backward()  # type: ignore[no-untyped-call]
            total += one.detach()
        torch.nn.utils.clip_grad_norm_(self.weights.values(), self.settings.clip_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * self.course.rate(step)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._count(step, examples, float(total))

    def _count(self, step: int, examples: Sequence[Sequence[Example]], value: float) -> None:
        if not np.isfinite(value):
            raise AssayError("[finetune]", f"the loss is {value} in step {step}", "lower learning_rate or clip_norm")
        state = self.state
        state.step, state.loss_sum, state.loss_steps = step, state.loss_sum + value, state.loss_steps + 1
        for rows in examples:
            tokens = sum(row.tokens for row in rows)
            state.rows += len(rows)
            state.tokens += tokens
            state.padding += max(row.tokens for row in rows) * len(rows) - tokens
            state.learned += sum(row.learned for row in rows)

    def _appraise(self, step: int, appraise: Callable[[], Appraisal]) -> None:
        state, (metric, value, held_out_loss) = self.state, appraise()
        # Entity F1 stays at 0 for long while a model learns where no entities are; the loss shows that it does learn.
        if state.best is None or (value, -held_out_loss) > (state.best, -state.best_loss):
            state.best, state.best_loss, state.best_step, state.worse = value, held_out_loss, step, 0
            self.best = {name: weight.detach().clone() for name, weight in self.weights.items()}
        else:
            state.worse += 1
            state.stopped = state.worse >= self.settings.patience_evaluations
        state.history.append(
            {
                "step": step,
                "epoch": round(step / self.course.steps_per_epoch, 4),
                "train_loss": round(state.loss_sum / max(state.loss_steps, 1), 6),
                "metric": metric,
                "value": round(value, 6),
                "validation_loss": round(held_out_loss, 6),
            }
        )
        state.loss_sum, state.loss_steps = 0.0, 0

    def _hold_ledger(self) -> None:
        """Raise unless a whole training saw exactly what its course says."""
        seen = {
            "rows": self.state.rows,
            "tokens": self.state.tokens,
            "padding_tokens": self.state.padding,
            "learned_targets": self.state.learned,
        }
        planned = {name: sum(epoch[name] for epoch in self.course.told()) for name in seen}
        if not self.state.stopped and seen != planned:
            raise AssayError(
                "token ledger", f"planned {planned}, trained on {seen}", "please report this fault in Assay"
            )

    def _tensors(self) -> dict[str, torch.Tensor]:
        """All that a checkpoint holds, by name."""
        tensors = {f"now.{name}": weight.detach() for name, weight in self.weights.items()}
        tensors |= {f"best.{name}": weight for name, weight in self.best.items()}
        for name, weight in self.weights.items():
            for kind, value in self.optimizer.state.get(weight, {}).items():
                tensors[f"{kind}.{name}"] = value
        return tensors

    def _restore(self, state: State, tensors: dict[str, torch.Tensor]) -> None:
        """Go on from a checkpoint."""
        self.state = state
        parts: dict[str, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            kind, _, weight = name.partition(".")
            parts.setdefault(kind, {})[weight] = value
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(parts["now"][name])
        self.best = {name: value.to(self.learner.device) for name, value in parts.get("best", {}).items()}
        names = {id(weight): name for name, weight in self.weights.items()}
        ordered = [names[id(weight)] for group in self.optimizer.param_groups for weight in group["params"]]
        kinds = [kind for kind in parts if kind not in {"now", "best"}]
        moments = {
            number: {kind: parts[kind][name] for kind in kinds}
            for number, name in enumerate(ordered)
            if all(name in parts[kind] for kind in kinds)
        }
        self.optimizer.load_state_dict({"state": moments, "param_groups": self.optimizer.state_dict()["param_groups"]})

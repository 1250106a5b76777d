"""What a killed training goes on from: weights, optimizer and progress, whole or not there; no pickle anywhere."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

KEY, STATE, TENSORS = "key.txt", "state.json", "tensors.safetensors"


@dataclass
class State:
    """How far a training has come; all that decides what happens next beside the weights."""

    step: int = 0
    """Optimizer steps done."""
    best: float | None = None
    """The best value of the headline metric on validation (higher is better), and the step it was seen at."""
    best_loss: float = 0.0
    """The loss on validation at that step, which decides between equal values."""
    best_step: int = 0
    worse: int = 0
    """Evaluations in a row that brought nothing better."""
    stopped: bool = False
    rows: int = 0
    """Rows, tokens, padding tokens and targets that went through the model in training so far."""
    tokens: int = 0
    padding: int = 0
    learned: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    """One entry per evaluation: step, epoch, training loss since the last one, metric, value."""
    loss_sum: float = 0.0
    loss_steps: int = 0


@dataclass(frozen=True)
class Checkpoints:
    """Checkpoints of one training in `folder`; those of a training with another `key` are thrown away."""

    folder: Path
    key: str

    def open(self) -> None:
        """Make the folder ready, empty unless it belongs to this very training."""
        mark = self.folder / KEY
        if not mark.is_file() or mark.read_text(encoding="utf-8") != self.key:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            mark.write_text(self.key, encoding="utf-8")
        for left in self.folder.glob("*.partial"):
            shutil.rmtree(left)

    def load(self) -> tuple[State, dict[str, torch.Tensor]] | None:
        """The latest checkpoint: progress and tensors by name; None where there is none."""
        from safetensors.torch import load_file

        for folder in reversed(self._whole()):
            return (
                State(**json.loads((folder / STATE).read_text(encoding="utf-8"))),
                load_file(folder / TENSORS),
            )
        return None

    def save(self, state: State, tensors: dict[str, torch.Tensor]) -> None:
        """Write a checkpoint beside the earlier one, sync it, give it its name, then remove the earlier one."""
        from safetensors.torch import save_file

        earlier, partial = self._whole(), self.folder / "next.partial"
        partial.mkdir()
        save_file(tensors, partial / TENSORS)
        (partial / STATE).write_text(json.dumps(asdict(state)), encoding="utf-8")
        for path in (partial / TENSORS, partial / STATE, partial):
            _sync(path)
        named = self.folder / f"step-{state.step:09d}"
        if named in earlier:
            shutil.rmtree(partial)
            return
        partial.rename(named)
        _sync(self.folder)
        for folder in earlier:
            shutil.rmtree(folder)

    def close(self) -> None:
        """Remove the folder: the training is done and its model saved."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _whole(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

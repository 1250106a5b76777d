"""What the user sees on the console while the model works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    import torch
    from rich.console import Console

    from pipeline.finetune.prepare import Schedule


class progress:
    """A progress bar; entering gives the function that moves it on."""

    def __init__(self, console: Console, what: str, total: int) -> None:
        columns = TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(what, total=total)

    def __enter__(self) -> Any:
        self._progress.start()
        return lambda done: self._progress.advance(self._task, done)

    def __exit__(self, *error: object) -> None:
        self._progress.stop()


def schedule_line(console: Console, name: str, plan: Schedule, device: torch.device) -> None:
    where = "on the GPU, bfloat16" if device.type != "cpu" else "on the CPU"
    console.print(
        f"{name}: training {where}, {plan.rows:,} of {plan.of_rows:,} rows, {plan.epochs} of {plan.of_epochs} epochs"
    )
    if plan.shortened:
        console.print("  there is no GPU: this is a stratified sample and a short schedule, not the whole training")


def soft_line(console: Console, told: dict[str, Any] | None, *, asked: str) -> None:
    if told is not None:
        people, votes = told["by"]["people"], told["by"]["votes"]
        console.print(
            f"  soft labels ({asked}): {told['rows']:,} rows are learned as shares, {people:,} by what people said and "
            f"{votes:,} by their votes; {told['in_doubt']:,} of them give more than one label a share"
        )


def padding_line(console: Console, epochs: list[dict[str, int]]) -> None:
    tokens, padding = sum(e["tokens"] for e in epochs), sum(e["padding_tokens"] for e in epochs)
    console.print(
        f"  {tokens:,} tokens in {len(epochs)} epochs, {tokens / (tokens + padding):.1%} of what is computed is useful"
    )

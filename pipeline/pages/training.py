"""How the model was trained: on which rows, on how many of them, and the curves of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.pages import age, charts
from pipeline.pages.blocks import Block, Charts, Facts, Text, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from markupsafe import Markup

    from pipeline.pages.build import Build


def named_metric(metric: str) -> str:
    """The name of a metric as it is read.

    >>> named_metric("macro_f1")
    'macro F1'
    """
    return metric.replace("_", " ").replace("f1", "F1")


def training(build: Build) -> Iterator[Block]:
    """What the model was trained on, on how much of it, and how that went; nothing where it was not trained."""
    told = build.details("finetune")
    if not told:
        return
    if age.model_is_old(build):
        yield Text(_old(build), "alarm")
    if sampled := told.get("sampled"):
        yield Text(_sampled(sampled), "note")
    if sampled := build.details("evaluate").get("sampled"):
        yield Text(_scored_sample(sampled), "note")
    ledger = build.details("finetune", "ledger")
    items = [
        ("rows learned from", written(ledger.get("rows_learned_from"))),
        ("tokens an epoch", written(ledger.get("tokens"))),
        ("targets learned an epoch", written(ledger.get("learned_targets"))),
        ("rows cut by the length limit", written(ledger.get("rows_cut"))),
        ("rows that teach nothing", written(ledger.get("rows_that_teach_nothing"))),
    ]
    if soft := told.get("soft_labels"):
        items.append(("rows learned as shares of labels", written(soft.get("rows"))))
        items.append(("of them with more than one label", written(soft.get("in_doubt"))))
    where = f"{told.get('device', '–')}, {told.get('precision', '–')}"
    yield Text(f"{told.get('model', 'A model')}, trained on {where}.")
    yield Facts(items)
    if curves := list(_curves(told)):
        yield Charts(curves)


def _old(build: Build) -> str:
    name, said = build.recipe.name, "The split was built again since this model was trained"
    if "evaluate" not in build.reports:
        return f"{said} (assay finetune {name})."
    return f"{said}: its scores, too, are of an earlier split (assay finetune {name}, assay evaluate {name})."


def _sampled(told: Mapping[str, Any]) -> str:
    parts = [
        f"{written(told.get(name))} of {written(told.get(f'of_{name}'))} {name.replace('_', ' ')}"
        for name in ("rows", "epochs", "validation_rows")
        if told.get(name) is not None
    ]
    return f"Trained on a sample, because {told.get('why', 'of the settings')}: {', '.join(parts)}."


def _scored_sample(told: Mapping[str, Any]) -> str:
    parts = [
        f"{written(counts.get('rows'))} of {written(counts.get('of_rows'))} {side} rows"
        for side, counts in told.items()
        if isinstance(counts, dict)
    ]
    return f"Scored on a sample, because {told.get('why', 'of the settings')}: {', '.join(parts)}."


def _curves(told: Mapping[str, Any]) -> Iterator[Markup]:
    history = told.get("history") or []
    if len(history) < 2:
        return
    best = told.get("best_step")
    losses = [(entry["step"], entry["train_loss"]) for entry in history]
    values = [(entry["step"], entry["value"]) for entry in history]
    metric = named_metric(str(history[0].get("metric", "metric")))
    yield charts.curve("curve-loss", "Training loss (filled: the weights that were kept)", losses, mark_x=best)
    yield charts.curve("curve-metric", f"Validation {metric}", values, mark_x=best)

"""The model card: what the model was made of, how it was trained, and how right it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.recipe import Recipe

TAGS = {
    "sequence": "text-classification",
    "multilabel": "text-classification",
    "token": "token-classification",
    "number": "text-classification",
    "causal": "text-generation",
}


def write(folder: Path, recipe: Recipe, trained: dict[str, Any], scored: dict[str, Any] | None) -> None:
    """Write README.md into the folder of the model, unless it says all this already."""
    card = "\n".join(_lines(recipe, trained["details"], scored)) + "\n"
    path, partial = folder / "README.md", folder / "README.md.partial"
    if path.is_file() and path.read_text(encoding="utf-8") == card:
        return
    partial.write_text(card, encoding="utf-8")
    os.replace(partial, path)


def _lines(recipe: Recipe, details: dict[str, Any], scored: dict[str, Any] | None) -> Iterator[str]:
    settings = recipe.settings
    yield from ("---", "library_name: transformers", f"pipeline_tag: {TAGS[details['head']]}", "tags: [assay]", "---")
    yield from ("", f"# {_plain(settings.title or recipe.name)}", "")
    yield f"`{_plain(details['model'])}`, fine-tuned for {settings.task} on the data set `{recipe.name}` with Assay."
    if details["sampled"]:
        yield from ("", _sampled(details["sampled"]))
    yield from ("", "## Data", "", f"Licence of the data: {_plain(settings.licence) or 'not stated'}.", "")
    yield from _table(
        ("table", "content hash of its rows"), [(f"`{n}`", f"`{h}`") for n, h in details["split"].items()]
    )
    yield from ("", *_ledger(details["ledger"]), *_soft(details.get("soft_labels"), details["settings"]))
    yield from ("", "## Scores", "")
    yield from _scores(scored) if scored else ["Not evaluated yet: `assay evaluate " + recipe.name + "`."]
    yield from ("", "## Training", "")
    yield from _table(("step", "epoch", "training loss", "validation"), [_entry(entry) for entry in details["history"]])
    yield from (
        "",
        f"The weights after step {details['best_step']} were kept; {details['device']}, {details['precision']}.",
    )
    if details["classes"]:
        yield from ("", "Classes: " + ", ".join(f"`{_plain(name)}`" for name in details["classes"]) + ".")
    yield from ("", "## Settings and versions", "")
    rows = [(f"`{name}`", f"`{_plain(value)}`") for name, value in details["settings"].items()]
    yield from _table(
        ("setting", "value"), [*rows, *((name, version) for name, version in details["versions"].items())]
    )


def _sampled(sampled: dict[str, Any]) -> str:
    return (
        f"**Trained on a sample, because {sampled['why']}**: {sampled['rows']:,} of {sampled['of_rows']:,} rows, "
        f"{sampled['epochs']} of {sampled['of_epochs']} epochs."
    )


def _ledger(ledger: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{ledger['rows']:,} training rows: {ledger['sampled_out']:,} left out by sampling, "
        f"{ledger['rows_that_teach_nothing']:,} that teach nothing, {ledger['rows_learned_from']:,} learned from "
        f"({ledger['rows_cut']:,} of the encoded ones cut by the length limit); {ledger['tokens']:,} tokens and "
        f"{ledger['learned_targets']:,} targets an epoch."
    )


def _soft(told: dict[str, Any] | None, settings: dict[str, Any]) -> Iterator[str]:
    if told is None:
        return
    yield ""
    yield (
        f"Soft labels (`{settings['soft_labels']}`): {told['rows']:,} of these rows were learned as shares of labels, "
        f"{told['by']['people']:,} by what people said and {told['by']['votes']:,} by annotators' votes "
        f"({told['copies']:,} are copies made of such rows); {told['in_doubt']:,} give more than one label a share. "
        f"All other rows were learned as their one answer."
    )
    if told["with_unknown_labels"]:
        yield f"Of {told['with_unknown_labels']:,} rows shares were left out, because their labels are no classes."


def _entry(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(entry["step"]),
        f"{entry['epoch']:.2f}",
        f"{entry['train_loss']:.4f}",
        f"{entry['metric']} {entry['value']:.4f}",
    )


def _scores(scored: dict[str, Any]) -> Iterator[str]:
    """A table of metrics with 95 % intervals for every split, the comparison, and the classes of the test."""
    for split, told in scored["details"]["scores"].items():
        if "metrics" not in told:
            continue
        yield from (f"### {split} ({told['n']:,} rows)", "")
        yield from _table(("metric", "value", "95 % interval"), [_figure(n, v) for n, v in told["metrics"].items()])
        yield from ("", *_compared(told), "", *_near(told.get("shares")))
        classes = [(name, value) for name, value in told.get("per_class", {}).items() if value.get("gold")]
        if split == "test" and classes:
            header = ("class", "precision", "recall", "F1", "95 % interval", "rows")
            yield from (*_table(header, [_class(name, value) for name, value in classes]), "")


def _compared(told: dict[str, Any]) -> Iterator[str]:
    if told.get("majority"):
        yield f"Always answering the most frequent answer instead: {_signed(told['majority']['difference'])} (paired)."
    if told.get("gain"):
        base = told["base_model"]["loss"]["value"]
        yield f"The model before training: token loss {base:.4f}; gain of training {_signed(told['gain'])} (paired)."
    if told.get("calibration"):
        yield f"Expected calibration error: {told['calibration']['ece']:.4f}."


def _near(told: dict[str, Any] | None) -> Iterator[str]:
    """How near the probabilities come to the shares of the labels, where any are known."""
    if not told:
        return
    yield (
        f"{told['n']:,} of these rows have shares of their labels, {told['by']['people']:,} by what people said and "
        f"{told['by']['votes']:,} by annotators' votes; {told['in_doubt']:,} give more than one label a share. The "
        f"scores above count each of them once, by its one answer. How near the probabilities come to the shares (the "
        f"same is 0, and a cross entropy of {told['entropy']:.4f}):"
    )
    yield ""
    yield from _table(("measure", "value", "95 % interval"), [_figure(n, v) for n, v in told["metrics"].items()])
    yield ""


def _signed(gain: dict[str, Any]) -> str:
    difference = f"difference {gain['value']:+.4f}"
    if gain["low"] is None:
        return f"{difference} (no interval: {gain.get('note', '')})"
    return f"{difference} [{gain['low']:+.4f}, {gain['high']:+.4f}]"


def _figure(name: str, value: dict[str, Any]) -> tuple[str, str, str]:
    return name, f"{value['value']:.4f}", _reach(value)


def _reach(bounds: dict[str, Any]) -> str:
    """An interval, or in words why there is none, or why it is no bootstrap interval."""
    note = bounds.get("note", "")
    if bounds["low"] is None:
        return f"none: {note}"
    return f"{bounds['low']:.4f} to {bounds['high']:.4f}" + (f" ({note})" if note else "")


def _class(name: str, value: dict[str, Any]) -> tuple[str, ...]:
    figures = [f"{value.get(kind, 0.0):.4f}" for kind in ("precision", "recall", "f1")]
    return f"`{_plain(name)}`", *figures, _reach(value["f1_interval"]), f"{value.get('gold', 0):.0f}"


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    yield from ("| " + " | ".join(row) + " |" for row in rows)


def _plain(value: object) -> str:
    """Text from the data as it may stand in a cell: no pipes, ticks, markup or line breaks."""
    return "".join("/" if sign in "|`<>\n\r" else sign for sign in str(value))

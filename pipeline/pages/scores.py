"""What the model says: scores with intervals against a baseline, classes, confusion, calibration, slices, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.pages import age, charts
from pipeline.pages.blocks import (
    Block,
    Cell,
    Charts,
    Example,
    Examples,
    Fold,
    Section,
    Table,
    Text,
    number,
    ranged,
    written,
)
from pipeline.pages.heat import SHOWN, heat
from pipeline.pages.training import named_metric, training
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markupsafe import Markup

    from pipeline.pages.build import Build

ERRORS, ERRORS_OPEN, CLASSES = 50, 8, 40
TEXT_CHARS = 280
TITLE = "The model"
NO_INTERVAL = "no interval"


def model(build: Build) -> Section:
    """The whole part on the model: what it was trained on, and how right it is."""
    if "finetune" not in build.reports and "evaluate" not in build.reports:
        return Section("model", TITLE, command="assay finetune")
    blocks: list[Block] = [*training(build)]
    if "evaluate" not in build.reports:
        blocks.append(Text(f"Not scored yet: assay evaluate {build.recipe.name}", "note"))
        return Section("model", TITLE, blocks)
    if age.scores_are_old(build) and not age.model_is_old(build):
        blocks.append(Text(f"These scores are of an earlier model: assay evaluate {build.recipe.name}.", "alarm"))
    told = build.details("evaluate", "scores")
    for split in ("test", "validation"):
        blocks += _scored(build, split, told.get(split) or {})
    return Section("model", TITLE, blocks)


def headline(build: Build) -> str:
    """The headline score of the test, in a sentence for the top of the page; empty where there is none."""
    told = build.details("evaluate", "scores", "test")
    name, metrics = told.get("headline"), told.get("metrics", {})
    if not isinstance(name, str) or name not in metrics:
        return ""
    if age.scores_are_old(build):
        return _old(build)
    sentence = f"Model: {named_metric(name)} {ranged(metrics[name])} on {written(told.get('n'))} test rows"
    if gain := (told.get("majority") or {}).get("difference"):
        sentence += f", {ranged(gain)} above always giving the commonest answer"
    elif gain := told.get("gain"):
        sentence += f", {ranged(gain)} lower than before training"
    sampled = build.details("finetune").get("sampled") or {}
    part = f" (trained on a sample: {written(sampled.get('rows'))} of {written(sampled.get('of_rows'))} rows)"
    return f"{sentence}{part if sampled else ''}."


def _old(build: Build) -> str:
    """What stands at the top of the page instead of scores that are not those of this model on this split."""
    name = build.recipe.name
    if age.model_is_old(build):
        return (
            f"Model: no score on this split yet, only on an earlier one (assay finetune {name}, assay evaluate {name})."
        )
    return f"Model: no score yet, only of an earlier model (assay evaluate {name})."


def _scored(build: Build, split: str, told: Mapping[str, Any]) -> Iterator[Block]:
    if not told.get("metrics") and not told.get("replies"):
        return
    blocks = list(_split_blocks(build, split, told))
    if split == "test":
        yield from blocks
    else:
        yield Fold(f"Scores on {split}: {written(told.get('n'))} rows", blocks)


def _split_blocks(build: Build, split: str, told: Mapping[str, Any]) -> Iterator[Block]:
    if told.get("metrics"):
        yield _metrics(split, told)
    if compared := list(_compared(told)):
        yield Table("Against what comes for nothing (paired)", ("", "difference [95 %]"), compared)
    yield from _near(split, told.get("shares") or {})
    yield from _by_class(split, told)
    yield from _replied(split, told.get("replies") or {})
    if told.get("errors"):
        yield from _errors(build, told["errors"], split)


def _near(split: str, shares: Mapping[str, Any]) -> Iterator[Table]:
    """How near the probabilities come to the shares of the labels, where rows have some."""
    if not shares.get("metrics"):
        return
    caption = (
        f"Probabilities against the shares of labels: {written(shares.get('n'))} {split} rows have shares, "
        f"{written(shares.get('in_doubt'))} of more than one label; the scores above count each by its one answer. "
        f"The lowest cross entropy that can be had is {written(shares.get('entropy'))}"
    )
    rows = [
        (Cell(name.replace("_", " ")), number(value.get("value")), *_ends(value))
        for name, value in shares["metrics"].items()
    ]
    yield Table(caption, ("measure", "value", "from", "to"), rows)


def _by_class(split: str, told: Mapping[str, Any]) -> Iterator[Block]:
    if pictures := list(_pictures(split, told)):
        yield Charts(pictures)
    if told.get("per_class"):
        yield _per_class(told["per_class"])
    if told.get("confusion"):
        yield _confusion(told["confusion"])


def _replied(split: str, replies: Mapping[str, Any]) -> Iterator[Block]:
    if replies:
        yield Text(f"{written(replies.get('n'))} replies were given in full and scored:")
    if replies.get("metrics"):
        yield _metrics(split, replies)


def _metrics(split: str, told: Mapping[str, Any]) -> Table:
    rows = []
    for name, value in told["metrics"].items():
        mark = " (headline)" if name == told.get("headline") else ""
        rows.append((Cell(f"{named_metric(name)}{mark}"), number(value.get("value")), *_ends(value)))
    caption = f"Scores on {written(told.get('n'))} {split} rows, with 95 % bootstrap intervals"
    noted = [
        f"{named_metric(name)}: {value['note']}"
        for name, value in told["metrics"].items()
        if value.get("note") and value.get("low") is not None
    ]
    return Table("; ".join([caption, *noted]), ("metric", "value", "from", "to"), rows)


def _ends(value: Mapping[str, Any]) -> tuple[Cell, Cell]:
    """Both ends of an interval, or why there is none."""
    if value.get("low") is None or value.get("high") is None:
        return Cell(NO_INTERVAL), Cell(str(value.get("note") or ""))
    return number(value["low"]), number(value["high"])


def _compared(told: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    majority = told.get("majority") or {}
    if majority.get("difference"):
        answer = f"always answering {majority.get('answer', 'the commonest answer')}"
        yield Cell(answer, "quote"), Cell(ranged(majority["difference"]), "number")
    if told.get("gain"):
        yield Cell("token loss lower than that of the model before training"), Cell(ranged(told["gain"]), "number")


def _pictures(split: str, told: Mapping[str, Any]) -> Iterator[Markup]:
    dots = [
        charts.Dot(label, value["f1"], value["f1_interval"]["low"], value["f1_interval"]["high"])
        for label, value in _by_rows(told.get("per_class") or {})
        if "f1_interval" in value and value.get("gold")
    ]
    if dots:
        yield charts.intervals(f"{split}-classes", "F1 by class, with 95 % intervals", dots, reach=(0, 1))
    for kind, named in (told.get("slices") or {}).items():
        slices = [
            charts.Dot(f"{name} ({value['n']:,})", value["value"], value.get("low"), value.get("high"))
            for name, value in named.items()
            if "value" in value
        ]
        if slices:
            title = f"{named_metric(str(told.get('headline')))} by {kind} (rows)"
            yield charts.intervals(f"{split}-slices-{kind}", title, slices, reach=(0, 1))
    calibration = told.get("calibration") or {}
    if calibration.get("bins"):
        title = f"Calibration: expected error {written(calibration.get('ece'))}"
        yield charts.reliability(f"{split}-calibration", title, calibration["bins"])


def _by_rows(per_class: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Classes in the order of how often they occur."""
    return sorted(per_class.items(), key=lambda item: (-(item[1].get("gold") or 0), item[0]))[:CLASSES]


def _per_class(per_class: Mapping[str, Any]) -> Table:
    names = ("precision", "recall", "f1")
    rows = []
    for label, value in _by_rows(per_class):
        figures = [number(value.get(name)) for name in names]
        counted = [Cell(f"{value.get(name) or 0:,.0f}", "number") for name in ("gold", "found")]
        low, high = ((value.get("f1_interval") or {}).get(end) for end in ("low", "high"))
        reach = NO_INTERVAL if low is None or high is None else f"{written(low)} to {written(high)}"
        rows.append((Cell(label, "quote"), *figures, Cell(reach, "number"), *counted))
    return Table("By class", ("class", "precision", "recall", "F1", "F1, 95 %", "true", "found"), rows)


def _confusion(table: Mapping[str, Mapping[str, int]]) -> Table:
    """True answers down, the model's across; the commonest labels."""
    totals: dict[str, int] = {}
    for true, said in table.items():
        totals[true] = totals.get(true, 0) + sum(said.values())
        for label in said:
            totals.setdefault(label, 0)
    labels = sorted(totals, key=lambda label: (-totals[label], label))[:SHOWN]
    counts = [[table.get(true, {}).get(said, 0) for said in labels] for true in labels]
    whole = [totals[label] for label in labels]
    return heat("Confusion: true answers down, the model’s across", "true", labels, counts, whole)


def _errors(build: Build, errors: Sequence[Mapping[str, Any]], split: str) -> Iterator[Block]:
    shown = errors[:ERRORS]
    texts = build.texts((one["id"] for one in shown), stage="split", tables=(split,))
    rows = [_error(one, *texts.get(one["id"], ("", ""))) for one in shown]
    blocks: list[Block] = [Examples(rows[:ERRORS_OPEN])]
    if rows[ERRORS_OPEN:]:
        blocks.append(Fold(f"{len(rows) - ERRORS_OPEN} more", [Examples(rows[ERRORS_OPEN:])]))
    first = "the farthest off" if shown[0].get("probability") is None else "the surest"
    yield Fold(f"Errors, {first} first: {len(errors):,} listed in the report of the stage", blocks, is_open=True)


def _error(one: Mapping[str, Any], text: str, language: str) -> Example:
    facts = [
        ("true", cut(str(one.get("gold", "")), TEXT_CHARS)),
        ("model said", cut(str(one.get("found", "")), TEXT_CHARS)),
        *([("sure", written(one["probability"]))] if one.get("probability") is not None else []),
        ("row", one["id"]),
    ]
    return Example(cut(text, TEXT_CHARS), facts, language)

"""How the answers were settled: by which method and why, what to be wary of, and what was given against it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipeline.pages.blocks import (
    Block,
    Cell,
    Facts,
    Fold,
    Section,
    Table,
    Text,
    number,
    percent,
    rows_of,
    said,
    written,
)
from pipeline.pages.heat import SHOWN, heat
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.pages.build import Build

KEY, TITLE = "settled", "How the answers were settled"
ASSUMES = {
    "majority": "every answer counts the same",
    "one-coin": "every annotator has one skill, whatever the label",
    "shared-errors": "every annotator has one skill, and all err in the same way",
    "dawid-skene": "every annotator confuses labels in a way of their own",
    "kinds": "some items are hard, and annotators err on them together",
    "ordinal": "labels stand in an order, and errors are to near ones",
    "blend": "a mixture of the methods below, weighted by how well each foretells answers it has not seen",
    "ratings": "annotators run high or low, wide or narrow, and are more or less exact",
}
"""What a method takes for granted, in words."""
_TAG = re.compile("[BI]-(.+)", re.DOTALL)


def consensus(build: Build) -> Section:
    """The whole part on the consensus."""
    if "audit" not in build.reports:
        return Section(KEY, TITLE, command="assay audit")
    told = build.details("audit", "consensus")
    blocks: list[Block] = [Text(line, "alarm") for line in warnings(build)]
    blocks += [Text(line) for line in _why(told)]
    blocks.append(_facts(told))
    if told.get("methods"):
        blocks.append(_methods(told))
    return Section(KEY, TITLE, [*blocks, *_confusion(build), *_annotations(build)])


def warnings(build: Build) -> list[str]:
    """What the consensus itself warns of, each a sentence."""
    found = [str(line).removeprefix("WARNING: ") for line in build.details("audit", "consensus").get("warnings") or []]
    return [said(line) for line in found if line]


def _why(told: Mapping[str, Any]) -> Iterator[str]:
    method = str(told.get("method") or "")
    if not method:
        return
    yield f"Method: {method}{f' ({ASSUMES[method]})' if method in ASSUMES else ''}."
    if told.get("note"):
        yield f"Why: {said(str(told['note']))}"
    if told.get("model"):
        yield f"A model as one more opinion: {said(str(told['model']))}"
    if not told.get("converged", True):
        yield f"It did not come to rest in {written(told.get('iterations'))} rounds."


def _facts(told: Mapping[str, Any]) -> Facts:
    return Facts(
        [
            ("votes settled", written(told.get("units"))),
            ("ties under the plain vote", written(told.get("ties_by_majority"))),
            ("ties left", written(told.get("ties_left"))),
            ("settled otherwise than by the plain vote", written(told.get("other_than_majority"))),
            (_sure(told), written(told.get("mean_posterior"))),
        ]
    )


def _sure(told: Mapping[str, Any]) -> str:
    """What the mean posterior is: of numbers it says how narrow their intervals are."""
    if told.get("method") == "ratings":
        return "mean confidence (1: intervals of no width)"
    return "mean probability that the settled answer is right"


def _methods(told: Mapping[str, Any]) -> Table:
    """The methods, the best first; each with how well it foretells answers that it has not seen."""
    scores = sorted(told["methods"], key=lambda one: (-one["likelihood"], one["method"]))
    rows = [
        (
            Cell(f"{one['method']}{' (best)' if one['method'] == told.get('best') else ''}", "short"),
            Cell(f"{written(one['likelihood'])} ± {written(one['error'])}".replace("-", "−"), "number"),
            Cell(percent(one["weight"]), "number"),
            Cell("–" if one["differs"] is None else percent(one["differs"]), "number"),
            Cell(ASSUMES.get(one["method"], ""), "note-cell"),
        )
        for one in scores
    ]
    caption = (
        "The methods, by how well they foretell answers that they have not seen (log-likelihood: nearer to 0 is better)"
    )
    return Table(caption, ("method", "log-likelihood ± error", "weight", "settles otherwise", "assumes that"), rows)


def _confusion(build: Build) -> Iterator[Block]:
    """What annotators gave against what was settled; not for free text, whose answers are no labels."""
    told = build.details("audit", "confusion")
    labels = [str(label) for label in told.get("labels") or []]
    if len(labels) < 2 or build.task.free_text:
        return
    names, counts = _joined([_named(build, label) for label in labels], told.get("counts") or [])
    names, counts = _in_order(build, names, counts)
    whole, right = sum(map(sum, counts)), sum(line[at] for at, line in enumerate(counts))
    if not whole:
        return
    yield Text(
        f"Of {rows_of(whole, 'answer')} to items that two annotators or more answered, {percent(right, whole)} are "
        "what was settled. The answers themselves made that, so the share flatters."
    )
    caption = "Confusion between labels: settled down, given across; the shade is the share of the row"
    if len(names) <= SHOWN:
        yield heat(caption, "settled", names, counts)
    else:
        first = [line[:SHOWN] for line in counts[:SHOWN]]
        yield heat(f"{caption}; the {SHOWN} commonest labels", "settled", names[:SHOWN], first)
        yield Fold(f"All {len(names)} labels", [heat(caption, "settled", names, counts)])


def _named(build: Build, label: str) -> str:
    """A label of a vote as a reader knows it: tags of words are labels of spans, and each label of a set a question."""
    if build.task.measure == "sets":
        return {"yes": "label is there", "no": "label is not there"}.get(label, label)
    if build.task.head != "token":
        return label
    found = _TAG.fullmatch(label)
    return found[1] if found else "(no span)" if label == "O" else label


def _joined(names: list[str], counts: list[list[int]]) -> tuple[list[str], list[list[int]]]:
    """The table with rows and columns of one name added up."""
    distinct = list(dict.fromkeys(names))
    place = {name: at for at, name in enumerate(distinct)}
    made = [[0] * len(distinct) for _ in distinct]
    for name, line in zip(names, counts, strict=False):
        for other, count in zip(names, line, strict=False):
            made[place[name]][place[other]] += count
    return distinct, made


def _in_order(build: Build, names: list[str], counts: list[list[int]]) -> tuple[list[str], list[list[int]]]:
    """Labels that have an order stand in it."""
    known = build.recipe.settings.guideline.names
    if build.task.measure != "ordinal" or not set(names) <= set(known):
        return names, counts
    order = sorted(range(len(names)), key=lambda at: known.index(names[at]))
    return [names[at] for at in order], [[counts[row][at] for at in order] for row in order]


def _annotations(build: Build) -> Iterator[Block]:
    """How many annotations count and why others do not; decisions of people, replayed."""
    verdicts = build.details("audit", "annotations")
    if rows := [(Cell(name.replace("_", " ")), number(count)) for name, count in verdicts.items()]:
        counted = rows_of(sum(verdicts.values()), "annotation")
        yield Fold(f"What became of {counted}", [Table("", ("verdict", "annotations"), rows)])
    decided = build.details("audit", "decisions")
    if decided.get("used") or decided.get("stale"):
        used = ", ".join(f"{name} {count:,}" for name, count in decided.get("used", {}).items()) or "none"
        yield Text(f"Human decisions in force: {used}.")
        yield from (Text(f"No longer in force: {cut(str(line), 280)}", "note") for line in decided.get("stale", []))

"""What changed since the last version: rows, labels, sides, rejections, agreement and drift, the test set first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline import versions
from pipeline.errors import AssayError
from pipeline.pages.blocks import Block, Cell, Example, Examples, Facts, Fold, Section, Table, Text, written
from pipeline.pages.visible import cut
from pipeline.versions import saying

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.pages.build import Build

KEY, TITLE = "changes", "What changed since the last version"
EXAMPLES = 5
ABSENT = "There is one version so far, or none: what changes is told from the second one on."
_KINDS = {"relabelled": "Relabelled", "retexted": "Re-texted", "removed": "Removed", "added": "Added"}


def changes(build: Build) -> Section:
    """The diff of the two newest versions, in short, and the command that tells all of it."""
    ids = compared(build)
    if len(ids) < 2:
        return Section(KEY, TITLE, command="assay run", absent=ABSENT)
    try:
        before, after = (versions.find(build.recipe, id_) for id_ in ids)
        found = versions.diff(before, after, limit=EXAMPLES)
    except AssayError as error:
        return Section(KEY, TITLE, [Text(f"The last two versions cannot be compared: {error}", "alarm")])
    return Section(KEY, TITLE, list(_blocks(found, build.recipe.name, ids)))


def compared(build: Build) -> list[str]:
    """The ids of the two newest versions, the older one first; what the page depends on beside the reports."""
    return [str(entry["id"]) for entry in versions.listing(build.recipe)[-2:]]


def _blocks(found: Mapping[str, Any], name: str, ids: Sequence[str]) -> Iterator[Block]:
    yield Text(saying.verdict(found), "alarm" if saying.touches_test(found) else "")
    rows = found["rows"]
    kinds = (("added", "added"), ("removed", "removed"), ("relabelled", "relabelled"), ("retexted", "re-texted"))
    yield Facts([(f"rows {says}", written(rows[kind])) for kind, says in (*kinds, ("resplit", "on another side"))])
    for number, part in enumerate(saying.parts(found)):
        inner: list[Block] = [*(Text(one) for one in part.sentences), *([_table(part)] if part.lines else [])]
        yield from inner if number < 2 else [Fold(part.title, inner)]
    for kind, title in _KINDS.items():
        if examples := found["examples"][kind]:
            some = f"{title}: {len(examples):,} of {rows[kind]:,}"
            yield Fold(some, [Examples([_example(one) for one in examples])])
    yield Text(f"assay diff {name} {ids[0]} {ids[1]} --all", "command")


def _table(part: saying.Part) -> Table:
    lines = [(Cell(cut(first, 80), "code"), *(Cell(cell, "number") for cell in rest)) for first, *rest in part.lines]
    return Table(part.title, tuple(part.head), lines)


def _example(one: Mapping[str, Any]) -> Example:
    facts = [("row", one["id"]), ("side", one["side"])]
    if one.get("reason"):
        facts.append(("rejected for", one["reason"]))
    if one.get("marks"):
        facts.append(("marks", "; ".join(one["marks"])))
    elif "before" in one:
        facts += [("answer before", cut(one["before"], 280)), ("answer now", cut(one["after"], 280))]
    if "text_pieces" in one:
        facts.append(("text", "".join(_sign(sign, text) for sign, text in one["text_pieces"])))
    return Example(cut(one["text"], 280), facts)


def _sign(sign: str, text: str) -> str:
    """A piece of a text that changed: what went in [-these-], what came in {+these+}."""
    return {"=": text, "-": f"[-{text}-]", "+": f"{{+{text}+}}"}[sign]

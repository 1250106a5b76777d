"""The data card of a version: what it is, how it was made, how far it can be trusted, and how to load it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.versions import shared
from pipeline.versions.head import head
from pipeline.versions.held import SIDES, STAGES
from pipeline.versions.markdown import code, safe, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from pipeline.recipe import Recipe
    from pipeline.settings import Label

LABELS, REASONS = 200, 40


def card(
    recipe: Recipe,
    found: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Mapping[str, Any]],
    *,
    schema: pa.Schema,
    meanings: Mapping[str, str],
    files: list[str],
) -> str:
    """README.md of a version: a function of the recipe, the reports `found` of its stages and the facts alone."""
    settings = recipe.settings
    title = settings.title or recipe.name
    yaml = head(title=title, licence=settings.licence, task=settings.task, facts=facts, schema=schema, files=files)
    parts = [
        [f"# {safe(title)}", "", *_what(recipe, facts)],
        _section("Labels", _labels(settings.guideline.label)),
        _section("Columns", _columns(schema, meanings)),
        _section("Shares of labels", shared.told(files)),
        _section("How it was made", _made(recipe, found)),
        _section("Rows that were rejected", _rejected(found)),
        _section("Annotators and agreement", _agreement(found["audit"]["details"])),
        _section("The split, and what keeps it from leaking", _split(recipe, found["split"]["details"], facts)),
        _section("Known limits", _limits(recipe, found, facts)),
        _section("How to load it", _load(recipe.name, has_shares=shared.FILE in files)),
        _section("Licence and citation", _licence(recipe)),
    ]
    return f"---\n{yaml}---\n\n" + "\n".join(line for part in parts for line in part) + "\n"


def _section(title: str, lines: Iterator[str]) -> list[str]:
    told = list(lines)
    return ["", f"## {title}", "", *told] if told else []


def _what(recipe: Recipe, facts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    rows = {side: facts[side]["rows"] for side in SIDES}
    made = sum(facts[side]["made"] for side in SIDES)
    sides = ", ".join(f"{rows[side]:,} {side}" for side in SIDES)
    copies = f"; {made:,} of them are copies in other words, made by machine, all in train" if made else ""
    yield f"{sum(rows.values()):,} rows for {recipe.settings.task}: {sides}{copies}."
    yield ""
    yield "Every raw record that was read is either a row here, part of one, or listed with its reason in"
    yield "`rejected.parquet`. `recipe.toml` says how it was made, `version.json` holds a hash of every file."


def _labels(labels: tuple[Label, ...]) -> Iterator[str]:
    if not labels:
        return
    rows = [(code(label.name), safe(label.definition) or "–", _examples(label)) for label in labels[:LABELS]]
    yield from table(("label", "definition", "examples"), rows)
    if len(labels) > LABELS:
        yield f"\n...and {len(labels) - LABELS:,} more in `recipe.toml`."


def _examples(label: Label) -> str:
    told = [f"“{safe(one)}”" for one in label.examples[:2]]
    told += [f"but not “{safe(one)}”" for one in label.counter_examples[:1]]
    return "; ".join(told) or "–"


def _columns(schema: pa.Schema, meanings: Mapping[str, str]) -> Iterator[str]:
    rows = [(code(column.name), code(str(column.type)), safe(meanings.get(column.name, ""))) for column in schema]
    yield from table(("column", "type", "what it holds"), rows)


def _made(recipe: Recipe, found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "Made by Assay from these sources:"
    yield ""
    for source in recipe.settings.ingest.source:
        files = ", ".join(code(name.rpartition("/")[2]) for name in source.files) or code(source.hub or "")
        yield f"* {safe(source.name)}: {files}"
    yield ""
    rows = [
        (stage, *(f"{report['counts'][name]:,}" for name in ("in", "made", "joined", "rejected", "kept")))
        for stage, report in found.items()
        if stage in STAGES
    ]
    yield from table(("stage", "in", "made", "joined", "rejected", "kept"), rows)


def _rejected(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    reasons = [
        (safe(stage), code(reason), f"{count:,}")
        for stage, report in found.items()
        if stage in STAGES
        for reason, count in sorted(report["counts"]["reasons"].items(), key=lambda item: (-item[1], item[0]))
    ]
    if reasons:
        yield from table(("stage", "reason", "rows"), reasons[:REASONS])


def _agreement(details: Mapping[str, Any]) -> Iterator[str]:
    figures = details.get("agreement", {}).get("all", [])
    measured = [figure for figure in figures if figure.get("value") is not None]
    annotators = details.get("annotators", {})
    count = annotators.get("count") or len(annotators.get("cards", ()))
    if count:
        yield f"{count:,} annotators (files count as one where they name nobody)."
        yield ""
    if not measured:
        yield "Agreement was not measured: it needs rows that two annotators answered."
        return
    rows = [
        (safe(one["name"]), f"{one['value']:.3f}", _interval(one), f"{one.get('rows', 0):,}") for one in measured[:12]
    ]
    yield from table(("measure", "value", "95 % interval", "rows"), rows)


def _interval(figure: Mapping[str, Any]) -> str:
    if figure.get("low") is None or figure.get("high") is None:
        return safe(str(figure.get("note") or "not known"))
    return f"{figure['low']:.3f} to {figure['high']:.3f}"


def _split(recipe: Recipe, details: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    settings = recipe.settings.split
    if any(one.split or one.split_names or "split" in one.columns for one in recipe.settings.ingest.source):
        yield "The official split of the sources was kept; training rows that would leak into it were taken out."
    else:
        kind = {"chance": "by a seeded hash of the id", "time": "by time, the newest held out"}
        how = kind.get(settings.by, "by whole sources")
        strata = ", ".join(settings.strata) or "nothing"
        yield f"Dealt {how}, stratified by {strata}; edition {code(settings.edition)}."
    yield ""
    yield "* Rows of one group (document, conversation, duplicate cluster) stand on one side."
    yield "* Made rows stand in train, beside the rows they were made from."
    if settings.near_duplicates:
        pairs = sum(count for count in details.get("near_pairs", {}).values() if isinstance(count, int))
        likeness = f"Jaccard likeness of character n-grams from {settings.near_threshold:g} on"
        yield f"* Near duplicates ({likeness}) stand on one side: {pairs:,} pairs were found."
    yield ""
    rows = [(side, f"{facts[side]['rows']:,}", f"{facts[side]['made']:,}") for side in SIDES]
    yield from table(("side", "rows", "made"), rows)


def _limits(
    recipe: Recipe, found: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    rate = found.get("suspect", {}).get("details", {}).get("error_rate") or {}
    if rate.get("value") is not None:
        yield f"* About {100 * rate['value']:.1f} % of the answers are probably wrong, as a model estimates."
    yield "* Agreement says how alike annotators answer, not whether they are right."
    undetermined = sum(facts[side]["languages"].get("und", 0) for side in SIDES)
    if undetermined:
        yield f"* The language of {undetermined:,} rows could not be told: their texts are too short."
    empty = [side for side in SIDES if not facts[side]["rows"]]
    if empty:
        yield f"* There are no rows in {' and '.join(empty)}."
    if not any(one.definition for one in recipe.settings.guideline.label):
        yield "* The recipe defines no labels: what they mean is not written down here."


def _load(name: str, *, has_shares: bool) -> Iterator[str]:
    yield from ("```python", "from datasets import load_dataset", "")
    yield f"rows = load_dataset({json.dumps('path/to/this/folder')})  # {safe(name)}"
    if has_shares:
        yield 'shares = load_dataset("path/to/this/folder", "shares", split="shares")'
    yield "```"


def _licence(recipe: Recipe) -> Iterator[str]:
    licence = recipe.settings.licence
    yield f"{safe(licence)}." if licence else "The recipe names no licence: ask whoever gave you this data set."
    yield "The sources keep their own licences and wish to be cited as they say themselves."

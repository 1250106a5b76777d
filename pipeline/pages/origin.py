"""What the page does not vouch for, and what exactly it is about: notes, settings, hashes, versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.pages import checked
from pipeline.pages.blocks import Block, Cell, Fold, Points, Section, Table, Text, number, written
from pipeline.pages.build import STAGES
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.pages.build import Build

NOTES, LABEL_CHARS = 20, 60


def unchecked(build: Build) -> Section:
    """All that was not looked at, in one place, so that silence is not taken for a pass."""
    found = [*_missing(build), *_gate_notes(build), *_audit_notes(build), *_model_notes(build)]
    blocks: list[Block] = [Points(found)] if found else [Text("Every stage has run, and every check could be made.")]
    return Section("unchecked", "What was not checked", blocks)


def _missing(build: Build) -> Iterator[str]:
    for stage in STAGES:
        if stage not in build.reports:
            yield f"{stage} has not been run."


def _gate_notes(build: Build) -> Iterator[str]:
    report = build.reports.get("gate", {})
    for one in report.get("results", []):
        if one["verdict"] == "ERROR":
            yield f"Gate {one['gate']} could not be checked: {one.get('note') or 'no reason given'}"
    for name in report.get("off", []):
        yield f"Gate {name} is turned off by the recipe."


def _audit_notes(build: Build) -> Iterator[str]:
    if "audit" not in build.reports:
        return
    if note := build.details("suspect").get("note"):
        yield f"Suspects: {note}."
    yield from _agreement_notes(build.details("audit", "agreement"))
    if (judged := build.details("audit", "annotators")) and not judged.get("cards"):
        yield f"Annotators: {'; '.join(map(str, judged.get('notes') or [])) or 'nobody could be judged'}."
    if lacking := checked.lacking(build):
        yield lacking


def _agreement_notes(told: Mapping[str, Any]) -> Iterator[str]:
    headline = told.get("headline") or {}
    if headline and headline.get("value") is None:
        yield f"Agreement: {headline.get('note') or 'it could not be measured'}."
    if told and not told.get("by_label"):
        yield "Agreement per label: the answers are free text or numbers, or there are too many different ones."
    for label, figure in (told.get("by_label") or {}).items():
        if figure.get("note"):
            yield f"Agreement on {cut(label, LABEL_CHARS)}: {figure['note']}."


def _model_notes(build: Build) -> Iterator[str]:
    if "evaluate" not in build.reports:
        return
    told = build.details("evaluate", "scores", "test")
    if build.details("evaluate").get("sampled"):
        yield "Scores: only a sample of the held-out rows was scored."
    few = [
        f"{name} ({kind})"
        for kind, named in (told.get("slices") or {}).items()
        for name, v in named.items()
        if "value" not in v
    ]
    if few:
        yield f"Slices with too few rows to be scored: {', '.join(few)}."
    if (told.get("replies") or {}).get("n"):
        yield f"Replies: {written(told['replies']['n'])} of {written(told.get('n'))} test rows were answered in full."


def origin(build: Build) -> Section:
    """Content hashes of every table, versions of libraries, settings of the recipe, notes of the readers."""
    blocks: list[Block] = [_contents(build)]
    versions = build.details("finetune", "versions")
    if versions:
        rows = [(Cell(name, "code"), Cell(version, "code")) for name, version in sorted(versions.items())]
        blocks.append(Table("Libraries that the model was trained with", ("library", "version"), rows))
    ingest = build.reports.get("ingest", {}).get("details", {})
    if notes := ingest.get("notes"):
        more = int(ingest.get("notes_count") or len(notes)) - len(notes[:NOTES])
        shown = [*notes[:NOTES], *([f"and {more:,} more"] if more > 0 else [])]
        blocks.append(Fold(f"Notes of the readers: {written(ingest.get('notes_count'))}", [Points(shown)]))
    blocks.append(Fold("Guideline that the annotators had", list(_guideline(build))))
    blocks.append(Fold("Settings of the recipe", [_settings(build)]))
    return Section("origin", "What exactly this is about", blocks)


def _contents(build: Build) -> Table:
    rows = [
        (Cell(f"{stage} / {name}"), number(table.get("rows")), Cell(table.get("content", ""), "code"))
        for stage, report in build.reports.items()
        for name, table in sorted(report.get("tables", {}).items())
        if table.get("content")
    ]
    return Table("Content of every table, as a hash", ("table", "rows", "content"), rows)


def _guideline(build: Build) -> Iterator[Block]:
    guideline = build.recipe.settings.guideline
    yield Text(f"Version {guideline.version}.")
    rows = [
        (
            Cell(label.name, "quote"),
            Cell(label.definition, "quote"),
            Cell("; ".join(label.examples), "quote"),
            Cell("; ".join(label.counter_examples), "quote"),
        )
        for label in guideline.label
    ]
    if rows:
        yield Table("", ("label", "definition", "examples", "not"), rows)


def _settings(build: Build) -> Table:
    """Every setting that differs from its default, by section."""
    chosen = build.recipe.settings.model_dump(mode="json", exclude_defaults=True, exclude={"guideline"})
    rows = []
    for section, settings in sorted(chosen.items()):
        pairs = sorted(settings.items()) if isinstance(settings, dict) else [("", settings)]
        for name, value in pairs:
            said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            rows.append((Cell(f"{section} {name}".strip(), "code"), Cell(said, "quote")))
    return Table("Settings that differ from their defaults", ("setting", "value"), rows)

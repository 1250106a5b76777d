"""A small data set with suspects of every task's shape, and a person who answers in a tool's own files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline import flow
from tests.small import ALONE, jsonl, made

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

HEAD = """
task = "{task}"
[ingest]
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = {{ id = "id", {columns} }}
[audit]
consensus = "majority"
duplicates = "off"
suspect_share = 1.0
[review]
blind_share = {blind}
"""
PLACES = ("Rome", "Leeds", "上海", "Bonn", "Oslo")


def entities(folder: Path, *, blind: float = 0.0, named: str = "Anna") -> Recipe:
    """Sentences whose places are marked LOC, but for a few that are marked PER, with emoji before them."""
    labels = "".join(f'[[guideline.label]]\nname = "{name}"\n' for name in ("LOC", "ORG", "PER"))
    rows = []
    for number in range(60):
        place, who = PLACES[number % len(PLACES)], f"{named} {'abcdefghij'[number % 10]}"
        text = f"😀 {who} lives in {place} since {number} & <b>likes</b> it"
        label = "PER" if number in (7, 19) else "LOC"
        marks = [(who, "PER"), (place, label)]
        spans = [
            {"start": text.index(what), "end": text.index(what) + len(what), "label": name} for what, name in marks
        ]
        rows.append({"id": str(number), "text": text, "spans": spans})
    head = HEAD.format(task="tagging", columns='text = "text", spans = "spans"', blind=blind)
    return _built(folder, head, rows, f"[guideline]\n{labels}")


def topics(folder: Path, *, blind: float = 0.0, twice: bool = False) -> Recipe:
    """Texts on two topics, a few of them under the other one's label; `twice`: two of a text that differ as well."""
    rows = []
    for number in range(80):
        is_sport = number % 2 == 0
        text = f"the team won match {number} in the cup" if is_sport else f"the painter showed {number} pictures in oil"
        label = ("sport" if is_sport else "art") if number not in (8, 21) else ("art" if is_sport else "sport")
        rows.append({"id": str(number), "text": text, "label": label})
    if twice:
        rows += [{"id": f"9{at}", "text": "the team won match 90 in the cup", "label": at} for at in ("sport", "art")]
    labels = '[guideline]\n[[guideline.label]]\nname = "art"\n[[guideline.label]]\nname = "sport"\n'
    head = HEAD.format(task="classification", columns='text = "text", label = "label"', blind=blind)
    if twice:
        head = head.replace('duplicates = "off"', 'duplicates = "exact"')
    return _built(folder, head, rows, labels)


def _built(folder: Path, head: str, rows: list[dict[str, Any]], more: str) -> Recipe:
    one = made(folder, head + more, {"rows.jsonl": jsonl(rows)})
    flow.build(one, ALONE, last="suspect")
    return one


def decided(one: Recipe) -> list[dict[str, Any]]:
    """The lines of decisions as they stand in the file."""
    text = one.decisions.read_text(encoding="utf-8") if one.decisions.is_file() else ""
    return [json.loads(line) for line in text.splitlines()]

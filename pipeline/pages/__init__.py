"""The report: one static HTML page per build, readable on a phone and without a network; nothing in it runs."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from pipeline import checks
from pipeline.pages import (
    agreed,
    changes,
    checked,
    doubts,
    origin,
    overview,
    people,
    scores,
    settled,
    shape,
    truth,
    twins,
)
from pipeline.pages.build import Build, read
from pipeline.pages.frame import code_hash, placed, rendered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.pages.blocks import Section
    from pipeline.pages.overview import Line
    from pipeline.recipe import Recipe

PAGE = "report.html"


def write(recipe: Recipe, *, lines: Sequence[Line] = ()) -> Path:
    """Write the report of a build as far as it has come, unless it says all this already; its path.

    `lines` are the waterfall of counts (`pipeline.flow.ledger`); without them the counts stand stage by stage.

    Raises:
        AssayError: the page cannot be written.
    """
    build = read(recipe)
    key = _key(build, lines)
    return placed(recipe.build / PAGE, key, lambda: render(build, lines=lines, key=key))


def render(build: Build, *, lines: Sequence[Line] = (), key: str = "") -> str:
    """The page as text: a function of the build and the lines alone."""
    return rendered(
        build,
        what="Assay report",
        verdict=overview.verdict(build),
        headline=scores.headline(build),
        notices=overview.notices(build),
        facts=overview.facts(build),
        sections=sections(build, lines),
        key=key,
    )


def sections(build: Build, lines: Sequence[Line]) -> list[Section]:
    """The parts of the page, in the order of a reader who has a deadline."""
    return [
        overview.counts(build, lines),
        overview.gates(build),
        changes.changes(build),
        truth.rejected(build),
        agreed.agreement(build),
        settled.consensus(build),
        people.annotators(build),
        doubts.suspects(build),
        checked.checked(build),
        twins.duplicates(build),
        shape.classes(build),
        shape.augmentation(build),
        shape.split(build),
        scores.model(build),
        origin.unchecked(build),
        origin.origin(build),
    ]


def _key(build: Build, lines: Sequence[Line]) -> str:
    """All that the page depends on, as a hash: reports, recipe, checks, versions, lines, and the code of the pages."""
    told = [[line.stage, line.what, line.count, line.total] for line in lines]
    settings = build.recipe.settings.model_dump(mode="json")
    seen = [build.reports, build.recipe.name, settings, told, changes.compared(build)]
    basis = json.dumps(seen, sort_keys=True, ensure_ascii=False)
    whole = hashlib.sha256(basis.encode())
    for path in checks.read_from(build.recipe):
        whole.update(path.read_bytes())
    whole.update(code_hash())
    return whole.hexdigest()[:32]


__all__ = ["PAGE", "render", "write"]

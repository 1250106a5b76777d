"""The report: one static HTML page per build, readable on a phone and without a network; nothing in it runs."""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline import checks
from pipeline.errors import AssayError
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
from pipeline.pages.blocks import VERDICTS
from pipeline.pages.build import Build, read
from pipeline.pages.visible import language_tag, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.pages.blocks import Section
    from pipeline.pages.overview import Line
    from pipeline.recipe import Recipe

PAGE = "report.html"
_HERE = Path(__file__).resolve().parent


def write(recipe: Recipe, *, lines: Sequence[Line] = ()) -> Path:
    """Write the report of a build as far as it has come, unless it says all this already; its path.

    `lines` are the waterfall of counts (`pipeline.flow.ledger`); without them the counts stand stage by stage.

    Raises:
        AssayError: the page cannot be written.
    """
    build, path = read(recipe), recipe.build / PAGE
    key = _key(build, lines)
    if path.is_file() and _key_of(path) == key:
        return path
    page = render(build, lines=lines, key=key)
    partial = path.with_suffix(".html.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page, encoding="utf-8", newline="\n")
        os.replace(partial, path)
    except OSError as error:
        raise AssayError(str(path), f"cannot be written: {error.strerror or error}", "free some space") from error
    return path


def render(build: Build, *, lines: Sequence[Line] = (), key: str = "") -> str:
    """The page as text: a function of the build and the lines alone."""
    settings = build.recipe.settings
    return (
        _environment()
        .get_template("report.html")
        .render(
            title=settings.title or build.recipe.name,
            name=build.recipe.name,
            task=settings.task,
            licence=settings.licence,
            verdict=overview.verdict(build),
            headline=scores.headline(build),
            notices=overview.notices(build),
            facts=overview.facts(build),
            sections=sections(build, lines),
            signs=VERDICTS,
            style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
            key=key,
        )
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


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Templates whose every output is escaped, and whose hidden characters are spelled out."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["language_tag"] = language_tag
    return environment


def _key(build: Build, lines: Sequence[Line]) -> str:
    """All that the page depends on, as a hash: reports, recipe, checks, versions, lines, and the code of the pages."""
    told = [[line.stage, line.what, line.count, line.total] for line in lines]
    settings = build.recipe.settings.model_dump(mode="json")
    seen = [build.reports, build.recipe.name, settings, told, changes.compared(build)]
    basis = json.dumps(seen, sort_keys=True, ensure_ascii=False)
    whole = hashlib.sha256(basis.encode())
    for path in checks.read_from(build.recipe):
        whole.update(path.read_bytes())
    for path in sorted(_HERE.iterdir()):
        if path.suffix in {".py", ".html", ".css"}:
            whole.update(path.read_bytes())
    return whole.hexdigest()[:32]


def _key_of(path: Path) -> str:
    """The key in the first lines of a page that stands there; empty where there is none."""
    with path.open(encoding="utf-8", errors="replace") as page:
        head = page.read(600)
    return head.partition('name="assay-key" content="')[2].partition('"')[0]


__all__ = ["PAGE", "render", "write"]

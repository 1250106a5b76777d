"""The frame of every page: one static HTML file, everything from data escaped, written when it says something new."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.errors import AssayError
from pipeline.pages.blocks import VERDICTS, Facts
from pipeline.pages.visible import language_tag, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.pages.blocks import Section
    from pipeline.pages.build import Build
    from pipeline.pages.overview import Notice, Verdict

_HERE = Path(__file__).resolve().parent


def rendered(
    build: Build,
    *,
    what: str,
    verdict: Verdict,
    sections: Sequence[Section],
    key: str,
    headline: str = "",
    notices: Sequence[Notice] = (),
    facts: Facts | None = None,
) -> str:
    """A page as text; `what` says which of a build's pages it is."""
    settings = build.recipe.settings
    return (
        _environment()
        .get_template("report.html")
        .render(
            what=what,
            title=settings.title or build.recipe.name,
            name=build.recipe.name,
            task=settings.task,
            licence=settings.licence,
            verdict=verdict,
            headline=headline,
            notices=notices,
            facts=facts or Facts(()),
            sections=sections,
            signs=VERDICTS,
            style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
            key=key,
        )
    )


def placed(path: Path, key: str, render: Callable[[], str]) -> Path:
    """Write a page, whole or not at all, unless the one that stands there has the same key; its path.

    Raises:
        AssayError: the page cannot be written.
    """
    if path.is_file() and _key_of(path) == key:
        return path
    page = render()
    partial = path.with_suffix(".html.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page, encoding="utf-8", newline="\n")
        os.replace(partial, path)
    except OSError as error:
        raise AssayError(str(path), f"cannot be written: {error.strerror or error}", "free some space") from error
    return path


def code_hash() -> bytes:
    """A hash of the code, the template and the style of all pages."""
    whole = hashlib.sha256()
    for path in sorted(_HERE.iterdir()):
        if path.suffix in {".py", ".html", ".css"}:
            whole.update(path.read_bytes())
    return whole.digest()


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


def _key_of(path: Path) -> str:
    """The key in the first lines of a page that stands there; empty where there is none."""
    with path.open(encoding="utf-8", errors="replace") as page:
        head = page.read(600)
    return head.partition('name="assay-key" content="')[2].partition('"')[0]

"""The annotation lead's page: agreement, annotators, confusion, what is suspicious, what was decided, what it cost."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING

from pipeline import checks
from pipeline.pages import agreed, checked, overview, people, reviewed, settled
from pipeline.pages.build import Build, read
from pipeline.pages.frame import code_hash, placed, rendered
from pipeline.pages.reviewed import Review

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.pages.blocks import Section
    from pipeline.recipe import Recipe

PAGE = "lead.html"


def write(recipe: Recipe, review: Review) -> Path:
    """Write the lead's page of a build, unless it says all this already; its path.

    Raises:
        AssayError: the page cannot be written.
    """
    build = read(recipe)
    key = _key(build, review)
    return placed(recipe.build / PAGE, key, lambda: render(build, review, key=key))


def render(build: Build, review: Review, *, key: str = "") -> str:
    """The page as text: a function of the build and the review alone."""
    stop = review.facts["stop"]
    return rendered(
        build,
        what="Annotation lead",
        verdict=overview.Verdict("NONE", f"Review: {stop['say']}. {stop['why'][:1].upper()}{stop['why'][1:]}."),
        sections=sections(build, review),
        key=key,
    )


def sections(build: Build, review: Review) -> list[Section]:
    """The parts of the page, in the order in which a lead decides about the week."""
    return [
        reviewed.progress(build, review),
        reviewed.groups(build, review),
        reviewed.people(build, review),
        checked.checked(build),
        agreed.agreement(build),
        people.annotators(build),
        settled.consensus(build),
    ]


def _key(build: Build, review: Review) -> str:
    settings = build.recipe.settings.model_dump(mode="json")
    seen = [build.reports.get("audit"), build.recipe.name, settings, dataclasses.asdict(review)]
    whole = hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False, default=str).encode())
    for path in checks.read_from(build.recipe):
        whole.update(path.read_bytes())
    whole.update(code_hash())
    return whole.hexdigest()[:32]


__all__ = ["PAGE", "Review", "render", "sections", "write"]

"""Reviewers: who may look, each by a link of their own that nobody can guess."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING

from pipeline.errors import AssayError
from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKEN_BYTES = 32
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person and the secret of their link."""

    who: str
    token: str


def reviewers(names: Sequence[str]) -> tuple[Reviewer, ...]:
    """A reviewer for each name.

    Raises:
        AssayError: a name that is blank, too long, told twice, or holds what cannot be seen.
    """
    found = [name.strip() for name in names]
    for name in found:
        if not name or len(name) > _LONGEST or visible(name) != name or "\n" in name:
            raise AssayError("--who", f"no name of a reviewer: {visible(name)!r:.100}", "say who decides: --who anna")
        if found.count(name) > 1:
            raise AssayError("--who", f"'{name}' is told twice", "one name for each reviewer")
    if not found:
        raise AssayError("--who", "nobody reviews", "say who decides: --who anna")
    return tuple(Reviewer(name, secrets.token_urlsafe(TOKEN_BYTES)) for name in found)


def known(token: str, people: Sequence[Reviewer]) -> Reviewer | None:
    """Whose token it is; every one is compared, and as slowly, whether it is right or not."""
    found = None
    for person in people:
        if compare_digest(token.encode("utf-8", "surrogateescape"), person.token.encode()):
            found = person
    return found

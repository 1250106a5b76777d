"""Lapsed: decisions that no longer speak of what their rows say, as the report of a build tells them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

STALE = "stale, not followed"
SHOWN_CHARS, BEFORE_CHARS = 60, 20
"""Of two texts that differ, so much is shown, and so much of it before they part."""
_TOLD = re.compile(rf"(?P<place>\S+:\d+): .*?: (?P<why>{STALE}: [^(]*?) \(", re.DOTALL)


def lapsed(report: Mapping[str, Any] | None) -> dict[str, str]:
    """Why each line was not followed that the report of an audit tells as stale, by the place of the line.

    >>> told = "d.jsonl:3: row s/1, fine by ann: stale, not followed: the text is another (it read 'a'; ...)"
    >>> lapsed({"details": {"decisions": {"stale": [told]}}})
    {'d.jsonl:3': 'stale, not followed: the text is another'}
    """
    told = (report or {}).get("details", {}).get("decisions", {}).get("stale") or []
    found = (_TOLD.match(line) for line in told)
    return {one["place"]: one["why"] for one in found if one}


def apart(one: str, other: str) -> tuple[str, str]:
    """Of two texts what stands about the place where they part, cut between words where there are any.

    >>> apart("the team won the match in Rome", "the team won the match in Bonn")
    ('…won the match in Rome', '…won the match in Bonn')
    """
    same = next((at for at, (here, there) in enumerate(zip(one, other, strict=False)) if here != there), None)
    start = max((min(len(one), len(other)) if same is None else same) - BEFORE_CHARS, 0)
    if start > 0 and (space := one.find(" ", start, start + BEFORE_CHARS)) >= 0:
        start = space + 1
    return _cut(one, start), _cut(other, start)


def _cut(text: str, start: int) -> str:
    end = start + SHOWN_CHARS
    if end < len(text) and (space := text.rfind(" ", start + BEFORE_CHARS, end)) >= 0:
        end = space
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


__all__ = ["STALE", "apart", "lapsed"]

"""Markdown from hostile text: it says what the text says, links nowhere, calls nobody and breaks out of nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What acts on a reader's screen and is not seen: controls, byte-order marks, lone surrogates, overrides of direction.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff\u200b-\u200f\u202a-\u202e\u2066-\u2069]"
)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ACTS = re.compile(r"([\\`*_{}\[\]|~$])")
# Forges make links of these in rendered text, where a backslash is gone already: a space of no width parts them.
_CALLS = re.compile(r"(@)(?=\w)|(#)(?=\d)|(:)(?=//)|(www)(?=\.)", re.IGNORECASE)


def plain(text: str) -> str:
    """One line of text without what acts on a reader's screen."""
    return " ".join(_HIDDEN.sub(" ", text).split())


def safe(text: str) -> str:
    """Text from a recipe or from data as Markdown that says just that.

    >>> safe("a|b <i> *c*")
    'a\\\\|b &lt;i&gt; \\\\*c\\\\*'
    """
    told = _ACTS.sub(r"\\\1", plain(text))
    told = re.sub("[&<>]", lambda found: _ENTITIES[found[0]], told)
    told = _CALLS.sub("\\g<0>\u200b", told)
    return re.sub(r"^([-+#=])", r"\\\1", told)


def code(text: str, *, most: int = 0) -> str:
    """Text as code, where nothing is called and nothing is set; at most `most` characters of it if that is not 0.

    >>> code("a`b|c")
    '``a`b\\\\|c``'
    """
    told = plain(text)
    if most and len(told) > most:
        told = told[: most - 1] + "…"
    if not told:
        return "–"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", told)), default=0))
    edge = " " if told[0] == "`" or told[-1] == "`" else ""
    return f"{fence}{edge}{told}{edge}{fence}".replace("|", "\\|")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: int = 0) -> list[str]:
    """A table of cells that are safe already; the last `right` columns hold numbers."""
    rule = ["---"] * (len(head) - right) + ["--:"] * right
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]

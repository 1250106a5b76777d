"""Kinds of rewording, one file each: they change the free words of a row and leave its answer true."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pipeline.errors import AssayError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

# No SplitAug ("f ood"): texts that differ in white space are the same text to the audit, the split and the gates.
KNOWN = ("confusion", "delete", "keyboard", "mention_swap", "ocr", "swap")

MENTION_SWAP = "mention_swap"
"""The one kind that changes mentions instead of the words around them; see `pipeline.edits.mention_swap`."""


@runtime_checkable
class Edit(Protocol):
    """One kind of rewording. Edits are frozen and picklable, and draw from nothing but the seed they are given."""

    @property
    def name(self) -> str:
        """What recipes call it."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """The languages it can do, without regions."""
        ...

    def reword(self, pieces: Sequence[str], *, language: str, share: float, seed: int) -> list[str] | None:
        """As many pieces, about `share` of their words changed; None where nothing changed or the edit went wrong.

        White space at the edges of pieces, punctuation, numbers, links, placeholders, @mentions and #hashtags stay.
        """
        ...


def edit(name: str) -> Edit:
    """The edit called `name`.

    Raises:
        AssayError: there is no such edit; the known ones are named.
    """
    known = [kind for kind in KNOWN if kind != MENTION_SWAP]
    if name not in known:
        raise AssayError("edit", f"no edit '{name}'", nearest(name, KNOWN))
    made: Edit = import_module(f"pipeline.edits.{name}").EDIT
    return made

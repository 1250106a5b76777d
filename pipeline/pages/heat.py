"""Heat tables: counts of one label against another, shaded by their share of the row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.pages.blocks import Cell, Table, percent
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 16
"""A table of more labels is folded or cut."""
_NAME_CHARS = 40


def heat(
    caption: str,
    corner: str,
    labels: Sequence[str],
    counts: Sequence[Sequence[int]],
    totals: Sequence[int] | None = None,
) -> Table:
    """The table `counts` [labels][labels]; rows that are empty are left out.

    `totals` are what shares are of, where `counts` leaves columns out.
    """
    names = [cut(label, _NAME_CHARS) for label in labels]
    whole = [sum(line) for line in counts] if totals is None else totals
    rows = [
        (Cell(name, "quote"), *(_cell(count, of) for count in line))
        for name, line, of in zip(names, counts, whole, strict=True)
        if of
    ]
    return Table(caption, (corner, *names), rows)


def _cell(count: int, of: int) -> Cell:
    return Cell(f"{count:,} ({percent(count, of)})" if count else "0", f"number heat-{min(10 * count // of, 9)}")

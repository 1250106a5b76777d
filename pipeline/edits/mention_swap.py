"""Mention swap: a name gives way to another of its kind and language that stands in another row.

After Dai & Adel 2020, "An analysis of simple data augmentation for named entity recognition",
doi 10.18653/v1/2020.coling-main.343. The row that lends the name becomes a parent of the made row.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.chance import draw
from pipeline.edits.words import amount, primary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.tasks import Row, Task

Mention = tuple[str, str]
"""(kind, surface)"""

# A draw that hits the row's own name or its own row moves on to the next; after so many steps there is no other.
_STEPS = 8


@dataclass(frozen=True, slots=True)
class Donor:
    """A surface and the row that lends it."""

    row: str
    surface: str
    weight: float
    confidence: float | None
    also_in: tuple[str, ...] = ()
    """The groups that were merged into the row."""


@dataclass
class Inventory:
    """All mentions of a data set by language and kind; each surface is lent by the row with the least id."""

    _found: dict[tuple[str, str], dict[str, Donor]] = field(default_factory=dict)
    _ordered: dict[tuple[str, str], list[Donor]] = field(default_factory=dict)

    def add(self, donor: Donor, *, language: str, kind: str) -> None:
        """Take in a mention."""
        known = self._found.setdefault((primary(language), kind), {})
        if donor.surface not in known or donor.row < known[donor.surface].row:
            known[donor.surface] = donor
            self._ordered.clear()

    def offers(
        self, row: str, mentions: Sequence[Mention], *, language: str, share: float, seed: int
    ) -> dict[Mention, Donor]:
        """Others for about `share` of the distinct mentions, at least one; empty where there are no others."""
        distinct = list(dict.fromkeys(mentions))
        drawn = random.Random(seed).sample(distinct, amount(share, len(distinct)))
        found = {mention: self._other(row, mention, primary(language), draw(seed, *mention)) for mention in drawn}
        return {mention: donor for mention, donor in found.items() if donor is not None}

    def _other(self, row: str, mention: Mention, language: str, number: int) -> Donor | None:
        kind, surface = mention
        shelf = self._shelf((language, kind))
        for step in range(min(_STEPS, len(shelf))):
            donor = shelf[(number + step) % len(shelf)]
            if donor.row != row and donor.surface.casefold() != surface.casefold():
                return donor
        return None

    def _shelf(self, key: tuple[str, str]) -> list[Donor]:
        """The donors of a language and kind in the order of their surfaces, whatever the order they came in."""
        if key not in self._ordered:
            found = self._found.get(key, {})
            self._ordered[key] = [found[surface] for surface in sorted(found)]
        return self._ordered[key]


def swapped(task: Task, row: Row, offers: Mapping[Mention, Donor]) -> Row:
    """The row with every occurrence of the offered mentions replaced."""
    surfaces = [offers[mention].surface if mention in offers else mention[1] for mention in task.mentions(row)]
    return task.with_mentions(row, surfaces)

"""Held-out sets: those that the recipe names under [[against]], read into items that no row may hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import sources
from pipeline.errors import AssayError, nearest
from pipeline.quality import contamination
from pipeline.quality.contamination import Items, Size
from pipeline.readers import Broken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.quality.contamination import Index
    from pipeline.recipe import Recipe
    from pipeline.settings import Against


@dataclass(frozen=True)
class HeldOut:
    """Held-out sets that are looked for alike, their items, and what was read of each, by name."""

    sets: Sequence[Against]
    items: Items
    told: dict[str, dict[str, int]]

    @property
    def size(self) -> Size:
        """How long the n-grams are."""
        return Size(self.sets[0].ngram_words, self.sets[0].ngram_chars)

    def index(self) -> Index:
        """The index of the items."""
        return contamination.build(self.items.texts, np.array(self.items.sets, dtype=np.int64), self.size)


def named(recipe: Recipe) -> list[Against]:
    """The held-out sets of the recipe, in its order."""
    return [one for one in recipe.settings.against if one.kind == "held-out"]


def inputs(recipe: Recipe) -> dict[str, str]:
    """The content hash of every file of the held-out sets; of a hub data set, the commit it stands at."""
    found: dict[str, str] = {}
    for one in named(recipe):
        content = sources.content(recipe, one, section=f"[against]] '{one.name}'")
        found |= {f"{one.name}: {name}": digest for name, digest in content.items()}
    return found


def read(recipe: Recipe) -> Iterator[HeldOut]:
    """The items of all held-out sets; sets that are looked for alike come together, and are searched in one pass."""
    alike: dict[tuple[int, int, float], list[Against]] = {}
    for one in named(recipe):
        alike.setdefault((one.ngram_words, one.ngram_chars, one.least_share), []).append(one)
    for several in alike.values():
        held_out = HeldOut(several, Items(), {})
        for number, one in enumerate(several):
            held_out.told[one.name] = _take_in(recipe, one, number, held_out)
        yield held_out


def _take_in(recipe: Recipe, one: Against, number: int, held_out: HeldOut) -> dict[str, int]:
    """Add the items of a set; what was read, in numbers."""
    place = f"recipe '{recipe.name}' [[against]] '{one.name}'"
    counts, fields = Counter({"records": 0, "broken": 0}), set[str]()
    texts: list[tuple[str, str, str]] = []
    for record in sources.records(recipe, one, section=f"[against]] '{one.name}'"):
        if isinstance(record, Broken):
            counts["broken"] += 1
            continue
        counts["records"] += 1
        found = list(contamination.leaves(record.fields))
        fields |= {name for name, _ in found}
        item = _item(record.place, record.fields, one)
        texts += [(item, name, text) for name, text in found if contamination.is_named(name, one.fields)]
    for name in one.fields:
        if not any(contamination.is_named(field, [name]) for field in fields):
            raise AssayError(place, f"no record has a text in the field '{name}'", nearest(name, fields))
    made = contamination.add(held_out.items, number, texts, records=counts["records"], size=held_out.size)
    if not made["items"]:
        raise AssayError(place, "there is no text in it to look for", "name the right files, or take the set out")
    return {**counts, **{kind: made[kind] for kind in ("items", "repeated", "wording", "blank")}}


def _item(place: str, fields: dict[str, Any], one: Against) -> str:
    """Where an item stands, and its own id if the recipe says which field holds it."""
    own = fields.get(one.columns["id"]) if "id" in one.columns else None
    return place if own in (None, "") else f"{place} ({own})"

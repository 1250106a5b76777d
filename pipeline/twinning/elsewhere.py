"""Elsewhere: rows that are duplicates of rows of an existing set, and whether they answer the same there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.quality.duplicates.evidence import CONTAINED
from pipeline.twinning.asked import Asked
from pipeline.twinning.copies import keys_of
from pipeline.twinning.likeness import NEAR, Near, near_between
from pipeline.twinning.outcomes import EQUALLY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pyarrow as pa

    from pipeline.stage import Work
    from pipeline.twinning.search import Spoken

HIT = "known elsewhere"
KEYS_AT_ONCE = 4096
SAME, OTHER, NONE = "the same answer", "another answer", "no answer"


@dataclass(frozen=True)
class Hit:
    """What a row is a duplicate of: the number of the item, how the two are alike, and what the item answers."""

    item: int
    kind: str
    similarity: float
    why: str
    answers: str


@dataclass(frozen=True)
class Known:
    """The rows that an existing set holds: by position, what each is a duplicate of.

    Attributes:
        names: of each item of the sets, NAME!place.
        rejected: pairs (row, item) that look alike and are not: kind, similarity, why.
    """

    hits: dict[int, Hit] = field(default_factory=dict)
    names: Sequence[str] = ()
    sets: dict[str, dict[str, int]] = field(default_factory=dict)
    rejected: list[tuple[int, int, str, float, str]] = field(default_factory=list)
    asked: Asked | None = None

    def texts(self, names: Collection[str]) -> dict[str, str]:
        """What was asked of those items that rows of ours are duplicates of, by name."""
        wanted = {self.names[hit.item]: hit.item for hit in self.hits.values()} if self.asked else {}
        chosen = {name: wanted[name] for name in sorted(names) if name in wanted}
        return dict(zip(chosen, self.asked.of(chosen.values()), strict=True)) if self.asked else {}

    def evidence(self, row: int) -> str:
        """What is said of a row that leaves."""
        hit = self.hits[row]
        like = "" if hit.similarity == 1.0 else f" {hit.similarity:.2f}"
        why = f"; {hit.why}" if hit.kind not in EQUALLY else ""
        return f"{hit.kind}{like} duplicate of {self.names[hit.item]}, which has {hit.answers}{why}"

    def lines(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The pairs with items of the sets, for the table of pairs."""
        for row, hit in self.hits.items():
            yield _line(ids[row], self.names[hit.item], hit.kind, hit.similarity, hit.why, accepted=True)
        for row, item, kind, similarity, why in self.rejected:
            yield _line(ids[row], self.names[item], kind, similarity, why, accepted=False)

    def told(self) -> dict[str, Any]:
        """For the report: for each set how many items it has, and how many rows leave by kind and by answer."""
        found: dict[str, Any] = {}
        for name, counts in self.sets.items():
            mine = [hit for hit in self.hits.values() if self.names[hit.item].partition("!")[0] == name]
            found[name] = counts | {
                "rows": len(mine),
                "by_kind": dict(sorted(Counter(hit.kind for hit in mine).items())),
                "by_answer": dict(sorted(Counter(hit.answers for hit in mine).items())),
            }
        return found


def _line(left: str, right: str, kind: str, similarity: float, why: str, *, accepted: bool) -> dict[str, Any]:
    told = {"left": left, "right": right, "kind": kind, "similarity": similarity, "accepted": accepted, "why": why}
    return told | {"outcome": HIT if accepted else "kept both"}


def known_elsewhere(
    work: Work,
    spoken: Spoken,
    alive: Sequence[int],
    *,
    meanings: Sequence[str | None],
    decided: Collection[int],
    told: pa.Table,
    texts: Asked,
    given: tuple[pa.Table, dict[str, dict[str, int]]],
) -> Known:
    """The rows among `alive` that the sets hold (`given`: `existing.items`); those that a person decided stay."""
    items, sets = given
    rows = [row for row in alive if row not in decided]
    names = [
        f"{name}!{place}" for name, place in zip(*(items[part].to_pylist() for part in ("set", "place")), strict=True)
    ]
    if not names or not rows:
        return Known(names=names, sets=sets)
    asked, answers = Asked.in_column(items["asked"]), items["meaning"]
    hits = {
        row: Hit(item, kind, 1.0, EQUALLY[kind], _answers(answers[item].as_py(), meanings[row]))
        for row, (item, kind) in _equal(work, spoken, rows, asked, names).items()
    }
    rest = [row for row in rows if row not in hits]
    found = Near()
    if rest and work.recipe.settings.audit.duplicates in NEAR:
        heads = _heads(rest, spoken)
        settings = work.recipe.settings.audit
        found = near_between(heads, spoken.ids, told, texts.of, items=asked, names=names, settings=settings)
    rejected = []
    copies: dict[bytes, list[int]] = {}
    for row in rest:
        copies.setdefault(spoken.same[row], []).append(row)
    for row, item, kind, similarity, accepted, why in _ordered(found, names):
        if accepted and kind != CONTAINED:
            there = answers[item].as_py()
            for copy in copies[spoken.same[row]]:
                hits.setdefault(copy, Hit(item, kind, similarity, why, _answers(there, meanings[copy])))
        else:
            rejected.append((row, item, kind, similarity, why))
    return Known(hits, names, sets, rejected, asked)


def _ordered(found: Near, names: Sequence[str]) -> list[tuple[int, int, str, float, bool, str]]:
    """The pairs, the most alike first, so that it does not show in which order a set is stored."""
    columns = (found.left, found.right, found.kind, found.similarity, found.accepted, found.why)
    return sorted(zip(*columns, strict=True), key=lambda one: (-one[3], names[one[1]], one[0]))


def _answers(there: str | None, here: str | None) -> str:
    return NONE if there is None else SAME if there == here else OTHER


def _equal(
    work: Work, spoken: Spoken, rows: Sequence[int], asked: Asked, names: Sequence[str]
) -> dict[int, tuple[int, str]]:
    """Row -> the item that was asked the same, exactly before only normalised; of several the first by name."""
    kinds = ("exact",) if work.recipe.settings.audit.duplicates == "exact" else ("exact", "same")
    first: dict[str, dict[bytes, int]] = {kind: {} for kind in kinds}
    number = 0
    for texts in asked.batches(KEYS_AT_ONCE):
        for kind in kinds:
            known = first[kind]
            for item, key in enumerate(keys_of(texts, kind=kind), number):
                if key not in known or names[item] < names[known[key]]:
                    known[key] = item
        number += len(texts)
    found = {}
    for row in rows:
        for kind, key, told in (("exact", spoken.exact[row], "exact"), ("same", spoken.same[row], "normalised")):
            known = first.get(kind, {})
            if row not in found and key in known:
                found[row] = (known[key], told)
    return found


def _heads(rows: Sequence[int], spoken: Spoken) -> list[int]:
    """The first row by id of each input, in the order of their ids."""
    found: dict[bytes, int] = {}
    for row in sorted(rows, key=lambda row: spoken.ids[row]):
        found.setdefault(spoken.same[row], row)
    return list(found.values())

"""Outcomes: what became of every pair of rows that was compared, for the table `pairs` and the report."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.quality.duplicates import PAIRS
from pipeline.quality.duplicates.evidence import CONTAINED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.quality.merging import Merging
    from pipeline.twinning.likeness import Near

MERGED, CONFLICT, KEPT, SIDE = "merged", "conflict", "kept both", "same side"
EQUALLY = {"exact": "the same text", "normalised": "case, width, spaces or punctuation only"}
EXAMPLES, TEXT_CHARS = 10, 200
DECIMALS = 6


@dataclass(frozen=True)
class Compared:
    """The rows that were compared and what came of it.

    Attributes:
        rows: positions, in the order in which rows stand for others.
        exact, same: by position, the keys of what was asked.
        near: pairs among the first rows of each input.
    """

    rows: Sequence[int]
    exact: Sequence[bytes]
    same: Sequence[bytes]
    near: Near
    merging: Merging

    def pairs(self) -> Iterator[tuple[int, int, str, float, bool, str]]:
        """(left, right, kind, similarity, accepted, why) of all pairs.

        Of an input the first row that goes on is named, so that what is near to it stays known when others leave.
        """
        first = self.first_kept()
        for row in self.rows:
            head = first[self.same[row]]
            if head != row:
                stands = self.merging.merged.get(row, head)
                stands = stands if self.same[stands] == self.same[row] else head
                kind = self.equal(stands, row)
                yield stands, row, kind, 1.0, True, EQUALLY[kind]
        near = self.near
        left, right = ([first[self.same[row]] for row in side] for side in (near.left, near.right))
        yield from zip(left, right, near.kind, near.similarity, near.accepted, near.why, strict=True)

    def first_kept(self) -> dict[bytes, int]:
        """The first row of each input that goes on; of inputs of which none does, the first."""
        found: dict[bytes, int] = {}
        kept: set[bytes] = set()
        for row in self.rows:
            key = self.same[row]
            goes_on = row not in self.merging.merged and row not in self.merging.conflicts
            if key not in found or (goes_on and key not in kept):
                found[key] = row
            if goes_on:
                kept.add(key)
        return found

    def equal(self, one: int, other: int) -> str:
        """How two equal inputs are equal."""
        return "exact" if self.exact[one] == self.exact[other] else "normalised"

    def outcome(self, left: int, right: int, kind: str, *, accepted: bool) -> str:
        """What became of a pair: whether the two are one row, in conflict, both kept on one side, or simply kept."""
        if not accepted:
            return KEPT
        merged, held, cluster = self.merging.merged, self.merging.conflicts, self.merging.cluster
        if merged.get(left, left) == merged.get(right, right):
            return MERGED
        is_held = left in held or right in held
        both = left in held and right in held and cluster[left] == cluster[right]
        if kind != CONTAINED and is_held and (both or right in held.get(left, ()) or left in held.get(right, ())):
            return CONFLICT
        return SIDE if not is_held and left not in merged and right not in merged else KEPT


def kinds(compared: Compared) -> dict[int, tuple[str, float, str]]:
    """How each row that goes or is held back is like the one it is merged into, or that it is in conflict with."""
    heads: dict[bytes, int] = {}
    for row in compared.rows:
        heads.setdefault(compared.same[row], row)
    seen = {}
    columns = (compared.near.left, compared.near.right, compared.near.kind, compared.near.similarity, compared.near.why)
    for left, right, kind, similarity, why in zip(*columns, strict=True):
        seen[left, right] = seen[right, left] = (kind, similarity, why)
    merging = compared.merging
    against = {**{row: [stays] for row, stays in merging.merged.items()}, **merging.conflicts}
    found = {}
    for row, others in against.items():
        equal = next((other for other in others if compared.same[other] == compared.same[row]), None)
        if equal is not None:
            found[row] = (compared.equal(row, equal), 1.0, "")
            continue
        ways = (seen.get((heads[compared.same[row]], heads[compared.same[other]])) for other in others)
        found[row] = next(filter(None, ways), ("similar", 0.0, "through the first row of their cluster"))
    return found


def lines(compared: Compared, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The evidence of every pair of rows, as lines of the table."""
    for left, right, kind, similarity, accepted, why in compared.pairs():
        yield {
            "left": ids[left],
            "right": ids[right],
            "kind": kind,
            "similarity": round(similarity, DECIMALS),
            "accepted": accepted,
            "why": why,
            "outcome": compared.outcome(left, right, kind, accepted=accepted),
        }


def table(lines: list[dict[str, Any]]) -> pa.Table:
    """The lines as a table (columns: `PAIRS`), in the order of the ids."""
    lines.sort(key=lambda line: (line["left"], line["right"], line["kind"]))
    return pa.Table.from_pylist(lines, schema=PAIRS)


def told(
    pairs: pa.Table, compared: Compared, searched: Sequence[str], how: Mapping[int, tuple[str, float, str]]
) -> dict[str, Any]:
    """For the report: how many rows went or were held back, by kind and rule, and how many pairs were kept."""
    merging = compared.merging
    clusters = Counter(merging.cluster.values())
    lines = pairs.select(["kind", "accepted", "why", "outcome"]).to_pylist()
    return {
        "searched": list(searched),
        "merged": len(merging.merged),
        "in_conflict": len(merging.conflicts),
        "merged_by_kind": _counted(how[row][0] for row in merging.merged),
        "conflicts_by_kind": _counted(how[row][0] for row in merging.conflicts),
        "conflicts_by_rule": _counted(merging.rules.values()),
        "pairs": len(lines),
        "not_listed": dict(sorted(compared.near.not_listed.items())),
        "accepted": sum(line["accepted"] for line in lines),
        "kept_both": _counted(_apart(line) for line in lines if line["outcome"] == KEPT),
        "same_side": _counted(line["kind"] for line in lines if line["outcome"] == SIDE),
        "clusters": len(clusters),
        "largest_cluster": 1 + max(clusters.values()) if clusters else 0,
    }


def _apart(line: dict[str, Any]) -> str:
    """What kind of thing keeps two rows apart.

    >>> _apart({"accepted": False, "why": "number 3 / 5"}), _apart({"accepted": True, "why": "back / -"})
    ('number', 'between clusters')
    """
    if line["accepted"]:
        return "between clusters"
    why = str(line["why"])
    return why if why == "too different" else why.split(" ", 1)[0].rstrip(":") or "unlike"


def short(text: str) -> str:
    """The beginning of a text, as an example shows it."""
    return text if len(text) <= TEXT_CHARS else f"{text[:TEXT_CHARS]}..."


def _counted(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def chosen(pairs: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """Ten pairs of every outcome, those of near kinds first: equal inputs need no looking at."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    lines = sorted(pairs.to_pylist(), key=lambda line: line["kind"] in ("exact", "normalised"))
    for line in lines:
        if len(found[line["outcome"]]) < EXAMPLES:
            found[line["outcome"]].append(line)
    return dict(found)

"""The diff of two versions: rows, labels, sides, rejections, agreement and drift, as plain values for every output."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from pipeline.settings import Guideline
from pipeline.versions.changes import Change, change
from pipeline.versions.drift import drift
from pipeline.versions.held import SIDES
from pipeline.versions.joined import Joined, joined
from pipeline.versions.renamed import renamed
from pipeline.versions.wording import pieces, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.versions.held import Held

EXAMPLES = 10
FLOWS = 100
RECIPE_LINES = 200
_TEXT_CHARS = 400


def diff(before: Held, after: Held, *, limit: int | None = EXAMPLES) -> dict[str, Any]:
    """What changed from one version to another, with at most `limit` examples of each kind (None: every row).

    Rows are matched by id. `rows` holds the counts, and they add up: after = before + added - removed. A row that was
    relabelled, re-texted or moved to another side counts once in `changed`, and once in each of those that it was.

    Raises:
        AssayError: the two are of different tasks, or an id stands twice in one of them.
    """
    with joined(before, after) as both:
        found = _rows(both, limit)
        found |= {"rejections": _rejections(both), "conflicts": _conflicts(both, limit)}
        found["renamed"] = renamed(both, limit=limit)
    told = {"before": _named(before), "after": _named(after), **found}
    told["agreement"] = {"before": _agreement(before), "after": _agreement(after)}
    told["drift"] = drift(before, after)
    told["recipe"] = _recipe(before, after)
    told["is_same"] = not _is_changed(told)
    return told


def change_of_rows(before: Held, after: Held, *, limit: int | None = EXAMPLES) -> dict[str, Any]:
    """The part of the diff that is about rows alone, which the build that stands has as well as a version."""
    with joined(before, after) as both:
        return _rows(both, limit)


def _is_changed(told: Mapping[str, Any]) -> bool:
    """Whether anything but the recipe differs; rejections are compared by reason, not by what was seen."""
    counts = [count for name, count in told["rows"].items() if name not in ("before", "after")]
    rejections = [sum(kind.values()) for kind in told["rejections"].values()]
    return any([*counts, *rejections, told["other_columns"], told["columns"]["new"], told["columns"]["gone"]])


@dataclass
class _Examples:
    """The first `limit` of what is met, those in test first, then by id; all of it where there is no limit."""

    limit: int | None
    met: list[tuple[tuple[int, str], Any]] = field(default_factory=list)

    def add(self, sides: tuple[str | None, str | None], id_: str, what: Any) -> None:
        self.met.append(((min(_RANK[side] for side in sides if side), id_), what))
        if self.limit is not None and len(self.met) > 4 * self.limit + 100:
            self.met = self._first()

    def told(self) -> list[Any]:
        return [what for _, what in self._first()]

    def _first(self) -> list[tuple[tuple[int, str], Any]]:
        return sorted(self.met, key=lambda one: one[0])[: self.limit]


_RANK = {"test": 0, "validation": 1, "train": 2}


def _rows(both: Joined, limit: int | None) -> dict[str, Any]:
    seen = _Seen(limit)
    tasks = (both.before.task, both.after.task)
    for side_before, side_after, row, later in both.pairs():
        seen.take(change(tasks, (side_before, side_after), row, later))
    moved = both.moved()
    counts = {"before": sum(both.before.rows.values()), "after": sum(both.after.rows.values())}
    counts |= {"added": both.count("added"), "removed": both.count("removed")}
    resplit = sum(count for *_, count in moved)
    changed = seen.stayed + resplit
    counts |= {"changed": changed, "relabelled": seen.relabelled, "retexted": seen.retexted, "resplit": resplit}
    counts["rewritten"] = seen.rewritten
    return {
        "rows": counts,
        "sides": _sides(both, seen),
        "lost": both.lost(),
        "resplit": [{"from": a, "to": b, "rows": count} for a, b, count in moved],
        "labels": [{"from": a, "to": b, "count": n} for (a, b), n in _most(seen.flows)],
        "new_names": _new_names(both, seen.flows),
        "marks": dict(sorted(seen.edits.items())),
        "other_columns": both.other_columns(),
        "columns": {"new": both.new_columns, "gone": both.gone_columns},
        "examples": _examples(both, seen, limit),
    }


class _Seen:
    """What was met among the rows whose own columns differ."""

    def __init__(self, limit: int | None) -> None:
        self.relabelled = self.retexted = self.rewritten = self.stayed = 0
        self.flows: Counter[tuple[str, str]] = Counter()
        self.edits: Counter[str] = Counter()
        self.by_side: Counter[tuple[str, str]] = Counter()
        self.examples = {"relabelled": _Examples(limit), "retexted": _Examples(limit)}

    def take(self, found: Change) -> None:
        """Count a row; `stayed` are those that changed and kept their side: the others are counted as moved."""
        kinds = [name for name in ("relabelled", "retexted") if getattr(found, name)]
        self.relabelled += found.relabelled
        self.retexted += found.retexted
        self.rewritten += not kinds
        self.stayed += bool(kinds) and found.sides[0] == found.sides[1]
        self.flows.update(found.flows)
        self.edits.update(edit.what for edit in found.edits)
        for kind in kinds:
            self.by_side[found.sides[1], kind] += 1
            self.examples[kind].add(found.sides, found.id, found)


def _new_names(both: Joined, flows: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    """The labels that are only called otherwise: the new guideline has the old name as an alias of a new label's."""
    old, new = (Guideline.model_validate(held.about["guideline"]) for held in (both.before, both.after))
    pairs = [(alias, label.name) for label in new.label for alias in label.aliases]
    known = [(was, now) for was, now in pairs if was in old.names and was not in new.names and now not in old.names]
    return [{"from": was, "to": now, "count": flows[was, now]} for was, now in known if flows[was, now]]


def _most(flows: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    """The commonest flows; what is as common stands by name."""
    return sorted(flows.items(), key=lambda flow: (-flow[1], flow[0]))[:FLOWS]


def _sides(both: Joined, seen: _Seen) -> dict[str, dict[str, int]]:
    """What became of every side, the test side first; a row that came from another side is `moved_in` there.

    `relabelled` and `retexted` count rows where they are now, `differs` those that kept their side and are not what
    they were in any of the task's own columns.
    """
    came, went = both.by_side("added", "side_b"), both.by_side("removed", "side_a")
    differs = both.by_side("stayed", "side_b")
    found = {}
    for side in reversed(SIDES):
        counts = {"before": both.before.rows[side], "after": both.after.rows[side]}
        counts |= {"added": came.get(side, 0), "removed": went.get(side, 0)}
        counts |= {"moved_in": sum(n for _, b, n in both.moved() if b == side)}
        counts |= {"moved_out": sum(n for a, _, n in both.moved() if a == side)}
        counts |= {kind: seen.by_side[side, kind] for kind in ("relabelled", "retexted")}
        found[side] = counts | {"differs": differs.get(side, 0)}
    return found


def _rejections(both: Joined) -> dict[str, dict[str, int]]:
    """Why rows left and came, and whose reason is another; rows that nobody rejected are `not delivered`."""
    return {
        "removed_because": both.reasons("removed", "b"),
        "added_though": both.reasons("added", "a"),
        "other_reason": both.other_reasons(),
        "newly_rejected": both.only_rejected("b", "a"),
        "no_longer_rejected": both.only_rejected("a", "b"),
    }


def _conflicts(both: Joined, limit: int | None) -> dict[str, Any]:
    new, gone = both.conflicts("b", "a"), both.conflicts("a", "b")
    return {"new": len(new), "gone": len(gone), "new_ids": new[:limit], "gone_ids": gone[:limit]}


def _examples(both: Joined, seen: _Seen, limit: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {name: [_told(one) for one in examples.told()] for name, examples in seen.examples.items()}
    found["resplit"] = [{"id": id_, "from": a, "to": b} for id_, a, b in both.ids("resplit", limit=limit)]
    for which, letter, place, kind in (("added", "b", 2, both.after.task), ("removed", "a", 1, both.before.task)):
        lines = both.ids(which, limit=limit)
        rows = both.whole_rows(letter, [line[0] for line in lines])
        why = both.why([line[0] for line in lines], "a" if letter == "b" else "b")
        found[which] = [
            {
                "id": line[0],
                "side": line[place],
                "text": _cut(kind.asked(rows[line[0]])),
                "reason": why.get(line[0], ""),
            }
            for line in lines
        ]
    return found


def _told(found: Change) -> dict[str, Any]:
    """A changed row; its text in pieces where that changed, its answer likewise where it marks nothing in the text."""
    told: dict[str, Any] = {"id": found.id, "side": found.sides[1], "text": _cut(found.text[1])}
    if found.retexted:
        told["text_pieces"] = [list(piece) for piece in shortened(pieces(*found.text))]
    if found.relabelled:
        told |= {"before": _cut(found.answer[0]), "after": _cut(found.answer[1])}
        told["flows"] = [list(flow) for flow in found.flows]
        told["marks"] = [edit.told for edit in found.edits]
        if not found.flows:
            told["answer_pieces"] = [list(piece) for piece in shortened(pieces(*found.answer))]
    return told


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_CHARS else text[: _TEXT_CHARS - 1] + "…"


def _named(held: Held) -> dict[str, Any]:
    rejected = int(held.about["tables"]["rejected"]["rows"])
    return {"id": held.id, "data_set": held.data_set, "rows": held.rows, "rejected": rejected}


def _agreement(held: Held) -> list[dict[str, Any]]:
    """What was measured of agreement; figures without a value stay out."""
    return [figure for figure in held.about["told"].get("agreement", []) if figure.get("value") is not None]


def _recipe(before: Held, after: Held) -> dict[str, Any]:
    old, new = (str(held.about["recipe"]["text"]).splitlines() for held in (before, after))
    lines = [line for line in unified_diff(old, new, n=1, lineterm="") if not line.startswith(("---", "+++"))]
    return {"is_changed": bool(lines), "lines": lines[:RECIPE_LINES]}

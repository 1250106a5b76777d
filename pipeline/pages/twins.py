"""Twins: rows that say the same, what was made of them, and what stands elsewhere; each pair side by side."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pipeline.pages.blocks import Block, Cell, Facts, Fold, Points, Section, Table, Text, number, rows_of, written
from pipeline.pages.visible import cut, visible
from pipeline.text import units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.pages.build import Build

KEY, TITLE = "duplicates", "Duplicates and conflicts"
TEXT_CHARS = 280
SAYS = {
    "merged": "Merged: nearly the same input, the same answer",
    "conflict": "In conflict: the same or nearly the same input, another answer",
    "same side": "Both kept, and never parted by the split",
    "kept both": "Both kept: what differs matters",
    "known elsewhere": "Known elsewhere: an existing set holds it",
}
"""The outcomes in the order of the page."""


def duplicates(build: Build) -> Section:
    """The whole part on rows that say the same: in this set, in existing ones, and in held-out ones."""
    if "audit" not in build.reports:
        return Section(KEY, TITLE, command="assay audit")
    told, split = build.details("audit", "duplicates"), build.details("split")
    blocks: list[Block] = [_facts(told, split)]
    if searched := told.get("searched"):
        blocks.append(Text(f"Looked for: {', '.join(map(str, searched))}. Rows of one group are never parted."))
    blocks += _counts(told)
    for outcome, says in SAYS.items():
        if found := _dict(told.get("examples")).get(outcome):
            blocks.append(Fold(f"{says}; {rows_of(len(found), 'pair')} to look at", [_side_by_side(found)]))
    blocks += _known(told)
    blocks += _contaminated(build.details("audit", "contamination"))
    blocks += _leaks(split)
    return Section(KEY, TITLE, blocks)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _facts(told: Mapping[str, Any], split: Mapping[str, Any]) -> Facts:
    items = [
        ("rows merged into another", told.get("merged")),
        ("rows held back: same input, other answer", told.get("in_conflict")),
        ("clusters", told.get("clusters")),
        ("rows in the largest cluster", told.get("largest_cluster")),
        ("pairs that keep one side", sum(_dict(told.get("same_side")).values()) if told.get("same_side") else None),
        ("rows in the largest group", split.get("largest_group_rows")),
        ("official rows that leak", split.get("official_leaks")),
    ]
    return Facts([(name, written(value)) for name, value in items if value is not None])


def _counts(told: Mapping[str, Any]) -> Iterator[Block]:
    """How many rows left by kind, by which rule conflicts were settled, and what kept pairs apart."""
    merged, held = _dict(told.get("merged_by_kind")), _dict(told.get("conflicts_by_kind"))
    if merged or held:
        rows = [
            (Cell(kind), number(merged.get(kind, 0)), number(held.get(kind, 0))) for kind in sorted({*merged, *held})
        ]
        yield Table("Rows that left, by how they are like another", ("alike", "merged", "in conflict"), rows)
    if rules := _dict(told.get("conflicts_by_rule")):
        said = ", ".join(f"{rows_of(count)} by {rule}" for rule, count in sorted(rules.items()))
        yield Text(f"Held back: {said}.")
    if apart := _dict(told.get("kept_both")):
        lines = [
            f"{name}: {rows_of(count, 'pair')}"
            for name, count in sorted(apart.items(), key=lambda one: (-one[1], one[0]))
        ]
        yield Fold("What keeps rows apart that look alike", [Points(lines)])


def _side_by_side(found: Sequence[Mapping[str, Any]]) -> Table:
    """Pairs, each with both texts, what differs in them marked."""
    rows = []
    for one in found:
        left, right = marked(str(one.get("left_text", "")), str(one.get("right_text", "")))
        seen = f"{one.get('kind')} {float(one.get('similarity') or 0):.2f}"
        names = Markup("<br>").join(
            Markup("<code>{}</code>").format(visible(cut(str(one.get(side)), 80))) for side in ("left", "right")
        )
        rows.append((Cell(names), Cell(left), Cell(right), Cell(cut(f"{seen}: {one.get('why')}", TEXT_CHARS))))
    return Table("", ("rows", "one", "the other", "seen"), rows)


def marked(one: str, other: str) -> tuple[Markup, Markup]:
    """Both texts with what only one of them has marked, word by word (characters where a script has no spaces).

    >>> marked("a <b> cat", "a <b> dog")[1]
    Markup('<bdi dir="auto">a &lt;b&gt; <mark>dog</mark></bdi>')
    """
    mine, yours = _pieces(one), _pieces(other)
    matcher = SequenceMatcher(None, mine, yours, autojunk=False)
    left: list[Markup] = []
    right: list[Markup] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        for side, pieces in ((left, mine[a:b]), (right, yours[c:d])):
            text = visible("".join(pieces))
            frame = Markup("{}") if kind == "equal" or not text.strip() else Markup("<mark>{}</mark>")
            side.append(frame.format(text))
    frame = Markup('<bdi dir="auto">{}</bdi>')
    return frame.format(Markup("").join(left)), frame.format(Markup("").join(right))


def _pieces(text: str) -> list[str]:
    """The words of a text and what stands between them, in order."""
    pieces, done = [], 0
    for start, end in units(text):
        pieces += [text[done:start], text[start:end]] if start > done else [text[start:end]]
        done = end
    return [*pieces, text[done:]] if done < len(text) else pieces


def _known(told: Mapping[str, Any]) -> Iterator[Block]:
    """Existing sets, and how many rows they hold already."""
    if sets := _dict(told.get("known_elsewhere")):
        rows = [
            (
                Cell(name, "code"),
                number(_dict(one).get("items")),
                number(_dict(one).get("rows")),
                Cell(_listed(_dict(one).get("by_kind"))),
                Cell(_listed(_dict(one).get("by_answer"))),
            )
            for name, one in sets.items()
        ]
        yield Table("Existing sets", ("set", "its rows", "rows that leave", "alike", "there they have"), rows)


def _contaminated(told: Mapping[str, Any]) -> Iterator[Block]:
    """Held-out sets, and the rows in which their words stand."""
    sets = _dict(told.get("sets"))
    if not sets:
        return
    names = ("items", "items_hit", "rows_hit", "rows_hit_that_stay")
    rows = [(Cell(name, "code"), *(number(_dict(one).get(part)) for part in names)) for name, one in sets.items()]
    head = ("set", "its items", "items found", "rows that leave", "held-out rows that stay")
    yield Table("Held-out sets that must not be learned", head, rows)
    if examples := told.get("examples"):
        lines = [
            (
                Cell(cut(str(one.get("id")), 80), "code"),
                Cell(f"{one.get('set')}: {one.get('item')}", "code"),
                Cell(f"{float(one.get('share') or 0):.0%}", "number"),
                Cell(cut(str(one.get("words")), TEXT_CHARS), "quote"),
            )
            for one in examples
        ]
        yield Fold("Rows that hold words of a held-out set", [Table("", ("row", "item", "of it", "words"), lines)])


def _listed(counts: Any) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in _dict(counts).items()) or "–"


def _leaks(split: Mapping[str, Any]) -> Iterator[Block]:
    """Official training rows that say the same as a held-out row."""
    if leaks := split.get("official_leaks_listed"):
        rows = [(Cell(one["id"], "code"), Cell(cut(one["evidence"], TEXT_CHARS), "quote")) for one in leaks]
        yield Fold("Official training rows that say the same as a held-out row", [Table("", ("row", ""), rows)])

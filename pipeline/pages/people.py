"""The annotators: suspicious ones and copying pairs at once, then cards, the worst first, then all in a table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.pages.blocks import (
    Block,
    Cards,
    Cell,
    Facts,
    Fold,
    Points,
    Section,
    Table,
    Text,
    number,
    rows_of,
    said,
    written,
)
from pipeline.pages.cards import Scale, card, name_of, of_hundred

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.pages.build import Build

KEY, TITLE = "annotators", "The annotators"
OPEN, CARDS, NAMED, PAIRS = 12, 60, 12, 20
"""Cards that stand open, and cards at all; names in a sentence, and pairs in a list. The table holds everybody."""
FAIR = (
    "Everybody is judged by the others on the same items, never by an answer that they helped to make, and hard items "
    "count as hard. Where the others are split themselves, a disagreement is hardly held against anybody: it is kept "
    "as what it is, a text that can be read in two ways. Being quick is never held against anybody by itself."
)


def annotators(build: Build) -> Section:
    """The whole part on the annotators."""
    if "audit" not in build.reports:
        return Section(KEY, TITLE, command="assay audit")
    told = build.details("audit", "annotators")
    found: list[dict[str, Any]] = told.get("cards") or []
    blocks: list[Block] = [_facts(told, found)]
    if line := suspicion(build):
        blocks.append(Text(line, "alarm"))
    if pairs := _pairs(found):
        blocks += [Text("Pairs that answer alike more often than their skill explains:"), Points(pairs)]
    if notes := told.get("notes"):
        blocks.append(Points([said(str(note)) for note in notes]))
    if found:
        blocks += [Text(FAIR), *_cards(build, found), Fold(f"All {len(found):,} in a table", [_table(found)])]
    return Section(KEY, TITLE, blocks)


def suspicion(build: Build) -> str:
    """Who may have answered without reading, or copied, in one line; empty where nobody is suspected."""
    told = build.details("audit", "annotators")
    names = [name_of(one) for one in told.get("cards") or [] if one.get("suspect")]
    if not names:
        return ""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    whole = rows_of(int(told.get("annotators") or len(names)), "annotator")
    return (
        f"{len(names):,} of {whole} may have answered without reading, or copied: {', '.join(names[:NAMED])}{more}. "
        "Look at their answers before you pay, train or accuse."
    )


def _facts(told: Mapping[str, Any], cards: Sequence[Mapping[str, Any]]) -> Facts:
    counted = Counter(str(one.get("verdict")) for one in cards)
    verdicts = ("below the others", "like the others", "above the others", "too few answers to say")
    return Facts(
        [
            ("annotators", written(told.get("annotators"))),
            *((verdict, written(counted[verdict])) for verdict in verdicts if cards),
            *(
                [("answers without a name", written(told["anonymous_answers"]))]
                if told.get("anonymous_answers")
                else []
            ),
        ]
    )


def _pairs(cards: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every copying pair once, in the order of the cards."""
    lines: dict[frozenset[str], str] = {}
    for one in cards:
        for found in one.get("copying") or []:
            names = (str(one.get("name")), str(found.get("with")))
            odd = f"; {found['odd']:,} of these against most of the rest" if found.get("odd") else ""
            same, shared = (written(found.get(name)) for name in ("same", "shared"))
            line = (
                f"{name_of(one)} and {name_of({'name': names[1]})}: {same} of {shared} common answers are the same, "
                f"{written(found.get('expected'), 1)} would be expected{odd}"
            )
            lines.setdefault(frozenset(names), line)
    more = len(lines) - PAIRS
    return [*list(lines.values())[:PAIRS], *([f"and {more:,} more pairs"] if more > 0 else [])]


def _cards(build: Build, found: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    scale = Scale.over(found, in_points=not any(one.get("scale") for one in found))
    made = [card(one, at, scale, is_text=build.task.free_text) for at, one in enumerate(found[:CARDS])]
    if build.task.head == "token":
        yield Text("Words are voted on as tags: B-X begins a span of X, I-X goes on with it, O is outside of all.")
    yield Cards(made[:OPEN])
    if rest := made[OPEN:]:
        some = f"; the others of {len(found):,} stand in the table below" if len(found) > CARDS else ""
        yield Fold(f"The next {len(rest)} cards{some}", [Cards(rest)])


def _table(found: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        (
            Cell(name_of(one), "quote"),
            Cell(f"{one.get('verdict', '')}{'; suspicious' if one.get('suspect') else ''}"),
            number(one.get("answers")),
            Cell(of_hundred(one.get("accuracy")), "number"),
            Cell(of_hundred({"value": one.get("usual_accuracy")}), "number"),
        )
        for one in found
    ]
    head = ("annotator", "verdict", "answers", "right, as the others see it [95 %]", "the others on these items")
    return Table("The worst first", head, rows)

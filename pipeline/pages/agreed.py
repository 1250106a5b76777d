"""How far the annotators agree: the headline with its interval, what would mislead, and every measure in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.pages import charts
from pipeline.pages.blocks import Block, Cell, Charts, Facts, Fold, Section, Table, Text, number, percent, said, written
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.pages.build import Build

KEY, TITLE = "agreement", "How far the annotators agree"
LABELS, ROWS, NAME_CHARS = 30, 100, 60
READ = {
    "alpha": "1 is perfect agreement, 0 what blind guessing gives; answers can be relied on from 0.8 (Krippendorff).",
    "kappa": "1 is perfect agreement, 0 is what blind guessing gives.",
    "F1": "1: two annotators mark exactly the same; 0: nothing that one marks is marked by the other.",
}
"""How to read a measure, by how its name begins."""

Named = tuple[str, "Mapping[str, Any]"]


def agreement(build: Build) -> Section:
    """The whole part on agreement."""
    if "audit" not in build.reports:
        return Section(KEY, TITLE, command="assay audit")
    told = build.details("audit", "agreement")
    headline = build.details("audit", "agreement", "headline")
    blocks: list[Block] = [Text(sentence(headline)), _facts(told, headline)]
    blocks += [Text(said(str(note)), "note") for note in told.get("notes") or []]
    by_label = _by_answers(told.get("by_label") or {})
    if dots := [*_dots([("all labels", headline)]), *_dots(by_label[:LABELS])]:
        blocks.append(Charts([charts.intervals("labels", _chart_title(by_label), dots, reach=(0, 1))]))
    return Section(KEY, TITLE, [*blocks, *_folds(told, by_label)])


def sentence(headline: Mapping[str, Any]) -> str:
    """The headline in words."""
    if headline.get("value") is None:
        return f"Agreement could not be measured: {headline.get('note') or 'no row was answered by two annotators'}."
    name = str(headline.get("name", ""))
    how = next((read for begin, read in READ.items() if name.startswith(begin)), "")
    where = ""
    if headline.get("low") is not None:
        where = f" (95 % interval {written(headline['low'], 2)} to {written(headline['high'], 2)})"
    return f"Measured by {name}: {written(headline['value'], 2)}{where}. {how}"


def _facts(told: Mapping[str, Any], headline: Mapping[str, Any]) -> Facts:
    items = [
        (f"{headline.get('name', 'agreement')} [95 %]", _short(headline)),
        ("answers compared", written(headline.get("answers"))),
        ("rows", written(headline.get("rows"))),
    ]
    same = [one for one in told.get("all") or [] if str(one.get("name", "")).startswith("percentage")]
    items[1:1] = [("pairs of answers that are the same", percent(one["value"])) for one in same[:1] if one.get("value")]
    return Facts(items)


def _short(one: Mapping[str, Any]) -> str:
    if one.get("low") is None:
        return written(one.get("value"), 2)
    return f"{written(one['value'], 2)} [{written(one['low'], 2)}, {written(one['high'], 2)}]"


def _by_answers(told: Mapping[str, Mapping[str, Any]]) -> list[Named]:
    return sorted(told.items(), key=lambda item: (-(item[1].get("answers") or 0), item[0]))


def _dots(named: Sequence[Named]) -> list[charts.Dot]:
    return [
        charts.Dot(name, one["value"], one.get("low"), one.get("high"))
        for name, one in named
        if one.get("value") is not None
    ]


def _chart_title(by_label: Sequence[Named]) -> str:
    measure = str(by_label[0][1].get("name", "")) if by_label else ""
    some = f" (the {LABELS} commonest)" if len(by_label) > LABELS else ""
    return f"By label{some}: {measure}, with 95 % intervals" if by_label else "All answers, with a 95 % interval"


def _folds(told: Mapping[str, Any], by_label: Sequence[Named]) -> Iterator[Block]:
    if every := [(str(one.get("name", "")), one) for one in told.get("all") or []]:
        yield Fold("All measures", [_table("", "measure", every)])
    if by_label:
        lines = [
            (f"{label}: {one.get('name', '')}", one)
            for label, first in by_label
            for one in (first, *(first.get("also") or []))
        ]
        yield Fold("Label by label", [_table("", "label and measure", lines)])
    for key, title, head in (
        ("by_batch", "Batch by batch", "batch"),
        ("by_guideline", "Version by version of the guideline", "version"),
        ("annotators", "Each annotator with the others", "annotator"),
    ):
        if parts := list((told.get(key) or {}).items()):
            measure = str(parts[0][1].get("name", ""))
            yield Fold(title, [_table(measure, head, parts)])
    if told.get("pairs"):
        yield _pairs(told["pairs"], int(told.get("pairs_of_annotators") or len(told["pairs"])))


def _table(caption: str, head: str, named: Sequence[Named]) -> Table:
    rows = [
        (
            Cell(cut(name, NAME_CHARS), "quote"),
            *(number(one.get(end)) for end in ("value", "low", "high")),
            *(number(one.get(count)) for count in ("rows", "answers")),
            Cell(str(one.get("note") or ""), "note-cell"),
        )
        for name, one in named[:ROWS]
    ]
    some = f"the first {ROWS} of {len(named):,}" if len(named) > ROWS else ""
    told = "; ".join(part for part in (caption, some) if part)
    return Table(told, (head, "value", "from", "to", "rows", "answers", ""), rows)


def _pairs(pairs: Sequence[Mapping[str, Any]], whole: int) -> Fold:
    rows = [
        (
            Cell(f"{cut(str(one.get('one')), NAME_CHARS)} and {cut(str(one.get('other')), NAME_CHARS)}", "quote"),
            number(one.get("met")),
            *(number(one.get(end)) for end in ("value", "low", "high")),
        )
        for one in pairs[:ROWS]
    ]
    some = f"the {len(rows)} that met most, of {whole:,}" if len(rows) < whole else f"all {whole:,}"
    table = Table(str(pairs[0].get("name", "")), ("annotators", "met on", "value", "from", "to"), rows)
    return Fold(f"Pairs of annotators: {some}", [table])

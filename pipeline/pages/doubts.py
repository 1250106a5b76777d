"""Answers to look at again: by verdict, each with what speaks against it, and how many are wrong at a guess."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipeline.pages import charts
from pipeline.pages.blocks import (
    Block,
    Charts,
    Example,
    Examples,
    Facts,
    Fold,
    Section,
    Text,
    percent,
    rows_of,
    said,
    written,
)
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.pages.build import Build

KEY, TITLE = "suspects", "Answers to look at again"
EACH = {"wrong": 24, "ambiguous": 12, "fine": 6}
"""How many of each verdict are shown."""
SAYS = {
    "wrong": "Probably wrong: another answer is clearly likelier.",
    "ambiguous": "Ambiguous: both answers can be meant, or it cannot be told. Most flags in the wild are of this kind.",
    "fine": "Probably fine: listed only because nothing is more suspicious.",
}
OPEN, TEXT_CHARS, SIGNALS = 8, 280, 24
_SPAN = re.compile(r"(\d{1,9}):(\d{1,9})")

Read = tuple[str, str]


def suspects(build: Build) -> Section:
    """The whole part on suspects."""
    if "suspect" not in build.reports:
        return Section(KEY, TITLE, command="assay audit")
    told = build.details("suspect")
    blocks: list[Block] = []
    if told.get("note"):
        blocks.append(Text(said(str(told["note"])), "note"))
    if told.get("checked"):
        blocks += _summary(told)
    found = build.suspects(EACH)
    texts = build.texts((one["id"] for of in found.values() for one in of), stage="audit", tables=("rows",))
    for verdict, of in found.items():
        if of:
            blocks.append(_group(build, verdict, of, texts, told))
    blocks += _weights(told)
    return Section(KEY, TITLE, blocks or [Text("None.")])


def _summary(told: Mapping[str, Any]) -> Iterator[Block]:
    rate = told.get("error_rate") or {}
    listed, checked = int(told.get("listed") or 0), int(told["checked"])
    if rate.get("value") is not None:
        yield Facts(
            [
                ("rows wrong, estimated [95 %]", _rate(rate)),
                ("rows looked at", written(checked)),
                ("rows listed", written(listed)),
            ]
        )
    if rate.get("note"):
        yield Text(f"What this estimate is, and is not: {rate['note']}.")
    model = f" Looked at with {told['model']}." if told.get("model") else ""
    yield Text(
        f"{rows_of(listed)} of {checked:,} are listed, the most suspicious. They stay in the data until somebody "
        f"decides.{model}"
    )


def _rate(rate: Mapping[str, Any]) -> str:
    ends = f" [{percent(rate['low'])}, {percent(rate['high'])}]" if rate.get("low") is not None else ""
    return f"{percent(rate['value'])}{ends}"


def _group(
    build: Build, verdict: str, of: Sequence[Mapping[str, Any]], texts: Mapping[str, Read], told: Mapping[str, Any]
) -> Fold:
    whole = int((told.get("verdicts") or {}).get(verdict) or len(of))
    shown = [_suspect(build, one, texts.get(one["id"], ("", ""))) for one in of]
    blocks: list[Block] = [Text(SAYS[verdict]), Examples(shown[:OPEN])]
    if shown[OPEN:]:
        blocks.append(Fold(f"{len(shown) - OPEN} more", [Examples(shown[OPEN:])]))
    some = f", the first {len(of)} of them" if len(of) < whole else ""
    places = rows_of(whole, "span" if build.task.head == "token" else "answer")
    is_open = verdict == "wrong" or len(told.get("verdicts") or {}) < 2
    return Fold(f"{verdict}: {places}{some}", blocks, is_open=is_open)


def _suspect(build: Build, one: Mapping[str, Any], read: Read) -> Example:
    text, language = read
    part = str(one.get("part") or "")
    span = _span(part, text) if build.task.head == "token" else None
    facts = [("given", _answer(build, one.get("given")))]
    if one.get("likely"):
        facts.append(("likelier", _answer(build, one["likely"])))
    facts.append(("probability of being wrong", percent(one.get("score") or 0.0)))
    if part and span is None:
        facts.append(("part", cut(part, TEXT_CHARS)))
    signals = [(str(signal["name"]), written(signal["value"], 2)) for signal in one.get("signals") or []]
    return Example(
        cut(text, TEXT_CHARS) or "(the text cannot be found)",
        [*facts, ("row", one["id"])],
        language,
        pieces=marked(text, *span) if span else (),
        reasons=[cut(str(line), TEXT_CHARS) for line in one.get("why") or []],
        folded=signals[:SIGNALS],
        summary="signals, as numbers (more: more against the answer)",
    )


def _span(part: str, text: str) -> tuple[int, int] | None:
    """The ends of a part of the text; None where it is none."""
    found = _SPAN.fullmatch(part)
    start, end = (int(found[1]), int(found[2])) if found else (0, 0)
    return (start, end) if start < end <= len(text) else None


def _answer(build: Build, label: Any) -> str:
    named = cut(str(label or "–"), TEXT_CHARS)
    return "no span" if build.task.head == "token" and named == "O" else named


def marked(text: str, start: int, end: int, around: int = TEXT_CHARS // 2) -> list[tuple[str, bool]]:
    """The text about a span in pieces, the span marked.

    >>> marked("He moved to Bristol.", 12, 19)
    [('He moved to ', False), ('Bristol', True), ('.', False)]
    >>> marked("abcdefgh", 4, 5, around=2)
    [('…cd', False), ('e', True), ('fg…', False)]
    """
    before, after = text[max(start - around, 0) : start], text[end : end + around]
    return [
        (("…" if start > around else "") + before, False),
        (cut(text[start:end], TEXT_CHARS), True),
        (after + ("…" if end + around < len(text) else ""), False),
    ]


def _weights(told: Mapping[str, Any]) -> Iterator[Block]:
    """The parts next to the joined score."""
    weights = sorted((told.get("weights") or {}).items(), key=lambda item: (-item[1], item[0]))
    if weights:
        bars = [charts.Bar(str(name), max(weight, 0.0), f"{weight:.2f}") for name, weight in weights[:SIGNALS]]
        title = "What each signal counts for (log-odds of “wrong” per standard deviation)"
        yield Fold("How the signals were joined", [Charts([charts.bars("weights", title, bars)])])

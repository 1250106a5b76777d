"""What is shown of the queue and of decisions in the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
from rich.markup import escape
from rich.table import Table

from pipeline import decisions, store
from pipeline.decisions import IN_FORCE, settling, status, where
from pipeline.relabelling import KINDS
from pipeline.reviewing.entries import first_texts
from pipeline.reviewing.heading import many
from pipeline.reviewing.tables import CONFLICT
from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.decisions import Book, Decision
    from pipeline.recipe import Recipe
    from pipeline.relabelling import Needed
    from pipeline.reviewing.opening import Open

TEXT_CHARS, AROUND_CHARS = 90, 30
STALE_SHOWN = 5


@dataclass(frozen=True)
class Wanted:
    """Which decisions are asked for; what is empty asks for all."""

    row: str = ""
    who: str = ""
    verdict: str = ""
    since: str = ""
    conflicts: bool = False
    rules: bool = False
    every: bool = False


def chosen(book: Book, wanted: Wanted) -> list[Decision]:
    """The decisions that are asked for, the newest last."""
    return [line for line in book.lines if _is_wanted(line, wanted, book)]


def _is_wanted(line: Decision, wanted: Wanted, book: Book) -> bool:
    if (line.id in book.undone or line.undo) and not wanted.every:
        return False
    if wanted.conflicts and line.id not in book.differing:
        return False
    if wanted.rules and line.rule is None:
        return False
    if wanted.row and not _is_same_row(wanted.row, line.row):
        return False
    told = ((wanted.who, line.who), (wanted.verdict, "" if line.undo else line.verdict))
    return all(not asked or asked == said for asked, said in told) and line.when >= wanted.since


def _is_same_row(one: str, other: str) -> bool:
    """Whether two ids name one row, each with or without its source."""
    return one == other or one.partition("/")[2] == other or one == other.partition("/")[2]


def as_entry(line: Decision, book: Book, lapsed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A decision as plain values, with what became of it."""
    names = ("id", "row", "part", "verdict", "was", "answer", "who", "when", "why", "cause", "guideline", "act", "undo")
    told = {name: getattr(line, name) for name in names if getattr(line, name)}
    told |= {"settles": list(line.settles)} if line.settles else {}
    return told | ({"rule": line.rule.told()} if line.rule else {}) | {"state": status(line, book, lapsed)}


def decided(
    lines: Sequence[Decision], book: Book, name: str, *, limit: int, lapsed: Mapping[str, str] | None = None
) -> Table:
    """The decisions, the newest last; of many the newest. `lapsed`: see `pipeline.decisions.lapsed`."""
    table = Table(title=f"decisions on {escape(name)}: {len(lines):,}", title_justify="left", header_style="bold")
    for column in ("id", "when", "who", "row", "verdict", "was → became", "why", ""):
        table.add_column(column, overflow="fold")
    for line in lines[-limit:] if limit else lines:
        about = _rule(line) if line.rule else line.row + (f" {where(line)}" if line.part else "")
        was, becomes = decisions.change(line)
        became = f"{was or '?'} → {becomes}" if becomes else was
        told = [line.id, line.when[:16], line.who, about, "undo" if line.undo else line.verdict, became, line.why]
        told[3] = f"takes back {line.undo}" if line.undo else told[3]
        here = status(line, book, lapsed)
        marks = [settling(line, book), "" if here == IN_FORCE else f"[yellow]{_plain(here, 120)}[/yellow]"]
        marks[0] = _plain(marks[0], 120)
        table.add_row(*(_plain(one, 60) for one in told), "; ".join(filter(None, marks)))
    return table


def _rule(line: Decision) -> str:
    return f"rule: {line.rule.words()}" if line.rule else ""


def standing(recipe: Recipe, book: Book) -> Iterator[str]:
    """Where people differ, what they took back, what was cut off, and what the last build did not follow."""
    for cut in book.torn:
        yield f"[yellow]cut off[/yellow]: {_plain(cut, 400)}"
    for conflict in book.conflicts[:STALE_SHOWN]:
        yield f"[yellow]people differ[/yellow], so neither is followed: {_plain(conflict.said, 400)}"
    if len(book.conflicts) > STALE_SHOWN:
        yield f"... and {len(book.conflicts) - STALE_SHOWN:,} more; assay decisions {recipe.name} --conflicts"
    report = store.read_report(recipe.build / "audit")
    told = report["details"].get("decisions", {}) if report else {}
    for kind, means in (("stale", "no longer fit"), ("without_effect", "change nothing")):
        found = [one for one in told.get(kind) or [] if one not in book.torn]
        for line in found[:STALE_SHOWN]:
            yield f"[yellow]{means}[/yellow] in the last build: {_plain(str(line), 400)}"
        if len(found) > STALE_SHOWN:
            yield f"... and {len(found) - STALE_SHOWN:,} more that {means}"
    for one in told.get("by_rule") or []:
        yield f"rule {one['id']} settled {many(one['parts'], 'part')} of answers in the last build"


def overview(recipe: Recipe, left: Open, *, limit: int) -> Iterator[Table | str]:
    """The groups that one decision settles and the lines that stand alone, the most worth a minute first."""
    groups = left.groups.to_pylist()
    alone = left.lines.filter(pc.equal(left.lines["group"], ""))
    counts = f"{many(left.lines.num_rows, 'line')}, {many(len(groups), 'group')}"
    yield f"[bold]queue of {escape(recipe.name)}[/bold]: {counts}"
    if groups:
        yield _groups(groups[: limit or None], first_texts(left))
    if limit and len(groups) > limit:
        yield f"... and {many(len(groups) - limit, 'group')} more (--limit 0 shows all)"
    if alone.num_rows:
        shown = alone.slice(0, limit or None)
        yield _lines(shown.to_pylist(), f"{many(alone.num_rows, 'line')} standing alone")
    if left.settled:
        yield f"settled: {many(len(left.settled), 'line')}"
    if left.lines.num_rows:
        yield f"look at them: assay review {recipe.name} --who YOU, or assay export {recipe.name} --tool TOOL"


def _groups(groups: Sequence[Mapping[str, Any]], texts: Mapping[str, str]) -> Table:
    table = Table(title="groups that one decision settles", title_justify="left", header_style="bold")
    for column in ("group", "kind", "says", "lines", "errors expected", "doubtful", "touches", "minutes"):
        table.add_column(column, justify="left" if column in ("group", "kind", "says") else "right", overflow="fold")
    for one in groups:
        numbers = (f"{one['lines']:,}", f"{one['expected']:.1f}", f"{one['doubtful']:,}", f"{one['touches']:,}")
        says = _plain(one["says"], 200)
        if one["kind"] == CONFLICT:
            says += f" “{_plain(texts[one['group']], TEXT_CHARS)}”"
        table.add_row(one["group"], one["kind"], says, *numbers, f"{one['minutes']:.1f}")
    return table


def _lines(lines: Sequence[Mapping[str, Any]], title: str) -> Table:
    """Lines with their evidence."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in ("row", "text", "given", "likely", "wrong", "evidence"):
        table.add_column(column, justify="right" if column == "wrong" else "left", overflow="fold")
    for line in lines:
        told = (line["id"], _context(line), line["given"], line["likely"])
        table.add_row(*(_plain(one, 200) for one in told), f"{line['score']:.0%}", _plain("; ".join(line["why"]), 200))
    return table


def so_far(facts: Mapping[str, Any]) -> Iterator[str]:
    """What review has shown so far, in a few lines, and whether to go on."""
    left = facts["left"]
    if not facts["lines"]:
        yield f"errors expected: {_ranged(left, 0)}, {_ranged(left['queue'], 0)} of them in the queue"
        return
    each, money = facts["per_error"]["so_far"], facts["money"]
    paid = f", {money['spent']:.2f} {money['currency']}" if money else ""
    judged = f"{many(facts['lines'], 'line')} in {many(facts['acts'], 'decision')}"
    judged += f", {many(facts['errors'], 'error')} confirmed"
    yield f"judged: {judged}; {facts['minutes']['spent']:.1f} minutes{paid}"
    if each["value"] is not None:
        yield f"a confirmed error cost {_ranged(each, 2)} minutes; errors left: {_ranged(left, 0)}"
    yield f"[bold]{facts['stop']['say']}[/bold]: {escape(facts['stop']['why'])}"


def _ranged(one: Mapping[str, Any], digits: int) -> str:
    """A figure with its interval; the console is not to take the brackets for its own."""
    if one.get("low") is None or one.get("high") is None:
        return f"{one['value']:,.{digits}f}"
    return f"{one['value']:,.{digits}f} ({one['low']:,.{digits}f} to {one['high']:,.{digits}f})"


def members(left: Open, group: str, *, limit: int) -> Table:
    """The open lines of one group, with their evidence."""
    found = left.lines.filter(pc.equal(left.lines["group"], group))
    about = next((one for one in left.groups.to_pylist() if one["group"] == group), None)
    says = "no open group is called so" if about is None else f"{about['says']} ({many(found.num_rows, 'line')})"
    return _lines(found.slice(0, limit or None).to_pylist(), _plain(says, 300))


def _context(line: Mapping[str, Any]) -> str:
    """The text, or what stands about the part that is asked about."""
    start, _, end = str(line["part"]).partition(":")
    if not line["surface"] or not end.isdigit():
        return str(line["text"])[:TEXT_CHARS]
    text, first, last = line["text"], int(start), int(end)
    before, after = text[max(first - AROUND_CHARS, 0) : first], text[last : last + AROUND_CHARS]
    return f"{before}»{text[first:last]}«{after}"


def relabelled(found: Needed, name: str, *, limit: int) -> Iterator[Table | str]:
    """What the new guideline touches: the labels that changed, how many answers, and the first of them."""
    yield f"{escape(name)}: guideline {escape(found.before)} ({found.since}) became {escape(found.after)}"
    for change in found.changes:
        yield f"  {_plain(change.label, 60)} {change.what}: {_plain(change.says, 300)}"
    counts = found.counts()
    table = Table(title="relabel needed", title_justify="left", header_style="bold")
    table.add_column("answers", justify="right")
    table.add_column("because the row")
    for kind, count in counts.items():
        table.add_row(f"{count:,}", KINDS[kind])
    yield table if counts else "nothing has to be labelled again"
    for line in found.lines.to_pylist()[: limit or None]:
        at = f" at {line['part']}" if line["part"] else ""
        yield f"  {_plain(line['id'], 60)}{at} {_plain(line['given'], 40)}: {_plain(line['why'], 200)}"
    if limit and found.lines.num_rows > limit:
        yield f"  ... and {found.lines.num_rows - limit:,} more (--limit 0, or --json)"
    if found.new_already:
        rows = many(found.new_already, "row")
        yield f"{rows} with such a label: annotated or decided under the new guideline already"


def _plain(text: str, chars: int) -> str:
    """Text from data as a terminal may show it, on one line."""
    told = visible(" ".join(str(text).split()))
    return escape(told if len(told) <= chars else told[: chars - 1] + "…")

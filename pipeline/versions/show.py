"""Versions and diffs in the terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipeline.text import visible
from pipeline.versions import saying

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_COLOURS = {"PASS": "green", "WARN": "yellow", "FAIL": "red", "ERROR": "magenta"}
_CHARS = 100


def listed(entries: Sequence[Mapping[str, Any]], name: str) -> Table:
    """The versions of a data set, the newest first."""
    table = Table(title=f"versions of {escape(name)}", title_justify="left", header_style="bold")
    for column in ("version", "kept", "train", "validation", "test", "made", "rejected", "change", "gates"):
        table.add_column(
            column,
            justify="left" if column in ("version", "kept", "change", "gates") else "right",
            no_wrap=column == "version",
        )
    for entry in reversed(entries):
        rows = [f"{entry['rows'].get(side, 0):,}" for side in ("train", "validation", "test")]
        verdict = entry["verdict"]
        told_ = f"[{_COLOURS.get(verdict, 'white')}]{verdict}[/]" if verdict in _COLOURS else "[dim]not told[/dim]"
        when = str(entry["when"]).replace("T", " ").removesuffix("+00:00")
        table.add_row(
            entry["id"],
            _plain(when),
            *rows,
            f"{entry.get('made', 0):,}",
            f"{entry.get('rejected', 0):,}",
            change(entry),
            told_,
        )
    return table


def change(entry: Mapping[str, Any]) -> str:
    """How far a version is from the one before: +added -removed ~changed.

    >>> change({"change": {"added": 5, "removed": 0, "touched": 12}})
    '+5 -0 ~12'
    """
    one = entry.get("change")
    if entry.get("what") == "pulled":
        return "pulled"
    return f"+{one['added']:,} -{one['removed']:,} ~{one['touched']:,}" if one else ""


def compared(found: Mapping[str, Any], *, limit: int | None) -> Group:
    """A diff: the test set first, then counts, tables and examples."""
    colour = "yellow" if saying.touches_test(found) else "green"
    lines: list[Any] = [
        f"[bold]{_plain(saying.title(found))}[/bold]",
        f"[{colour}]{_plain(saying.verdict(found))}[/]",
        _plain(saying.counts(found)),
    ]
    for part in saying.parts(found):
        lines += ["", f"[bold]{_plain(part.title)}[/bold]", *map(_plain, part.sentences)]
        lines += [_table(part)] if part.lines else []
    lines += _examples(found, limit)
    if found["recipe"]["is_changed"]:
        lines += ["", "[bold]recipe[/bold]", *(_plain(line) for line in found["recipe"]["lines"][:40])]
    return Group(*lines)


def _table(part: saying.Part) -> Table:
    table = Table(header_style="bold")
    for number, column in enumerate(part.head):
        table.add_column(_plain(column), justify="right" if number else "left")
    for line in part.lines:
        table.add_row(*map(_plain, line))
    return table


def _examples(found: Mapping[str, Any], limit: int | None) -> Iterator[str | Text]:
    for kind in ("relabelled", "retexted", "resplit", "removed", "added"):
        examples, whole = found["examples"][kind], found["rows"][kind]
        if examples and limit != 0:
            more = f", the first {len(examples):,}; --all lists every one" if len(examples) < whole else ""
            yield ""
            yield f"[bold]{kind}[/bold] {whole:,}{more}"
            for one in examples:
                yield from _example(one)


def _example(one: Mapping[str, Any]) -> Iterator[Text]:
    """A row that changed: as text and not as markup, which a row could break out of where colours begin and end."""
    if "from" in one:
        yield Text(f"  {_line(one['id'])}  {one['from']} → {one['to']}")
        return
    reason = f", {_line(one['reason'])}" if one.get("reason") else ""
    text = _pieces(one["text_pieces"]) if "text_pieces" in one else Text(_cut(one["text"]))
    yield Text.assemble(f"  {_line(one['id'])} ({one['side']}{reason})  ", text)
    if one.get("marks"):
        yield Text(f"    {'; '.join(_cut(mark) for mark in one['marks'])}")
    elif "answer_pieces" in one:
        yield Text.assemble("    ", _pieces(one["answer_pieces"]))
    elif "before" in one:
        yield Text(f"    {_cut(one['before'])} → {_cut(one['after'])}")


def _pieces(pieces: Sequence[Sequence[str]]) -> Text:
    marks = {"=": ("", "", ""), "-": ("[-", "-]", "red"), "+": ("{+", "+}", "green")}
    found = Text()
    for sign, text in pieces:
        begin, end, style = marks[sign]
        found.append(f"{begin}{_inline(text)}{end}", style)
    return found


def _inline(text: str) -> str:
    """A part of a line as a terminal may show it; the spaces at its ends part it from what stands beside it."""
    return visible(re.sub(r"\s+", " ", text))


def _cut(text: str) -> str:
    return _line(text if len(text) <= _CHARS else text[: _CHARS - 1] + "…")


def _line(text: str) -> str:
    """Text from data as a terminal may show it, on one line."""
    return visible(" ".join(text.split()))


def _plain(text: str) -> str:
    """The same as markup that says just that."""
    return escape(_line(text))

"""The commands around human decisions: what is to be looked at, what was decided, what a new guideline touches."""

from __future__ import annotations

import getpass
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import app as shell
from pipeline.commands.app import REVIEW, Data, Name, Workers, app
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from pipeline.pages.reviewed import Review
    from pipeline.recipe import Recipe
    from pipeline.reviewing import Queue

Limit = Annotated[int, typer.Option(min=0, help="How many to show; 0 shows all.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON Lines.")]


@app.command(rich_help_panel=REVIEW)
def queue(
    name: Name,
    *,
    group: Annotated[str, typer.Option(help="Show the lines of this group, with their evidence.")] = "",
    limit: Limit = 20,
    as_json: AsJson = False,
    data: Data = Path("data"),
    workers: Workers = 0,
) -> None:
    """Show what is to be looked at, the most worth a minute first: groups that one decision settles, then single lines.

    With --json both stand in one order, each with its type: a group ("group"), followed by its lines ("line", with the
    group's name), or a line that stands alone (its group is ""). --limit counts groups and lines that stand alone:
    --json --limit 0 gives every group and every line.

    [bold]Examples[/bold]
      assay queue tickets
      assay queue tickets --group g1f0a2b3c4d
      assay review tickets --who ada
    """
    from pipeline import decisions, reviewing

    (one,), console = shell.recipes([name], data), shell.console()
    made = _queue(one, workers)
    seconds = one.settings.review.seconds_per_line
    left = reviewing.open_lines(made, decisions.read(one.decisions), seconds=seconds)
    if as_json:
        from pipeline.reviewing.entries import LINE, entries

        inside = left.lines.filter(_in(left.lines, group)).to_pylist()[: limit or None] if group else []
        for line in ({"type": LINE} | one for one in inside) if group else entries(left, limit=limit):
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        return
    from pipeline.reviewing import show

    if group:
        console.print(show.members(left, group, limit=limit))
    else:
        from pipeline.reviewing import progress

        for part in (*show.overview(one, left, limit=limit), *show.so_far(progress.facts(one, made))):
            console.print(part, soft_wrap=isinstance(part, str))


def _in(lines: object, group: str) -> object:
    import pyarrow.compute as pc

    found = pc.equal(lines["group"], group)  # type: ignore[index]
    if not pc.any(found).as_py():
        raise AssayError(f"group '{group}'", "no open line is in it", "assay queue NAME lists the groups")
    return found


def _queue(one: Recipe, workers: int) -> Queue:
    from pipeline import reviewing, show

    with show.progress(shell.console(beside=True), one.name) as begin:
        return reviewing.queue(one, engine=shell.engine(workers, 4096), tick=begin("queue"))


@app.command(rich_help_panel=REVIEW)
def decisions(
    name: Name,
    *,
    row: Annotated[str, typer.Option(help="Only those on this row.")] = "",
    who: Annotated[str, typer.Option(help="Only those of this person; with --undo: who takes it back.")] = "",
    verdict: Annotated[str, typer.Option(help="Only these: wrong, fine, ambiguous or drop.")] = "",
    since: Annotated[str, typer.Option(help="Only those from this day on (2026-01-31).")] = "",
    conflicts: Annotated[bool, typer.Option("--conflicts", help="Only rows on which people differ.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="Only those that hold for all that a rule speaks of.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Also those that were undone, and what undid them.")] = False,
    undo: Annotated[str, typer.Option(help="Take back the line, or the act, of this id, by a new line.")] = "",
    why: Annotated[str, typer.Option(help="With --undo: why.")] = "",
    limit: Limit = 50,
    as_json: AsJson = False,
    data: Data = Path("data"),
) -> None:
    """List what people decided, tell where they differ and what no longer fits, and take a decision back.

    data/NAME/decisions.jsonl is only ever added to. What the last build made of it is told below the list.

    [bold]Examples[/bold]
      assay decisions tickets --who ada --since 2026-11-01
      assay decisions tickets --conflicts
      assay decisions tickets --undo d3f81c9a2e --why "misread the guideline"
    """
    from pipeline import decisions as book_of
    from pipeline import store
    from pipeline.reviewing import show

    (one,), console = shell.recipes([name], data), shell.console()
    if undo:
        if not why:
            raise AssayError("decisions --undo", "a decision is taken back for a reason", 'add --why "..."')
        made = book_of.undo(one.decisions, undo, who=who or getpass.getuser(), when=book_of.now(), why=why)
        console.print(f"{undo} is taken back by line {made}; the next build no longer follows it", soft_wrap=True)
        return
    if why:
        raise AssayError("decisions --why", "says why one is taken back", "add --undo ID")
    _hold_asked(verdict, since)
    book = book_of.read(one.decisions)
    wanted = show.Wanted(row=row, who=who, verdict=verdict, since=since, conflicts=conflicts, rules=rules, every=every)
    found, lapsed = show.chosen(book, wanted), book_of.lapsed(store.read_report(one.build / "audit"))
    if as_json:
        for line in found[: limit or None]:
            sys.stdout.write(json.dumps(show.as_entry(line, book, lapsed), ensure_ascii=False) + "\n")
        return
    shown = show.decided(found, book, one.name, limit=limit, lapsed=lapsed)
    none = "no decision is so" if book.lines else f"nobody has decided anything yet: assay review {one.name} --who YOU"
    console.print(shown if found else none, soft_wrap=not found)
    for told in show.standing(one, book):
        console.print(told, soft_wrap=True)


def _hold_asked(verdict: str, since: str) -> None:
    """Raise where what is asked for is nothing that a decision may be: none would be found, and nobody told why."""
    from typing import get_args

    from pipeline.dates import seconds
    from pipeline.decisions import Verdict

    if verdict and verdict not in get_args(Verdict):
        raise AssayError("--verdict", f"'{verdict}' is none", f"known: {', '.join(get_args(Verdict))}")
    if since and not (re.match(r"\d{4}-\d\d-\d\d", since) and seconds(since) is not None):
        raise AssayError("--since", f"'{since}' is no day", "write it as 2026-01-31")


@app.command(rich_help_panel=REVIEW)
def lead(name: Name, *, data: Data = Path("data"), workers: Workers = 0) -> None:
    """Write the annotation lead's page: agreement, annotators, suspicious groups, decisions, errors left, cost.

    One static page, data/build/NAME/lead.html, readable offline, on a phone and on paper.
    """
    import os

    from pipeline.pages import lead as page

    (one,), console = shell.recipes([name], data), shell.console()
    path = page.write(one, _review(one, workers))
    told = f"lead's page of {one.name}: [link=file://{path.resolve()}]{os.path.relpath(path)}[/link]"
    console.print(told, soft_wrap=True)


def _review(one: Recipe, workers: int) -> Review:
    """What the lead's page is told of the review."""
    from pipeline import decisions, relabelling, reviewing
    from pipeline.pages.reviewed import Review
    from pipeline.reviewing import progress

    made, book = _queue(one, workers), decisions.read(one.decisions)
    left = reviewing.open_lines(made, book, seconds=one.settings.review.seconds_per_line)
    try:
        touched = relabelling.needed(one).counts()
    except AssayError:  # no version has another guideline: nothing changed
        touched = {}
    return Review(
        facts=progress.facts(one, made),
        groups=left.groups.to_pylist(),
        conflicts=[conflict.said for conflict in book.conflicts],
        undone=len(book.undone),
        touched={relabelling.KINDS[kind]: count for kind, count in touched.items()},
    )


@app.command(rich_help_panel=REVIEW)
def relabel(
    name: Name,
    *,
    since: Annotated[
        str, typer.Option(help="The version to compare with; the newest with another guideline if not said.")
    ] = "",
    limit: Limit = 20,
    as_json: AsJson = False,
    data: Data = Path("data"),
) -> None:
    """List what has to be labelled again because the guideline changed, told apart from what people did wrong.

    The guideline of the recipe is compared with that of a version that was kept. Touched are answers with a label that
    is gone, means something else now, or is told apart from one that does or is new; those to which an annotator gave
    such a label; and, as a hint, texts with the words of its examples, and suspects for which other rows speak for it.
    Not: rows that were annotated, and parts that were decided, by a rule too, under the new guideline.

    Exit codes: 0 the list is whole, also where it is empty or the guideline did not change; 2 there is no version to
    compare with, or a guideline that changed is still called by its old version.
    """
    from pipeline import relabelling
    from pipeline.reviewing import show

    (one,), console = shell.recipes([name], data), shell.console()
    if not since and relabelling.is_unchanged(one):
        if not as_json:
            told = "all versions that were kept have the guideline of the recipe: nothing is to be labelled again"
            console.print(f"{one.name}: {told}", soft_wrap=True)
        return
    found = relabelling.needed(one, since)
    if as_json:
        for line in found.lines.to_pylist()[: limit or None]:
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        return
    for part in show.relabelled(found, one.name, limit=limit):
        console.print(part, soft_wrap=isinstance(part, str))

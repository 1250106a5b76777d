"""The commands that bring the queue to the tools people use, and their decisions back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import app as shell
from pipeline.commands.app import REVIEW, Data, Name, Workers, app
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from pipeline.exchange import Sent, Standing, Taken
    from pipeline.tools.label_studio_server import Sent as Served

EXIT_PROBLEMS = 1
PROBLEMS_SHOWN, FILES_SHOWN, NAMES_SHOWN = 10, 4, 5
SERVED = "label-studio"
TOOLS_SAID = "label-studio, doccano, argilla, prodigy, brat, webanno or sheet."
Tool = Annotated[str, typer.Option("--tool", help=TOOLS_SAID)]
Url = Annotated[
    str, typer.Option(help="A Label Studio server; its token comes from the variable LABEL_STUDIO_API_KEY.")
]
ProjectId = Annotated[int | None, typer.Option("--project", help="With --url: the number of a project there.")]


@app.command("export", rich_help_panel=REVIEW)
def export(
    name: Name,
    *,
    tool: Tool = "",
    out: Annotated[
        Path | None, typer.Option(help="The folder to write into; one under data/build/NAME/exports if not said.")
    ] = None,
    url: Url = "",
    project: ProjectId = None,
    annotators: Annotated[int, typer.Option(min=1, help="With --url: how many people judge each row.")] = 1,
    what: Annotated[
        str, typer.Option(help="open, or one kind: suspect, conflict, tied, low_confidence, relabel.")
    ] = "open",
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="For an adjudicator: rows on which people differ, with what each said.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many rows, the most worth a minute first; 0: all.")] = 0,
    who: Annotated[str, typer.Option(help="The person it is for, by whom blind rows are dealt.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Only list the rounds: what came back, what is out.")] = False,
    close: Annotated[
        list[str] | None, typer.Option(help="Say of a round that nobody waits for it any more, and list all.")
    ] = None,
    data: Data = Path("data"),
    workers: Workers = 0,
) -> None:
    """Write the queue for an annotation tool: labels with definitions, texts, and the best answer so far with each.

    A share of the rows ([bold]\\[review] blind_share[/bold]) goes out without an answer, which shows how much it sways
    people. What is sent is noted under data/NAME/rounds: what comes back is held to it. Several rounds may be out at
    once, and come back in any order. Rows on which people differ go to an adjudicator with what each of them said; what
    he answers has the last word.

    [bold]Examples[/bold]
      assay export tickets --tool sheet --out ~/tickets --limit 200
      assay export tickets --tool label-studio --url http://localhost:8080
      assay export tickets --tool doccano --conflicts
      assay export tickets --list
      assay import tickets --tool label-studio --url http://localhost:8080
    """
    from pipeline import decisions, exchange, show

    (one,), console = shell.recipes([name], data), shell.console()
    if listed or close:
        if close:
            exchange.close(one, close)
        console.print(_rounds(one.name, exchange.standings(one, decisions.read(one.decisions))), soft_wrap=True)
        return
    what = exchange.CONFLICTS if conflicts else what
    _hold_tool(tool)
    _hold_url(tool, url, out)
    if what not in exchange.WHATS:
        raise AssayError("--what", f"'{what}' is nothing that can be sent", f"known: {', '.join(exchange.WHATS)}")
    engine = shell.engine(workers, 4096)
    with show.progress(shell.console(beside=True), one.name) as begin:
        asked = {"what": what, "limit": limit, "who": who, "engine": engine, "tick": begin("queue")}
        if url:
            sent, done = exchange.sent_to_server(one, url, project_id=project, annotators=annotators, **asked)  # type: ignore[arg-type]
        else:
            sent, done = exchange.send(one, tool, out, **asked), None  # type: ignore[arg-type]
    _told_sent(console, sent, one.name)
    if done is not None:
        _told_served(console, done)


def _told_served(console: Console, done: Served) -> None:
    """What became of the rows in a project of a server."""
    there = f", {done.there:,} were there" if done.there else ""
    there += f", {done.updated:,} of them brought up to date" if done.updated else ""
    console.print(f"{done.added:,} added{there}: {done.page}", soft_wrap=True, markup=False)
    if done.answered:
        names = ", ".join(sorted(done.answered)[:NAMES_SHOWN])
        more = f" and {len(done.answered) - NAMES_SHOWN:,} more" if len(done.answered) > NAMES_SHOWN else ""
        told = f"{len(done.answered):,} stay as they are, for somebody has answered them there: {names}{more}"
        console.print(told, soft_wrap=True, markup=False)


def _told_sent(console: Console, sent: Sent, name: str) -> None:
    blind = f", {sent.blind:,} of them without a proposed answer" if sent.blind else ""
    if sent.rows:
        console.print(f"round {sent.round}: {sent.rows:,} rows{blind}", soft_wrap=True)
    for other, count in sent.out:
        told = f"[yellow]{count:,} of {sent.rows:,} are still out in round {other}[/yellow], so they may be done twice"
        console.print(f"  {told}; if nobody waits for it: assay export {name} --close {other}", soft_wrap=True)
    for path in sent.files[:FILES_SHOWN]:
        console.print(f"  {os.path.relpath(path)}", soft_wrap=True, markup=False)
    if len(sent.files) > FILES_SHOWN:
        console.print(f"  and {len(sent.files) - FILES_SHOWN:,} more there", soft_wrap=True)
    for why in sent.left_out[:PROBLEMS_SHOWN]:
        console.print(f"  left out: {why}", soft_wrap=True, markup=False)


def _hold_tool(tool: str) -> None:
    if not tool:
        raise AssayError("export", "for which tool is not said", f"--tool: {TOOLS_SAID}")


def _hold_url(tool: str, url: str, out: Path | None) -> None:
    if url and tool != SERVED:
        raise AssayError("--url", f"there is no server to talk to for {tool}", "write files: --out FOLDER")
    if url and out is not None:
        raise AssayError("export", "--url and --out are two ways out", "give one of them")


@app.command("import", rich_help_panel=REVIEW)
def import_(
    name: Name,
    files: Annotated[
        list[Path] | None, typer.Argument(help="What the tool exported: files, an archive, a folder.")
    ] = None,
    *,
    tool: Tool,
    url: Url = "",
    project: ProjectId = None,
    who: Annotated[str, typer.Option(help="Who answered, where the export does not say.")] = "",
    changed_only: Annotated[
        bool, typer.Option("--changed-only", help="Leave out answers that are what went out: nobody may have looked.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be taken in.")] = False,
    data: Data = Path("data"),
) -> None:
    """Take in what people answered in a tool as decisions, whole or with a reason for every answer that is not.

    Every round that is out may come back, in any order, in parts and more than once; each answer is held to what went
    out in its own. Every person's answer is kept; of several by one person to a row the latest counts. An answer that
    leaves everything as it was is a decision too: fine. brat, doccano and WebAnno do not tell whether anybody looked at
    what was left as it went out: export from them only what was approved, or say --changed-only. Taking the same export
    in twice changes nothing. The next build follows the decisions.

    Exit codes: 0 all was taken in; 1 something was not, and why; 2 a mistake.
    """
    from pipeline import exchange

    (one,), console = shell.recipes([name], data), shell.console()
    if bool(files) == bool(url):
        raise AssayError("import", "say where the answers are", "files, or --url of a server")
    _hold_url(tool, url, None)
    if url:
        taken = exchange.fetched(one, url, project_id=project, who=who, changed_only=changed_only, dry=dry_run)
    else:
        taken = exchange.take(one, tool, files or [], who=who, changed_only=changed_only, dry=dry_run)
    _told_taken(console, taken, one.name, dry=dry_run)
    if taken.problems:
        raise typer.Exit(EXIT_PROBLEMS)


def _told_taken(console: Console, taken: Taken, name: str, *, dry: bool) -> None:
    from pipeline.show import plain

    table = _table_of(taken, f"{name}: answers that {'would be' if dry else 'were'} taken in")
    console.print(table if table.row_count else f"{name}: nobody has answered anything in it", soft_wrap=True)
    if rounds := [each for each in taken.rounds if each.out or taken.belongs[each.round.id]]:
        console.print(_rounds(name, rounds, taken), soft_wrap=True)
    if people := ", ".join(f"{plain(person)} {count:,}" for person, count in sorted(taken.people.items())):
        console.print(f"by {people}; {taken.lines:,} lines of decisions", soft_wrap=True)
    for place, why in taken.problems[:PROBLEMS_SHOWN]:
        console.print(f"[red]not taken in[/red] {plain(place)}: {plain(why)}", soft_wrap=True)
    if len(taken.problems) > PROBLEMS_SHOWN:
        console.print(f"... and {len(taken.problems) - PROBLEMS_SHOWN:,} more", soft_wrap=True)
    if taken.lines and not dry:
        console.print(f"next: assay run {name} follows them", soft_wrap=True)


def _rounds(name: str, rounds: Sequence[Standing], taken: Taken | None = None) -> Table:
    """Every round with what came back of it, now and before, and what is still out."""
    from rich.table import Table

    from pipeline.show import plain

    table = Table(title=f"{name}: rounds", title_justify="left", header_style="bold")
    for column in ("round", "sent", "tool", "what", "for"):
        table.add_column(column)
    for column in ("rows", *(["answers now"] if taken else []), "rows back", "still out"):
        table.add_column(column, justify="right")
    table.add_column("answered by")
    for one in rounds:
        sent = one.round
        when = sent.sent[:16].replace("T", " ")
        now = [f"{taken.belongs[sent.id]:,}"] if taken else []
        left = "closed" if one.is_closed else f"{one.out:,}"
        about = [sent.id, when, sent.tool, sent.what, sent.who, f"{len(sent.asked):,}", *now, f"{one.back:,}", left]
        table.add_row(*map(plain, about), plain(", ".join(one.people)))
    if taken and taken.belongs[""]:
        table.add_row("(none)", "", "", "", "", "", f"{taken.belongs['']:,}", "", "", "")
    return table


def _table_of(taken: Taken, title: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("what")
    table.add_column("answers", justify="right")
    for verdict, count in sorted(taken.acts.items(), key=lambda item: -item[1]):
        table.add_row(verdict, f"{count:,}")
    others = {
        "(as it went out with its row)": taken.as_proposed,
        "known before": taken.known,
        "answered again since": taken.superseded,
        "left without an answer": taken.skipped,
        "[red]not taken in[/red]": len(taken.problems),
    }
    for what, count in others.items():
        if count:
            table.add_row(what, f"{count:,}", style="dim")
    return table

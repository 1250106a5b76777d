"""The command that finds words of held-out sets among the rows, and the one that proves that it would find them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands import app as shell
from pipeline.commands.app import ASK, BatchRows, Data, Name, Workers, app
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from rich.table import Table

    from pipeline.against import Contamination
    from pipeline.quality.contamination import Proof
    from pipeline.stage import Work

SHOWN_LINES = 30
EXIT_MISSED = 1


@app.command(rich_help_panel=ASK)
def decontaminate(
    name: Name,
    *,
    data: Data = Path("data"),
    workers: Workers = 0,
    batch_rows: BatchRows = 4096,
    selftest: Annotated[
        bool,
        typer.Option(
            "--selftest",
            help="Plant copies and lookalikes of the held-out items, and count what is found; 1 if too few.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every line.")] = False,
) -> None:
    """List the rows in which words of a held-out set stand; assay run takes them out, with this evidence.

    Held-out sets stand under "against" in the recipe, with a name, files or hub, a format and kind = "held-out".
    """
    (one,) = shell.recipes([name], data)
    work = _ingested(one, shell.engine(workers, batch_rows))
    if selftest:
        _prove(work, as_json=as_json)
        return
    from pipeline import against, heldout

    if not heldout.named(one):
        problem = 'names no held-out set ([[against]] with kind = "held-out")'
        raise AssayError(f"recipe '{one.name}'", problem, "name one, or try the search out with --selftest")
    found = against.contaminated(work, work.narrow(["id", "split"]))
    if as_json:
        _write({**found.details, "lines": found.table.to_pylist()})
        return
    console = shell.console()
    console.print(_sets(found, one.name))
    if found.table.num_rows:
        console.print(_rows(found))
    console.print(_ignored(found.details))


def _ignored(details: dict[str, Any]) -> str:
    """The closing line: how many rows, and what was not counted."""
    counts = details["ignored"]
    return (
        f"{details['rows']:,} rows hold words of a held-out set. Left aside: {counts['common_ngrams']:,} of "
        f"{counts['ngrams']:,} n-grams, which many items have; {counts['common_words']:,} words and "
        f"{counts['common_short_items']:,} short items, which many rows have."
    )


def _ingested(one: Any, engine: Any) -> Work:
    """The rows of the data set as they were read: built now where they are not there yet."""
    from pipeline import flow, show
    from pipeline.contract import contract
    from pipeline.stage import Work
    from pipeline.tasks import task

    with show.progress(shell.console(), one.name) as begin:
        flow.build(one, engine, last="ingest", begin=begin)
    settings = one.settings
    return Work(
        recipe=one,
        task=task(settings.task, settings.guideline),
        contract=contract(settings.task),
        engine=engine,
        before=one.build / "ingest",
        tick=lambda rows: None,
    )


def _sets(found: Contamination, name: str) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"{escape(name)}: held-out sets", title_justify="left", header_style="bold")
    for column in ("set", "records", "items", "items hit", "rows hit", "rows hit that stay"):
        table.add_column(column, justify="left" if column == "set" else "right")
    for one, told in found.details["sets"].items():
        names = ("records", "items", "items_hit", "rows_hit", "rows_hit_that_stay")
        table.add_row(escape(one), *(f"{told[column]:,}" for column in names))
    return table


def _rows(found: Contamination) -> Table:
    from rich.table import Table

    from pipeline.show import plain

    more = found.table.num_rows - SHOWN_LINES
    title = "what stands in which row" + (f", the first {SHOWN_LINES}; --json lists all" if more > 0 else "")
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in ("row", "held-out item", "field", "of it", "the longest piece"):
        table.add_column(column, justify="right" if column == "of it" else "left", overflow="fold")
    for line in found.table.slice(0, SHOWN_LINES).to_pylist():
        place = f"{line['set']}: {line['item']}"
        table.add_row(
            plain(line["id"]), plain(place), plain(line["field"]), f"{line['share']:.0%}", plain(line["words"])
        )
    return table


def _prove(work: Work, *, as_json: bool) -> None:
    from pipeline import planted

    console, told, passed = shell.console(), {}, True
    for name, proof in planted.proofs(work):
        passed &= proof.passed
        told[name] = _as_json(proof)
        if not as_json:
            console.print(_proof(proof, name))
    if as_json:
        _write(told)
    if not passed:
        raise typer.Exit(EXIT_MISSED)


def _proof(proof: Proof, name: str) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"self-test on {escape(name)}", title_justify="left", header_style="bold")
    for column in ("planted", "script", "rows", "found", "left alone", "share", "95 % interval", "right item"):
        table.add_column(column, justify="left" if column in ("planted", "script") else "right")
    for line in proof.lines:
        copy = line.right_item is not None
        counts = (f"{line.good:,}", "") if copy else ("", f"{line.good:,}")
        right = "" if line.right_item is None else f"{line.right_item:.3f}"
        between = f"{line.low:.3f} to {line.high:.3f}"
        table.add_row(line.kind, line.script, f"{line.rows:,}", *counts, f"{line.share:.3f}", between, right)
    found, verdict = proof.precision, "[green]passed[/green]" if proof.passed else "[red]failed[/red]"
    table.caption = (
        f"{verdict}: of {found.rows:,} rows found {found.good:,} are copies, a precision of {found.share:.3f} "
        f"({found.low:.3f} to {found.high:.3f}); {proof.really_there} lookalikes hold an item whole and count nowhere"
    )
    table.caption_justify = "left"
    return table


def _as_json(proof: Proof) -> dict[str, Any]:
    lines = [line._asdict() for line in proof.lines]
    precision = proof.precision._asdict()
    return {"passed": proof.passed, "lines": lines, "precision": precision, "really_there": proof.really_there}


def _write(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False) + "\n")

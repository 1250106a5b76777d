"""The commands that answer and begin: why a row is gone, where counts went, a new recipe, what to check by hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import app as shell
from pipeline.commands.app import ASK, Data, Name, Names, app
from pipeline.errors import AssayError

if TYPE_CHECKING:
    pass


@app.command(rich_help_panel=ASK)
def why(
    row: Annotated[str, typer.Argument(help="A row's id (film/17), or its raw place (reviews.csv:18).")],
    name: Annotated[
        str | None, typer.Option("--dataset", help="The data set; all that were built if not given.")
    ] = None,
    data: Data = Path("data"),
) -> None:
    """Tell a row's life: raw place, annotations, verdicts with evidence, copies, split, what the model said."""
    from pipeline import lives, show

    recipes = [one for one in shell.recipes([name] if name else None, data) if one.build.exists()]
    unknown: AssayError | None = None
    for one in recipes:
        try:
            events = lives.life(one, row)
        except AssayError as error:
            unknown = error
            continue
        shell.console().print(show.tree(f"{row} in {one.name}", events))
        return
    raise unknown or AssayError(f"row '{row}'", "nothing was built yet", "assay run")


@app.command(rich_help_panel=ASK)
def ledger(name: Name, data: Data = Path("data")) -> None:
    """Print the waterfall of counts, from raw records to the tokens learned from; it must add up."""
    from pipeline import flow, show

    (one,) = shell.recipes([name], data)
    shell.console().print(show.waterfall(flow.ledger(one), one.name))


@app.command("check-recipe", rich_help_panel=ASK)
def check_recipe(
    names: Names = None,
    data: Data = Path("data"),
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of recipes, for editors.")] = False,
) -> None:
    """Check recipes without running them: unknown settings are refused, with the nearest known one.

    The names of gates, sources and files that it uses are looked up as well; what has to be fetched is not.
    """
    from pipeline import recipe, sources, tasks
    from pipeline.finetune import shares
    from pipeline.gate.suite import suite

    if schema:
        sys.stdout.write(recipe.json_schema() + "\n")
        return
    for one in shell.recipes(names, data):
        shares.check(one, tasks.task(one.settings.task, one.settings.guideline))
        suite(one)
        for reading in one.settings.against:
            sources.raw_files(one, reading)
        shell.console().print(
            f"{one.name}: good, task {one.settings.task}, {len(one.settings.ingest.source)} source(s)"
        )


@app.command(rich_help_panel=ASK)
def new(
    name: Annotated[str, typer.Argument(help="What to call the data set.")],
    task: Annotated[
        str, typer.Option("--task", help="answering, chat, classification, rating, relations, tagging or writing.")
    ],
    source: Annotated[
        Path, typer.Option("--from", help="Your file: CSV, TSV, JSONL, JSON, Parquet or CoNLL, compressed or not.")
    ],
    answers: Annotated[
        list[Path] | None,
        typer.Option("--answers", help="A file of answers alone, about the texts in the other; may be said again."),
    ] = None,
    data: Data = Path("data"),
) -> None:
    """Write a recipe for a file of yours by looking at it."""
    from pipeline import scaffold

    path, notes = scaffold.new(name, task=task, source=source, data=data, answers=answers or ())
    console = shell.console()
    console.print(f"wrote {path}", soft_wrap=True)
    for note in notes:
        console.print(f"  {note}", soft_wrap=True, markup=False)
    elsewhere = "" if data == Path("data") else f" --data {data}"
    console.print(f"next: assay run {name}{elsewhere}", soft_wrap=True)


@app.command("audit-plan", rich_help_panel=ASK)
def audit_plan(
    name: Name,
    *,
    data: Data = Path("data"),
    at_most: Annotated[float | None, typer.Option(help="The share wrong that there may be; 0.02 if not said.")] = None,
    confidence: Annotated[float | None, typer.Option(help="How sure to be; 0.95 if not said.")] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Strata to hold the bound in: label, batch, source, language, split; or suspicion."),
    ] = None,
    sequential: Annotated[
        bool | None, typer.Option("--sequential/--fixed", help="Look after every check, or once at the end.")
    ] = None,
    double_check: Annotated[float | None, typer.Option(help="Share of the list that a second person checks.")] = None,
    read: Annotated[Path | None, typer.Option(help="Take in the verdicts of a list that was filled in.")] = None,
    who: Annotated[str, typer.Option(help="With --read: who checked, where the list does not say.")] = "",
    decide: Annotated[
        bool, typer.Option("--decide", help="With --read: put corrections into decisions.jsonl.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Only tell where the checks stand.")] = False,
) -> None:
    """Plan how many rows people check for "at most 2 % wrong", write the list, read verdicts back, say when to stop.

    Verdicts are fine, wrong or ambiguous; for a wrong one right_answer may say what is right.
    """
    from pipeline import checks
    from pipeline.checks import show as showing

    (one,), console = shell.recipes([name], data), shell.console()
    asked = {"at_most": at_most, "confidence": confidence, "by": by, "sequential": sequential}
    asked |= {"double_share": double_check}
    if (read is not None or status) and any(value is not None for value in asked.values()):
        raise AssayError("audit-plan", "a plan is made or changed on its own", "leave --read and --status out")
    if read is None and (who or decide):
        problem = "--who and --decide say what to do with verdicts that are read"
        raise AssayError("audit-plan", problem, "add --read FILE")
    if read is not None:
        for line in showing.taken(checks.read_verdicts(one, read, who=who, decide=decide)):
            console.print(line, markup=False, soft_wrap=True)
    elif not status:
        path, rows, open_ = checks.write_list(one, checks.settle(one, **asked))
        told = f"{rows:,} rows, {open_:,} of them to be checked, in {os.path.relpath(path)}"
        console.print(told, markup=False, soft_wrap=True)
    found = checks.facts(one)
    if found is None:
        raise AssayError(f"checks of '{one.name}'", "there is no plan", f"assay audit-plan {one.name}")
    console.print(showing.plan(found, one.name))

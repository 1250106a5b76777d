"""The command line's one app, and what its commands share: data sets by name, options, the console, the engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.engine import Engine
    from pipeline.recipe import Recipe

EXIT_USAGE = 2
BUILD, ASK, REVIEW, KEEP = "Build", "Ask", "Review and decide", "Keep, compare, hand over"
"""The parts of the list of commands."""

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


def console(*, beside: bool = False) -> Console:
    """The console; `beside` the output, for what must not stand in it."""
    from rich.console import Console

    stream = sys.stderr if beside else sys.stdout
    return Console(width=None if stream.isatty() else 110, highlight=False, stderr=beside)


def recipes(names: list[str] | None, data: Path) -> list[Recipe]:
    from pipeline import recipe

    wanted = names or recipe.names(data)
    if not wanted:
        raise AssayError(f"folder {data}", "no data set in it", "assay new NAME --task T --from FILE makes one")
    return [recipe.find(name, data=data) for name in wanted]


def engine(workers: int, batch_rows: int) -> Engine:
    from pipeline.engine import Engine, cores

    return Engine(workers=workers or cores(), batch_rows=batch_rows)

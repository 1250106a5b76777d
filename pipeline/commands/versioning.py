"""The commands that keep and compare: which versions there are, and what changed from one to another."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands import app as shell
from pipeline.commands.app import KEEP, Data, Name, app
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from pipeline.recipe import Recipe
    from pipeline.versions import Held

EXIT_CHANGED = 1
Which = Annotated[
    str | None,
    typer.Argument(help="A version: its id or the beginning of it, latest, previous, or a folder that holds one."),
]


@app.command(rich_help_panel=KEEP)
def versions(
    name: Name,
    data: Data = Path("data"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, the oldest first.")] = False,
) -> None:
    """List the versions that were kept: when, how many rows, the change against the one before, what the gates said.

    Every whole build is kept under data/build/NAME/versions/ID, named by its content: the same build is the same
    version. Each is a folder that can be published as it stands, and that datasets.load_dataset(folder) reads.
    """
    from pipeline import versions as keeping
    from pipeline.versions import show

    (one,) = shell.recipes([name], data)
    found = keeping.listing(one, pulled=True)
    if as_json:
        _print(json.dumps(found, indent=1, ensure_ascii=False))
    elif not found:
        raise AssayError(f"versions of '{one.name}'", "none was kept yet", f"assay run {one.name}")
    else:
        shell.console().print(show.listed(found, one.name))


@app.command(rich_help_panel=KEEP)
def diff(
    name: Name,
    before: Which = None,
    after: Which = None,
    *,
    data: Data = Path("data"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown for a pull request.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="How many examples of each kind.")] = 10,
    every: Annotated[bool, typer.Option("--all", help="List every row that changed.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 if any row changed.")] = False,
) -> None:
    """Tell what changed from one version to another: rows, labels, sides, rejections, agreement, drift.

    Without versions the two newest are compared, with one it is compared with the newest. What happened to the test
    set comes first. Rows are matched by id.

    [bold]Examples[/bold]
      assay diff tickets
      assay diff tickets v1c9 latest --markdown
      assay diff tickets ../pulled/tickets --exit-code
    """
    from pipeline import versions as keeping

    if as_json and as_markdown:
        raise AssayError("diff", "--json and --markdown are two outputs", "give one of them")
    (one,) = shell.recipes([name], data)
    older, newer = _pair(one, before, after)
    found = keeping.diff(older, newer, limit=None if every else limit)
    _told(found, as_json=as_json, as_markdown=as_markdown, limit=limit)
    if exit_code and not found["is_same"]:
        raise typer.Exit(EXIT_CHANGED)


def _pair(one: Recipe, before: str | None, after: str | None) -> tuple[Held, Held]:
    from pipeline import versions as keeping

    return keeping.find(one, before or keeping.PREVIOUS), keeping.find(one, after or keeping.LATEST)


def _told(found: dict[str, Any], *, as_json: bool, as_markdown: bool, limit: int) -> None:
    if as_json:
        _print(json.dumps(found, indent=1, ensure_ascii=False))
    elif as_markdown:
        from pipeline.versions.pasted import markdown

        _print(markdown(found))
    else:
        from pipeline.versions import show

        shell.console().print(show.compared(found, limit=limit))


def _print(text: str) -> None:
    """Straight out: the console would break lines that a program is to read."""
    sys.stdout.write(text.rstrip("\n") + "\n")

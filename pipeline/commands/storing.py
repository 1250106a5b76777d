"""The commands that hand over and take back: versions to and from a store, and rows that must be erased."""

from __future__ import annotations

import getpass
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import app as shell
from pipeline.commands.app import KEEP, Data, Name, Workers, app
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from pipeline.erasing import Proof, Target
    from pipeline.recipe import Recipe
    from pipeline.storage import Transfer

EXIT_LEFT = 1
Url = Annotated[
    str,
    typer.Argument(help="A folder, s3://BUCKET/FOLDER, gs://..., sftp://..., or any other place that fsspec knows."),
]


@app.command(rich_help_panel=KEEP)
def push(
    name: Name,
    url: Url,
    *,
    version: Annotated[str, typer.Option(help="Which: its id or the beginning of it; the latest if not said.")] = "",
    data: Data = Path("data"),
) -> None:
    """Push a version to URL/NAME/ID, every file checked; what is there already is not sent again.

    version.json is written last, so that its presence means that the copy is whole; latest.json names the version that
    was kept last. A push that was stopped goes on where it was. Credentials come from the environment, as for any tool
    of that store, and are never shown. What lies there can be loaded as it is: datasets.load_dataset(FOLDER).
    """
    from pipeline import storage, versions

    (one,), console = shell.recipes([name], data), shell.console()
    held = versions.find(one, version or versions.LATEST)
    kept = {entry["id"]: str(entry["when"]) for entry in versions.listing(one)}
    remote = storage.Remote(url)
    size = sum(path.stat().st_size for path in held.folder.rglob("*") if path.is_file())
    with _bytes(console, f"{one.name} to {remote.place}", size) as tick:
        done = storage.push(remote, held.folder, one.name, kept=kept.get(held.id, ""), tick=tick)
    versions.log.add(
        versions.versions_folder(one), {"id": held.id, "what": "pushed", "when": versions.log.now(), "to": remote.place}
    )
    _closing(console, done, "pushed")
    if not done.latest:
        console.print("latest.json names a version that was kept later, and was left so", soft_wrap=True)


@app.command(rich_help_panel=KEEP)
def pull(
    name: Annotated[str, typer.Argument(help="The data set; it need not have a recipe here.")],
    url: Url,
    *,
    version: Annotated[str, typer.Option(help="Which: its id or the beginning of it; the latest if not said.")] = "",
    every: Annotated[bool, typer.Option("--list", help="Only list what is there.")] = False,
    data: Data = Path("data"),
) -> None:
    """Pull a version from URL/NAME to stand beside those that were built here; every hash is checked.

    It lies under data/build/NAME/versions/ID then, where assay diff finds it. Nothing in it is run, no name in it leads
    out of that folder, and a version that holds what was erased here is refused.
    """
    from pipeline import storage

    remote, console = storage.Remote(url), shell.console()
    name, folder, accept = _beside(name, data)
    if every:
        _list(console, storage.listed(remote, name), f"{remote.place}/{name}")
        return
    with _bytes(console, f"{name} from {remote.place}", None) as tick:
        done = storage.pull(remote, name, folder, version=version, tick=tick, accept=accept)
    _closing(console, done, "pulled")
    console.print(os.path.relpath(folder / done.version), soft_wrap=True, markup=False)


def _beside(name: str, data: Path) -> tuple[str, Path, Callable[[Path], None]]:
    """What a data set is called, where pulled versions of it lie, and what they are held to: nothing erased here."""
    from functools import partial

    from pipeline import erasing, recipe
    from pipeline.storage.manifest import is_name

    if (data / name / "recipe.toml").is_file() or name.endswith(".toml"):
        one = recipe.find(name, data=data)
        return one.name, one.build / "versions", partial(erasing.hold_clean, one)
    if not is_name(name):
        raise AssayError(f"data set '{name}'", "is no name of a data set", "letters, digits, '.', '_' and '-'")
    return name, data / "build" / name / "versions", lambda folder: None


@app.command(rich_help_panel=KEEP)
def erase(
    name: Name,
    *,
    source: Annotated[list[str] | None, typer.Option(help="A source that was withdrawn; may be given again.")] = None,
    row: Annotated[list[str] | None, typer.Option(help="A row, by its id (film/17); may be given again.")] = None,
    who: Annotated[str, typer.Option(help="Who has it erased; the user of this machine if not said.")] = "",
    why: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    decisions: Annotated[
        bool, typer.Option("--decisions", help="Also blank what people wrote of these rows: decisions, checks, lists.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be erased, and where it is.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only prove, again, that nothing is left.")] = False,
    data: Data = Path("data"),
    workers: Workers = 0,
) -> None:
    """Erase a source or rows from a data set, its build, its versions, caches and models, and prove that none is left.

    What is erased is noted in data/NAME/erased.jsonl, which every build reads: it stays away though the recipe still
    names it. A line with "keep": true takes that back. The raw files are yours, and are left as they are. The proof
    looks into every file for ids, places and words of the rows and of all copies; data/NAME/erasures holds the record.

    Exit codes: 0 nothing is left; 1 something is, and where; 2 a mistake, or the rest could not be built again.
    """
    from pipeline import erasing

    (one,), console = shell.recipes([name], data), shell.console()
    targets = [erasing.target_of(one, "source", each) for each in source or ()]
    targets += [erasing.target_of(one, "row", each) for each in row or ()]
    if check == bool(targets) or (check and (dry_run or decisions)):
        problem = "say what is erased (--source S, --row ID), or --check alone"
        raise AssayError(f"erase {one.name}", problem, "assay erase --help")
    if check or dry_run:
        raise typer.Exit(_look(one, console, targets))
    _erase(one, console, targets, workers=workers, who=who or getpass.getuser(), why=why, decisions=decisions)


def _look(one: Recipe, console: Console, targets: list[Target]) -> int:
    """Look for what is erased, or would be; the exit code."""
    from pipeline import erasing
    from pipeline.erasing import show

    with _bytes(console, f"{one.name}: looking", erasing.size(one)) as tick:
        if not targets:
            return _proven(console, erasing.check(one, tick=tick), one.name)
        marks, found = erasing.preview(one, targets, tick=tick)
    console.print(show.marked(marks))
    console.print(show.proof(found, one.name, title=f"{one.name}: where it stands now; nothing was changed"))
    return 0


def _erase(
    one: Recipe, console: Console, targets: list[Target], *, workers: int, who: str, why: str, decisions: bool
) -> None:
    from pipeline import erasing
    from pipeline import show as showing
    from pipeline.erasing import show

    engine = shell.engine(workers, 4096)
    with showing.progress(console, one.name) as begin:
        found = erasing.erase(one, targets, engine, who=who, why=why, decisions=decisions, begin=begin)
    console.print(show.marked(found.record.marks))
    if found.reports:
        console.print(showing.closing(found.reports, one.name))
    for line in show.done(found.record):
        console.print(line, soft_wrap=True)
    code = _proven(console, found.proof, one.name)
    console.print(f"record: {os.path.relpath(found.record.path)}", soft_wrap=True, markup=False)
    if found.fault is not None:
        problem = f"is erased, but the rest could not be built again, and its old build was removed: {found.fault}"
        raise AssayError(f"data set '{one.name}'", problem, "mend that, then assay run")
    told = f"next: assay run {one.name} checks the gates, writes the report and keeps a version without them"
    console.print(told, soft_wrap=True)
    raise typer.Exit(code)


def _proven(console: Console, found: Proof, name: str) -> int:
    """Show a proof; the exit code for it."""
    from pipeline.erasing import show

    console.print(show.proof(found, name))
    for line in [*show.findings(found), *show.limits(found)]:
        console.print(line, soft_wrap=True)
    if not found.left:
        files = sum(looked.files for looked in found.looked.values())
        console.print(f"[green]nothing is left[/green] in {files:,} files", soft_wrap=True)
        return 0
    people = any("decisions.jsonl" in path or "/checks" in path for path, _ in found.findings)
    more = "; --decisions blanks what people wrote of them" if people else ""
    console.print(f"[red]something is left in {found.left:,} files[/red]{more}", soft_wrap=True)
    return EXIT_LEFT


@contextmanager
def _bytes(console: Console, what: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """A bar that is told of bytes."""
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), DownloadColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        bar = bars.add_task(escape(what), total=size)
        yield lambda done: bars.advance(bar, done)


def _closing(console: Console, done: Transfer, what: str) -> None:
    """The closing table of a push or a pull."""
    from rich.table import Table

    from pipeline.storage.transfer import COPIED, SENT

    was = "" if done.fresh else ", which was there already"
    console.print(f"{what} {done.version} of {done.name}: {done.place}{was}", soft_wrap=True, markup=False)
    table = Table(header_style="bold")
    table.add_column("what")
    table.add_column("files", justify="right")
    table.add_column("bytes", justify="right")
    for how, count in done.files.items():
        if what == "pushed" or how != COPIED:
            name = "fetched" if (what, how) == ("pulled", SENT) else how
            table.add_row(name, f"{count:,}", f"{done.bytes[how]:,}")
    console.print(table)


def _list(console: Console, found: list[dict[str, object]], place: str) -> None:
    """What lies on the far side."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(place), title_justify="left", header_style="bold")
    for column in ("version", "train", "validation", "test", "files", "bytes", ""):
        table.add_column(column, justify="left" if column in ("version", "") else "right")
    for one in found:
        rows = one["rows"]
        assert isinstance(rows, dict)
        numbers = [f"{number:,}" for number in (*(rows[side] for side in rows), one["files"], one["bytes"])]
        table.add_row(str(one["id"]), *numbers, "latest" if one["latest"] else "")
    console.print(table)

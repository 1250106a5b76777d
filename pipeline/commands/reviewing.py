"""The command that opens the review page."""

from __future__ import annotations

import tempfile
import webbrowser
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import app as shell
from pipeline.commands.app import ASK, Data, Name, app

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def leading(link: str) -> Iterator[str]:
    """A file of this user alone that leads to a link: the command line of a browser can be read by all users."""
    with tempfile.TemporaryDirectory(prefix="assay-review-") as folder:
        page = Path(folder) / "review.html"
        page.touch(mode=0o600)
        page.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={link}"><title>Review</title>')
        yield page.as_uri()


@app.command(rich_help_panel=ASK)
def review(
    name: Name,
    *,
    who: Annotated[
        list[str], typer.Option("--who", help="Who decides; several times for several people, a link each.")
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 takes a free one.")] = 0,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the first link in a browser.")] = True,
    data: Data = Path("data"),
) -> None:
    """Look at what is doubtful in a browser: texts with evidence, one key for a verdict, whole groups at once.

    Every decision is a line in data/NAME/decisions.jsonl, written before the page says so; Ctrl-C ends it. The page is
    served on this machine only, to those who have its link.
    """
    from pipeline import reviewing
    from pipeline.reviewing import server
    from pipeline.reviewing.desk import Desk
    from pipeline.reviewing.heading import many, opened
    from pipeline.reviewing.live import Live
    from pipeline.reviewing.reviewers import reviewers

    (one,), console = shell.recipes([name], data), shell.console()
    people = reviewers(who)
    desk = Desk(one, reviewing.queue(one))
    with server.listening(port) as held:
        at = held.getsockname()[1]
        console.print(f"{opened(desk)}; Ctrl-C ends it.")
        for person in people:
            console.print(f"{person.who}: {server.link(person, at)}", markup=False, soft_wrap=True)
        before, live = desk.ledger.version, Live(desk)
        with suppress(KeyboardInterrupt), leading(server.link(people[0], at)) as page:
            if open_:
                webbrowser.open(page)
            server.serve(live, people, held)
    live.desk.refresh()
    decided = live.desk.ledger.version - before
    console.print(f"{many(decided, 'line')} added to {one.decisions} while the page was open.", soft_wrap=True)

"""The review page: seconds from `assay review` to a page that can be used, and to go on, at 100,000 suspects.

    python -m tests.bench review_page [suspects] [spans | labels]

A build of twice as many made-up rows as suspects; the command itself is started, its link opened in a Chromium without
a window, and keys are pressed. A key's time ends when what it opens is on the page. The queue is made before, once.
"""

from __future__ import annotations

import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import recipe, reviewing
from tests.bench.measure import ROOT, show, timed
from tests.bench.reviewed import built

if TYPE_CHECKING:
    from collections.abc import Iterator

RECIPE = """task = "{task}"
[[ingest.source]]
name = "film"
files = ["raw.csv"]
format = "csv"
"""
BROWSERS = ("chromium", "google-chrome", "chromium-browser")
PRESSED = 20


def browser_path() -> str | None:
    """Where a Chromium is on this machine."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def prepared(folder: Path, suspects: int, kind: str) -> float:
    """Make the build, its recipe and its queue; the seconds that the queue took."""
    made = built(folder, kind, 2 * suspects, suspects)
    made.folder.mkdir(parents=True, exist_ok=True)
    task = made.settings.task
    (made.folder / "recipe.toml").write_text(RECIPE.format(task=task), encoding="utf-8")
    return timed(lambda: reviewing.queue(recipe.load(made.folder / "recipe.toml")))[1]


def measured(folder: Path) -> Iterator[tuple[str, str]]:
    """What is measured, and the value."""
    command = [sys.executable, "-m", "pipeline", "review", "tiny", "--who", "anna", "--no-open", "--data", str(folder)]
    begun = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        link = next(line.partition(": ")[2].strip() for line in process.stdout if line.startswith("anna: "))
        yield "command to link, s", f"{time.perf_counter() - begun:.2f}"
        try:
            yield from _in_browser(link, begun)
            yield "server's memory, MiB", str(_resident(process.pid))
        finally:
            process.send_signal(signal.SIGINT)


def _in_browser(link: str, begun: float) -> Iterator[tuple[str, str]]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        waited = time.perf_counter()
        page = browser.new_page()
        page.goto(link)
        page.wait_for_selector("body[data-usable]")
        yield "link to usable, s", f"{time.perf_counter() - waited:.2f}"
        yield "command to usable, the browser's own start apart, s", f"{time.perf_counter() - begun:.2f}"
        for name, key in (("next (j)", "j"), ("decide and go on (f)", "f"), ("undo (u)", "u")):
            yield f"{name}, ms, median of {PRESSED}", _pressed(page, key)
        page.select_option("#view", "lines")
        page.wait_for_selector("#card .text")
        page.evaluate("document.activeElement.blur()")
        yield "next, line by line, ms", _pressed(page, "j")
        yield "to the group and back (g), ms", _pressed(page, "g")
        yield "decide, line by line, ms", _pressed(page, "f")
        page.focus("#list")
        yield (
            "to the end of the list and back, ms",
            f"{statistics.median(_once(page, key) for key in ('End', 'Home')):.0f}",
        )
        browser.close()


def _pressed(page: Any, key: str) -> str:
    return f"{statistics.median(_once(page, key) for _ in range(PRESSED)):.0f}"


def _once(page: Any, key: str) -> float:
    before = page.get_attribute("body", "data-drawn")
    seconds = timed(lambda: _until_drawn(page, key, before))[1]
    page.wait_for_timeout(20)
    return seconds * 1000


def _until_drawn(page: Any, key: str, before: str | None) -> None:
    page.keyboard.press(key)
    page.wait_for_selector(f"body:not([data-drawn='{before}'])", timeout=20_000)


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


def main(arguments: list[str]) -> None:
    """Print the table."""
    suspects = int(arguments[0]) if arguments else 100_000
    kind = arguments[1] if arguments[1:] else "spans"
    if browser_path() is None:
        raise SystemExit("no Chromium on this machine")
    with tempfile.TemporaryDirectory() as folder:
        first = f"{prepared(Path(folder), suspects, kind):.1f}"
        show(
            f"{suspects:,} suspects, {kind}",
            ("value",),
            [("making the queue, once, s", first), *measured(Path(folder))],
        )

"""What benches share: where real data lie, processes of their own, seconds and peak memory, tables."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ASSAY_REAL_DATA") or ROOT.parent / "shared" / "data").resolve()
MILLION = 1_000_000
FIRST, OTHER = 34, 7  # characters of the first column and, at least, of the others


def real(path: str) -> Path:
    """A file or folder of the real data.

    Raises:
        SystemExit: it is not there.
    """
    found = DATA / path
    if not found.exists():
        raise SystemExit(f"no real data at {found}: set ASSAY_REAL_DATA to their folder")
    return found


def timed(function: Callable[[], T]) -> tuple[T, float]:
    """What a function gives, and the seconds that it took."""
    begun = time.perf_counter()
    found = function()
    return found, time.perf_counter() - begun


def peak() -> int:
    """The most memory that this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def apart(bench: str, *arguments: str) -> str:
    """What a bench prints in a process of its own, so that its peak of memory is its own."""
    command = [sys.executable, "-m", "tests.bench", bench, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def told() -> str:
    """The machine, and how busy it is."""
    load = os.getloadavg()[0]
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    python = platform.python_version()
    return f"Python {python}, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}, load average {load:.1f}"


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in Markdown, each line as soon as it is there."""
    widths = [max(FIRST, len(title)), *(max(OTHER, len(column)) for column in columns)]
    print(f"\n({told()})\n\n{_line([title, *columns], widths)}", flush=True)
    print("|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|", flush=True)
    for row in rows:
        print(_line(row, widths), flush=True)


def _line(cells: Sequence[object], widths: Sequence[int]) -> str:
    first, *others = (str(cell) for cell in cells)
    rest = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
    return "| " + " | ".join([first.ljust(widths[0]), *rest]) + " |"

"""Rows per second and peak memory of every stage at 10,000 and 100,000 rows; also run by `make bench`.

The rows are made from the ratings of `reviews`: each is the first half of one text and the second half of another, with
the ratings that the first one got, so that lengths, labels and the number of ratings are those of real data.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from pipeline import recipe, store
from pipeline.engine import Engine
from pipeline.flow import NAMES, build
from tests.bench.measure import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (10_000, 100_000)
RECIPE = """
task = "classification"
[[guideline.label]]
name = "negative"
scale = [-4, -1]
[[guideline.label]]
name = "neutral"
scale = [0, 0]
[[guideline.label]]
name = "positive"
scale = [1, 4]
[ingest]
languages = ["en"]
[[ingest.source]]
name = "bench"
files = ["rows.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", answers = "ratings" }
[augment]
budget = 0.1
[[augment.edit]]
kind = "keyboard"
"""


def texts_and_ratings() -> tuple[list[str], list[list[str]]]:
    """Every text of `reviews` and what it was rated, from its ingested rows."""
    reviews = recipe.find("reviews", data=ROOT / "data")
    build(reviews, Engine(), last="ingest")
    rows = store.whole_table(reviews.build / "ingest", "rows", columns=["id", "text"])
    said = store.whole_table(reviews.build / "ingest", "annotations", columns=["row", "given"])
    ratings: dict[str, list[str]] = {}
    for row, given in zip(said["row"].to_pylist(), said["given"].to_pylist(), strict=True):
        ratings.setdefault(row, []).append(given)
    return rows["text"].to_pylist(), [ratings[row] for row in rows["id"].to_pylist()]


def made_up(count: int, texts: list[str], ratings: list[list[str]]) -> Iterator[str]:
    """`count` JSON lines of rows that no other row reads like."""
    draw = random.Random(count)
    for number in range(count):
        one, other = draw.randrange(len(texts)), draw.randrange(len(texts))
        first, second = texts[one].split(), texts[other].split()
        text = " ".join(first[: len(first) // 2 + 1] + second[len(second) // 2 :])
        yield json.dumps({"id": str(number), "text": text, "ratings": [int(rating) for rating in ratings[one]]})


def measured(stage: str, data: Path, workers: int) -> tuple[float, float]:
    """Seconds and peak MiB (of the largest process) of one stage, in a process of its own."""
    command = [sys.executable, "-m", "pipeline", stage, "bench", "--data", str(data), "--workers", str(workers)]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def main(_: list[str]) -> None:
    """Print the table."""
    console = Console(width=100)
    texts, ratings = texts_and_ratings()
    workers = int(os.environ.get("WORKERS", "1"))
    table = Table(title=f"stages with {workers} worker(s), start of the process included", title_justify="left")
    for column in ("stage", *(f"{size:,} rows: rows/s" for size in SIZES), *(f"{size:,}: peak MiB" for size in SIZES)):
        table.add_column(column, justify="left" if column == "stage" else "right")
    found: dict[tuple[str, int], tuple[float, float]] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "bench"
            place.mkdir()
            (place / "recipe.toml").write_text(RECIPE, encoding="utf-8")
            with (place / "rows.jsonl").open("w", encoding="utf-8") as out:
                out.writelines(line + "\n" for line in made_up(size, texts, ratings))
            for stage in NAMES:
                found[stage, size] = measured(stage, Path(folder), workers)
                console.print(f"{size:,} rows, {stage}: {found[stage, size][0]:.1f} s", style="dim")
    for stage in NAMES:
        speeds = [f"{size / found[stage, size][0]:,.0f}" for size in SIZES]
        table.add_row(stage, *speeds, *(f"{found[stage, size][1]:,.0f}" for size in SIZES))
    console.print(table)

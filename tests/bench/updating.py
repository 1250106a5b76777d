"""Seconds and peak memory of an update of 1 % and 0.1 % of the rows, stage by stage, beside a full build.

The rows are those of `tests.bench.stages`: `single` has one label a row, `several` three of forty named annotators. Of
the changed rows a third is written otherwise, a third labelled otherwise, a sixth deleted and a sixth added. Every
result is compared, byte by byte, with a full build of the same files in another folder. Seconds are those of one
processor, so that what else runs on the machine counts for little; of several repetitions the least.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tests.bench.measure import ROOT
from tests.bench.stages import RECIPE, made_up, texts_and_ratings
from tests.small import contents

if TYPE_CHECKING:
    from collections.abc import Iterator

ANNOTATORS = 40
KINDS = {
    "single": ("one label a row", 'label = "label"'),
    "several": ("three named annotators a row", 'label = "label", annotator = "who"'),
}
OTHERWISE = {"negative": "positive", "neutral": "positive", "positive": "negative"}
STEPS: tuple[tuple[str, float, list[str]], ...] = (
    ("full build, nothing remembered", 1.0, ["--forget", "--fresh"]),
    ("full build", 1.0, ["--fresh"]),
    ("nothing changed", 0.0, []),
    ("1 % changed", 0.01, []),
    ("0.1 % changed", 0.001, []),
)
ONE = """
import json, resource, sys, time
from pathlib import Path
from pipeline import recipe, stage, store
from pipeline.engine import Engine
from pipeline.flow import STAGES
one, seconds = recipe.load(Path(sys.argv[1])), {}
flags, skipped = sys.argv[2].split(","), sys.argv[3].split(",")
with store.locked(one.build):
    for each in STAGES:
        if each.name not in skipped:
            begun = time.process_time()
            how = {"fresh": "--fresh" in flags, "remember": "--forget" not in flags}
            stage.run(each, one, Engine(), tick=lambda rows: None, **how)
            seconds[each.name] = time.process_time() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak": peak}))
"""

Record = dict[str, Any]


def records(kind: str, rows: int) -> list[list[Record]]:
    """The records of every row."""
    chance = random.Random(5)
    return [list(_answered(json.loads(line), kind, chance)) for line in made_up(rows, *texts_and_ratings())]


def _answered(row: Record, kind: str, chance: random.Random) -> Iterator[Record]:
    about = {"id": row["id"], "text": row["text"]}
    if kind == "single":
        yield about | {"label": _label(row["ratings"][0])}
        return
    people = chance.sample(range(ANNOTATORS), 3)
    for who, rating in zip(people, row["ratings"], strict=False):
        yield about | {"label": _label(rating), "who": f"w{who}"}


def _label(rating: str | int) -> str:
    return ("negative", "neutral", "positive")[1 + (int(rating) > 0) - (int(rating) < 0)]


def changed(rows: list[list[Record]], share: float) -> list[list[Record]]:
    """The rows with a share of them changed, spread evenly by chance."""
    chosen = sorted(random.Random(9).sample(range(len(rows)), round(share * len(rows))))
    fate = {at: number % 6 for number, at in enumerate(chosen)}
    found = []
    for at, row in enumerate(rows):
        match fate.get(at):
            case 0 | 1:
                found.append([record | {"text": f"{record['text']} again {at}"} for record in row])
            case 2 | 3:
                found.append([record | {"label": OTHERWISE[record["label"]]} for record in row])
            case 4:
                continue
            case 5:
                new = [record | {"id": f"new{at}", "text": f"{at} {record['text']}"} for record in row]
                found += [row, new]
            case _:
                found.append(row)
    return found


def written(folder: Path, kind: str, rows: list[list[Record]]) -> Path:
    """The data set `bench` under a folder; its recipe."""
    home = folder / "bench"
    home.mkdir(parents=True, exist_ok=True)
    columns = f'columns = {{ id = "id", text = "text", {KINDS[kind][1]} }}'
    toml = RECIPE.replace('columns = { id = "id", text = "text", answers = "ratings" }', columns)
    (home / "recipe.toml").write_text(toml, encoding="utf-8")
    with (home / "rows.jsonl").open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(record) + "\n" for row in rows for record in row)
    return home / "recipe.toml"


def built(path: Path, flags: list[str], skipped: str) -> dict[str, Any]:
    """Seconds by stage and peak MiB of one build, in a process of its own."""
    command = [sys.executable, "-c", ONE, str(path), ",".join(flags), skipped]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def least(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The least seconds of each stage over repetitions, and the least peak."""
    seconds = {name: min(run["seconds"][name] for run in runs) for name in runs[0]["seconds"]}
    return {"seconds": seconds, "peak": min(run["peak"] for run in runs)}


def bench(
    kind: str, *, rows: int, repeat: int, skipped: str, folder: Path
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every step, what it took, and whether its result is that of a full build."""
    given = records(kind, rows)
    base = folder / "base"
    for name, share, flags in STEPS:
        now = given if share in (0.0, 1.0) else changed(given, share)
        runs = []
        for _ in range(repeat):
            there = folder / "update"
            shutil.rmtree(there, ignore_errors=True)
            if base.exists():
                shutil.copytree(base, there)
            runs.append(built(written(there, kind, now), flags, skipped))
        if name == "full build":
            shutil.copytree(folder / "update", base)
        yield name, least(runs), "" if share in (0.0, 1.0) else _same(folder, kind, now, skipped)


def _same(folder: Path, kind: str, rows: list[list[Record]], skipped: str) -> str:
    """Whether the update gave the bytes of a full build of the same files, with the split lock that it began with."""
    anew = folder / "anew"
    shutil.rmtree(anew, ignore_errors=True)
    path = written(anew, kind, rows)
    if (lock := folder / "base" / "bench" / "split.lock").exists():
        shutil.copyfile(lock, path.parent / "split.lock")
    built(path, [], skipped)
    one, other = (contents(place / "build" / "bench") for place in (folder / "update", anew))
    different = [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]
    return f"{len(different)} files differ: {different[0]}" if different else f"{len(one)} files identical"


def main(arguments: list[str]) -> None:
    """Print a Markdown table for each kind of data set."""
    asked = argparse.ArgumentParser(prog="python -m tests.bench updating", description=__doc__)
    asked.add_argument("--rows", type=int, default=100_000)
    asked.add_argument("--kinds", default=",".join(KINDS), help=f"of {', '.join(KINDS)}")
    asked.add_argument("--repeat", type=int, default=1)
    asked.add_argument("--skip", default="suspect", help="stages that are not run, parted by commas")
    options = asked.parse_args(arguments)
    for kind in options.kinds.split(","):
        with tempfile.TemporaryDirectory() as folder:
            _print(kind, options, Path(folder))


def _print(kind: str, options: argparse.Namespace, folder: Path) -> None:
    console, whole = Console(), 0.0
    steps = bench(kind, rows=options.rows, repeat=options.repeat, skipped=options.skip, folder=folder)
    for number, (name, took, same) in enumerate(steps):
        seconds = took["seconds"]
        total = sum(seconds.values())
        if not number:
            console.print(f"\n{options.rows:,} rows, {KINDS[kind][0]}\n", markup=False)
            head = ["", *(f"{stage} s" for stage in seconds), "all s", "share", "peak MiB", ""]
            console.print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", markup=False, soft_wrap=True)
        whole = total if name == "full build" else whole
        share = f"{total / whole:.1%}" if whole else ""
        cells = [
            name,
            *(f"{each:.1f}" for each in seconds.values()),
            f"{total:.1f}",
            share,
            f"{took['peak']:,.0f}",
            same,
        ]
        console.print(f"| {' | '.join(cells)} |", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main(sys.argv[1:])

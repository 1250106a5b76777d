"""Builds that are killed: run as `python -m tests.killing FOLDER KILLS SEED`, it prints what it saw as JSON.

Every build is a process of its own, forked from this one, which has imported everything but started no thread; so a
kill costs the time of the build and not that of the imports.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import select
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import flow, stage, store, text
from pipeline.engine import Engine
from tests.small import CSV, contents, csv, made

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

Moment = tuple[str, str]
"""What is waited for (`time`, or something that appears in the build folder), and its stage or share of time."""

APPEARS = {
    "begun": "{}.partial",
    "shard": "{}.partial/rejected-00000.parquet",
    "report": "{}.partial/report.json",
    "swap": "{}.old",
}
SHARD_ROWS = 20
EACH = 3
"""Kills in every stage, at least."""
ENGINE = Engine(workers=1, batch_rows=32)
MORE = """
columns = { id = "id", text = "text", label = "label", annotator = "who" }
[augment]
budget = 0.3
seed = %d
[[augment.edit]]
kind = "swap"
[[augment.edit]]
kind = "keyboard"
[audit]
bootstrap = 10
min_text_chars = %d
[split]
lock = false
seed = %d
[guideline]
version = "%d"
"""


def data_set(folder: Path, version: int) -> Recipe:
    """A data set in one of two versions, none of whose stages come out the same."""
    words = [
        "the",
        "harbour",
        "was",
        "quiet",
        "when",
        "we",
        "came",
        "back",
        "from",
        "town",
        "with",
        "a",
        "basket",
        "full",
        "of",
        "bread",
    ]
    chosen = random.Random(7)
    lines = []
    for number in range(45):
        said = " ".join(chosen.sample(words, 9)) + f" {number + version}"
        lines += [f"{number},{said},{('good', 'bad')[number % 2]},{who}" for who in ("ann", "bob")]
    lines += ["1,another text under an id that was taken,good,ann", "broken line"]
    toml = CSV.replace('columns = { id = "id", text = "text", label = "label" }\n', MORE % ((1 + version,) * 4))
    return made(folder, toml, {"rows.csv": csv("id,text,label,who", lines)})


def build(one: Recipe) -> None:
    """A whole build, in this process."""
    flow.build(one, ENGINE, shard_rows=SHARD_ROWS)


def forked(one: Recipe) -> int:
    """A process that builds and ends."""
    process = os.fork()
    if process == 0:
        code = 70
        try:
            build(one)
            code = 0
        finally:
            os._exit(code)
    return process


def ended(process: int) -> None:
    """Wait until a process has ended well."""
    _, status = os.waitpid(process, 0)
    if status:
        raise ChildProcessError(f"a build failed with status {status}")


def killed(process: int, moment: Moment, build_folder: Path, seconds: float) -> bool:
    """Kill the process when the moment comes; False where it was done before that."""
    kind, what = moment
    done = os.pidfd_open(process)
    if kind == "time":
        alive = not select.select([done], [], [], float(what) * seconds)[0]
    else:
        path = build_folder / APPEARS[kind].format(what)
        while (alive := not select.select([done], [], [], 0)[0]) and not path.exists():
            os.sched_yield()
    os.close(done)
    if not alive:
        ended(process)
        return False
    os.kill(process, signal.SIGKILL)
    return os.waitpid(process, 0)[1] == signal.SIGKILL


def running(build_folder: Path) -> str:
    """The stage that was being written."""
    return next((path.stem for path in build_folder.glob("*.partial")), "between stages")


def moments(count: int, seed: int) -> list[Moment]:
    """Every kind of moment of every stage in turn, and as many at a random share of the time."""
    chosen = random.Random(seed)
    every = [(kind, stage) for kind in ("begun", "shard", "report", "swap") for stage in flow.NAMES]
    found: list[Moment] = []
    while len(found) < count:
        chosen.shuffle(every)
        found += [one for event in every for one in (event, ("time", f"{chosen.uniform(0.02, 0.98):.3f}"))]
    return found


class Torture:
    """Kills builds of two versions of a data set in turn, and notes what is not as it must be."""

    def __init__(self, folder: Path) -> None:
        self.versions = [data_set(folder / f"calm{version}", version) for version in (0, 1)]
        begun = time.perf_counter()
        for one in self.versions:
            self.calmly(one)
        self.seconds = (time.perf_counter() - begun) / 2
        self.calm = [contents(one.build) for one in self.versions]
        self.folder, self.version = folder / "killed", 0
        self.one = data_set(self.folder, 0)
        self.kills: list[list[str]] = []
        self.problems: list[str] = []

    def calmly(self, one: Recipe) -> None:
        """A build that nobody disturbs."""
        ended(forked(one))

    def strike(self, moment: Moment) -> None:
        """One build that is killed at a moment; where it was done before that, it is another version's turn."""
        if not killed(forked(self.one), moment, self.one.build, self.seconds):
            self.completed()
            return
        self.kills.append([*moment, running(self.one.build)])
        self.look_at_stages(moment)

    def completed(self) -> None:
        """Compare a finished build with the undisturbed one, and go on with the other version over it."""
        self.compare("a finished build")
        self.version = 1 - self.version
        self.one = data_set(self.folder, self.version)

    def end(self) -> None:
        """Build to the end and compare."""
        self.calmly(self.one)
        self.compare("the last build")

    def is_enough(self, kills: int) -> bool:
        """Whether so many builds were killed, some of them in every stage: a quick one is seldom hit by chance."""
        hit = Counter(stage for _, _, stage in self.kills)
        return len(self.kills) >= kills and all(hit[name] >= EACH for name in flow.NAMES)

    def look_at_stages(self, moment: Moment) -> None:
        """Whatever stage has a report is whole, and is that of one of the two versions."""
        for name in flow.NAMES:
            folder = self.one.build / name
            if not (folder / store.REPORT).exists():
                continue
            there = contents(folder)
            whole = [
                {
                    path.removeprefix(f"{name}/"): content
                    for path, content in calm.items()
                    if path.startswith(f"{name}/")
                }
                for calm in self.calm
            ]
            if there not in whole or store.read_report(folder) is None:
                self.problems.append(f"after {moment}: {name} is not whole")

    def compare(self, what: str) -> None:
        """The bytes of all files, and nothing left over."""
        there, calm = contents(self.one.build), self.calm[self.version]
        different = sorted(name for name in there.keys() | calm.keys() if there.get(name) != calm.get(name))
        if different:
            self.problems.append(f"{what} after {len(self.kills)} kills: {', '.join(different)}")


def warm(folder: Path) -> None:
    """Import what a build imports on its way, as another process finds out: so this one starts no thread."""
    stage.code_version()
    text.language("Load the language model before the first fork, please.")
    listed = folder / "modules.json"
    one = data_set(folder, 0)
    process = os.fork()
    if process == 0:
        build(one)
        specs = {name: getattr(module, "__spec__", None) for name, module in sys.modules.items()}
        listed.write_text(json.dumps(sorted(name for name, spec in specs.items() if spec and spec.name == name)))
        os._exit(0)
    ended(process)
    for name in json.loads(listed.read_text()):
        importlib.import_module(name)
    shutil.rmtree(folder)


def main(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Kill at least so many builds, then build to the end."""
    warm(folder / "warm")
    torture = Torture(folder)
    for moment in moments(4 * kills, seed):
        if torture.is_enough(kills) or torture.problems:
            break
        torture.strike(moment)
    torture.end()
    return {"kills": torture.kills, "problems": torture.problems, "seconds": torture.seconds}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))

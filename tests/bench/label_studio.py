"""The whole review loop on real corrections, out to a real Label Studio and back, beside the same without it.

    python -m tests.bench label_studio [weibo | btc] [--limit ROWS] [--keep FOLDER]

ASSAY_LABEL_STUDIO names the folder of a virtual environment that holds Label Studio. The commands are those that a user
types; two people (`tests.bench.annotating`) answer by Label Studio's own API, as its page submits answers. weibo: the
first release, the second is the truth; btc: a Twitter corpus with planted errors (`tests.bench.reviewing`). What they
said is also written as decisions at once, in a copy of the data set, and both are built. An error is a mark that only
one of two answers has; a mark with another label or other ends is two.
"""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import decisions, recipe, store, tasks
from pipeline.exchange import rounds
from tests.bench import reviewing
from tests.bench.annotating import Known, People, as_decisions, changed
from tests.bench.measure import DATA, ROOT, real, show
from tests.tools.served import ABSENT, IS_THERE, LEAD, serving

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.recipe import Recipe
    from pipeline.tasks import Answer
    from tests.tools.served import Studio

TOLD, MISTAKE = (0, 1), 2
"""How commands end: gates of these sets fail, which is no mistake."""
LABELS = {
    "weibo": ("PER.NAM", "PER.NOM", "GPE.NAM", "GPE.NOM", "ORG.NAM", "ORG.NOM", "LOC.NAM", "LOC.NOM"),
    "btc": ("PER", "LOC", "ORG"),
}
MADE_UP = """task = "tagging"
[[ingest.source]]
name = "set"
files = ["rows.jsonl"]
format = "jsonl"
language = "en"
columns = { id = "id" }
[audit]
duplicates = "off"
"""
REVIEW = "[review]\nblind_share = 0.1\ndouble_share = 0.1\n"


@dataclass
class Loop:
    """A data set in a folder of its own, and what its commands took."""

    data: Path
    name: str
    url: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands."""
        return recipe.load(self.data / self.name / "recipe.toml")

    def assay(self, command: str, *arguments: str, ends: Sequence[int] = TOLD) -> str:
        """What a command says; one that has `--url` is given the lead's token."""
        begun = time.perf_counter()
        asked = [sys.executable, "-m", "pipeline", command, self.name, *arguments, "--data", str(self.data)]
        known = os.environ | {
            "ASSAY_REAL_DATA": str(DATA),
            "OMP_NUM_THREADS": "1",
            "LABEL_STUDIO_API_KEY": LEAD,
            "COLUMNS": "160",
        }
        done = subprocess.run(asked, check=False, capture_output=True, text=True, cwd=ROOT, env=known)
        self.seconds[command] = time.perf_counter() - begun
        if done.returncode not in ends:
            raise SystemExit(f"assay {command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def served(self, command: str, *arguments: str, ends: Sequence[int] = TOLD) -> str:
        """The same beside the server."""
        return self.assay(command, "--tool", "label-studio", "--url", self.url, *arguments, ends=ends)

    def answers(self) -> dict[str, tuple[Any, Answer]]:
        """Every row of the build that the audit kept, with its answer."""
        task = tasks.task(self.recipe.settings.task, self.recipe.settings.guideline)
        rows = (row for batch in store.batches(self.recipe.build / "audit", "rows") for row in batch.to_pylist())
        return {row["id"]: (row, task.answer(row)) for row in rows}


def prepared(folder: Path, name: str) -> tuple[Loop, reviewing.Truth]:
    """The data set, with its guideline's labels named, more suspects than usual, and built; and what is right."""
    made, truth = reviewing.SETS[name](folder / name)
    text = real_recipe() if name == "weibo" else MADE_UP
    text = text.partition("\n[guideline]")[0] + "\n"
    text = text.replace("[audit]\n", f"[audit]\nsuspect_share = {reviewing.SUSPECT_SHARE}\n") + REVIEW
    (made.folder / "recipe.toml").write_text(text + guideline("1", LABELS[name]), encoding="utf-8")
    loop = Loop(folder, name)
    loop.assay("run")
    return loop, truth


def real_recipe() -> str:
    """The recipe that comes with Assay."""
    real("ner_chinese_corrected/weibo_v1_v2_train.jsonl")
    return (ROOT / "data" / "public" / "weibo" / "recipe.toml").read_text(encoding="utf-8")


def guideline(version: str, labels: Sequence[str]) -> str:
    """The guideline's section: labels with a definition that names the version."""
    told = [f'[[guideline.label]]\nname = "{label}"\ndefinition = "as of {version}"\n' for label in labels]
    return "".join([f'\n[guideline]\nversion = "{version}"\n', *told])


def known(loop: Loop, truth: reviewing.Truth) -> dict[str, Known]:
    """What is given and what is right, row by row."""
    task = tasks.task(loop.recipe.settings.task, loop.recipe.settings.guideline)
    found = {}
    for id_, (row, given) in loop.answers().items():
        tokens, tags = truth[id_.partition("/")[2]]
        found[id_] = Known(row, given, task.read_answer(tags, {"tokens": tokens, "tags": tags}, row))
    return found


# -- what came of it


def counted(loop: Loop, about: Mapping[str, Known], asked: Sequence[str], people: People) -> dict[str, object]:
    """The facts of one way, by what they are called."""
    after = {id_: answer for id_, (_, answer) in loop.answers().items()}
    book = decisions.read(loop.recipe.decisions)
    left = {id_: changed(after[id_], one.right) for id_, one in about.items()}
    was = {id_: changed(one.given, one.right) for id_, one in about.items()}
    sent, before, now = len(asked), sum(len(was[id_]) for id_ in asked), sum(len(left[id_]) for id_ in asked)
    acts = {line.act for line in book.lines}
    settled = {line.row for line in book.lines} - {one.row for one in book.conflicts}
    minutes = sum(line.seconds or 0 for line in book.lines) / 60
    confirmed = sum(len(was[id_]) for id_ in {line.row for line in book.lines if line.verdict == "wrong"})
    return {
        "rows sent": sent,
        "errors in them": before,
        "errors in rows that people called wrong": confirmed,
        "errors left in them": now,
        "right by now of the errors sent": f"{(before - now) / max(before, 1):.1%}",
        "errors in all rows": sum(map(len, was.values())),
        "errors left in all rows": sum(map(len, left.values())),
        "wrong corrections": sum(len(left[id_] - was[id_]) for id_ in about),
        "decisions (answers of a person to a row)": len(acts),
        "lines of decisions": len(book.lines),
        "rows on which the two differ": len({one.row for one in book.conflicts}),
        "slips of theirs": people.slips,
        "rows settled": len(settled),
        "rows settled a decision": f"{len(settled) / max(len(acts), 1):.2f}",
        "minutes, by the model of time": f"{minutes:.1f}",
        "errors settled a minute": f"{(before - now) / minutes:.1f}" if minutes else "",
        **{f"seconds of assay {name}": f"{took:.1f}" for name, took in loop.seconds.items()},
    }


def same(one: Loop, other: Loop) -> str:
    """Which of the built files are the same, byte by byte."""
    told = []
    for stage in ("audit", "split"):
        ours = sorted(path.name for path in (one.recipe.build / stage).glob("*.parquet"))
        theirs = sorted(path.name for path in (other.recipe.build / stage).glob("*.parquet"))
        match, differ, odd = filecmp.cmpfiles(one.recipe.build / stage, other.recipe.build / stage, ours, shallow=False)
        if ours != theirs or differ or odd:
            told.append(f"{stage}: {sorted({*differ, *odd, *(set(ours) ^ set(theirs))})} differ")
        told.append(f"{stage}: {len(match)} of {len(ours)} files identical")
    return "; ".join(told)


def sent_of(loop: Loop) -> list[rounds.Asked]:
    """The rows of the round that went out last."""
    return list(rounds.every(loop.recipe)[-1].asked.values())


# -- the loop


def round_(loop: Loop, studio: Studio, about: Mapping[str, Known], *arguments: str) -> tuple[People, dict[str, float]]:
    """Out, answered, and back."""
    said = loop.served("export", "--annotators", "2", *arguments)
    print("  " + " ".join(said.split()), flush=True)
    people = People(studio, about)
    begun = time.perf_counter()
    people.work(project_in(said))
    took = time.perf_counter() - begun
    print(f"  {len(people.said)} answers of two people, {people.twice} of them twice, in {took:.1f} s by the API")
    print("  " + " ".join(loop.served("import").split()), flush=True)
    return people, dict(loop.seconds)


def project_in(said: str) -> int:
    """The project that `assay export` names."""
    found = re.search(r"/projects/(\d+)/data", said)
    if found is None:
        raise SystemExit(f"assay export names no project:\n{said}")
    return int(found[1])


def both(folder: Path, name: str, limit: str, studio: Studio) -> None:
    """The loop, the same without the tool, and the rounds that follow."""
    loop, truth = prepared(folder / "served", name)
    shutil.copytree(loop.data, folder / "direct")
    direct, about = Loop(folder / "direct", name), known(loop, truth)
    loop.url, loop.seconds = studio.url, {}
    people, _ = round_(loop, studio, about, "--limit", limit)
    loop.assay("decisions")
    loop.assay("run")
    asked = sent_of(loop)
    parts = {one.row: [line["part"] for line in one.lines] for one in asked}
    task = tasks.task(direct.recipe.settings.task, direct.recipe.settings.guideline)
    decisions.add(direct.recipe.decisions, as_decisions(people.said, about, parts, task))
    direct.assay("run")
    ways = [counted(one, about, list(parts), people) for one in (loop, direct)]
    facts = ([fact, *(str(way.get(fact, "")) for way in ways)] for fact in ways[0])
    show(name, ("Label Studio", "written directly"), facts)
    print(f"\nserved beside direct: {same(loop, direct)}")
    again(loop, studio, about)


def again(loop: Loop, studio: Studio, about: Mapping[str, Known]) -> None:
    """What a second taking in, a second export, and one under another guideline come to."""
    print(f"\nimport again: {' '.join(loop.served('import').split())}")
    settled = {(line.row, line.part) for line in decisions.read(loop.recipe.decisions).standing}
    said = loop.served("export", "--annotators", "2", ends=(*TOLD, MISTAKE))
    asked = sent_of(loop)
    repeated = [(one.row, line["part"]) for one in asked for line in one.lines if (one.row, line["part"]) in settled]
    rows = {row for row, _ in settled}
    print(f"export again: {' '.join(said.split())}")
    others = sum(one.row in rows for one in asked)
    print(f"  {len(repeated)} parts that were settled are asked again; {others} rows for another part than was settled")
    path = loop.recipe.folder / "recipe.toml"
    text = path.read_text(encoding="utf-8").partition("\n[guideline]")[0]
    path.write_text(text + guideline("2", LABELS[loop.name]), encoding="utf-8")
    loop.assay("run")
    print(f"another guideline: {' '.join(loop.assay('relabel', '--limit', '1').split())}")
    round_(loop, studio, about, "--what", "relabel")
    rows = {one.row for one in sent_of(loop)}
    print(f"  {len(rows)} rows are asked again, {len(rows & {row for row, _ in settled})} of them settled before")
    loop.assay("run")
    print(f"  after it: {' '.join(loop.assay('relabel', '--limit', '1').split())}")
    now = {id_: answer for id_, (_, answer) in loop.answers().items()}
    left = sum(len(changed(now[id_], about[id_].right)) for id_ in rows)
    print(f"  errors left in these rows: {left} of {sum(len(changed(about[i].given, about[i].right)) for i in rows)}")
    print("  " + json.dumps({name: round(took, 1) for name, took in loop.seconds.items()}))


def main(arguments: list[str]) -> None:
    """Run the loop."""
    if not IS_THERE:
        raise SystemExit(ABSENT)
    options = dict(pairwise(arguments))
    name = next((one for one in arguments if one in LABELS), "weibo")
    folder = Path(options.get("--keep") or tempfile.mkdtemp())
    try:
        with serving(folder / "studio") as studio:
            both(folder, name, options.get("--limit", "0"), studio)
    finally:
        if "--keep" not in options:
            shutil.rmtree(folder, ignore_errors=True)

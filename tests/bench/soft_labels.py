"""Soft labels against one answer a row: the same tweets, rated by 20 people (or by 3 of them), and the same seeds.

`python -m tests.bench soft_labels [VOTES:EPOCHS ...]`: VADER's tweets with all their ratings (the package of
`reviews`), as three ordered labels. Held-out rows keep all ratings: macro F1 is against their settled answer, the cross
entropy and the Jensen-Shannon divergence against the shares of their votes. Differences are soft minus hard, means of
the seeds, with 95 % intervals over 1,000 bootstraps of the test rows (paired; the seeds are no sample).
"""

from __future__ import annotations

import csv
import io
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from pipeline import finetune, recipe, store
from pipeline.cache import package
from pipeline.chance import draw
from pipeline.finetune import model, nearness, scores, shares
from pipeline.finetune.bench import Bench
from pipeline.finetune.soft import Soft
from pipeline.tasks import task as task_named
from tests.bench.measure import show
from tests.small import built, made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.recipe import Recipe

PACKAGE, SHA256 = "vaderSentiment==3.2.1", "5dce530a78315563f8b3cd01033bbdd3bf4985fabf359ca68d4167728081c803"
INNER = "vaderSentiment-3.2.1/additional_resources/hutto_ICWSM_2014.tar.gz"
SIDES = ("train", "validation", "test")
ROWS = {"train": 1200, "validation": 300, "test": 1000}
SEEDS, TIMES = (1, 2, 3), 1000
RECIPE = """
task = "classification"
[guideline]
ordered = true
[[guideline.label]]
name = "negative"
scale = [-4, -1]
[[guideline.label]]
name = "neutral"
scale = [0, 0]
[[guideline.label]]
name = "positive"
scale = [1, 4]
[[ingest.source]]
name = "tweet"
files = ["rows.csv"]
format = "csv"
columns = {{ id = "id", text = "text", label = "rating", annotator = "who", split = "split" }}
[audit]
ties = "keep"
weight_by = "none"
suspects = "off"
duplicates = "normalised"
[finetune]
max_tokens = 48
cpu_rows = 1200
cpu_eval_rows = 1000
epochs = {epochs}
cpu_epochs = {epochs}
evaluations_per_epoch = 1
seed = {seed}
soft_labels = "{soft}"
"""


def tweets() -> Iterator[tuple[str, str, list[str]]]:
    """(id, text, ratings) of every tweet."""
    with tarfile.open(package(PACKAGE, sha256=SHA256, kind="sdist")) as outer:
        packed = outer.extractfile(INNER)
        assert packed is not None
        with tarfile.open(fileobj=io.BytesIO(packed.read())) as inner:
            truth, rated = (_lines(inner, name) for name in ("GroundTruth", "anonDataRatings"))
    ratings = {line[0]: line[3].strip("[] ").replace(" ", "").split(",") for line in rated}
    yield from ((line[0], line[2], ratings[line[0]]) for line in truth)


def _lines(archive: tarfile.TarFile, name: str) -> list[list[str]]:
    file = archive.extractfile(f"hutto_ICWSM_2014/tweets_{name}.txt")
    assert file is not None
    return [line.split("\t") for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]


def rows(most: int) -> str:
    """The CSV: a line for each rating; rows to learn from have at most `most` of them."""
    ranked = sorted(tweets(), key=lambda one: draw(7, "side", one[0]))
    sides = [side for side in SIDES for _ in range(ROWS[side])]
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(["id", "text", "rating", "who", "split"])
    for side, (name, text, ratings) in zip(sides, ranked, strict=False):
        kept = ratings[:most] if side == "train" else ratings
        lines.writerows([name, text, rating, f"a{who}", side] for who, rating in enumerate(kept))
    return out.getvalue()


def asked(one: Recipe) -> tuple[list[str], list[Any], list[Any], Any, NDArray[np.float64], NDArray[np.float64]]:
    """Groups, gold, found, task, shares and probabilities of the test rows, by the model that was just trained."""
    task = task_named(one.settings.task, one.settings.guideline)
    folder, details = one.build / "finetune" / "model", (store.read_report(one.build / "finetune") or {})["details"]
    classes = details["classes"]
    tokenizer = model.load_tokenizer(folder, iter(()), head=task.head)
    learner = model.load(folder, tokenizer, head=task.head, classes=classes, seed=1, device=model.device())
    soft = Soft.of(shares.read(one, task, "votes"), classes, head=task.head)
    part = Bench(one, task, learner, Console(quiet=True), soft).predict("test")
    gold, found = [task.answer(row) for row in part.rows], [said.found for said in part.predictions]
    given = np.array([soft.vector(row["id"], np.zeros(len(classes))) for row in part.rows], dtype=np.float64)
    said = np.array([one.output for one in part.predictions], dtype=np.float64)
    return [row["group"] for row in part.rows], gold, found, task, given, said


def figures(folder: Path, most: int, epochs: int) -> Iterator[list[str]]:
    """The lines of one crowd: both ways, then their difference."""
    found: dict[tuple[str, int], Any] = {}
    for seed in SEEDS:
        for soft in ("off", "votes"):
            toml = RECIPE.format(seed=seed, soft=soft, epochs=epochs)
            one = made(folder, toml, {"rows.csv": rows(most)})
            built(one, "split")
            finetune.finetune(recipe.load(one.folder / "recipe.toml"), console=Console(quiet=True))
            found[soft, seed] = asked(one)
    groups, gold, _, task, _, _ = found["off", 1]
    draws = list(scores.resamples(groups, times=TIMES, seed=1))
    named: dict[str, dict[str, Any]] = {"off": _measured(found, "off", draws, gold, task)}
    named["votes"] = _measured(found, "votes", draws, gold, task)
    title = f"{most} votes, {epochs} epoch" + "s" * (epochs > 1)
    for soft in ("off", "votes"):
        cells = [_figure(value[0].mean(), value[1].mean(axis=0)) for value in named[soft].values()]
        yield [f"{title}: soft_labels {soft}", *cells]
    pairs = [(named["votes"][name], named["off"][name]) for name in named["off"]]
    yield [f"{title}: difference", *(_figure((a[0] - b[0]).mean(), (a[1] - b[1]).mean(axis=0)) for a, b in pairs)]
    yield [f"{title}: difference by seed", *(" ".join(f"{gap:+.3f}" for gap in a[0] - b[0]) for a, b in pairs)]


def _measured(found: Any, soft: str, draws: Any, gold: Any, task: Any) -> dict[str, Any]:
    """By measure: its value for every seed [seeds], and in every bootstrap [seeds, times]."""
    kept: dict[str, list[tuple[float, NDArray[np.float64]]]] = {}
    for seed in SEEDS:
        _, _, said, _, given, probable = found[soft, seed]
        f1 = [_f1(gold, said, numbers, task) for numbers in (range(len(gold)), *draws)]
        kept.setdefault("macro_f1", []).append((f1[0], np.array(f1[1:])))
        for name, each in nearness.measures(given, probable, several=False).items():
            kept.setdefault(name, []).append(
                (float(each.mean()), np.array([each[numbers].mean() for numbers in draws]))
            )
    return {name: (np.array([one[0] for one in by]), np.stack([one[1] for one in by])) for name, by in kept.items()}


def _f1(gold: Any, said: Any, numbers: Any, task: Any) -> float:
    told = task.score([gold[n] for n in numbers], [said[n] for n in numbers], [])
    return float(told.metrics["macro_f1"])


def _figure(value: float, drawn: NDArray[np.float64]) -> str:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{value:.4f} [{low:.4f}, {high:.4f}]"


def main(arguments: list[str]) -> None:
    """Print the table; `arguments`: how many votes the rows to learn from have, for how many epochs: `20:1 3:1`."""
    with tempfile.TemporaryDirectory() as folder:
        crowds = [tuple(map(int, one.split(":"))) for one in arguments or ("20:1", "3:1", "3:2")]
        lines = (line for most, epochs in crowds for line in figures(Path(folder) / f"{most}-{epochs}", most, epochs))
        show("tweets", ["macro F1", "cross entropy", "Jensen-Shannon", "Brier"], lines)

"""How well wrong labels are found: noise put into real sets, against cleanlab with the same probabilities.

`python -m tests.bench_suspects [set ...] [--million]`: never run by the tests. The sets lie in the folder named by
ASSAY_REAL_DATA (`../shared/data` if unset). Noise of 5 % and of 20 % of the rows, drawn with a seed:

* any: a label drawn from all others alike;
* habit: each label has two others, drawn at random, that it is mistaken for;
* likely: rows are drawn with the square root of the probability of their likeliest other label, and get that label,
  by a naive Bayes model of words (characters in Chinese) that knows the truth, out of fold: as a person would err.
"""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from pipeline.quality.mixture import join_kinds
from pipeline.quality.suspects.confident import confident_joint, error_rate, margins
from pipeline.quality.suspects.quick import out_of_fold, out_of_fold_sets
from pipeline.suspecting.labels import labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Set = tuple[list[str], list[str]]

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ASSAY_REAL_DATA", ROOT.parent / "shared" / "data"))
KINDS, SHARES = ("any", "habit", "likely"), (0.05, 0.2)


def banking() -> Set:
    with (DATA / "intents_banking77" / "train.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [row["text"] for row in rows], [row["category"] for row in rows]


def csl() -> Set:
    with (DATA / "chinese_csl" / "cls_ctg" / "train.tsv").open(encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    return [row[1] for row in rows], [row[2] for row in rows]


def clinc() -> Set:
    rows = json.loads((DATA / "intents_clinc150" / "data_full.json").read_text(encoding="utf-8"))["train"]
    return [text for text, _ in rows], [label for _, label in rows]


def semeval() -> Set:
    lines = (DATA / "relations_semeval2010" / "TRAIN_FILE.TXT").read_text(encoding="utf-8").split("\n")
    found = [(line.split("\t", 1)[1], lines[at + 1].strip()) for at, line in enumerate(lines) if '\t"' in line]
    return [text for text, _ in found], [label for _, label in found]


SETS: dict[str, Callable[[], Set]] = {"banking": banking, "csl": csl, "clinc": clinc, "semeval": semeval}


def with_noise(texts: list[str], truth: Ints, kind: str, share: float, seed: int = 1) -> Ints:
    """Labels of which a share has gone wrong in the given way."""
    chance = np.random.default_rng([seed, KINDS.index(kind) + 1])
    count, classes = round(share * len(truth)), int(truth.max()) + 1
    given = truth.copy()
    if kind == "likely":
        said = _said_by_words(texts, truth)
        said[np.arange(len(truth)), truth] = 0
        mass = np.sqrt(said.max(axis=1))
        some = chance.choice(len(truth), count, replace=False, p=mass / mass.sum())
        given[some] = said.argmax(axis=1)[some]
        return given
    some = chance.choice(len(truth), count, replace=False)
    if kind == "any":
        given[some] = (truth[some] + chance.integers(1, classes, count)) % classes
        return given
    others = [chance.choice(np.delete(np.arange(classes), own), 2, replace=False) for own in range(classes)]
    given[some] = np.array(others)[truth[some], chance.integers(0, 2, count)]
    return given


def _said_by_words(texts: list[str], truth: Ints) -> Floats:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.model_selection import cross_val_predict
    from sklearn.naive_bayes import MultinomialNB

    unit = "char" if any("\u4e00" <= character <= "\u9fff" for character in texts[0]) else "word"
    words = TfidfVectorizer(analyzer=unit, ngram_range=(1, 2)).fit_transform(texts)
    return np.asarray(cross_val_predict(MultinomialNB(alpha=0.1), words, truth, cv=5, method="predict_proba"))


def precision(wrong: NDArray[np.bool_], score: Floats) -> tuple[float, float]:
    """Average precision, and precision among the first 100."""
    from sklearn.metrics import average_precision_score

    first = np.argsort(-score, kind="stable")[:100]
    return float(average_precision_score(wrong, score)), float(wrong[first].mean())


def as_table(texts: list[str], answers: list[str]) -> pa.Table:
    ids = [str(at) for at in range(len(texts))]
    return pa.table({"id": ids, "group": ids, "text": texts, "answer": answers})


def by_cleanlab(given: Ints, said: Floats) -> dict[str, Floats]:
    """cleanlab's own scores, its filter's order among them, where it is installed."""
    if find_spec("cleanlab") is None:
        return {}
    rank_by, filter_by = import_module("cleanlab.rank"), import_module("cleanlab.filter")
    found = {
        f"cleanlab {method}": -rank_by.get_label_quality_scores(given, said, method=method)
        for method in ("self_confidence", "normalized_margin")
    }
    listed = filter_by.find_label_issues(given, said, return_indices_ranked_by="self_confidence")
    rank = found["cleanlab self_confidence"] - 10
    rank[listed] += 10
    return {**found, "cleanlab find_label_issues": rank}


def scored(name: str) -> None:
    texts, spelled = SETS[name]()
    names = sorted(set(spelled))
    truth = np.array([names.index(label) for label in spelled], dtype=np.int64)
    for kind in KINDS:
        for share in SHARES:
            given = with_noise(texts, truth, kind, share)
            wrong = given != truth
            groups = [str(at) for at in range(len(texts))]
            begun = time.perf_counter()
            said = out_of_fold(texts, given, groups, classes=len(names))
            halfway = time.perf_counter()
            table = as_table(texts, [json.dumps([names[code]], ensure_ascii=False) for code in given.tolist()])
            signals = labels(table, names=names, probabilities=said)
            joined = join_kinds(signals)
            ended = time.perf_counter()
            scores: dict[str, Floats] = {"joined": np.empty(len(truth))}
            scores["joined"][signals.row] = joined.wrong
            scores["self-confidence"] = 1 - said[np.arange(len(truth)), given].astype(np.float64)
            scores["margin"] = -margins(said, given)
            scores |= by_cleanlab(given, said.astype(np.float64))
            rates = f"rate {wrong.mean():.3f}: joined {joined.rate:.3f}"
            rates += f", confident learning {error_rate(confident_joint(said, given), np.bincount(given)):.3f}"
            report(f"{name}, {kind} {share:.0%}", wrong, scores, rates)
            CONSOLE.print(f"model {halfway - begun:.1f} s, signals and join {ended - halfway:.1f} s", style="dim")


CONSOLE = Console(width=110)


def report(title: str, wrong: NDArray[np.bool_], scores: dict[str, Floats], caption: str) -> None:
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    for column in ("score", "average precision", "precision at 100"):
        table.add_column(column, justify="left" if column == "score" else "right")
    for label, score in scores.items():
        average, first = precision(wrong, score)
        table.add_row(label, f"{average:.3f}", f"{first:.2f}")
    CONSOLE.print(table)


def goemotions() -> None:
    """Several labels a row: 5 % of the rows lose a label, get one at random, or get another for one of theirs."""
    with (DATA / "multilabel_goemotions" / "train.tsv").open(encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    texts = [row[0] for row in rows]
    truth = np.zeros((len(rows), 28), dtype=bool)
    for at, row in enumerate(rows):
        truth[at, [int(code) for code in row[1].split(",")]] = True
    given = truth.copy()
    chance = np.random.default_rng(1)
    for at in chance.choice(len(rows), len(rows) // 20, replace=False):
        way = chance.integers(3)
        if way != 1:
            given[at, chance.choice(np.flatnonzero(given[at]))] = False
        if way != 0:
            given[at, chance.choice(np.flatnonzero(~given[at] & ~truth[at]))] = True
    begun = time.perf_counter()
    said = out_of_fold_sets(texts, given, [str(at) for at in range(len(rows))])
    halfway = time.perf_counter()
    names = [str(code) for code in range(28)]
    answers = [json.dumps([names[code] for code in np.flatnonzero(row)]) for row in given]
    signals = labels(as_table(texts, answers), names=names, multiple=True, probabilities=said)
    joined = join_kinds(signals)
    ended = time.perf_counter()
    code = np.array([int(name) for name in signals.part])
    wrong = given[signals.row, code] != truth[signals.row, code]
    own = said[signals.row, code].astype(np.float64)
    scores = {"joined": joined.wrong, "self-confidence": np.where(given[signals.row, code], 1 - own, own)}
    caption = f"rate {wrong.mean():.4f} of {len(wrong)} parts: joined {joined.rate:.4f}"
    report("goemotions, (row, label)", wrong, scores, caption)
    by_row = {label: row_scores(signals.row, score, len(rows)) for label, score in scores.items()}
    scored_by_cleanlab = cleanlab_sets(given, said)
    report("goemotions, rows", (given != truth).any(axis=1), {**by_row, **scored_by_cleanlab}, "")
    CONSOLE.print(f"model {halfway - begun:.1f} s, signals and join {ended - halfway:.1f} s", style="dim")


def row_scores(rows: Ints, score: Floats, count: int) -> Floats:
    found = np.zeros(count)
    np.maximum.at(found, rows, score)
    return found


def cleanlab_sets(given: NDArray[np.bool_], said: Any) -> dict[str, Floats]:
    if find_spec("cleanlab") is None:
        return {}
    score = import_module("cleanlab.multilabel_classification").get_label_quality_scores
    spelled = [np.flatnonzero(row).tolist() for row in given]
    return {"cleanlab": -np.asarray(score(spelled, said.astype(np.float64)))}


def made_up(count: int, classes: int) -> tuple[list[str], Ints]:
    """`count` texts of about 90 characters, each of three pieces of texts of one class."""
    texts, spelled = banking()
    code = {label: at % classes for at, label in enumerate(sorted(set(spelled)))}
    of: dict[int, list[list[str]]] = {}
    for text, label in zip(texts, spelled, strict=True):
        of.setdefault(code[label], []).append(text.split())
    draw = random.Random(count)
    made = []
    for at in range(count):
        one, two, three = (draw.choice(of[at % classes]) for _ in range(3))
        made.append(" ".join(one[: len(one) // 2 + 1] + two[len(two) // 2 :] + three[: len(three) // 2]))
    return made, np.arange(count, dtype=np.int64) % classes


def large(count: int, classes: int) -> None:
    texts, truth = made_up(count, classes)
    given = with_noise(texts, truth, "any", 0.05)
    begun = time.perf_counter()
    signals = labels(as_table(texts, [f'["{code:02}"]' for code in given.tolist()]))
    joined = join_kinds(signals)
    seconds = time.perf_counter() - begun
    average, _ = precision((given != truth)[signals.row], joined.wrong)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    told = f"average precision {average:.3f}, rate {joined.rate:.3f} of 0.050"
    CONSOLE.print(
        f"{count:,} rows, {classes} classes: {seconds:.0f} s, {count / seconds:,.0f} rows/s, {peak:.1f} GiB, {told}"
    )


def main() -> None:
    """Print the tables; with `--large` or `--million` rows a second and memory, each in a run of its own."""
    asked = [each for each in sys.argv[1:] if not each.startswith("-")]
    if "--large" in sys.argv or "--million" in sys.argv:
        large(1_000_000 if "--million" in sys.argv else 100_000, int(asked[0]) if asked else 9)
        return
    for name in asked or [*SETS, "goemotions"]:
        goemotions() if name == "goemotions" else scored(name)


if __name__ == "__main__":
    main()

"""Real sets of texts and labels, and noise put into them: wrong labels of which the truth is known.

Noise of a share of the rows, drawn with a seed:

* any: a label drawn from all others alike;
* habit: each label has two others, drawn at random, that it is mistaken for;
* likely: rows are drawn with the square root of the probability of their likeliest other label, and get that label,
  by a naive Bayes model of words (characters in Chinese) that knows the truth, out of fold: as a person would err.
"""

from __future__ import annotations

import csv
import json
import random
from typing import TYPE_CHECKING

import numpy as np

from tests.bench.measure import real

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Set = tuple[list[str], list[str]]
    """Texts, and their labels."""

KINDS = ("any", "habit", "likely")


def banking() -> Set:
    with real("intents_banking77/train.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [row["text"] for row in rows], [row["category"] for row in rows]


def csl() -> Set:
    with real("chinese_csl/cls_ctg/train.tsv").open(encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    return [row[1] for row in rows], [row[2] for row in rows]


def clinc() -> Set:
    rows = json.loads(real("intents_clinc150/data_full.json").read_text(encoding="utf-8"))["train"]
    return [text for text, _ in rows], [label for _, label in rows]


def semeval() -> Set:
    lines = real("relations_semeval2010/TRAIN_FILE.TXT").read_text(encoding="utf-8").split("\n")
    found = [(line.split("\t", 1)[1], lines[at + 1].strip()) for at, line in enumerate(lines) if '\t"' in line]
    return [text for text, _ in found], [label for _, label in found]


SETS: dict[str, Callable[[], Set]] = {"banking": banking, "csl": csl, "clinc": clinc, "semeval": semeval}


def coded(labels: list[str]) -> tuple[list[str], Ints]:
    """The names of the labels, sorted, and which of them each is."""
    names = sorted(set(labels))
    return names, np.array([names.index(label) for label in labels], dtype=np.int64)


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


def goemotions() -> tuple[list[str], Bools, Bools]:
    """Texts, the true labels of each, and labels of which 5 % of the rows lost one, got one, or swapped one."""
    with real("multilabel_goemotions/train.tsv").open(encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
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
    return [row[0] for row in rows], truth, given


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

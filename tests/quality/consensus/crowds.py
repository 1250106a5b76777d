"""Crowds for the tests of consensus: written by hand, made up with a known truth, and real ones."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import strategies as st

from pipeline.quality.ballots import Ballots, ballots_from

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

VOTES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from([None, "a", "b", "c"]), st.sampled_from("xyz")),
    min_size=1,
    max_size=50,
)
Vote = tuple[int, str | None, str]


def ballots_of(votes: list[Vote]) -> Ballots:
    return ballots_from([v[0] for v in votes], [""] * len(votes), [v[1] for v in votes], [v[2] for v in votes])


def crowd(
    skills: list[float], *, rows: int = 300, classes: int = 3, each: int = 3, seed: int = 1
) -> tuple[Ballots, Ints]:
    """`each` annotators of `skills` on every row, errors falling evenly; and the true labels."""
    chance = np.random.Generator(np.random.PCG64(seed))
    truth = chance.integers(classes, size=rows)
    votes: list[Vote] = []
    for row in range(rows):
        for who in chance.permutation(len(skills))[:each]:
            right = chance.random() < skills[who]
            label = truth[row] if right else (truth[row] + 1 + chance.integers(classes - 1)) % classes
            votes.append((row, f"w{who:02}", str(label)))
    return ballots_of(votes), truth


def planted(*, rows: int, anonymous: bool = False) -> tuple[Ballots, list[str]]:
    """Two careful annotators and three who guess."""
    chance = np.random.default_rng(2)
    truth = ["xyz"[each] for each in chance.integers(3, size=rows)]
    votes: list[Vote] = []
    for row, label in enumerate(truth):
        votes += [(row, name, label if chance.random() < 0.95 else "xyz"[chance.integers(3)]) for name in "ab"]
        votes += [(row, name, "xyz"[chance.integers(3)]) for name in "cde"]
    return ballots_of([(row, None if anonymous else name, label) for row, name, label in votes]), truth


def right(labels: Ints, truth: Ints) -> float:
    """Share of units that are right, 0..1."""
    return float((labels == truth).mean())


def real(folder: str) -> Path:
    """A folder of the real data, or the test is skipped."""
    root = Path(__file__).resolve().parents[3]
    path = Path(os.environ.get("ASSAY_REAL_DATA") or root.parent / "shared" / "data") / folder
    if not path.is_dir():
        pytest.skip(f"no real data at {path}: set ASSAY_REAL_DATA to their folder")
    return path


def lines(path: Path, *, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, delimiter=delimiter))


def real_crowd(path: Path) -> tuple[Ballots, Ints]:
    """A set of `crowd_labels`, and the true label of every unit (-1: not known, -2: a label that nobody gave)."""
    given, truths = lines(path / "label.csv"), lines(path / "truth.csv")
    items = sorted({line["item"] for line in given})
    place = {item: at for at, item in enumerate(items)}
    ballots = ballots_from(
        [place[line["item"]] for line in given],
        [""] * len(given),
        [line["worker"] for line in given],
        [line["label"] for line in given],
    )
    truth = np.full(len(items), -1)
    for line in truths:
        if line["item"] in place:
            known = line["truth"] in ballots.labels
            truth[place[line["item"]]] = ballots.labels.index(line["truth"]) if known else -2
    return ballots, truth


def accuracy(shares: Floats, truth: Ints) -> float:
    """Percentage of known units that are right; a tie between k labels counts as 1/k right."""
    units = np.flatnonzero(truth != -1)
    close = shares[units] >= shares[units].max(axis=1, keepdims=True) - 1e-9
    hit = close[np.arange(len(units)), np.maximum(truth[units], 0)] & (truth[units] >= 0)
    return float(100 * (hit / close.sum(axis=1)).mean())

"""Crowds: the sets of `crowd_labels` and of Snow et al. 2008, and a million labels that are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.ballots import Ballots
from tests.bench.measure import real
from tests.quality.consensus.crowds import lines

if TYPE_CHECKING:
    from pathlib import Path

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
PEOPLE = 500


def nine() -> list[Path]:
    """The folders of `crowd_labels`."""
    return sorted(path for path in real("crowd_labels").iterdir() if path.is_dir())


def snow(name: str) -> list[dict[str, str]]:
    """The answers of one task of Snow et al.: orig_id, !amt_worker_ids, response, gold."""
    return lines(real("crowd_snow2008") / f"{name}.standardized.tsv", delimiter="\t")


def made_up(rows: int, each: int, classes: int) -> Ballots:
    """`each` of 500 annotators on every row, with skills of their own; a quarter of the rows misleads everybody."""
    chance = np.random.Generator(np.random.PCG64(0))
    row, count = np.repeat(np.arange(rows), each), rows * each
    truth, hard = chance.integers(classes, size=rows)[row], (chance.random(rows) < 0.25)[row]
    first = chance.integers(PEOPLE, size=rows)[row]
    who = np.sort(((np.tile(np.arange(each) * (PEOPLE // each), rows) + first) % PEOPLE).reshape(rows, each), axis=1)
    skill = chance.beta(6, 2.5, size=PEOPLE)[who.reshape(-1)] * np.where(hard, 0.6, 1)
    wrong = (truth + np.where(hard, 1, 1 + chance.integers(classes - 1, size=count))) % classes
    label = np.where(chance.random(count) < skill, truth, wrong)
    return Ballots(
        row=row, unit=row, annotator=who.reshape(-1), label=label, unit_row=np.arange(rows),
        unit_name=np.zeros(rows, dtype=np.int64), labels=tuple(f"{at:03}" for at in range(classes)),
        annotators=tuple(f"{at:03}" for at in range(PEOPLE)), names=("",), rows=rows, origin=np.arange(count),
    )  # fmt: skip

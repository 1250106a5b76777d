"""A model's opinion of every row that annotators answered, from models that did not see the row."""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.quality.duplicates import components
from pipeline.quality.suspects import out_of_fold, out_of_fold_sets
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.electing import Election
    from pipeline.stage import Work
    from pipeline.tasks import Task

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MOST_VOTES = 10.0
"""With more annotators a row, on average, there is nothing that a quick model could add."""
YES = "yes"
SAME = pa.schema([("same", pa.binary(16))])
READ = pa.schema([("text", pa.string()), ("group", pa.string())])


def asked_for(work: Work, election: Election) -> bool:
    """Whether a quick model can speak beside the annotators of this data set, and the recipe lets it."""
    if election.choice is None or not work.recipe.settings.audit.consensus_model:
        return False
    few = float(election.plain.votes.mean()) <= MOST_VOTES
    return few and len(election.ballots.labels) > 1 and work.task.head in ("sequence", "multilabel")


def opinion(work: Work, election: Election) -> Floats:
    """Probabilities float64[units, labels] by the quick model, trained on what the election says of other rows."""
    settings, ballots = work.recipe.settings.audit, election.ballots
    wanted = [*work.contract.own, "group"]
    read = pa.Table.from_batches(
        list(work.engine.map(partial(_read, task=work.task), work.batches(columns=wanted))), schema=READ
    )
    rows, place = np.unique(ballots.unit_row, return_inverse=True)
    texts = read["text"].take(pa.array(rows)).to_pylist()
    same = pa.Table.from_batches(
        list(work.each(partial(reads_as_batch, task=work.task), version=None, columns=work.contract.own)), schema=SAME
    )
    groups = _together(*(each.take(pa.array(rows)).to_pylist() for each in (same["same"], read["group"])))
    if work.task.head == "sequence":
        said = out_of_fold(
            texts,
            election.truth.label,
            groups,
            seed=settings.seed,
            folds=settings.suspect_folds,
            classes=len(ballots.labels),
        )
        return said.astype(np.float64)
    return _of_sets(election, texts, groups, place.reshape(-1), seed=settings.seed, folds=settings.suspect_folds)


def _read(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    rows = batch.to_pylist()
    columns: dict[str, list[Any]] = {"text": [task.shown(row) for row in rows], "group": [row["group"] for row in rows]}
    return pa.RecordBatch.from_pydict(columns, schema=READ)


def reads_as_batch(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    """What texts that read the same have in common (columns: `SAME`)."""
    return pa.RecordBatch.from_pydict({"same": [reads_as(task.shown(row)) for row in batch.to_pylist()]}, schema=SAME)


def reads_as(text: str) -> bytes:
    """16 bytes: the same for texts that differ in width, case and punctuation only."""
    return blake2b((normalised(text) or text).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _together(same: Sequence[bytes], groups: Sequence[str]) -> list[str]:
    """Names of the groups that hold together what has a group, or reads the same: a copy would betray the answer."""
    first: dict[str | bytes, int] = {}
    pairs = []
    for at, names_of_it in enumerate(zip(same, groups, strict=True)):
        for name in names_of_it:
            before = first.setdefault(name, at)
            if before != at:
                pairs.append((before, at))
    names = sorted(set(groups))
    code = {name: at for at, name in enumerate(names)}
    # A whole is named after its first group, so that names do not depend on the order of rows.
    whole = components(pairs, len(groups))
    least: dict[int, int] = {}
    for at, group in zip(whole.tolist(), groups, strict=True):
        least[at] = min(least.get(at, len(names)), code[group])
    return [names[least[at]] for at in whole.tolist()]


def _of_sets(
    election: Election, texts: Sequence[str], groups: Sequence[str], row: Ints, *, seed: int, folds: int
) -> Floats:
    ballots = election.ballots
    carries = np.zeros((len(texts), len(ballots.names)), dtype=np.bool_)
    said_yes = np.array([label == YES for label in election.labels])[election.truth.label]
    carries[row, ballots.unit_name] = said_yes
    chance = out_of_fold_sets(texts, carries, groups, seed=seed, folds=folds)[row, ballots.unit_name].astype(np.float64)
    return np.stack([chance if label == YES else 1 - chance for label in ballots.labels], axis=1)

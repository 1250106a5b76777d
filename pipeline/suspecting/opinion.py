"""A model's opinion of every row that annotators answered, from models that did not see the row."""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.chance import draws
from pipeline.quality.suspects.wordings import said_of, wordings
from pipeline.text import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.electing import Election
    from pipeline.stage import Work
    from pipeline.tasks import Task

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MOST_VOTES = 10.0
"""With more annotators a row, on average, there is nothing that a quick model could add."""
YES = "yes"
READ = pa.schema([("same", pa.binary(16)), ("words", pa.binary())])


def asked_for(work: Work, election: Election) -> bool:
    """Whether a quick model can speak beside the annotators of this data set, and the recipe lets it."""
    if election.choice is None or not work.recipe.settings.audit.consensus_model:
        return False
    few = float(election.plain.votes.mean()) <= MOST_VOTES
    return few and len(election.ballots.labels) > 1 and work.task.head in ("sequence", "multilabel")


def opinion(work: Work, election: Election) -> Floats:
    """Probabilities float64[units, labels] by the quick model, trained on what the election says of other rows."""
    from scipy import sparse

    settings, ballots = work.recipe.settings.audit, election.ballots
    rows, place = np.unique(ballots.unit_row, return_inverse=True)
    made = work.each(partial(reads_as_batch, task=work.task), version=None, columns=work.contract.own)
    read = pa.Table.from_batches(list(made), schema=READ).combine_chunks().take(pa.array(rows))
    groups = work.narrow(["group"])["group"].combine_chunks().take(pa.array(rows))
    fold = folds_of(read["same"].combine_chunks(), groups, seed=settings.seed, folds=settings.suspect_folds)
    words = read["words"].combine_chunks()
    if work.task.head == "sequence":
        answers = np.ones(len(rows), dtype=np.float32), election.truth.label, np.arange(len(rows) + 1)
        shape = (len(rows), len(ballots.labels))
        said = said_of(words, sparse.csr_matrix(answers, shape=shape), fold, link="softmax")
        return said.astype(np.float64)
    return _of_sets(election, words, fold, place.reshape(-1))


def reads_as_batch(batch: pa.RecordBatch, *, task: Task) -> pa.RecordBatch:
    """What texts that read the same have in common, and what each says in hashed words (columns: `READ`)."""
    texts = [task.shown(row) for row in batch.to_pylist()]
    same = pa.array(map(reads_as, texts), pa.binary(16))
    return pa.RecordBatch.from_arrays([same, wordings(texts)], schema=READ)


def reads_as(text: str) -> bytes:
    """16 bytes: the same for texts that differ in width, case and punctuation only."""
    return blake2b((normalised(text) or text).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def folds_of(same: pa.Array, groups: pa.Array, *, seed: int, folds: int) -> Ints:
    """The fold of every row, int64[rows], 0..folds-1: one for all that has a group, or reads the same.

    A copy in another fold would betray the answer. By chance keyed with the least favoured of the groups that hold
    together, so that it depends on no order of rows.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    text, group = pc.dictionary_encode(same).indices.to_numpy(), pc.dictionary_encode(groups)
    names, code = group.dictionary.to_pylist(), group.indices.to_numpy()
    if not len(code):
        return np.zeros(0, dtype=np.int64)
    nodes = len(names) + int(text.max()) + 1
    joined = coo_matrix((np.ones(len(code), dtype=np.int8), (code, text + len(names))), shape=(nodes, nodes))
    whole = connected_components(joined, directed=False)[1][: len(names)]
    least = np.full(nodes, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(least, whole, draws(seed, "fold", names=names))
    return np.asarray((least[whole] % np.uint64(folds)).astype(np.int64)[code])


def _of_sets(election: Election, words: pa.Array, fold: Ints, row: Ints) -> Floats:
    from scipy import sparse

    ballots = election.ballots
    said_yes = np.array([label == YES for label in election.labels])[election.truth.label]
    carries = np.zeros((len(words), len(ballots.names)), dtype=np.float32)
    carries[row, ballots.unit_name] = said_yes
    said = said_of(words, sparse.csr_matrix(carries), fold, link="sigmoid")
    chance = said[row, ballots.unit_name].astype(np.float64)
    return np.stack([chance if label == YES else 1 - chance for label in ballots.labels], axis=1)

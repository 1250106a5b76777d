"""Contexts: which label a place asks for when its words are hidden, and which label words ask for without a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.sentences import combined
from pipeline.quality.softmax import Columns, folds_of, out_of_fold
from pipeline.quality.tagger import FOLDS, shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.runs import Runs
    from pipeline.quality.sentences import Sentences

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

_FAR = 8


def by_context(words: Sentences, runs: Runs, learn: Ints, *, seed: int, folds: int = FOLDS) -> Floats:
    """Probabilities of every label, and last of none, by the words around a run, never those in it.

    A model that may not see the words cannot repeat what the same name was (wrongly) marked as elsewhere.
    `learn`: int64[n], the label to learn from, len(labels) for none, -1 for runs that are only asked about.
    Folds are whole groups. Returns float32[n, labels + 1], nan where nothing could be learned.
    """
    made = Columns()
    lower = words.folded
    near = {at: words.spelled(runs.first + at, runs.row) for at in range(-_FAR, 0)}
    near |= {at: words.spelled(runs.last + at - 1, runs.row) for at in range(1, _FAR + 1)}
    for at in (-3, -2, -1, 1, 2, 3):
        made.add(lower[near[at]])
    for pair in ((-2, -1), (1, 2), (-1, 1)):
        made.add(combined(*(lower[near[at]] for at in pair)))
    form = words.hashed(lambda word: shape(word)[:4])
    for at in (-2, -1, 1, 2):
        made.add(form[near[at]])
    length = np.minimum(runs.last - runs.first, 6).astype(np.uint64)
    made.add(combined(length, form[words.spelling[runs.first]], form[words.spelling[runs.last - 1]]))
    for at in range(4, _FAR + 1):
        made.add(lower[near[at]], template=0)
        made.add(lower[near[-at]], template=0)
    fold = folds_of(words.groups, seed=seed, folds=folds)[words.group][runs.row]
    return out_of_fold(made.matrix(), learn, fold, classes=len(words.labels) + 1, seed=seed)


def by_form(words: Sentences, runs: Runs, surface: Hashes, learn: Ints, *, seed: int, folds: int = FOLDS) -> Floats:
    """Probabilities of every label, and last of none, by the words of a run alone, from a model that never saw them.

    Folds are whole surfaces (`surface`: uint64[n], a hash of the words): what is learned is what names are made of
    ("... University", "…医院"), not the names. Else as `by_context`.
    """
    made = Columns()
    lower, length = words.folded, runs.last - runs.first
    head, tail = words.spelling[runs.first], words.spelling[runs.last - 1]
    second = np.where(length > 1, words.spelling[np.minimum(runs.first + 1, runs.last - 1)], len(words.vocabulary))
    before = np.where(length > 1, words.spelling[np.maximum(runs.last - 2, runs.first)], len(words.vocabulary))
    for spelling in (head, tail, second, before):
        made.add(lower[spelling])
    made.add(combined(lower[before], lower[tail]))
    made.add(combined(lower[head], lower[second]))
    for size in range(1, 5):
        made.add(words.hashed(lambda word, size=size: word[:size].casefold())[head])  # type: ignore[misc]
        made.add(words.hashed(lambda word, size=size: word[-size:].casefold())[tail])  # type: ignore[misc]
    form = words.hashed(shape)
    made.add(combined(form[head], form[tail], np.minimum(length, 6).astype(np.uint64)))
    for spelling in (head, tail):
        made.add(form[spelling])
    for at in range(6):
        inside = np.where(
            at < length, words.spelling[np.minimum(runs.first + at, runs.last - 1)], len(words.vocabulary)
        )
        made.add(lower[inside], template=0)
    names, place = np.unique(surface, return_inverse=True)
    fold = folds_of([str(name) for name in names], seed=seed, folds=folds)[place.reshape(-1)]
    return out_of_fold(made.matrix(), learn, fold, classes=len(words.labels) + 1, seed=seed)

"""The quick model: what a model that never saw a row, and needs no pretrained weights, would answer."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.suspects.bags import ROWS_AT_ONCE, bags
from pipeline.quality.suspects.linear import bayes, pooled, regression, seen
from pipeline.quality.suspects.vectors import vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.quality.suspects.linear import Link

    Floats32 = NDArray[np.float32]
    Ints = NDArray[np.int64]


def out_of_fold(
    texts: Sequence[str] | pa.Array,
    labels: Ints,
    groups: Sequence[str] | pa.Array,
    *,
    seed: int = 0,
    folds: int = 5,
    classes: int | None = None,
) -> Floats32:
    """Probability of every label for every row, from a model that saw no row of that row's group.

    The model needs no pretrained weights: naive Bayes on TF-IDF of hashed character 1- to 5-grams and word 1- and
    2-grams, logistic regression on 192 directions of the same (what n-grams there are is learned from all texts,
    without their labels), pooled and calibrated on what they say out of fold. `labels`: int64[n], 0..classes-1. A
    group's fold is a keyed hash of its name. The result is the same for every order of the rows.
    Memory: about 4 kB per row of 90 characters (measured at 1,000,000 rows, 9 classes), and up to 4 bytes x 131,072 x
    classes x (folds + 3).

    Returns:
        float32[n, classes], rows summing to 1; nan for rows whose fold leaves fewer than two labels to learn from.
    Raises:
        AssayError: the columns differ in length, or a label is outside 0..classes-1.
    """
    from scipy import sparse

    label = np.asarray(labels, dtype=np.int64)
    width = classes if classes is not None else int(label.max(initial=-1)) + 1
    _check(len(texts), len(label), len(groups), folds)
    if len(label) and (label.min() < 0 or label.max() >= width):
        raise AssayError("suspects", f"labels run from {label.min()} to {label.max()} of {width}")
    answers = sparse.csr_matrix(
        (np.ones(len(label), dtype=np.float32), (np.arange(len(label)), label)), shape=(len(label), width)
    )
    return asked(texts, answers, groups, seed=seed, folds=folds, link="softmax")[0]


def out_of_fold_sets(
    texts: Sequence[str] | pa.Array,
    labels: NDArray[np.bool_],
    groups: Sequence[str] | pa.Array,
    *,
    seed: int = 0,
    folds: int = 5,
) -> Floats32:
    """Probability that a row carries each label, where it may carry several or none: like `out_of_fold`.

    `labels`: bool[n, classes], dense or scipy sparse.

    Returns:
        float32[n, classes], 0..1; nan for labels that a row's fold leaves no row with or none without.
    Raises:
        AssayError: the columns differ in length.
    """
    from scipy import sparse

    _check(len(texts), labels.shape[0], len(groups), folds)
    answers = sparse.csr_matrix(labels, dtype=np.float32)
    return asked(texts, answers, groups, seed=seed, folds=folds, link="sigmoid")[0]


def pictured(texts: Sequence[str] | pa.Array, *, seed: int = 0) -> Floats32:
    """The vectors of texts without any labels, float32[n, d] of length 1; the same for every order of the texts."""
    from threadpoolctl import threadpool_limits

    listed_texts = listed(texts)
    order = np.array(sorted(range(len(listed_texts)), key=listed_texts.__getitem__), dtype=np.int64)
    if not len(order):
        return np.zeros((0, 0), dtype=np.float32)
    with threadpool_limits(limits=1):
        bag = bags([listed_texts[at] for at in order], _shards(np.zeros(len(order), dtype=np.int64))[0])
        found = vectors(bag, seed=seed)
    for at in range(1, len(order)):
        if listed_texts[order[at]] == listed_texts[order[at - 1]]:
            found[at] = found[at - 1]
    return found[np.argsort(order)]


def folds_of(groups: Sequence[str], *, seed: int, folds: int) -> Ints:
    """The fold of every group, by a keyed hash of its name: int64[n], 0..folds-1."""
    known = {group: _fold(group, seed, folds) for group in set(groups)}
    return np.fromiter((known[group] for group in groups), dtype=np.int64, count=len(groups))


def _fold(group: str, seed: int, folds: int) -> int:
    digest = blake2b(f"fold {seed} {group}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % folds


def _check(texts: int, labels: int, groups: int, folds: int) -> None:
    if not texts == labels == groups:
        raise AssayError("suspects", f"{texts} texts, {labels} labels, {groups} groups", "give one of each")
    if folds < 2:
        raise AssayError("suspects", f"{folds} folds", "give 2 or more, or every row would judge itself")


def listed(column: Sequence[str] | pa.Array) -> list[str]:
    """A column of texts as a list, whether it comes from Arrow or not."""
    return list(column.to_pylist() if hasattr(column, "to_pylist") else column)


def asked(
    texts: Sequence[str] | pa.Array,
    answers: Any,
    groups: Sequence[str] | pa.Array,
    *,
    seed: int,
    folds: int,
    link: Link,
    embeddings: Floats32 | None = None,
) -> tuple[Floats32, Floats32]:
    """Out-of-fold probabilities, float32[n, classes], and the vectors of the texts, float32[n, d], of length 1.

    `answers`: scipy sparse float32[n, classes], 1 for a label that the row carries (or the weight of that label).
    `embeddings`: float32[n, d] of length 1, by an encoder that knows more of language: one more model is learned on
    them and pooled with the others, and they are the vectors.
    """
    from threadpoolctl import threadpool_limits

    texts, groups = listed(texts), listed(groups)
    if not texts:
        return np.zeros(answers.shape, dtype=np.float32), np.zeros((0, 0), dtype=np.float32)
    fold = folds_of(groups, seed=seed, folds=folds)
    spelled = _spelled(answers)
    # Sums do not depend on the order of rows if they are always added in this one.
    order = np.array(
        sorted(range(len(texts)), key=lambda at: (fold[at], groups[at], texts[at], spelled[at])), dtype=np.int64
    )
    # More threads of the linear algebra would add in another order.
    with threadpool_limits(limits=1):
        known = None if embeddings is None else embeddings[order]
        drawn = [texts[at] for at in order]
        learned, dense = _learned(drawn, answers[order], fold[order], seed=seed, link=link, embeddings=known)
    for at in range(1, len(order)):
        one, other = order[at - 1], order[at]
        if texts[one] == texts[other] and groups[one] == groups[other]:
            learned[at], dense[at] = learned[at - 1], dense[at - 1]
    back = np.argsort(order)
    return learned[back], dense[back]


def _spelled(answers: Any) -> list[bytes]:
    """The labels of every row as bytes that sort: equal for equal answers."""
    return [
        answers.indices[start:stop].astype(">i4").tobytes()
        for start, stop in zip(answers.indptr, answers.indptr[1:], strict=False)
    ]


def _learned(
    texts: list[str], answers: Any, fold: Ints, *, seed: int, link: Link, embeddings: Floats32 | None
) -> tuple[Floats32, Floats32]:
    bounds, shard_fold = _shards(fold)
    bag = bags(texts, bounds)
    scores = [bayes(bag, answers, shard_fold, link)]
    dense = vectors(bag, seed=seed)
    scores.append(regression(dense, answers, fold, link))
    if embeddings is not None:
        dense = embeddings
        scores.append(regression(dense, answers, fold, link))
    found = pooled(scores, answers, link)
    return seen(found, answers, fold, link), dense


def _shards(fold: Ints) -> tuple[list[tuple[int, int]], Ints]:
    """Runs of at most `ROWS_AT_ONCE` rows of one fold, and the fold of each; `fold` is sorted."""
    bounds: list[tuple[int, int]] = []
    found: list[int] = []
    for each in np.unique(fold).tolist():
        start, stop = np.searchsorted(fold, [each, each + 1]).tolist()
        for first in range(start, stop, ROWS_AT_ONCE):
            bounds.append((first, min(first + ROWS_AT_ONCE, stop)))
            found.append(each)
    return bounds, np.array(found, dtype=np.int64)

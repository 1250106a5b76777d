"""Softmax: out-of-fold probabilities of a linear model over hashed features that are there or not."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

SPACE = 2**22
_RATE = 0.5  # of Adagrad, over features whose row has length 1; the results differ little from .25 to 1
_STEPS, _LEAST_EPOCHS, _MOST_EPOCHS = 1_500, 3, 12


def folds_of(groups: Sequence[str], *, seed: int, folds: int) -> Ints:
    """The fold of every group: a keyed hash of its name, so that no other group decides it: int64[groups]."""
    key = str(seed).encode()
    found = (blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest() for name in groups)
    return np.array([int.from_bytes(digest, "little") % folds for digest in found], dtype=np.int64)


class Columns:
    """Features of n things, gathered column by column: each thing has one hashed feature of every template."""

    def __init__(self) -> None:
        self._columns: list[NDArray[np.int32]] = []

    def add(self, hashes: Hashes, *, template: int | None = None) -> None:
        """One more column: uint64[n]. Columns share features only by chance, or where they name the same template."""
        number = len(self._columns) + 1 if template is None else -1 - template
        salt = np.uint64(number * 0xD1B54A32D192ED03 % 2**64)
        mixed = (hashes ^ salt) * np.uint64(0x9E3779B97F4A7C15)
        self._columns.append((mixed >> np.uint64(42)).astype(np.int32))

    def matrix(self) -> Any:
        """Rows of length 1 (sparse float32[n, features]); a feature that only one thing has is left out."""
        from scipy import sparse

        wide = np.stack(self._columns, axis=1)
        count = np.zeros(SPACE, dtype=np.int32)
        for column in self._columns:
            count += np.bincount(column, minlength=SPACE).astype(np.int32)
        self._columns.clear()
        name = np.cumsum(count > 1, dtype=np.int32) - 1
        kept = count[wide] > 1
        starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
        indices = name[wide[kept]]
        shape = (len(wide), int(name[-1]) + 1)
        size = 1 / np.sqrt(np.float32(wide.shape[1]))
        return sparse.csr_matrix((np.full(len(indices), size, dtype=np.float32), indices, starts), shape=shape)


def out_of_fold(
    features: Any, label: Ints, fold: Ints, *, classes: int, seed: int, weight: Floats | None = None
) -> Floats:
    """Probabilities of every class from models that learned from other folds only: float32[n, classes].

    `features`: sparse [n, k]; `label`: int64[n], -1 for things that are asked about and not learned from;
    `fold`: int64[n]. nan where the other folds have fewer than two classes. A class that other folds lack gets
    next to nothing. Multinomial logistic regression, by Adagrad in minibatches (Duchi et al. 2011, JMLR 12), early
    stopped; calibrated by a temperature found on the out-of-fold outputs (Guo et al. 2017, arXiv 1706.04599).
    """
    scores = np.full((len(label), classes), np.nan, dtype=np.float32)
    for held_out in np.unique(fold):
        asked = fold == held_out
        learn = np.flatnonzero(~asked & (label >= 0))
        if len(np.unique(label[learn])) < 2:
            continue
        weights, bias = _fitted(features[learn], label[learn], classes, seed + int(held_out))
        scores[asked] = features[np.flatnonzero(asked)] @ weights + bias
    return softmax(scores * temperature(scores, label))


def softmax(scores: Floats) -> Floats:
    """Probabilities of scores, row by row: float32[n, classes]."""
    power = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True), dtype=np.float32)


def temperature(scores: Floats, label: Ints) -> float:
    """The factor, of a geometric grid from 0.1 to 3, by which scores predict labels (int64[n], -1: none) best."""
    known = np.flatnonzero((label >= 0) & np.isfinite(scores).all(axis=1))
    known = known[:: max(len(known) // 50_000, 1)]  # one number needs no more
    if not len(known):
        return 1.0
    own = scores[known, label[known]]

    def loss(factor: float) -> float:
        part = scores[known] * np.float32(factor)
        top = part.max(axis=1)
        return float((np.log(np.exp(part - top[:, None]).sum(axis=1)) + top - own * factor).mean())

    grid = [float(0.1 * 30.0 ** (step / 40)) for step in range(41)]
    return min(grid, key=lambda factor: (round(loss(factor), 9), factor))


def _fitted(features: Any, label: Ints, classes: int, seed: int) -> tuple[Floats, Floats]:
    """Weights float32[k, classes] and bias float32[classes]."""
    chance = np.random.Generator(np.random.PCG64(seed % 2**63))
    size = int(np.clip(len(label) // 200, 32, 2048))
    batches = _batches(features, label, chance.permutation(len(label)), size)
    epochs = int(np.clip(_STEPS // len(batches), _LEAST_EPOCHS, _MOST_EPOCHS))
    weights = np.zeros((features.shape[1], classes), dtype=np.float32)
    squares = np.full_like(weights, 1e-6)
    share = np.bincount(label, minlength=classes) / len(label)
    bias = np.log(np.maximum(share, 1e-6)).astype(np.float32)
    for _ in range(epochs):
        for at in chance.permutation(len(batches)):
            columns, block, told = batches[at]
            wrong = softmax(block @ weights[columns] + bias)
            wrong[np.arange(len(told)), told] -= 1
            slope = (block.T @ wrong) / np.float32(len(told))
            seen = squares[columns] + slope * slope
            squares[columns] = seen
            weights[columns] -= np.float32(_RATE) * slope / np.sqrt(seen)
    return weights, bias


def _batches(features: Any, label: Ints, order: Ints, size: int) -> list[tuple[Ints, Any, Ints]]:
    """For every minibatch the columns it has, its rows over these columns alone, and its labels."""
    from scipy import sparse

    made = []
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        block = features[rows]
        columns, place = np.unique(block.indices, return_inverse=True)
        shape = (len(rows), len(columns))
        narrow = sparse.csr_matrix((block.data, place.reshape(-1).astype(np.int32), block.indptr), shape=shape)
        made.append((columns.astype(np.int64), narrow, label[rows]))
    return made

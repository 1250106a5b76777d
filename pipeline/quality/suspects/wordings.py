"""Wordings: what a text says in hashed words, narrow enough to be kept beside every row, and a quick model of them."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.quality.shingles import grams, mixed
from pipeline.quality.suspects.linear import inclined, log_odds, pooled, seen
from pipeline.text import UNSPACED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.suspects.linear import Link

    Floats32 = NDArray[np.float32]
    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

_WORD = re.compile(f"[{UNSPACED}]|[^\\W{UNSPACED}]+|[^\\w\\s]+")
# Words of one stem mostly begin alike.
_STEM = 4
_BITS = 22
# 2 kB a row at most. Words go before stems and pairs: of a long text its distinct words are what is kept.
_MOST = 512
_COLUMNS = 2**17
# The regression has many steps and knows no more with more rows than these; naive Bayes counts all rows.
_ROWS_TO_LEARN_FROM, _ROWS_TO_POOL = 20_000, 10_000


def wordings(texts: Sequence[str]) -> pa.Array:
    """The words, beginnings of words and pairs of words of every text, as hashes of 4 bytes each: binary[texts].

    A character of a script without spaces is a word. Width and case are left aside. At most 512 are kept of a text.
    """
    words = [_WORD.findall(_folded(text)) for text in texts]
    counts = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    flat = list(chain.from_iterable(words))
    row, long = np.repeat(np.arange(len(words)), counts), [len(word) > _STEM for word in flat]
    stems = _hashes([word[:_STEM] for word, is_long in zip(flat, long, strict=True) if is_long])
    hashed, starts = _hashes(flat), np.concatenate([[0], np.cumsum(counts)])
    # Other salts than those of words: a stem is no word.
    parts = [(mixed(hashed), row), (mixed(stems ^ np.uint64(0xABCDEF)), row[np.array(long, dtype=np.bool_)])]
    return _narrow([*parts, grams(hashed, starts, 2)], len(texts))


def _folded(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()


def _hashes(words: Sequence[str]) -> Hashes:
    known: dict[str, int] = {}
    for word in words:
        if word not in known:
            digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            known[word] = int.from_bytes(digest, "big")
    return np.fromiter((known[word] for word in words), dtype=np.uint64, count=len(words))


def _narrow(parts: Sequence[tuple[Hashes, Ints]], texts: int) -> pa.Array:
    """The distinct hashes of every text, those of the first parts first."""
    kind = np.repeat(np.arange(len(parts)), [len(found) for found, _ in parts])
    hashed = (np.concatenate([found for found, _ in parts]) >> np.uint64(64 - _BITS)).astype(np.int64)
    key = np.unique((np.concatenate([row for _, row in parts]) << (_BITS + 2)) | (kind << _BITS) | hashed)
    row = key >> (_BITS + 2)
    rank = np.arange(len(key)) - np.searchsorted(row, row)
    row, kept = row[rank < _MOST], (key & (2**_BITS - 1))[rank < _MOST].astype("<u4")
    ends = (4 * np.searchsorted(row, np.arange(texts + 1))).astype("<i4")
    return pa.Array.from_buffers(pa.binary(), texts, [None, pa.py_buffer(ends), pa.py_buffer(kept)])


def said_of(wordings: pa.Array, answers: Any, fold: Ints, *, link: Link) -> Floats32:
    """Out-of-fold probabilities of every label by what the texts say: float32[n, labels].

    Naive Bayes on all rows and logistic regression on some of them, pooled and calibrated out of fold; n-grams of one
    text alone are left out. The result is the same for every order of the rows.

    Args:
        wordings: binary[n], see the function of that name.
        answers: scipy sparse float32[n, labels], 1 for a label that the row carries.
        fold: int64[n], the fold that each row is held out in.
        link: "softmax" for one label a row, "sigmoid" for each label by itself.
    Returns:
        nan where a fold leaves no two answers to learn from.
    """
    from threadpoolctl import threadpool_limits

    rows, content = _matrix(wordings)
    # Sums do not depend on the order of rows if they are always added in this one.
    order = np.lexsort((_spelled(answers), content, fold))
    rows, answers, fold = rows[order], answers[order], fold[order]
    with threadpool_limits(limits=1):
        scores = [_counted(rows, answers, fold, link), _fitted(rows, answers, fold, link)]
        found = seen(pooled(scores, answers, link, rows=_ROWS_TO_POOL), answers, fold, link)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return found[back]


def _matrix(wordings: pa.Array) -> tuple[Any, Hashes]:
    """The texts as rows of length 1, scipy sparse float32[n, columns], and a hash of the content of each: uint64[n]."""
    from scipy import sparse

    ends = np.frombuffer(wordings.buffers()[1], dtype="<i4")[wordings.offset : wordings.offset + len(wordings) + 1] // 4
    data = wordings.buffers()[2]
    hashed = np.frombuffer(data, dtype="<u4")[ends[0] : ends[-1]] if data else np.zeros(0, dtype="<u4")
    starts = (ends - ends[0]).astype(np.int64)
    total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed(hashed.astype(np.uint64)))])
    had = np.bincount(hashed, minlength=2**_BITS)
    kept = np.flatnonzero(had >= 2)
    if len(kept) > _COLUMNS:
        kept = np.sort(kept[np.argsort(-had[kept], kind="stable")[:_COLUMNS]])
    place = np.full(2**_BITS, -1, dtype=np.int32)
    place[kept] = np.arange(len(kept))
    column = place[hashed]
    starts_kept = np.concatenate([[0], np.cumsum(column >= 0)])[starts]
    sizes = np.diff(starts_kept)
    value = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
    rows = sparse.csr_matrix((value, column[column >= 0], starts_kept), shape=(len(sizes), len(kept)))
    return rows, np.diff(total[starts])


def _spelled(answers: Any) -> Hashes:
    """A hash of the labels of every row: uint64[n]."""
    row = np.repeat(np.arange(answers.shape[0]), np.diff(answers.indptr))
    found = np.zeros(answers.shape[0], dtype=np.uint64)
    np.add.at(found, row, mixed(answers.indices.astype(np.uint64)))
    return found


def _counted(rows: Any, answers: Any, fold: Ints, link: Link) -> Floats32:
    """Out-of-fold scores of naive Bayes, learned from all rows: float32[n, labels]."""
    scores = np.zeros(answers.shape, dtype=np.float32)
    parts = {at: (rows[fold == at], answers[fold == at]) for at in np.unique(fold).tolist()}
    counts = {at: (some.T @ said).toarray() for at, (some, said) in parts.items()}
    mass = {at: np.asarray(some.sum(axis=0)).ravel() for at, (some, _) in parts.items()}
    total, all_mass = sum(counts.values()), sum(mass.values())
    for at, (some, _) in parts.items():
        scores[fold == at] = some @ log_odds(total - counts[at], all_mass - mass[at], link)
    return scores


def _fitted(rows: Any, answers: Any, fold: Ints, link: Link) -> Floats32:
    """Out-of-fold scores of logistic regression, learned from some of the rows: float32[n, labels]."""
    scores = np.zeros(answers.shape, dtype=np.float32)
    for at in np.unique(fold).tolist():
        train = np.flatnonzero(fold != at)
        train = train[:: -(-len(train) // _ROWS_TO_LEARN_FROM) or 1]
        scores[fold == at] = rows[fold == at] @ inclined(rows[train], answers[train].toarray(), link)
    return scores

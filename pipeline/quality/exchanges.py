"""Exchanges: what was asked and what was answered as numbers: shingles, numbers, lengths, scripts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.shingles import code_points, grams
from pipeline.text import UNSPACED, normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FEATURES = 2**18
_SIZE = 3  # characters in a shingle: within a word of any spaced script, about a phrase of an unspaced one
_MOST_CHARS = 4000
_DIGITS = "0123456789"
_UNSPACED, _LATIN = re.compile(f"[{UNSPACED}]"), re.compile("[A-Za-z]")


@dataclass(frozen=True)
class Exchanges:
    """Questions and replies as numbers: TF-IDF of shingles, numbers as hashes, lengths, share of unspaced letters."""

    asked: Any
    replied: Any
    asked_numbers: list[frozenset[str]]
    reply_numbers: list[frozenset[str]]
    asked_length: Floats
    reply_length: Floats
    asked_script: Floats
    reply_script: Floats
    groups: Ints
    said: Ints


def exchanges(table: pa.Table) -> Exchanges:
    """The exchanges of a table with text (what was asked), answer (JSON text) and said (what the reply comes to)."""
    asked = [text[:_MOST_CHARS] for text in table["text"].to_pylist()]
    replied = [written(answer)[:_MOST_CHARS] for answer in table["answer"].to_pylist()]
    weights = _inverse_frequency(_counts(asked), _counts(replied))
    return Exchanges(
        asked=_unit(_counts(asked), weights),
        replied=_unit(_counts(replied), weights),
        asked_numbers=[_numbers(text) for text in asked],
        reply_numbers=[_numbers(text) for text in replied],
        asked_length=np.log1p([len(text) for text in asked]),
        reply_length=np.log1p([len(text) for text in replied]),
        asked_script=_script(asked),
        reply_script=_script(replied),
        groups=_coded([normalised(text) or text for text in asked]),
        said=_coded(table["said"].to_pylist()),
    )


def written(answer: str) -> str:
    """The text of an answer (canonical JSON): a reply as it stands, of extracts [start, end, text] the first one."""
    told = json.loads(answer)
    return told if isinstance(told, str) else str(told[0][-1]) if told else ""


def _coded(values: Sequence[str | None]) -> Ints:
    return np.unique(np.array(["" if value is None else value for value in values]), return_inverse=True)[1].reshape(-1)


def _counts(texts: list[str]) -> Any:
    """Which shingles stand in which text: sparse float32[n, FEATURES] of ones."""
    from scipy import sparse

    points, starts = code_points([f" {' '.join(text.casefold().split())} " for text in texts])
    hashes, row = grams(points, starts, _SIZE)
    place = (row, (hashes % np.uint64(FEATURES)).astype(np.int64))
    made = sparse.csr_matrix((np.ones(len(row), dtype=np.float32), place), shape=(len(texts), FEATURES))
    made.data[:] = 1.0
    return made


def _inverse_frequency(*counts: Any) -> NDArray[np.float32]:
    rows = sum(one.shape[0] for one in counts)
    found = sum(np.asarray(one.sum(axis=0)).reshape(-1) for one in counts)
    return np.asarray(np.log((1 + rows) / (1 + np.asarray(found))), dtype=np.float32)


def _unit(counts: Any, weights: NDArray[np.float32]) -> Any:
    """TF-IDF rows of length 1."""
    made = counts.multiply(weights).tocsr()
    length = np.sqrt(np.asarray(made.multiply(made).sum(axis=1)).reshape(-1))
    made.data /= np.repeat(np.maximum(length, 1e-9), np.diff(made.indptr)).astype(np.float32)
    return made


def _numbers(text: str) -> frozenset[str]:
    return frozenset("".join(part if part in _DIGITS else " " for part in text).split())


def _script(texts: Sequence[str]) -> Floats:
    """The share of unspaced characters among the letters of each text; nan where there are few."""
    counts = [(len(_UNSPACED.findall(text)), len(_LATIN.findall(text))) for text in texts]
    found = np.array(counts, dtype=np.float64).reshape(-1, 2)
    total = found.sum(axis=1)
    return np.where(total >= 10, found[:, 0] / np.maximum(total, 1), np.nan)

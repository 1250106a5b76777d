"""Tagger: the probability of every tag for every word, from a quick model that saw no row of that word's group."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.sentences import combined
from pipeline.quality.softmax import Columns, folds_of, out_of_fold

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from pipeline.quality.sentences import Sentences

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

FOLDS = 5
_MANY_WORDS, _FEW_FOLDS = 400_000, 3  # two thirds of so many teach as much as four fifths, in half the time
_RUNS = re.compile(r"(.)\1+", re.DOTALL)


def tag_probabilities(words: Sentences, *, seed: int = 0, folds: int = FOLDS) -> Floats:
    """Out-of-fold probabilities of `words.tags`: float32[n, tags], rows summing to 1; nan where nothing was learned.

    No pretrained weights: softmax regression over the word, its affixes and shape, the words up to three places away,
    pairs and triples of neighbours (in unspaced scripts these are character n-grams), how words are mostly written
    elsewhere, and how firmly neighbours stick together (pointwise mutual information, Church and Hanks 1990).
    Folds are whole groups.
    """
    if not len(words):
        return np.zeros((0, len(words.tags)), dtype=np.float32)
    if len(words) > _MANY_WORDS:
        folds = min(folds, _FEW_FOLDS)
    fold = folds_of(words.groups, seed=seed, folds=folds)[words.group][words.row]
    return out_of_fold(_features(words), words.tag, fold, classes=len(words.tags), seed=seed)


def _features(words: Sentences) -> Any:
    made = Columns()
    lower = words.folded
    near = {shift: words.at(shift) for shift in range(-3, 4)}
    for shift in range(-3, 4):
        made.add(lower[near[shift]])
    for pair in ((-2, -1), (-1, 0), (0, 1), (1, 2), (-1, 1), (-2, 0), (0, 2)):
        made.add(combined(*(lower[near[shift]] for shift in pair)))
    for triple in ((-1, 0, 1), (-2, -1, 0), (0, 1, 2)):
        made.add(combined(*(lower[near[shift]] for shift in triple)))
    made.add(words.hashed(str)[near[0]])
    for size in range(1, 5):
        made.add(words.hashed(lambda word, size=size: word[:size].casefold())[near[0]])  # type: ignore[misc]
        made.add(words.hashed(lambda word, size=size: word[-size:].casefold())[near[0]])  # type: ignore[misc]
    _add_shapes(made, words, near)
    _add_habits(made, words, near)
    return made.matrix()


def _add_shapes(made: Columns, words: Sentences, near: dict[int, Ints]) -> None:
    full, brief = words.hashed(shape), words.hashed(lambda word: _RUNS.sub(r"\1", shape(word)))
    made.add(full[near[0]])
    for shift in range(-2, 3):
        made.add(brief[near[shift]])
    made.add(combined(brief[near[-1]], brief[near[0]], brief[near[1]]))
    made.add(combined(brief[near[-1]], words.folded[near[0]]))
    made.add(combined(*(brief[near[shift]] for shift in range(-2, 3))))


def _add_habits(made: Columns, words: Sentences, near: dict[int, Ints]) -> None:
    cased = _cased(words)
    for shift in (-1, 0, 1):
        made.add(cased[near[shift]])
    stuck = sticking(words)
    before, after = _levels(stuck), _levels(np.append(stuck[1:], 0.0))
    made.add(combined(before, after))
    made.add(combined(before, after, words.folded[near[0]]))
    place = np.minimum(np.arange(len(words)) - words.first[words.row], 3).astype(np.uint64)
    made.add(combined(place, words.hashed(lambda word: _RUNS.sub(r"\1", shape(word)))[near[0]]))
    length = np.minimum(np.diff(words.first)[words.row], 12).astype(np.uint64)
    made.add(combined(length, cased[near[0]]))


def shape(word: str) -> str:
    """The kind of every character: A upper, a lower, 0 digit, 文 a letter without case, any other as it is.

    >>> shape("McDonald's 4x4"), shape("北京2008")
    ("AaAaaaaa'a 0a0", '文文0000')
    """
    return "".join(map(_kind, word))


def _kind(character: str) -> str:
    if character.isdigit():
        return "0"
    if not character.isalpha():
        return character
    return "A" if character.isupper() else "a" if character.islower() else "文"


def _levels(values: NDArray[np.float64]) -> Hashes:
    return np.asarray(np.clip(np.round(values), -2, 8) + 2, dtype=np.float64).astype(np.uint64)


def _cased(words: Sentences) -> Hashes:
    """How often a word is written small, capital or in capitals elsewhere, and how frequent it is: [vocabulary + 1]."""
    count = np.bincount(words.spelling, minlength=len(words.vocabulary))
    folded = words.folded[:-1]
    _, place = np.unique(folded, return_inverse=True)
    small = np.array([word.islower() for word in words.vocabulary], dtype=bool)
    total = np.bincount(place.reshape(-1), weights=count)
    lower = np.bincount(place.reshape(-1), weights=count * small)
    share = np.ceil(4 * lower / np.maximum(total, 1))[place.reshape(-1)]
    often = np.floor(np.log2(np.maximum(total, 1)))[place.reshape(-1)]
    return np.append(combined(share.astype(np.uint64), np.minimum(often, 12).astype(np.uint64)), np.uint64(0))


def sticking(words: Sentences) -> NDArray[np.float64]:
    """Pointwise mutual information of every word with the one before it, in bits: float64[n]; 0 at a row's start."""
    this, before = words.at(0), words.at(-1)
    width = len(words.vocabulary) + 1
    pairs, place, seen = np.unique(before * width + this, return_inverse=True, return_counts=True)
    count = np.append(np.bincount(words.spelling, minlength=width - 1), 1).astype(np.float64)
    both = seen.astype(np.float64)
    # Discounted, so that a pair seen once is no evidence (Pantel and Lin 2002 do the same with a factor).
    expected = count[pairs // width] * count[pairs % width] / max(len(words), 1)
    firm = np.log2((both - 0.5) / expected + 1e-9) * (both / (both + 1))
    firm[pairs // width == width - 1] = 0.0
    return np.asarray(firm[place.reshape(-1)])

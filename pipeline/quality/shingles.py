"""Shingles: the hashed character n-grams of many texts at once, in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

_BASE = np.uint64(0x9E3779B97F4A7C15)
SPACED_SIZE, UNSPACED_SIZE = 5, 2


def mixed(values: Hashes) -> Hashes:
    """A 64-bit hash of every value (the finaliser of splitmix64, Steele et al. 2014, doi 10.1145/2660193.2660195)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))


def code_points(texts: Sequence[str]) -> tuple[Hashes, Ints]:
    """All code points one after another (uint64[characters]), hashed, and where each text starts (int64[texts + 1])."""
    flat = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    return mixed(flat.astype(np.uint64) + _BASE), np.concatenate([[0], np.cumsum(lengths)])


def grams(points: Hashes, starts: Ints, size: int) -> tuple[Hashes, Ints]:
    """Hashes of all runs of `size` characters inside one text, and the text each is from; repeats are kept.

    A text shorter than `size` has none. Runs of different sizes never share a hash by construction.
    """
    room = len(points) - size + 1
    text = np.repeat(np.arange(len(starts) - 1), np.maximum(np.diff(starts) - size + 1, 0))
    if room <= 0 or not len(text):
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    rolling = np.full(room, np.uint64(size))
    for step in range(size):
        rolling = rolling * _BASE + points[step : step + room]
    first = np.cumsum(np.concatenate([[0], np.maximum(np.diff(starts) - size + 1, 0)]))[:-1]
    place = starts[:-1][text] + np.arange(len(text)) - first[text]
    return mixed(rolling[place]), text


def runs(items: Hashes, longest: int) -> Iterator[Hashes]:
    """For every size from 1 to `longest` a hash of the run of so many items that begins at each place: uint64[places].

    The hashes are those of `grams`, but texts are not looked at: runs go on from one text to the next.
    """
    rolling = np.zeros(len(items), dtype=np.uint64)
    salt = np.uint64(1)
    for size in range(1, longest + 1):
        rolling = rolling[: max(len(items) - size + 1, 0)]
        rolling *= _BASE
        rolling += items[size - 1 :]
        salt = np.multiply(salt, _BASE, dtype=np.uint64)
        yield mixed(rolling + np.multiply(salt, np.uint64(size), dtype=np.uint64))


def sets(texts: Sequence[str], size: int) -> tuple[Hashes, Ints]:
    """The distinct n-grams of every text, sorted within it: uint64[m], and where each text's begin: int64[texts + 1].

    A text shorter than `size`, if it is not empty, is its own only shingle.
    """
    points, starts = code_points([text + "\0" * (size - len(text)) if 0 < len(text) < size else text for text in texts])
    return distinct(*grams(points, starts, size), len(texts))


def jaccard(hashes: Hashes, starts: Ints, left: Ints, right: Ints) -> NDArray[np.float64]:
    """Exact Jaccard similarity, 0..1, of the sets of the texts `left` and `right`: float64[pairs]; 0 if both empty."""
    sizes = np.diff(starts)
    pair = np.arange(len(left))
    owner = np.concatenate([np.repeat(pair, sizes[left]), np.repeat(pair, sizes[right])])
    pooled = np.concatenate([_gathered(hashes, starts, left), _gathered(hashes, starts, right)])
    order = np.lexsort((pooled, owner))
    owner, pooled = owner[order], pooled[order]
    same = (owner[1:] == owner[:-1]) & (pooled[1:] == pooled[:-1])
    both = np.bincount(owner[1:][same], minlength=len(left))
    either = sizes[left] + sizes[right] - both
    return np.asarray(both / np.maximum(either, 1))


def _gathered(hashes: Hashes, starts: Ints, texts: Ints) -> Hashes:
    sizes = np.diff(starts)[texts]
    first = np.cumsum(sizes) - sizes
    return np.asarray(hashes[np.arange(int(sizes.sum())) + np.repeat(starts[texts] - first, sizes)])


def script_grams(points: Hashes, unspaced: NDArray[np.bool_], starts: Ints) -> tuple[Hashes, Ints]:
    """Hashes of the n-grams of every run of one script, 5 characters of spaced scripts, 2 of others, and their text.

    A run that is shorter than that is its own only gram, so a text of two scripts has grams of both, and none across.

    Args:
        points: hashed code points of all texts, see `code_points`.
        unspaced: bool[characters], which are of a script that puts no spaces between words.
        starts: int64[texts + 1].
    """
    text = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    first = np.flatnonzero(np.diff(text, prepend=-1) | np.diff(unspaced, prepend=False))
    runs = np.concatenate([first, [len(points)]])
    size = np.where(unspaced[first], UNSPACED_SIZE, SPACED_SIZE)
    size = np.minimum(size, np.diff(runs))
    room = np.diff(runs) - size + 1
    length = np.repeat(size, room)
    place = np.repeat(first - np.cumsum(room) + room, room) + np.arange(int(room.sum()))
    found = np.zeros(len(place), dtype=np.uint64)
    for each in range(1, SPACED_SIZE + 1):
        at = np.flatnonzero(length == each) if each < SPACED_SIZE else np.flatnonzero(length >= SPACED_SIZE)
        rolling = np.full(len(at), np.uint64(each))
        for step in range(each if len(at) else 0):
            rolling = rolling * _BASE + points[place[at] + step]
        found[at] = mixed(rolling)
    return found, text[place]


def distinct(hashes: Hashes, text: Ints, texts: int) -> tuple[Hashes, Ints]:
    """The distinct hashes of every text, sorted within it: uint64[m], and where each text's begin: int64[texts + 1]."""
    order = np.lexsort((hashes, text))
    hashes, text = hashes[order], text[order]
    fresh = np.ones(len(hashes), dtype=bool)
    fresh[1:] = (hashes[1:] != hashes[:-1]) | (text[1:] != text[:-1])
    counts = np.bincount(text[fresh], minlength=texts)
    return hashes[fresh], np.concatenate([[0], np.cumsum(counts)])

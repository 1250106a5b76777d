"""Surfaces: how the same words are marked elsewhere, in other groups and in other rows of the same group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.runs import Runs
    from pipeline.quality.sentences import Sentences

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

LONGEST = 8  # words; longer surfaces are counted where they are marked, not looked for where they are not
_BASE = np.uint64(0x9E3779B97F4A7C15)


class Windows:
    """A hash of any run of words of a row at once, case aside: a polynomial of the hashes of its words modulo 2^64."""

    def __init__(self, words: Sentences) -> None:
        self._row = words.row
        values = words.folded[words.spelling]
        self._powers = np.ones(len(values) + 1, dtype=np.uint64)
        np.multiply.accumulate(np.full(len(values), _BASE), out=self._powers[1:])
        # Every word times the power of its place; a run is a difference of sums, moved to one place by the power left.
        self._sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values * self._powers[:-1], dtype=np.uint64)])

    def hashed(self, first: Ints, last: Ints) -> Hashes:
        """The hash of the words first..last-1 of every run: uint64[n]; only what has the same words has the same."""
        total = (self._sums[last] - self._sums[first]) * self._powers[len(self._row) - first]
        return mixed(total + (last - first).astype(np.uint64) * _BASE)

    def matching(self, key: Hashes, size: int) -> tuple[Ints, Ints]:
        """Where runs of `size` words of one row have a hash of `key` (sorted): their first words, and which of key."""
        first = np.arange(max(len(self._row) - size + 1, 0))
        first = first[self._row[first] == self._row[first + size - 1]] if len(first) else first
        if not len(first) or not len(key):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        hashes = self.hashed(first, first + size)
        place = np.minimum(np.searchsorted(key, hashes), len(key) - 1)
        hit = key[place] == hashes
        return first[hit], place[hit]


@dataclass(frozen=True)
class Seen:
    """How often the surface of every run stands elsewhere, and how it is marked there.

    Attributes:
        marked: float64[n, labels], as a whole span of that label.
        outside: float64[n], with no word of it in a span.
        partly: float64[n], inside a longer span, or across an edge.
    """

    marked: Floats
    outside: Floats
    partly: Floats


class Surfaces:
    """Counts of the surfaces of some runs over all rows, by group and row."""

    def __init__(self, words: Sentences, spans: Runs, asked: Runs) -> None:
        self._words, self._windows = words, Windows(words)
        self._key = np.unique(self._windows.hashed(asked.first, asked.last))
        self._labels = len(words.labels)
        surface, row, kind = self._occurrences(spans)
        self._whole = _Counts(surface, np.zeros_like(row), kind, self._labels + 2)
        self._by_group = _Counts(surface, words.group[row], kind, self._labels + 2)
        self._by_row = _Counts(surface, row, kind, self._labels + 2)

    def elsewhere(self, runs: Runs) -> Seen:
        """What other groups say of the same surface."""
        surface = self._surface(runs)
        counts = self._whole.of(surface, np.zeros_like(surface)) - self._by_group.of(
            surface, self._words.group[runs.row]
        )
        return self._seen(counts)

    def nearby(self, runs: Runs) -> Seen:
        """What other rows of the same group (document, duplicates) say of the same surface."""
        surface = self._surface(runs)
        counts = self._by_group.of(surface, self._words.group[runs.row]) - self._by_row.of(surface, runs.row)
        return self._seen(counts)

    def _surface(self, runs: Runs) -> Ints:
        """An index into the surfaces asked for; their number for any other."""
        hashes = self._windows.hashed(runs.first, runs.last)
        place = np.minimum(np.searchsorted(self._key, hashes), max(len(self._key) - 1, 0))
        known = self._key[place] == hashes if len(self._key) else np.zeros(len(hashes), bool)
        return np.where(known, place, len(self._key))

    def _seen(self, counts: Floats) -> Seen:
        return Seen(counts[:, : self._labels], counts[:, self._labels], counts[:, self._labels + 1])

    def _occurrences(self, spans: Runs) -> tuple[Ints, Ints, Ints]:
        """Surface, row and kind (label, outside, partly) of every place where a surface stands."""
        words = self._words
        exact = self._surface(spans)
        kept = exact < len(self._key)
        found = [(exact[kept], spans.row[kept], spans.label[kept])]
        whole = np.unique(spans.first * (LONGEST + 1) + np.minimum(spans.last - spans.first, LONGEST))
        blocked = np.concatenate([[0], np.cumsum(words.tag > 0)])
        for size in range(1, LONGEST + 1):
            first, surface = self._windows.matching(self._key, size)
            is_span = np.isin(first * (LONGEST + 1) + size, whole) & _ends(words, first + size)
            first, surface = first[~is_span], surface[~is_span]
            free = blocked[first + size] == blocked[first]
            kind = np.where(free, self._labels, self._labels + 1)
            found.append((surface, words.row[first], kind))
        surface, row, kind = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return surface, row, kind


def _ends(words: Sentences, last: Ints) -> Bools:
    """Whether no span goes on at word `last`."""
    tag = np.append(words.tag, 0)[last]
    row = np.append(words.row, -1)
    return np.asarray((tag == 0) | (tag % 2 == 1) | (row[last] != row[last - 1]) | _label_changes(words, last))


def _label_changes(words: Sentences, last: Ints) -> Bools:
    tag = np.append(words.tag, 0)
    return np.asarray((tag[last] - 1) // 2 != (tag[last - 1] - 1) // 2)


class _Counts:
    """How often each kind occurs for (surface, owner): only pairs that occur are held."""

    def __init__(self, surface: Ints, owner: Ints, kind: Ints, kinds: int) -> None:
        from scipy import sparse

        self._width = int(owner.max(initial=0)) + 1
        self._pairs, place = np.unique(surface * self._width + owner, return_inverse=True)
        shape = (len(self._pairs) + 1, kinds)
        ones = np.ones(len(kind))
        self._table: Any = sparse.csr_matrix((ones, (place.reshape(-1), kind)), shape=shape)

    def of(self, surface: Ints, owner: Ints) -> Floats:
        """float64[n, kinds]; 0 for what does not occur."""
        wanted = surface * self._width + owner
        place = np.minimum(np.searchsorted(self._pairs, wanted), max(len(self._pairs) - 1, 0))
        known = self._pairs[place] == wanted if len(self._pairs) else np.zeros(len(wanted), bool)
        known = known & (owner < self._width)
        return np.asarray(self._table[np.where(known, place, len(self._pairs))].toarray(), dtype=np.float64)

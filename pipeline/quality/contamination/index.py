"""The index of held-out items: which n-grams are whose, without those that are anybody's; narrow, mapped from files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.quality.contamination.units import LINE, Size, local_sums, parts, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.contamination.units import Flags, Hashes, Ints

SHORT_GRAMS = 2.6
"""An item that weighs less (13 words, 21 Chinese characters) has no part that tells it: it counts only as a whole..."""
PHRASE_GRAMS = 1.6
"""...and one that weighs less than this (8 words, 13 characters) only as half of a text: it may be a phrase."""
LEAST_ITEMS, ITEMS_SHARE = 10, 0.001
"""An n-gram in more items of a set than this is the wording of the set or of the language, and tells nothing of one.

Ten, so that an item may stand in a set in some wordings, or a passage under a few questions; a thousandth, because in
large sets of one kind plain phrases ("how much money does she") recur more often than that.
"""
_BITS_PER_GRAM = 16


@dataclass(frozen=True)
class Index:
    """n-grams to the places in items where they begin; items lie one after another, in units."""

    size: Ints
    """int64[2]: the `Size`."""
    grams: Hashes
    """The own n-grams of items, sorted, each once: uint64[k]."""
    at: Ints
    """Where the places of each begin: int64[k + 1]."""
    places: Ints
    """int64[m]: the unit that the n-gram begins at."""
    reach: NDArray[np.uint16]
    """How many units the n-gram at each unit spans; 0 where there is none: uint16[u]."""
    starts: Ints
    """Where the units of each item begin: int64[items + 1]."""
    before: Ints
    """What all units before each weigh: int64[u + 1]."""
    own: Flags
    """Whether a unit stands in an n-gram of its item's own: bool[u]."""
    own_weights: Ints
    """What these weigh: int64[items]."""
    sums: Hashes
    """Of the hashes of the units, by which stretches of an item are compared (`units.stretch_of`): uint64[u + 1]."""
    opens: NDArray[np.uint8]
    """What begins at a unit (`units.Units.opens`): uint8[u + 1]."""
    wholes: Hashes
    """The hash of the units of each item: uint64[items]."""
    ranked: Hashes
    """The hash of each item without its spaces, sorted: uint64[items]..."""
    by_rank: Ints
    """...and the items in that order: int64[items]."""
    anchors: Hashes
    """The rarest n-gram of each item that has one, by which it is found where it stands whole, sorted: uint64[a]."""
    anchored: Ints
    """The items of the anchors, and the unit within each that the anchor begins at: int64[a, 2]."""
    bits: NDArray[np.uint8]
    """A Bloom filter of one bit for all n-grams above: most of those of a row are told apart by it at once."""
    common: Ints
    """int64[2]: how many n-grams are no item's own in any set, and how many there are."""

    @property
    def items(self) -> int:
        """How many items there are."""
        return len(self.starts) - 1

    @cached_property
    def weights(self) -> Ints:
        """What each item weighs: int64[items]."""
        return np.asarray(self.before[self.starts[1:]] - self.before[self.starts[:-1]])

    @cached_property
    def short(self) -> Flags:
        """Whether an item counts only as a whole: bool[items]."""
        return np.asarray(self.weights < SHORT_GRAMS * Size(*self.size.tolist()).weight)

    @cached_property
    def phrases(self) -> Flags:
        """Whether an item counts only where it is most of a text: bool[items]."""
        return np.asarray(self.weights < PHRASE_GRAMS * Size(*self.size.tolist()).weight)

    def save(self, folder: Path) -> None:
        """Write the index, one file a column."""
        for one in fields(self):
            np.save(folder / f"{one.name}.npy", getattr(self, one.name), allow_pickle=False)

    def digest(self) -> str:
        """A hash of all that is looked for."""
        whole = hashlib.sha256()
        named = (self.size, self.grams, self.at, self.places, self.starts, self.wholes, self.ranked, self.anchors)
        for part in (*named, self.opens):
            whole.update(np.ascontiguousarray(part).tobytes())
        return whole.hexdigest()[:32]

    def may_hold(self, hashes: Hashes) -> Flags:
        """Whether an n-gram may be one of the index: no means no."""
        slot = hashes & np.uint64(8 * len(self.bits) - 1)
        byte = self.bits[(slot >> np.uint64(3)).astype(np.int64)]
        return np.asarray(byte >> (slot & np.uint64(7)).astype(np.uint8) & 1 > 0)


@lru_cache(maxsize=2)
def opened(folder: Path) -> Index:
    """An index that was saved; its columns are mapped, so that all processes share them."""
    return Index(**{one.name: np.load(folder / f"{one.name}.npy", mmap_mode="r") for one in fields(Index)})


class _Read(NamedTuple):
    """Items, read: where their units begin and what those weigh, two hashes of each item, and all n-grams in order."""

    starts: Ints
    before: Ints
    wholes: Hashes
    joined: Hashes
    sums: Hashes
    opens: NDArray[np.uint8]
    hashes: Hashes
    place: Ints
    end: Ints

    @property
    def item(self) -> Ints:
        """The item that each n-gram is of."""
        return np.searchsorted(self.starts, self.place, side="right") - 1


def build(texts: Sequence[str], sets: Ints, size: Size) -> Index:
    """The index of items by their texts; `sets`: the set of each, int64[items], which rises and tells wording apart.

    Items of the same set are expected to differ in their units, and to have some.
    """
    read = _read(texts, size)
    item, order = read.item, np.argsort(read.hashes, kind="stable")
    spread, differing = _spread(read.hashes[order], item[order], sets)
    spread[order] = spread.copy()
    rare = spread <= np.maximum(LEAST_ITEMS, ITEMS_SHARE * np.bincount(sets))[sets][item]
    own = _covered(read.place[rare], read.end[rare], len(read.before) - 1)
    anchors, anchored = _anchors(read, item, spread)
    searched = order[rare[order]]
    grams, first = np.unique(read.hashes[searched], return_index=True)
    reach = np.zeros(len(read.before) - 1, dtype=np.uint16)
    reach[read.place] = read.end - read.place
    return Index(
        size=np.array(size), grams=grams, at=np.append(first, len(searched)), places=read.place[searched], reach=reach,
        starts=read.starts, before=read.before, sums=read.sums, opens=read.opens,
        own=own, own_weights=_own_weights(read, own), wholes=read.wholes,
        ranked=np.sort(read.joined), by_rank=np.argsort(read.joined, kind="stable"), anchors=anchors,
        anchored=anchored, bits=_bits(grams, anchors), common=np.array([len(np.unique(read.hashes[~rare])), differing]),
    )  # fmt: skip


def _read(texts: Sequence[str], size: Size) -> _Read:
    """The items part by part, so that only what is narrow of them is held together."""
    nothing, whole = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    lengths, weights, grams = [nothing], [nothing], [(whole, nothing, nothing)]
    wholes, joined, single, opens = [whole], [whole], [whole], [np.zeros(0, dtype=np.uint8)]
    read = 0
    for part in parts(texts):
        made = units(part, size)
        lengths.append(made.lengths())
        weights.append(np.diff(made.before))
        wholes.append(made.wholes())
        joined.append(made.joined)
        single.append(made.hashes)
        opens.append(made.opens[:-1])
        hashes, place, end = made.grams(size)
        grams.append((hashes, place + read, end + read))
        read += len(made.hashes)
    starts, before = (np.concatenate([[0], np.cumsum(np.concatenate(counts))]) for counts in (lengths, weights))
    starts = starts.astype(np.int64)
    sums, _ = local_sums(np.concatenate(single), starts)
    narrow = (starts, before.astype(np.int64), np.concatenate(wholes), np.concatenate(joined), sums)
    begins = np.append(np.concatenate(opens), np.uint8(LINE))
    return _Read(*narrow, begins, *(np.concatenate(several) for several in zip(*grams, strict=True)))


def _covered(start: Ints, end: Ints, count: int) -> Flags:
    """Which of `count` units some stretch covers."""
    turns = np.zeros(count + 1, dtype=np.int64)
    np.add.at(turns, start, 1)
    np.add.at(turns, end, -1)
    return np.asarray(np.cumsum(turns)[:-1] > 0)


def _own_weights(read: _Read, own: Flags) -> Ints:
    before = np.concatenate([[0], np.cumsum(np.where(own, np.diff(read.before), 0))])
    return np.asarray(np.diff(before[read.starts]))


def _spread(hashes: Hashes, item: Ints, sets: Ints) -> tuple[Ints, int]:
    """In how many items of the same set each n-gram stands, sorted by hash, then item; and how many n-grams differ."""
    if not len(hashes):
        return np.zeros(0, dtype=np.int64), 0
    other = np.append(True, hashes[1:] != hashes[:-1])
    fresh = other | np.append(True, np.diff(sets[item]) != 0)
    new_item = fresh | np.append(True, np.diff(item) != 0)
    run = np.cumsum(fresh) - 1
    return np.bincount(run[new_item])[run], int(other.sum())


def _anchors(read: _Read, item: Ints, spread: Ints) -> tuple[Hashes, Ints]:
    """The rarest n-gram, the first of several, of every item that has one; sorted by n-gram."""
    first = np.flatnonzero(np.append(True, np.diff(item) != 0)[: len(item)])
    if not len(first):
        return np.zeros(0, dtype=np.uint64), np.zeros((0, 2), dtype=np.int64)
    least = np.minimum.reduceat(spread, first)
    rarest = np.flatnonzero(spread == np.repeat(least, np.diff(np.append(first, len(item)))))
    chosen = rarest[np.append(True, np.diff(item[rarest]) != 0)]
    chosen = chosen[np.argsort(read.hashes[chosen], kind="stable")]
    return read.hashes[chosen], np.stack([item[chosen], read.place[chosen] - read.starts[item[chosen]]], axis=1)


def _bits(*several: Hashes) -> NDArray[np.uint8]:
    count = max(1, sum(len(hashes) for hashes in several))
    bits = np.zeros(1 << max(7, (count * _BITS_PER_GRAM - 1).bit_length() - 3), dtype=np.uint8)
    for hashes in several:
        slot = hashes & np.uint64(8 * len(bits) - 1)
        flags = np.left_shift(1, (slot & np.uint64(7)).astype(np.uint8), dtype=np.uint8)
        np.bitwise_or.at(bits, (slot >> np.uint64(3)).astype(np.int64), flags)
    return bits

"""Comparing: where two texts differ, word by word, for many pairs at once; what cannot be the same is told apart."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.duplicates.wording import DECISIVE, NEGATION, NUMBER, SYMBOL, UNSPACED
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Codes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

OPEN, FAR, CHANGED_NUMBER, CHANGED_NEGATION, CHANGED_SIGN, CHANGED_WORDS, SLOT = range(7)
"""What a comparison of hashes says of a pair: OPEN has to be looked at, FAR has too little in common to be told of, the
others differ in a number, a negation, a sign, in more words than a slip explains, in a slot that many texts fill."""
SLOT_WORDS = 3
_WIDER = ((0, 0), (1, 0), (0, 1))
LONGEST_SWAP = 8
EVERY = 8  # one difference is let pass, and one more for every so many words
_CELLS_AT_ONCE = 1_500_000
_FAR = 0.5  # of their words: with less in common, nobody would take the two for one


@dataclass(frozen=True)
class Compared:
    """Where the two texts of each pair differ: int64[pairs] each, but for `frame`.

    Attributes:
        start: how many words they share at the beginning.
        mine, yours: how many words of the left and of the right text stand between what they share at both ends.
        state: one of the states above.
        frames: uint32[pairs, 3], hashes of all words but those they differ in: what the texts have in common if that
            place is a slot; then, for unspaced characters, of all but one more before or after them, as two names may
            have a character in common; 0 where there is none, and where they differ in more than `SLOT_WORDS`.
        words: uint64[pairs, 2], the codes of the one word they differ in, 0 where there is none.
        longest: how many words the longer text has.
        shared: float64[pairs], share of the longer text's words that both have, 0..1.
    """

    start: Ints
    mine: Ints
    yours: Ints
    state: Ints
    frames: NDArray[np.uint32]
    words: Codes
    longest: Ints
    shared: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start)


def compared(codes: Codes, starts: Ints, left: Ints, right: Ints) -> Compared:
    """Compare the words of the texts `left` and `right`, a block of pairs of about one length at a time."""
    sizes = np.diff(starts)
    longest = np.maximum(sizes[left], sizes[right])
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed(codes), dtype=np.uint64)])
    order = np.argsort(longest, kind="stable")
    parts, at = [], 0
    while at < len(order):
        count = max(1, _CELLS_AT_ONCE // max(int(longest[order[min(at + 4096, len(order) - 1)]]), 1))
        here = order[at : at + min(count, 4097)]
        parts.append(_block(codes, starts, sums, left[here], right[here]))
        at += len(here)
    return joined(parts or [_block(codes, starts, sums, left, right)], order)


def joined(parts: Sequence[Compared], order: Ints) -> Compared:
    """The comparisons of several blocks as those of all pairs; `order`: int64[pairs], which pair each of them is."""
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return Compared(*(np.concatenate([getattr(part, each.name) for part in parts])[back] for each in fields(Compared)))


def _block(codes: Codes, starts: Ints, sums: Codes, left: Ints, right: Ints) -> Compared:
    one, other = starts[left + 1] - starts[left], starts[right + 1] - starts[right]
    room = np.minimum(one, other)
    step = np.arange(int(room.max(initial=0)))
    top = len(codes) - 1
    inside = step < room[:, None]
    forward = _run(codes, starts[left][:, None] + step, starts[right][:, None] + step, inside, top)
    backward = _run(codes, starts[left + 1][:, None] - 1 - step, starts[right + 1][:, None] - 1 - step, inside, top)
    start = np.minimum(forward, room)
    end = np.minimum(backward, room - start)
    mine, yours = one - start - end, other - start - end
    differing = _Differing.of(codes, starts[left] + start, mine, starts[right] + start, yours)
    longest = np.maximum(one, other)
    shared = 1 - np.maximum(differing.only_mine, differing.only_yours) / np.maximum(longest, 1)
    single = (mine <= 1) & (yours <= 1) & (mine + yours > 0)
    words = np.stack(
        [
            _word(codes, starts[left] + start, single & (mine == 1)),
            _word(codes, starts[right] + start, single & (yours == 1)),
        ],
        axis=1,
    )
    frames = _frames(sums, starts, left, (start, mine, yours), differing.flags & np.uint64(UNSPACED) > 0)
    state = _state(differing, longest)
    # "witout" for "without" or "dosen't" for "does not" is a slip: a negation that became a word has to be read.
    written = (state == CHANGED_NEGATION) & (np.minimum(mine, yours) == 1) & (np.maximum(mine, yours) <= 2)
    state[written] = OPEN
    return Compared(start, mine, yours, state, frames, words, longest, shared)


def _frames(
    sums: Codes, starts: Ints, left: Ints, region: tuple[Ints, Ints, Ints], unspaced: Bools
) -> NDArray[np.uint32]:
    start, mine, yours = region
    small = (mine <= SLOT_WORDS) & (yours <= SLOT_WORDS) & (mine + yours > 0)
    found = np.zeros((len(left), len(_WIDER)), dtype=np.uint32)
    for column, (before, after) in enumerate(_WIDER):
        at = np.flatnonzero(small & unspaced if column else small)
        first, last = starts[left[at]], starts[left[at] + 1]
        begin = first + start[at]
        low, high = np.maximum(begin - before, first), np.minimum(begin + mine[at] + after, last)
        rest = mixed(sums[last] - sums[first] - sums[high] + sums[low])
        found[at, column] = (rest >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
    return found


def _word(codes: Codes, place: Ints, wanted: Bools) -> Codes:
    found = np.zeros(len(place), dtype=np.uint64)
    found[wanted] = codes[place[wanted]]
    return found


def _run(codes: Codes, one: Ints, other: Ints, inside: Bools, top: int) -> Ints:
    """How many words are equal before the first that is not: int64[pairs]."""
    if not inside.size:
        return np.zeros(len(inside), dtype=np.int64)
    unlike = (codes[one.clip(0, top)] != codes[other.clip(0, top)]) | ~inside
    return np.asarray(np.where(unlike.any(axis=1), unlike.argmax(axis=1), inside.shape[1]), dtype=np.int64)


@dataclass(frozen=True)
class _Differing:
    """How many words of the differing middle only one of the two texts has, and what words they are: int64[pairs]."""

    only_mine: Ints
    only_yours: Ints
    flags: NDArray[np.uint64]
    spaced: Ints

    @classmethod
    def of(cls, codes: Codes, one: Ints, mine: Ints, other: Ints, yours: Ints) -> _Differing:
        pairs = len(one)
        pair = np.concatenate([np.repeat(np.arange(pairs), mine), np.repeat(np.arange(pairs), yours)])
        sign = np.repeat([1, -1], [int(mine.sum()), int(yours.sum())])
        pooled = codes[np.concatenate([_places(one, mine), _places(other, yours)])]
        order = np.lexsort((pooled, pair))
        pair, pooled, sign = pair[order], pooled[order], sign[order]
        first = np.flatnonzero(
            np.concatenate([[True], (pooled[1:] != pooled[:-1]) | (pair[1:] != pair[:-1])])[: len(pair)]
        )
        more = np.add.reduceat(sign, first) if len(first) else sign
        pair, pooled = pair[first], pooled[first]
        flags = np.zeros(pairs, dtype=np.uint64)
        np.bitwise_or.at(flags, pair[more != 0], pooled[more != 0] & np.uint64(DECISIVE | UNSPACED))
        spaced = (more != 0) & (pooled & np.uint64(UNSPACED) == 0)
        return cls(
            np.bincount(pair, weights=more.clip(min=0), minlength=pairs).astype(np.int64),
            np.bincount(pair, weights=(-more).clip(min=0), minlength=pairs).astype(np.int64),
            flags,
            np.bincount(pair[spaced], minlength=pairs),
        )


def _places(first: Ints, sizes: Ints) -> Ints:
    return np.arange(int(sizes.sum())) + np.repeat(first - np.cumsum(sizes) + sizes, sizes)


def _state(differing: _Differing, longest: Ints) -> Ints:
    """What can be said of each pair from the words that only one of the two has."""
    most = 1 + longest // EVERY
    unlike = np.maximum(differing.only_mine, differing.only_yours)
    many = (unlike > most) | ((differing.flags & np.uint64(UNSPACED) > 0) & (unlike + differing.spaced > 1))
    state = np.where(many, CHANGED_WORDS, OPEN)
    for flag, name in ((SYMBOL, CHANGED_SIGN), (NEGATION, CHANGED_NEGATION), (NUMBER, CHANGED_NUMBER)):
        state[differing.flags & np.uint64(flag) > 0] = name
    state[is_far(unlike, longest)] = FAR
    return state


def is_far(unlike: Ints, longest: Ints) -> Bools:
    """Whether texts have too little in common: how many words only one of the two has, and the longer one: bool[pairs].

    True of more such words wherever it is true of fewer.
    """
    shared = 1 - unlike / np.maximum(longest, 1)
    return np.asarray((shared < _FAR) | (unlike > 2 * (1 + longest // EVERY)))

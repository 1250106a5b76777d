"""Searching: all pairs of rows that say the same, and the nearest of those that do not, from their signatures.

What is proposed is decided in two steps. First the hashed words of both texts are laid side by side, for blocks of
pairs: most pairs differ in a number or in too much, and end there. Only the texts of those that are left, and of the
rejected ones that are told of, are fetched and read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.duplicates import comparing
from pipeline.quality.duplicates.comparing import OPEN
from pipeline.quality.duplicates.frequency import Frequencies
from pipeline.quality.duplicates.proposing import Narrow, proposed
from pipeline.quality.duplicates.reading import Reading
from pipeline.quality.duplicates.recalling import Recall, anew
from pipeline.quality.duplicates.ruling import CROWD, LONG_WORDS
from pipeline.quality.duplicates.slips import SLIP_ROWS, TURNED_SHARE
from pipeline.quality.duplicates.wording import UNSPACED, Wordings
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pipeline.quality.duplicates.comparing import Compared
    from pipeline.quality.duplicates.evidence import Found

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    TextsOf = Callable[[Ints], list[str]]

_LONG_PAIRS_AT_ONCE, _SKETCHES_AT_ONCE = 2_000, 200_000
LEAST_ALIKE = 0.2
NEAREST, MOST_REJECTED = 2, 200_000
_APART = {
    comparing.FAR: "too different",
    comparing.CHANGED_WORDS: "words",
    comparing.CHANGED_NUMBER: "number",
    comparing.CHANGED_NEGATION: "negation",
    comparing.CHANGED_SIGN: "sign",
    comparing.SLOT: "slot filled",
}


@dataclass(frozen=True)
class Search:
    """What is asked, see `pairs`; `nearest`: of how many of its nearest rejected pairs each row is told."""

    texts_of: TextsOf
    threshold: float
    seed: int
    nearest: int = NEAREST
    recall: Recall = anew

    def near(self, narrow: Narrow) -> Found:
        """Near pairs among rows that have different normalised texts."""
        frequencies = Frequencies.of(narrow.words, narrow.starts)
        left, right = proposed(narrow, self.seed)
        unlike = narrow.key[left] != narrow.key[right]  # equal texts of two sides are paired elsewhere
        left, right = left[unlike], right[unlike]
        far = _plainly_far(narrow, left, right) | _long_and_far(narrow, left, right)
        left, right = left[~far], right[~far]
        compared = self._compared(narrow, left, right)
        crowd = _crowds(compared, left, right)
        state = _states(compared, crowd, frequencies)
        closest = _closest(
            narrow, (left, right), compared.shared, (state != OPEN) & (state != comparing.FAR), self.nearest
        )
        at = np.flatnonzero((state == OPEN) | closest)
        passed = Counter({name: int(((state == each) & ~closest).sum()) for each, name in _APART.items()})
        passed[_APART[comparing.FAR]] += int(far.sum())
        ruled = Reading(self.texts_of, frequencies, self.threshold, self.recall).rulings(
            narrow, left[at], right[at], state[at], crowd[at]
        )
        dropped = ~ruled.accepted
        dropped &= ~_closest(narrow, (left[at], right[at]), ruled.similarity, dropped, self.nearest)
        passed += Counter(ruled.why[each].split()[0] for each in np.flatnonzero(dropped).tolist())
        return replace(ruled.only(~dropped), not_listed=+passed)

    def _compared(self, narrow: Narrow, left: Ints, right: Ints) -> Compared:
        """Compare all pairs: by the words that are signed where these are all words, else by the texts."""
        whole = narrow.units <= np.diff(narrow.starts)
        short = whole[left] & whole[right]
        parts = [comparing.compared(narrow.words, narrow.starts, left[short], right[short])]
        long = np.flatnonzero(~short)
        for start in range(0, len(long), _LONG_PAIRS_AT_ONCE):
            at = long[start : start + _LONG_PAIRS_AT_ONCE]
            rows, place = np.unique(np.concatenate([left[at], right[at]]), return_inverse=True)
            wordings = Wordings.of(self.texts_of(narrow.rows[rows]))
            parts.append(comparing.compared(wordings.codes, wordings.starts, *np.split(place.reshape(-1), 2)))
        return comparing.joined(parts, np.concatenate([np.flatnonzero(short), long]))


def _plainly_far(narrow: Narrow, left: Ints, right: Ints) -> Bools:
    """Pairs with so many words in one text only that a comparison would call them FAR, and no slot: bool[pairs].

    Each word sets one of 256 bits of its text. A bit that only one text has is a word that only it has, so that there
    are at least as many of those as of such bits. Of proposed pairs that is most, and they are not looked at further.
    """
    sizes = np.diff(narrow.starts)
    filled = np.flatnonzero(sizes)
    hashes = mixed(narrow.words)
    bits = np.uint64(1) << (hashes >> np.uint64(58))
    mine, yours = np.zeros(len(left), dtype=np.int64), np.zeros(len(left), dtype=np.int64)
    for lane in range(4 if len(filled) else 0):
        sketch = np.zeros(len(sizes), dtype=np.uint64)
        here = np.where(hashes & np.uint64(3) == lane, bits, np.uint64(0))
        sketch[filled] = np.bitwise_or.reduceat(here, narrow.starts[filled])
        one, other = sketch[left], sketch[right]
        mine += np.bitwise_count(one & ~other)
        yours += np.bitwise_count(other & ~one)
    unlike, longest = np.maximum(mine, yours), np.maximum(sizes[left], sizes[right])
    whole = narrow.units <= sizes
    return np.asarray(comparing.is_far(unlike, longest) & (unlike > comparing.SLOT_WORDS) & whole[left] & whole[right])


def _long_and_far(narrow: Narrow, left: Ints, right: Ints) -> Bools:
    """Pairs of long texts, one of them of more words than are signed, that have too little in common: bool[pairs].

    One has so many words more than the other that a comparison would call them FAR, or their sketches say that not even
    `LEAST_ALIKE` of their n-grams are the same: those that a comparison lets pass have .4 of them and more, and of
    these one in a thousand is estimated so low.
    """
    units, kept = narrow.units, np.diff(narrow.starts)
    long = np.flatnonzero((units[left] > kept[left]) | (units[right] > kept[right]))
    one, other = left[long], right[long]
    far = np.zeros(len(left), dtype=bool)
    far[long] = comparing.is_far(np.abs(units[one] - units[other]), np.maximum(units[one], units[other]))
    some = long[~far[long] & (narrow.sketched[one] >= 0) & (narrow.sketched[other] >= 0)]
    for part in np.array_split(some, 1 + len(some) // _SKETCHES_AT_ONCE):
        mine, yours = (narrow.sketches[narrow.sketched[end[part]]] for end in (left, right))
        if len(part):
            far[part] = (mine == yours).mean(axis=1) < LEAST_ALIKE
    return far


def _crowds(compared: Compared, left: Ints, right: Ints) -> Ints:
    """For each pair, how many rows are the same but for the place in which these two differ: int64[pairs].

    The place is the words in which they differ, or of an unspaced script one character more.
    """
    slot = np.flatnonzero(compared.frames[:, 0])
    frames = np.tile(compared.frames[slot, 0], 2).astype(np.uint64) << np.uint64(32)
    entries = np.unique(frames | np.concatenate([left[slot], right[slot]]).astype(np.uint64))
    known, counts = np.unique(entries >> np.uint64(32), return_counts=True)
    crowd = np.zeros(len(left), dtype=np.int64)
    open_ = slot[compared.state[slot] == OPEN]
    for wider in compared.frames[open_].T if len(known) else ():
        at = np.searchsorted(known, wider).clip(max=len(known) - 1)
        crowd[open_] = np.maximum(crowd[open_], np.where(known[at] == wider, counts[at], 0))
    return crowd


def _states(compared: Compared, crowd: Ints, frequencies: Frequencies) -> Ints:
    """The state of each pair, where a slot and two words that are both used are told apart from slips."""
    one, other = frequencies(compared.words[:, 0]), frequencies(compared.words[:, 1])
    still = (compared.state == OPEN) & (compared.words > 0).all(axis=1)
    unspaced = (compared.words & np.uint64(UNSPACED) > 0).any(axis=1)
    used = np.minimum(one, other) > np.maximum(SLIP_ROWS, TURNED_SHARE * np.maximum(one, other))
    state = np.where(
        still & used & ~unspaced & (compared.longest < LONG_WORDS), comparing.CHANGED_WORDS, compared.state
    )
    return np.where(still & (crowd > CROWD), comparing.SLOT, state)


def _closest(narrow: Narrow, pairs: tuple[Ints, Ints], likeness: Floats, among: Bools, most: int) -> Bools:
    """Which of the pairs `among` are, for either of their rows, of its `most` nearest ones: bool[pairs]."""
    left, right = pairs
    at = np.flatnonzero(among) if most else np.zeros(0, dtype=np.int64)
    row, partner = np.concatenate([left[at], right[at]]), np.concatenate([right[at], left[at]])
    order = np.lexsort((narrow.key[partner], -np.tile(likeness[at], 2), row))
    first = np.flatnonzero(np.diff(row[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.concatenate([first, [len(order)]])))
    kept = np.unique(at[order[rank < most] % max(len(at), 1)])
    if len(kept) > MOST_REJECTED:
        keys = np.sort(np.stack([narrow.key[left[kept]], narrow.key[right[kept]]]), axis=0)
        kept = kept[np.lexsort((keys[1], keys[0], -likeness[kept]))[:MOST_REJECTED]]
    return np.isin(np.arange(len(left)), kept)

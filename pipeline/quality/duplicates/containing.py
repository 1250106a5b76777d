"""Containing: texts that stand whole inside longer ones, word for word, at the bounds of words.

Fingerprints propose (`pipeline.quality.fingerprints`): the lowest of a text is one of every text that holds it. Finding
all its words in a row decides. A text of a few words, and one that stands in many others, is a phrase, not a copy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.duplicates.evidence import CONTAINED, Found
from pipeline.quality.duplicates.proposing import flat, not_alone
from pipeline.quality.duplicates.signing import SHORTEST_SPACED
from pipeline.quality.duplicates.wording import Wordings
from pipeline.quality.fingerprints import SIZE, WIDEST, WINDOW
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

# Every passage of six words is found; six words or twelve characters, whole, are a sentence, not a turn of phrase.
SHORTEST_WORDS, SHORTEST_CHARACTERS = SIZE + WINDOW - 1, 12
SHORTEST_LETTERS = SHORTEST_SPACED
MOST_HOLDERS = 10
_MOST_ALIKE = 50
_PAIRS_AT_ONCE = 2_000
_PLACES_AT_ONCE = 2_000_000


def within(signed: pa.Table, rows: Ints, texts_of: Callable[[Ints], list[str]], side: Ints | None = None) -> Found:
    """Pairs (longer, shorter) of `rows` of which one stands whole in the other; `similarity` is its share of it, 0..1.

    One that stands in more than `MOST_HOLDERS` rows is boilerplate: its pairs are counted only.
    """
    chosen = signed.select(["length", "units", "unspaced", "words", "fingerprints", "lowest"]).take(rows)
    units, length = chosen["units"].to_numpy(), chosen["length"].to_numpy()
    holder, held = _proposed(chosen, units)
    if side is not None:
        apart = side[rows[holder]] != side[rows[held]]
        holder, held = holder[apart], held[apart]
    whole = _stands(chosen, rows, (holder, held), texts_of)
    holder, held = holder[whole], held[whole]
    many = np.bincount(held, minlength=len(rows))[held] > MOST_HOLDERS
    more = (units[holder] - units[held])[~many].tolist()
    holder, held = holder[~many], held[~many]
    found = Found(
        rows[holder],
        rows[held],
        (CONTAINED,) * len(holder),
        length[held] / np.maximum(length[holder], 1),
        np.ones(len(holder), dtype=bool),
        tuple(f"stands in it whole, {count} words more" for count in more),
    )
    return replace(found, not_listed=+Counter({"boilerplate": int(many.sum())}))


def _proposed(chosen: pa.Table, units: Ints) -> tuple[Ints, Ints]:
    """(longer, shorter) rows that share the lowest or the rarest fingerprint of the shorter one, each pair once."""
    hashes, starts = flat(chosen["fingerprints"])
    owners = np.repeat(np.arange(len(units)), np.diff(starts))
    unspaced = np.asarray(chosen["unspaced"])
    long = units >= np.where(unspaced, SHORTEST_CHARACTERS, SHORTEST_WORDS)
    long &= unspaced | (chosen["length"].to_numpy() >= SHORTEST_LETTERS)
    some, counts = _shared(hashes)
    probes = (_lowest(chosen, long), _rarest(hashes, owners, counts, long))
    # Prints that no two texts have, and those of a template, propose nothing, and most are one of these.
    some = some[(counts[some] > 1) & (counts[some] <= _MOST_ALIKE)]
    alike, found = hashes[some], [np.zeros(0, dtype=np.int64)]
    for shorter, probe in probes:
        first, last = np.searchsorted(alike, probe), np.searchsorted(alike, probe, side="right")
        sizes = last - first
        places = np.arange(int(sizes.sum())) + np.repeat(first - np.cumsum(sizes) + sizes, sizes)
        holder, held = owners[some[places]], np.repeat(shorter, sizes)
        longer = units[holder] > units[held]
        found.append(holder[longer] * len(units) + held[longer])
    holder, held = np.divmod(np.unique(np.concatenate(found)), max(len(units), 1))
    may = _may_hold(hashes, starts, units, holder, held)
    return holder[may], held[may]


def _may_hold(hashes: Hashes, starts: Ints, units: Ints, holder: Ints, held: Ints) -> Bools:
    """False where a text has a fingerprint that one that holds it whole would have too, but has not: bool[pairs].

    Every window of a text is one of every text that holds it, if both are read through windows of the same width. Each
    fingerprint sets one of 256 bits of its text.
    """
    filled, mixed_up = np.flatnonzero(np.diff(starts)), mixed(hashes)
    bits, lost = np.uint64(1) << (mixed_up >> np.uint64(58)), np.zeros(len(holder), dtype=bool)
    for lane in range(4 if len(filled) else 0):
        sketch = np.zeros(len(units), dtype=np.uint64)
        here = np.where(mixed_up & np.uint64(3) == lane, bits, np.uint64(0))
        sketch[filled] = np.bitwise_or.reduceat(here, starts[filled])
        lost |= (sketch[held] & ~sketch[holder]) != 0
    return np.asarray(~lost | (units[holder] > WIDEST) | (units[held] < SHORTEST_WORDS))


def _shared(hashes: Hashes) -> tuple[Ints, Ints]:
    """The places of fingerprints that several texts may have, by their hash, and how many texts have each: int64[m]."""
    some, counts = np.flatnonzero(not_alone(hashes)), np.ones(len(hashes), dtype=np.int64)
    some = some[np.argsort(hashes[some], kind="stable")]
    begins = np.flatnonzero(np.concatenate([[True], np.diff(hashes[some]) > 0])) if len(some) else some
    sizes = np.diff(np.concatenate([begins, [len(some)]]))
    counts[some] = np.repeat(sizes, sizes)
    return some, counts


def _lowest(chosen: pa.Table, long: Bools) -> tuple[Ints, Hashes]:
    """The long texts, and the lowest fingerprint of each."""
    column = chosen["lowest"].combine_chunks()
    rows = np.flatnonzero(long & np.asarray(column.is_valid()))
    return rows, np.asarray(pc.fill_null(column, 0))[rows]


def _rarest(hashes: Hashes, owners: Ints, counts: Ints, long: Bools) -> tuple[Ints, Hashes]:
    """Of each long text the fingerprint that the fewest others share, if any other does: where it is not alone."""
    fewest = np.full(len(long), np.iinfo(np.int64).max)
    np.minimum.at(fewest, owners, counts)
    least = np.flatnonzero(long[owners] & (fewest[owners] > 1) & (counts == fewest[owners]))
    least = least[np.lexsort((hashes[least], owners[least]))]
    first = least[np.flatnonzero(np.diff(owners[least], prepend=-1))]
    return owners[first], hashes[first]


def _stands(chosen: pa.Table, rows: Ints, pairs: tuple[Ints, Ints], texts_of: Callable[[Ints], list[str]]) -> Bools:
    """Whether the words of the second stand in a row inside the first: bool[pairs]; only long rows are read again."""
    holder, held = pairs
    words, starts = flat(chosen["words"])
    whole = chosen["units"].to_numpy() <= np.diff(starts)
    found = np.zeros(len(holder), dtype=bool)
    short = np.flatnonzero(whole[holder] & whole[held])
    found[short] = _runs(words, starts, holder[short], held[short])
    some = np.flatnonzero(~(whole[holder] & whole[held]))
    for start in range(0, len(some), _PAIRS_AT_ONCE):
        at = some[start : start + _PAIRS_AT_ONCE]
        needed = np.unique(np.concatenate([holder[at], held[at]]))
        read = Wordings.of(texts_of(rows[needed]))
        spelled = dict(zip(needed.tolist(), _spelled(read.codes, read.starts[:-1], read.starts[1:]), strict=True))
        both = zip(holder[at].tolist(), held[at].tolist(), strict=True)
        found[at] = [spelled[other] in spelled[one] for one, other in both]
    return found


def _runs(words: Hashes, starts: Ints, holder: Ints, held: Ints) -> Bools:
    """Whether the words of one text stand in a row in those of another: bool[pairs].

    Every place where they may begin is tried; after the first word, few are left.
    """
    sizes = np.diff(starts)
    places = np.maximum(sizes[holder] - sizes[held] + 1, 0)
    found = np.zeros(len(holder), dtype=bool)
    for part in np.array_split(np.arange(len(holder)), 1 + int(places.sum()) // _PLACES_AT_ONCE):
        pair = np.repeat(part, places[part])
        begin = np.cumsum(places[part]) - places[part]
        at = starts[holder[pair]] + np.arange(len(pair)) - np.repeat(begin, places[part])
        step = 0
        while len(pair):
            same = words[at + step] == words[starts[held[pair]] + step]
            pair, at, step = pair[same], at[same], step + 1
            ended = sizes[held[pair]] == step
            found[pair[ended]] = True
            pair, at = pair[~ended], at[~ended]
    return found


def _spelled(codes: Hashes, begins: Ints, ends: Ints) -> Iterator[str]:
    """The codes of each text as one string, in which a run of words is found at the bounds of words only."""
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        yield codes[begin:end].astype(">u8").tobytes().hex(" ", 8)

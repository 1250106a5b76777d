"""Containing: texts that stand whole inside longer ones, word for word, at the bounds of words.

Fingerprints propose (`pipeline.quality.fingerprints`): the lowest of a text is one of every text that holds it. Finding
all its words in a row decides. A text of a few words, and one that stands in many others, is a phrase, not a copy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.duplicates.evidence import CONTAINED, Found
from pipeline.quality.duplicates.proposing import flat
from pipeline.quality.duplicates.signing import SHORTEST_SPACED
from pipeline.quality.duplicates.wording import Wordings
from pipeline.quality.fingerprints import SIZE, WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
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
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    rows = np.flatnonzero(long & np.asarray(chosen["lowest"].is_valid()))
    probes = [(rows, chosen["lowest"].take(rows).to_numpy().astype(np.uint64)), _rarest(hashes, owners, ordered, long)]
    found = [np.zeros(0, dtype=np.int64)]
    for shorter, probe in probes:
        first, last = np.searchsorted(ordered, probe), np.searchsorted(ordered, probe, side="right")
        some = np.flatnonzero((last - first <= _MOST_ALIKE) & (last > first))
        sizes = (last - first)[some]
        places = np.arange(int(sizes.sum())) + np.repeat(first[some] - np.cumsum(sizes) + sizes, sizes)
        holder, held = owners[order[places]], np.repeat(shorter[some], sizes)
        longer = units[holder] > units[held]
        found.append(holder[longer] * len(units) + held[longer])
    holder, held = np.divmod(np.unique(np.concatenate(found)), max(len(units), 1))
    return holder, held


def _rarest(hashes: Hashes, owners: Ints, ordered: Hashes, long: Bools) -> tuple[Ints, Hashes]:
    """Of each long text the fingerprint that the fewest others share, if any other does: where it is not alone."""
    mine = np.flatnonzero(long[owners])
    counts = np.searchsorted(ordered, hashes[mine], side="right") - np.searchsorted(ordered, hashes[mine])
    order = np.lexsort((hashes[mine], counts, owners[mine]))
    first = order[np.flatnonzero(np.diff(owners[mine][order], prepend=-1))]
    first = first[counts[first] > 1]
    return owners[mine[first]], hashes[mine[first]]


def _stands(chosen: pa.Table, rows: Ints, pairs: tuple[Ints, Ints], texts_of: Callable[[Ints], list[str]]) -> Bools:
    """Whether the words of the second stand in a row inside the first: bool[pairs]; only long rows are read again."""
    holder, held = pairs
    words, starts = flat(chosen["words"])
    whole = chosen["units"].to_numpy() <= np.diff(starts)
    found = np.zeros(len(holder), dtype=bool)
    for start in range(0, len(holder), _PAIRS_AT_ONCE):
        at = slice(start, start + _PAIRS_AT_ONCE)
        needed = np.unique(np.concatenate([holder[at], held[at]]))
        short, long = needed[whole[needed]], needed[~whole[needed]]
        spelled = dict(zip(short.tolist(), _spelled(words, starts[short], starts[short + 1]), strict=True))
        if len(long):
            read = Wordings.of(texts_of(rows[long]))
            spelled |= dict(zip(long.tolist(), _spelled(read.codes, read.starts[:-1], read.starts[1:]), strict=True))
        both = zip(holder[at].tolist(), held[at].tolist(), strict=True)
        found[at] = [spelled[other] in spelled[one] for one, other in both]
    return found


def _spelled(codes: Hashes, begins: Ints, ends: Ints) -> Iterator[str]:
    """The codes of each text as one string, in which a run of words is found at the bounds of words only."""
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        yield codes[begin:end].astype(">u8").tobytes().hex(" ", 8)

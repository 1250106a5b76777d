"""Matching: which held-out items stand in a text, whole or in part, and where; pure, text by text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.quality.contamination.index import PHRASE_GRAMS
from pipeline.quality.contamination.units import LINE, SENTENCE, Size, parts, stretch_of, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.contamination.index import Index
    from pipeline.quality.contamination.units import Flags, Hashes, Ints, Units

RUN_GRAMS = 2.6
"""A part of an item counts if this many n-grams' weight of it stands in one piece: 13 words, 21 Chinese characters.

The length that Brown et al. 2020 (arXiv:2005.14165, appendix C) settled on for words; shorter pieces are met by chance
where two texts have one topic or one frame ("what is the lowest amount i can pay for my ...").
"""
SCATTERED_GRAMS, SCATTERED_SHARE, PIECE_GRAMS = 3, 0.5, 1.6
"""Or if this much of it (15 words, 24 characters) and this share stand in pieces, one of 8 words or 13 characters.

This is what is left of an item of which every tenth word was changed. On the sets of tests/bench/contamination.py, 2.6
to 3, 0.5 to 0.6 and 1 to 1.6 left precision as it was (0.997 and more), and moved what is found of them little.
"""
LONG_RUN_GRAMS = 10
"""A piece of an item as long as this (50 words, 80 characters) counts whatever its share of a long item is."""
HALF = 0.5
"""A short item (see `index.PHRASE_GRAMS`) must be this much of a text, and stand by itself: it may be a phrase."""
LINE_SHARE = 0.2
"""A short text (see `index.PHRASE_GRAMS`) that is less than half of an item must be lines of it, and this much: as much
as a question of five words is beside four answers of five."""
EQUAL, WHOLE, INSIDE, PART = range(4)
"""How an item stands in a text: it is the whole text; it stands in it whole; the whole text stands in it; parts do."""


class Hits(NamedTuple):
    """Pieces of items that stand in texts, sorted by text, item and start; int64[n] each."""

    text: Ints
    item: Ints
    start: Ints
    """The first unit of the piece, counted in the item..."""
    end: Ints
    """...and the one after the last."""
    kind: Ints
    """EQUAL, WHOLE, INSIDE or PART."""

    def only(self, chosen: Flags | Ints) -> Hits:
        """Some of the pieces."""
        return Hits(*(column[chosen] for column in self))


def search(
    texts: Sequence[str], index: Index, *, least_share: float, rows: Ints | None = None, sole: Flags | None = None
) -> Hits:
    """What is found of the items of `index` in each text, or in each row, if `rows` says which a text is of.

    An item is found that is the text (one of less than an n-gram only where `sole`, bool[texts], says that the text is
    all there is), that stands in it whole, that it stands in whole, or of whose own part enough stands there (see
    `enough`).
    """
    begin, found = 0, [Hits(*np.zeros((5, 0), dtype=np.int64))]
    for part in parts(texts):
        alone = sole[begin : begin + len(part)] if sole is not None else np.ones(len(part), dtype=bool)
        hits = _searched(part, index, least_share, alone)
        found.append(hits._replace(text=hits.text + begin))
        begin += len(part)
    hits = Hits(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
    return best(hits, hits.text if rows is None else rows[hits.text])


def _searched(texts: Sequence[str], index: Index, least_share: float, sole: Flags) -> Hits:
    size = Size(*index.size.tolist())
    read = units(texts, size)
    hashes, start, _ = read.grams(size)
    text = np.searchsorted(read.starts, start, side="right") - 1
    near = np.flatnonzero(index.may_hold(hashes))
    hashes, start, text = hashes[near], start[near], text[near]
    equal = _equal(read, index)
    equal = equal.only(sole[equal.text] | (index.weights[equal.item] >= size.weight))
    at, known = _known(index, hashes)
    found = [equal, _whole(read, index, hashes, start, text), _inside(read, index, at, start[known], text[known])]
    found.append(_pieces(index, at, text[known], size, least_share))
    return Hits(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


def best(hits: Hits, rows: Ints) -> Hits:
    """Every item once a row, int64[n] beside the hits: as what it is found best, and of several texts, in the first."""
    order = np.lexsort((hits.start, hits.text, hits.kind, hits.item, rows))
    hits, rows = hits.only(order), rows[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (rows[1:] != rows[:-1]) | (hits.item[1:] != hits.item[:-1])
    first = np.flatnonzero(fresh)[np.cumsum(fresh) - 1]
    same = (hits.kind == hits.kind[first]) & (hits.text == hits.text[first])
    return hits._replace(text=rows).only(same & (fresh | (hits.kind == PART)))


def _expanded(first: Ints, after: Ints) -> tuple[Ints, Ints]:
    """For ranges [first, after): the range that each member is of, and the members."""
    counts = after - first
    owner = np.repeat(np.arange(len(first)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + first[owner]


def _made(text: Ints, item: Ints, index: Index, kind: int) -> Hits:
    lengths = index.starts[item + 1] - index.starts[item]
    return Hits(text, item, np.zeros(len(item), dtype=np.int64), lengths, np.full(len(item), kind))


def _equal(read: Units, index: Index) -> Hits:
    """Items that are the whole of a text, its spaces aside."""
    asked = np.flatnonzero(read.lengths() > 0)
    hashes = read.joined[asked]
    sides = (np.searchsorted(index.ranked, hashes), np.searchsorted(index.ranked, hashes, side="right"))
    owner, at = _expanded(*sides)
    return _made(asked[owner], np.asarray(index.by_rank[at]), index, EQUAL)


def _whole(read: Units, index: Index, hashes: Hashes, start: Ints, text: Ints) -> Hits:
    """Items that stand whole in a text, found by their rarest n-gram; phrases only by themselves."""
    owner, at = _expanded(np.searchsorted(index.anchors, hashes), np.searchsorted(index.anchors, hashes, side="right"))
    item, offset = np.asarray(index.anchored[at, 0]), np.asarray(index.anchored[at, 1])
    text, begin = text[owner], start[owner] - offset
    end = begin + index.starts[item + 1] - index.starts[item]
    inside = (begin >= read.starts[text]) & (end <= read.starts[text + 1])
    text, item, begin, end = text[inside], item[inside], begin[inside], end[inside]
    same = read.stretch(begin, end) == index.wholes[item]
    itself = np.minimum(read.opens[begin], read.opens[end]) > 0
    alone = itself & (index.weights[item] >= HALF * read.weights()[text])
    good = same & (alone | ~index.phrases[item])
    return _made(text[good], item[good], index, WHOLE)


def _inside(read: Units, index: Index, at: Ints, start: Ints, text: Ints) -> Hits:
    """Items that a text stands in whole, found by the rarest of its n-grams that are an item's own; phrases only as
    most of an item and by themselves, or as lines of it."""
    order = np.lexsort((start, index.at[at + 1] - index.at[at], text))
    rarest = order[np.append(True, np.diff(text[order]) != 0)[: len(order)]]
    owner, posting = _expanded(np.asarray(index.at[at[rarest]]), np.asarray(index.at[at[rarest] + 1]))
    text, begin = text[rarest][owner], np.asarray(index.places[posting])
    item = np.searchsorted(index.starts, begin, side="right") - 1
    begin = begin - (start[rarest][owner] - read.starts[text])
    end = begin + read.lengths()[text]
    fits = np.flatnonzero((begin >= index.starts[item]) & (end <= index.starts[item + 1]))
    text, item, begin, end = text[fits], item[fits], begin[fits], end[fits]
    place = begin - index.starts[item]
    same = stretch_of(index.sums, place, begin, end) == read.stretch(read.starts[text], read.starts[text + 1])
    good = same & _tells(index, read.weights()[text], item, np.minimum(index.opens[begin], index.opens[end]))
    text, item, place = text[good], item[good], place[good]
    return Hits(text, item, place, place + read.lengths()[text], np.full(len(item), INSIDE))


def _tells(index: Index, weight: Ints, item: Ints, opens: NDArray[np.uint8]) -> Flags:
    """Whether texts that stand in items whole tell of them, by what they weigh and what begins and ends there."""
    share = weight / np.maximum(index.weights[item], 1)
    long = weight >= PHRASE_GRAMS * Size(*index.size.tolist()).weight
    return long | (opens >= SENTENCE) & (share >= HALF) | (opens >= LINE) & (share >= LINE_SHARE)


def _known(index: Index, hashes: Hashes) -> tuple[Ints, Ints]:
    """The places in the index of the n-grams that are an item's own, and which of `hashes` these are."""
    at = np.searchsorted(index.grams, hashes)
    inside = np.flatnonzero(at < len(index.grams))
    known = inside[index.grams[at[inside]] == hashes[inside]]
    return at[known], known


def _pieces(index: Index, at: Ints, text: Ints, size: Size, least_share: float) -> Hits:
    """Pieces of the items of which enough stands in a text."""
    owner, posting = _expanded(np.asarray(index.at[at]), np.asarray(index.at[at + 1]))
    both = np.unique(text[owner] * len(index.reach) + index.places[posting]) if len(owner) else np.zeros(0, np.int64)
    text, place = np.divmod(both, max(1, len(index.reach)))
    item = np.searchsorted(index.starts, place, side="right") - 1
    end = place + index.reach[place]
    fresh = np.ones(len(place), dtype=bool)
    fresh[1:] = (text[1:] != text[:-1]) | (item[1:] != item[:-1]) | (place[1:] >= end[:-1])
    first = np.flatnonzero(fresh)
    last = np.concatenate([first[1:], [len(place)]])[: len(first)] - 1
    pieces = Hits(text[first], item[first], place[first], end[last], np.full(len(first), PART))
    weight, own = index.before[pieces.end] - index.before[pieces.start], index.own_weights[pieces.item]
    found = pieces.only(enough(pairs(pieces), weight, own, size, least_share))
    return found._replace(start=found.start - index.starts[found.item], end=found.end - index.starts[found.item])


def enough(pair: Ints, weight: Ints, own: Ints, size: Size, least_share: float) -> Flags:
    """Which pieces are of an item of which enough stands in a text: weights of the pieces, and of the own parts.

    `least_share` (0..1) of the own part with one long piece, more than that in several shorter ones, or one very long.
    """
    longest = np.zeros(int(pair[-1]) + 1 if len(pair) else 0, dtype=np.int64)
    np.maximum.at(longest, pair, weight)
    run, share = longest[pair] / size.weight, shares(pair, weight, own)
    scattered = (share * own >= SCATTERED_GRAMS * size.weight) & (share >= max(SCATTERED_SHARE, least_share))
    in_one = (share >= least_share) & (run >= RUN_GRAMS)
    return np.asarray(in_one | scattered & (run >= PIECE_GRAMS) | (run >= LONG_RUN_GRAMS))


def shares(pair: Ints, weight: Ints, own: Ints) -> NDArray[np.float64]:
    """How much of an item's own part all its pieces in a text weigh together, for each piece: 0..1."""
    return np.asarray(np.bincount(pair, weights=weight)[pair] / np.maximum(own, 1)) if len(pair) else np.zeros(0)


def pairs(hits: Hits) -> Ints:
    """The number of the text and item that each piece is of; sorted pieces."""
    fresh = (hits.text[1:] != hits.text[:-1]) | (hits.item[1:] != hits.item[:-1])
    return np.concatenate([[0], np.cumsum(fresh)])[: len(hits.text)].astype(np.int64)

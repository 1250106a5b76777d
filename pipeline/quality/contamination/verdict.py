"""Verdicts: which of the found pieces make a row contaminated, once what very many rows say is left aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.quality.contamination.matching import EQUAL, INSIDE, PART, WHOLE, Hits, enough, pairs, shares
from pipeline.quality.contamination.units import Size, spelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.contamination.index import Index
    from pipeline.quality.contamination.units import Flags, Ints

LEAST_ROWS, ROWS_SHARE = 20, 0.001
"""Words of an item that more rows than this hold, without the rest of it, are anybody's."""
COPY_SHARE = 0.8
"""A row that holds this much of an item is a copy of it, and no sign that its words are anybody's."""
SHOWN_CHARS = 160


class Finding(NamedTuple):
    """Items that stand in texts: a line for each text and item, int64[n] but for `share`, float64[n]."""

    text: Ints
    item: Ints
    share: NDArray[np.float64]
    """How much of the item's own part stands in the text, 0..1."""
    start: Ints
    """The first unit of the longest piece, counted in the item..."""
    end: Ints
    """...and the one after the last."""

    def only(self, chosen: Ints | Flags) -> Finding:
        """Some of the lines, in the order that is asked for."""
        spot = (self.text[chosen], self.item[chosen])
        return Finding(*spot, self.share[chosen], self.start[chosen], self.end[chosen])


@dataclass(frozen=True)
class Verdict:
    """What was found, and what was not counted because too many rows say it: item units, and short items."""

    found: Finding
    common_units: int
    common_items: int


def judged(hits: Hits, index: Index, *, texts: int, least_share: float) -> Verdict:
    """Which items stand in which texts, of `texts` that were searched; hits as `search` gives them, sorted."""
    most = max(LEAST_ROWS, int(ROWS_SHARE * texts))
    anybodys = _common_items(hits, index, most)
    hits = hits.only(~((hits.kind == WHOLE) & anybodys[hits.item]))
    parts, within, wholes = (hits.only(np.isin(hits.kind, kinds)) for kinds in ((PART,), (INSIDE,), (EQUAL, WHOLE)))
    found, units = _parts(parts, index, most, least_share)
    inside, phrases = _inside(within, index, most)
    others = Finding(*wholes[:2], np.ones(len(wholes.text)), *wholes[2:4])
    both = Finding(*(np.concatenate(columns) for columns in zip(others, inside, found, strict=True)))
    order = np.lexsort((both.item, both.start - both.end, -both.share, both.text))
    return Verdict(both.only(order), units + phrases, int(anybodys.sum()))


def _common_items(hits: Hits, index: Index, most: int) -> Flags:
    """Short items that too many texts hold among other words: phrases, which only count where they are all there is."""
    within = hits.item[hits.kind == WHOLE]
    return np.asarray(np.bincount(within, minlength=index.items) > most) & index.short


def _inside(hits: Hits, index: Index, most: int) -> tuple[Finding, int]:
    """The texts that stand in items whole, and how many units of items were left aside: those of which too many rows
    are the words."""
    start, end = hits.start + index.starts[hits.item], hits.end + index.starts[hits.item]
    common = _common_units(start, end, index, most)
    covered, anybodys = (np.concatenate([[0], np.cumsum(flags)]) for flags in (index.own, common))
    good = np.asarray(covered[end] - covered[start] > anybodys[end] - anybodys[start])
    own = np.concatenate([[0], np.cumsum(np.where(index.own, np.diff(index.before), 0))])
    share = (own[end] - own[start]) / np.maximum(index.own_weights[hits.item], 1)
    return Finding(*hits[:2], share, *hits[2:4]).only(good), int(common.sum())


def _parts(hits: Hits, index: Index, most: int, least_share: float) -> tuple[Finding, int]:
    """The pieces that still are enough, one line for each text and item, and how many units were left aside."""
    start, end = hits.start + index.starts[hits.item], hits.end + index.starts[hits.item]
    pair, weight, own = pairs(hits), index.before[end] - index.before[start], index.own_weights[hits.item]
    loose = shares(pair, weight, own) < COPY_SHARE
    common = _common_units(start[loose], end[loose], index, most)
    if common.any():
        lost = np.concatenate([[0], np.cumsum(np.where(common, np.diff(index.before), 0))])
        weight = weight - np.where(loose, lost[end] - lost[start], 0)
        own = own - np.where(loose, lost[index.starts[hits.item + 1]] - lost[index.starts[hits.item]], 0)
    good = enough(pair, weight, own, Size(*index.size.tolist()), least_share)
    return _longest(hits, weight, shares(pair, weight, own), good), int(common.sum())


def _common_units(start: Ints, end: Ints, index: Index, most: int) -> Flags:
    """Units of own parts of items that too many pieces cover: bool[u]."""
    covered = np.zeros(len(index.own) + 1, dtype=np.int64)
    np.add.at(covered, start, 1)
    np.add.at(covered, end, -1)
    return np.asarray((np.cumsum(covered)[:-1] > most) & index.own)


def _longest(hits: Hits, weight: Ints, share: NDArray[np.float64], good: Flags) -> Finding:
    """One line for each text and item, with the heaviest piece, the first of several."""
    kept = np.flatnonzero(good)
    order = kept[np.lexsort((hits.start[kept], -weight[kept], hits.item[kept], hits.text[kept]))]
    text, item = hits.text[order], hits.item[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (text[1:] != text[:-1]) | (item[1:] != item[:-1])
    return Finding(hits.text, hits.item, share, hits.start, hits.end).only(order[fresh])


def words(text: str, start: int, end: int, size: Size) -> tuple[str, int]:
    """The words of an item from one unit to before another, folded and cut for showing, and how many characters."""
    whole, places = spelled(text, size)
    found = whole[places[start, 0] : places[end - 1, 1]]
    shown = " ".join(found.split())
    return (shown if len(shown) <= SHOWN_CHARS else f"{shown[: SHOWN_CHARS - 1]}\u2026"), len(found)

"""Runs: the parts of tagged sentences that can be wrong (marked spans, and places where one may be missing)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from pipeline.chance import draw
from pipeline.quality.surfaces import Windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.sentences import Sentences

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

UNMARKED = -1
# A word is taken for the place of a missed span where the tagger leaves this much to labels. Low, for the join decides:
# what is not proposed is never found.
_LEAST_MARKED = 0.2
_LEAST_SHARE = 0.3  # of the places of a surface that are marked, for its other places to be asked about


@dataclass(frozen=True)
class Runs:
    """Stretches of words with one answer each.

    Attributes:
        row: int64[n], the row.
        first, last: int64[n], half-open, numbers of words over all rows.
        label: int64[n], an index into the labels; -1 where the words are (said to be) outside.
    """

    row: Ints
    first: Ints
    last: Ints
    label: Ints

    def __len__(self) -> int:
        return len(self.row)

    def only(self, kept: Bools | Ints) -> Runs:
        """Those that `kept` (bool[n] or numbers of runs) says, in its order."""
        return Runs(*(getattr(self, field.name)[kept] for field in fields(self)))

    def labelled(self, label: Ints) -> Runs:
        """The same words with other answers."""
        return Runs(self.row, self.first, self.last, np.asarray(label, dtype=np.int64))


def joined(parts: Sequence[Runs]) -> Runs:
    """All runs one after another."""
    return Runs(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Runs)))


def label_of(tag: Ints) -> Ints:
    """The label of tags, -1 for O: int64[n]; tags stand in the order O, B-x, I-x, B-y, I-y ..."""
    return np.where(tag > 0, (tag - 1) // 2, UNMARKED)


def marked(words: Sentences, tag: Ints | None = None) -> Runs:
    """The spans that tags mean; an I that does not go on opens one."""
    told = words.tag if tag is None else tag
    label = label_of(told)
    opens = label >= 0
    goes_on = (told[1:] % 2 == 0) & (label[1:] == label[:-1]) & (words.row[1:] == words.row[:-1])
    opens[1:] &= ~goes_on
    first = np.flatnonzero(opens)
    span = np.cumsum(opens) - 1
    length = np.bincount(span[label >= 0], minlength=len(first))
    return Runs(words.row[first], first, first + length, label[first])


def proposed(words: Sentences, probabilities: Floats) -> Runs:
    """Where a span may be missing: runs of words outside of all spans; every row with such words has at least one.

    They are, in this order and without overlap: surfaces that are often marked elsewhere; words that the tagger
    would rather mark; and of every other row the word that it is least sure to be outside.
    """
    outside = words.tag == 0
    known = repeated(words, outside)
    free = outside & ~covered(known, len(words))
    guessed = marked(words, _guess(probabilities, free))
    free &= ~covered(guessed, len(words))
    weak = _weakest(words, probabilities, free, np.concatenate([known.row, guessed.row]))
    found = joined([known, guessed, weak])
    found = found.labelled(np.full(len(found), UNMARKED))
    return found.only(np.lexsort((found.last, found.first)))


def covered(runs: Runs, count: int) -> Bools:
    """Which words are inside a run: bool[count]."""
    edges = np.zeros(count + 1, dtype=np.int64)
    np.add.at(edges, runs.first, 1)
    np.add.at(edges, runs.last, -1)
    return np.asarray(np.cumsum(edges[:-1]) > 0)


def _guess(probabilities: Floats, free: Bools) -> Ints:
    """The likeliest tag other than O where such tags weigh enough together, O elsewhere: int64[n]."""
    asked = free & np.isfinite(probabilities[:, 0]) & (1 - probabilities[:, 0] >= _LEAST_MARKED)
    best = probabilities[:, 1:].argmax(axis=1) + 1 if probabilities.shape[1] > 1 else np.zeros(len(free), np.int64)
    return np.where(asked, best, 0)


def _weakest(words: Sentences, probabilities: Floats, free: Bools, have: Ints) -> Runs:
    """The word least surely outside of every row that has none yet."""
    wanted = np.ones(len(words.ids), dtype=bool)
    wanted[have] = False
    place = np.flatnonzero(free & wanted[words.row])
    sure = np.nan_to_num(probabilities[place, 0], nan=1.0)
    place = place[np.lexsort((place, np.round(sure, 6), words.row[place]))]
    _, at = np.unique(words.row[place], return_index=True)
    first = place[at]
    return Runs(words.row[first], first, first + 1, np.full(len(first), UNMARKED))


def repeated(words: Sentences, outside: Bools) -> Runs:
    """Runs of words outside whose surface is often marked in other rows, the longest first, none overlapping."""
    windows = Windows(words)
    spans = marked(words)
    key, count = np.unique(windows.hashed(spans.first, spans.last), return_counts=True)
    blocked = np.concatenate([[0], np.cumsum(~outside)])
    taken = np.zeros(len(words), dtype=bool)
    kept: list[tuple[int, int]] = []
    for size in range(5, 0, -1):
        first, hit = windows.matching(key, size)
        free = blocked[first + size] == blocked[first]
        total = np.bincount(hit[free], minlength=len(key))
        often = count / np.maximum(count + total - 1, 1) >= _LEAST_SHARE
        for at in first[free & often[hit]]:
            if not taken[at : at + size].any():
                taken[at : at + size] = True
                kept.append((int(at), int(at) + size))
    edges = np.array(sorted(kept), dtype=np.int64).reshape(-1, 2)
    return Runs(words.row[edges[:, 0]], edges[:, 0], edges[:, 1], np.full(len(edges), UNMARKED))


KINDS = ("type", "shifted", "spurious", "type often", "dropped", "dropped often")


@dataclass(frozen=True)
class Flips:
    """Answers that nobody gave.

    Attributes:
        runs: the words and the answer.
        part: int64[m], the part that each is another answer to.
        kind: int64[m], an index into `KINDS`.
        share: float64[m], 0..1, in how many of the other places with this surface the same error is made.
    """

    runs: Runs
    part: Ints
    kind: Ints
    share: Floats


def flipped(words: Sentences, parts: Runs, confusion: Floats, *, seed: int) -> Flips:
    """One wrong answer of every kind for marked spans (other type, not marked, shifted edge), and spans that are none.

    `confusion`: float64[n, labels + 1], how probable every label, and last O, is for the part. Half of the other
    types follow it, half only how frequent the labels are; a third as many spans are put where none is as there are
    spans: errors that mark too much are the rarer ones. Errors of type and of omission come in two kinds: made once,
    and made in up to half of all places (a rule misread: 41 % of the known errors of CoNLL-2003 are one such rule).
    All chance is a keyed hash of the row's id and the place.
    """
    chance = _chances(words, parts, seed)
    span = np.flatnonzero(parts.label >= 0)
    share = np.bincount(parts.label[span], minlength=confusion.shape[1] - 1).astype(np.float64)
    dropped = (parts.only(span).labelled(np.full(len(span), UNMARKED)), span)
    kinds = {
        "shifted": _shifted(words, parts, span, chance[:, 2]),
        "spurious": _spurious(parts, share, chance[:, :2], len(span)),
        "dropped": dropped,
        "dropped often": dropped,
    }
    if len(share) > 1:
        other = parts.only(span).labelled(_other_type(parts.label[span], share, confusion[span, :-1], chance[span, :2]))
        kinds |= {"type": (other, span), "type often": (other, span)}
    kind = np.concatenate([np.full(len(part), KINDS.index(name)) for name, (_, part) in kinds.items()])
    part = np.concatenate([part for _, part in kinds.values()])
    often = np.isin(kind, [KINDS.index("type often"), KINDS.index("dropped often")])
    return Flips(joined([runs for runs, _ in kinds.values()]), part, kind, np.where(often, chance[part, 2] / 2, 0.0))


def _chances(words: Sentences, parts: Runs, seed: int) -> Floats:
    """Three numbers of 0..1 for every part: float64[n, 3]."""
    start = words.start[parts.first]
    drawn = [draw(seed, words.ids[row], int(at)) for row, at in zip(parts.row, start, strict=True)]
    whole = np.array(drawn, dtype=np.uint64)
    pieces = [(whole >> np.uint64(shift)) % np.uint64(2**20) for shift in (0, 20, 40)]
    return np.asarray(np.stack(pieces, axis=1) / 2**20, dtype=np.float64).reshape(-1, 3)


def _other_type(label: Ints, share: Floats, confusion: Floats, chance: Floats) -> Ints:
    """Another label for every span: int64[len(label)]."""
    weight = np.where((chance[:, 0] < 0.5)[:, None], np.nan_to_num(confusion) + 1e-9, share[None, :] + 1e-9)
    weight[np.arange(len(label)), label] = 0.0
    return _picked(weight, chance[:, 1])


def _picked(weight: Floats, chance: Floats) -> Ints:
    """For every row of weights the place that a number of 0..1 falls on: int64[n]; never one of weight 0."""
    if not weight.size:
        return np.zeros(len(weight), dtype=np.int64)
    heap = np.cumsum(weight, axis=1)
    picked = (heap <= (chance * heap[:, -1])[:, None]).sum(axis=1)
    return np.asarray(np.minimum(picked, weight.shape[1] - 1), dtype=np.int64)


def _shifted(words: Sentences, parts: Runs, span: Ints, chance: Floats) -> tuple[Runs, Ints]:
    """One edge of every span moved by a word, where there is room: in or out, left or right."""
    moves = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])
    first = parts.first[span][:, None] + moves[:, 0]
    last = parts.last[span][:, None] + moves[:, 1]
    row = parts.row[span]
    fits = (first < last) & (first >= words.first[row][:, None]) & (last <= words.first[row + 1][:, None])
    # A word that is taken in belongs to no other span.
    outside = np.append(words.tag == 0, False)
    fits[:, 0] &= outside[first[:, 0]]
    fits[:, 3] &= outside[last[:, 3] - 1]
    some = np.flatnonzero(fits.any(axis=1))
    move = _picked(fits[some].astype(np.float64), chance[span[some]])
    runs = Runs(row[some], first[some, move], last[some, move], parts.label[span[some]])
    return runs, span[some]


def _spurious(parts: Runs, share: Floats, chance: Floats, spans: int) -> tuple[Runs, Ints]:
    """Parts that are outside, with the label of some span."""
    place = np.flatnonzero(parts.label < 0)
    drawn = place[chance[place, 0] < spans / (3 * max(len(place), 1))] if share.sum() else place[:0]
    label = _picked(np.tile(share, (len(drawn), 1)), chance[drawn, 1])
    return parts.only(drawn).labelled(label), drawn

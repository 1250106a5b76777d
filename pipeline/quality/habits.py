"""Habits: whether spans of a label take in the words at their edges (articles, quotes, brackets, titles, units)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.runs import Runs
    from pipeline.quality.sentences import Sentences

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEFT, RIGHT = 0, 1
_LEAST = 3  # other spans that a habit is read from
_OPENING, _CLOSING = "([{<（［｛〈《「『【〔“‘", ")]}>）］｝〉》」』】〕”’"
ODDITIES = (
    "brackets or quotes open or close only once",
    "begins with a mark",
    "ends with a mark",
    "digits only",
    "very long",
)


@dataclass(frozen=True)
class Edge:
    """What other rows do with a word at one edge of spans of the same label.

    Attributes:
        word: int64[n], the spelling of the word at stake; len(vocabulary) where there is none.
        inside: bool[n], whether this span takes it in.
        takes, leaves: float64[n], how many spans of the label, of other rows, take that word in or leave it out.
    """

    word: Ints
    inside: Bools
    takes: Floats
    leaves: Floats

    @property
    def oddity(self) -> Floats:
        """Log-odds that this span should have done otherwise: float64[n]; nan with fewer than three others."""
        same = np.where(self.inside, self.takes, self.leaves)
        other = np.where(self.inside, self.leaves, self.takes)
        return np.where(same + other >= _LEAST, np.log((other + 0.5) / (same + 0.5)), np.nan)


def edges(words: Sentences, spans: Runs, asked: Runs) -> list[Edge]:
    """The habits of the label at the four places where a span could have been cut otherwise, learned from `spans`.

    Inside left, outside left, inside right, outside right: the word that the span begins with could have been left
    out (if the span has others), the word before it could have been taken in, and so at the right.
    """
    return [_edge(words, spans, asked, side, inside) for side in (LEFT, RIGHT) for inside in (True, False)]


def _edge(words: Sentences, spans: Runs, asked: Runs, side: int, inside: bool) -> Edge:
    word, folded = _at_edge(words, asked, side, inside)
    takes, leaves = (_told(words, spans, asked, folded, side=side, taken=taken) for taken in (True, False))
    return Edge(word, np.full(len(word), inside), takes, leaves)


def _at_edge(words: Sentences, runs: Runs, side: int, inside: bool) -> tuple[Ints, Ints]:
    """The spelling of the word just inside or outside an edge, and one number for it and its other cases; -1: none."""
    _, same = np.unique(words.folded, return_inverse=True)
    edge = runs.first if side == LEFT else runs.last
    place = edge - (inside if side == RIGHT else not inside)
    spelling = words.spelled(place, runs.row)
    # A span of one word could not have left it out.
    if inside:
        spelling = np.where(runs.last - runs.first > 1, spelling, len(words.vocabulary))
    folded = np.where(spelling < len(words.vocabulary), same.reshape(-1)[spelling], -1)
    return spelling, folded


def _told(words: Sentences, spans: Runs, asked: Runs, folded: Ints, *, side: int, taken: bool) -> Floats:
    """How many of `spans`, of other rows and the same label, take in (or leave out) the word at that edge."""
    _, seen = _at_edge(words, spans, side, taken)
    width = int(max(seen.max(initial=0), folded.max(initial=0))) + 2
    labels = int(max(spans.label.max(initial=0), asked.label.max(initial=0))) + 2
    key = (spans.label + 1) * width + seen + 1
    total = np.bincount(key, minlength=labels * width)
    wanted = (asked.label + 1) * width + folded + 1
    own, count = np.unique(spans.row * (labels * width) + key, return_counts=True)
    place = np.minimum(np.searchsorted(own, asked.row * (labels * width) + wanted), max(len(own) - 1, 0))
    hit = own[place] == asked.row * (labels * width) + wanted if len(own) else np.zeros(len(wanted), bool)
    found = total[wanted] - np.where(hit, count[place] if len(own) else 0, 0)
    return np.where((folded >= 0) & (asked.label >= 0), found, 0).astype(np.float64)


def odd(words: Sentences, spans: Runs, runs: Runs) -> Bools:
    """Which of `ODDITIES` each run has: bool[n, 5]; how long is long is learned from `spans`."""
    marks = np.append(np.array([_is_mark(word) for word in words.vocabulary], dtype=bool), False)
    digits = np.append(np.array([word.isdigit() for word in words.vocabulary], dtype=bool), False)
    balance = np.array([_balance(word) for word in words.vocabulary] + [0], dtype=np.int64)
    spelling = words.spelling
    level = np.concatenate([[0], np.cumsum(balance[spelling])])
    quoted = np.array([word.count('"') for word in words.vocabulary] + [0], dtype=np.int64)
    quotes = np.concatenate([[0], np.cumsum(quoted[spelling])])
    unbalanced = (level[runs.last] != level[runs.first]) | ((quotes[runs.last] - quotes[runs.first]) % 2 == 1)
    count = np.concatenate([[0], np.cumsum(digits[spelling])])
    length = runs.last - runs.first
    return np.stack(
        [
            unbalanced,
            marks[spelling[runs.first]],
            marks[spelling[runs.last - 1]],
            count[runs.last] - count[runs.first] == length,
            length > _long(spans),
        ],
        axis=1,
    )


def rareness(found: Bools, label: Ints, learn_found: Bools, learn_label: Ints) -> Floats:
    """How much the rarest oddity of every run surprises in its label: -ln of its share among spans; 0 without one."""
    labels = int(max(label.max(initial=0), learn_label.max(initial=0))) + 1
    size = np.bincount(learn_label, minlength=labels).astype(np.float64)
    surprise = np.zeros((labels, found.shape[1]))
    for kind in range(found.shape[1]):
        having = np.bincount(learn_label, weights=learn_found[:, kind], minlength=labels)
        surprise[:, kind] = -np.log((having + 0.5) / (size + 1.0))
    return np.where(label >= 0, (found * surprise[np.maximum(label, 0)]).max(axis=1, initial=0.0), 0.0)


def _long(spans: Runs) -> float:
    """A length in words that few spans pass: three times that of the longest tenth, and eight at least."""
    length = spans.last - spans.first
    return max(8.0, 3.0 * float(np.quantile(length, 0.9))) if len(length) else 8.0


def _is_mark(word: str) -> bool:
    return all(unicodedata.category(character)[0] in "PSZ" for character in word)


def _balance(word: str) -> int:
    return sum((character in _OPENING) - (character in _CLOSING) for character in word if word not in ("’", "'"))

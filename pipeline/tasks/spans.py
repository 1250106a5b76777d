"""Spans over words: tags and back, the legal path through a model's outputs, and texts whose pieces are exchanged."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import AssayError, Unfit
from pipeline.tagscheme import spans_from_tags
from pipeline.text import UNSPACED, nfc, nfc_offsets, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Edges = tuple[int, int]
"""Half-open, in code points."""

# Han, Kana, Thai ... and the full-width punctuation that stands between them without a space.
_TIGHT = re.compile(f"[{UNSPACED}\u3001-\u3004\u3008-\u3020\u2018-\u201d\u2026\uff01-\uff65]")
_JOINER = "\u200d"
_WORD = re.compile(r"\S+")
_PART = re.compile(r"[^\W\d_]+|\d+|.", re.DOTALL)


def laid(tokens: Sequence[str]) -> tuple[str, list[Edges]]:
    """The text that tokens make, in NFC, and where each stands in it; an empty token stands nowhere and moves nothing.

    Tokens are parted by a space, but not two of an unspaced script, nor any where each token is a single character.

    >>> laid(["GPT", "是", "模型", "。"])
    ('GPT 是模型。', [(0, 3), (4, 5), (5, 7), (7, 8)])
    """
    characters = all(len(token) <= 1 for token in tokens) and any(map(_TIGHT.match, tokens))
    text, edges = "", []
    for token in tokens:
        tight = characters or not text or (_TIGHT.match(text[-1]) and _TIGHT.match(token[:1]))
        text += "" if tight or not token else " "
        edges.append((len(text), len(text) + len(token)))
        text += token
    if moved := nfc_offsets(text):
        edges = [(moved(start), moved(end)) for start, end in edges]
    return nfc(text), edges


def found(tokens: Sequence[str], text: str) -> list[Edges]:
    """Where tokens that were cut from `text` stand in it, white space aside.

    Raises:
        Unfit: `span_surface`, the tokens do not make up the text.
    """
    places = [place for place, character in enumerate(text) if not character.isspace()]
    bare = ["".join(nfc(token).split()) for token in tokens]
    joined = "".join(bare)
    if joined != "".join(text[place] for place in places):
        raise Unfit("span_surface", f"the tokens {joined:.60} ... are not those of the text {text:.60} ...")
    edges: list[Edges] = []
    at = 0
    for token in bare:
        nowhere = edges[-1][1] if edges else 0
        edges.append((places[at], places[at + len(token) - 1] + 1) if token else (nowhere, nowhere))
        at += len(token)
    return edges


def words(text: str) -> list[Edges]:
    """What is tagged in a text without tokens: runs of letters, runs of digits, marks and unspaced characters.

    Finer than `text.units`, because entities end before an apostrophe and between a number and its unit; but a
    combining mark, a variation selector or a joiner is never parted from its character.

    >>> [("O'Neil 5km 👩‍🚀"[s:e]) for s, e in words("O'Neil 5km 👩‍🚀")]
    ['O', "'", 'Neil', '5', 'km', '👩‍🚀']
    """
    edges: list[Edges] = []
    for unit_start, unit_end in units(text):
        for part in _PART.finditer(text[unit_start:unit_end]):
            start, end = unit_start + part.start(), unit_start + part.end()
            if edges and edges[-1][1] == start and _clings(text[start - 1], text[start]):
                start = edges.pop()[0]
            edges.append((start, end))
    return edges


def _clings(before: str, character: str) -> bool:
    return before == _JOINER or unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf", "Sk"}


def cells(pieces: Iterable[Edges], cuts: Iterable[int]) -> list[Edges]:
    """The pieces, each cut wherever a cut falls inside it; pieces without a character are left out."""
    marks = sorted(set(cuts))
    fine = []
    for start, end in pieces:
        inside = marks[bisect_right(marks, start) : bisect_left(marks, end)]
        fine += [(a, b) for a, b in zip([start, *inside], [*inside, end], strict=True) if a < b]
    return fine


def tags(pieces: Sequence[Edges], answer: Iterable[Sequence[Any]]) -> list[str | None]:
    """The IOB2 tag of every piece; None where a span begins or ends inside the piece, so that no tag would be true."""
    told: list[str | None] = ["O"] * len(pieces)
    starts, ends = [start for start, _ in pieces], [end for _, end in pieces]
    for start, end, label in answer:
        letter = "B"
        for at in range(bisect_right(ends, start), bisect_left(starts, end)):
            if starts[at] == ends[at]:
                continue
            whole = start <= starts[at] and ends[at] <= end
            told[at] = f"{letter}-{label}" if whole else None
            letter = "I"
    return told


def answer(pieces: Sequence[Edges], told: Sequence[str]) -> list[list[Any]]:
    """The spans that IOB2 tags of the pieces mean, as a tagging answer; an I that follows nothing opens a span."""
    spans, _ = spans_from_tags(told, "iob2")
    return sorted([pieces[first][0], pieces[last - 1][1], label] for first, last, label in spans)


def legal_path(probabilities: NDArray[Any], classes: Sequence[str]) -> NDArray[np.int64]:
    """The most probable sequence of classes in which I-X only follows B-X or I-X: int64[n].

    `probabilities`: float[n, classes]. Viterbi 1967, doi:10.1109/TIT.1967.1054010; the transitions weigh nothing.
    """
    score = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), 1e-30))
    barred = _barred(classes)
    best: NDArray[np.int64] = score.argmax(axis=1).astype(np.int64)
    if not len(best) or not (barred[best[:-1], best[1:]].any() or classes[best[0]].startswith("I-")):
        return best
    penalty = np.where(barred, -np.inf, 0.0)
    total = score[0] + np.array([-np.inf if name.startswith("I-") else 0.0 for name in classes])
    back = np.zeros(score.shape, dtype=np.int64)
    for at in range(1, len(score)):
        reached = total[:, None] + penalty
        back[at] = reached.argmax(axis=0)
        total = reached.max(axis=0) + score[at]
    best[-1] = total.argmax()
    for at in range(len(score) - 1, 0, -1):
        best[at - 1] = back[at, best[at]]
    return best


def _barred(classes: Sequence[str]) -> NDArray[np.bool_]:
    """Which class must not be followed by which: bool[classes, classes]."""
    return np.array(
        [[to.startswith("I-") and name not in (f"B-{to[2:]}", f"I-{to[2:]}") for to in classes] for name in classes]
    )


@dataclass(frozen=True)
class Change:
    """A text in which some places get other characters.

    `places` are sorted, disjoint and not empty; `fresh` has one text for each.

    Raises:
        Unfit: `tokens_changed`, the new characters melt with their neighbours (a combining mark at an edge).
    """

    before: str
    places: tuple[Edges, ...]
    fresh: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.places) != len(self.fresh):
            raise AssayError("edit", f"{len(self.fresh)} pieces for {len(self.places)} places", "give one for each")
        if nfc(self.text) != self.text:
            raise Unfit("tokens_changed", f"a piece melts with what stands beside it: {self.text:.80}")

    @cached_property
    def text(self) -> str:
        """The text afterwards."""
        out, at = [], 0
        for (start, end), piece in zip(self.places, self.fresh, strict=True):
            out += [self.before[at:start], piece]
            at = end
        return "".join(out) + self.before[at:]

    def moved(self, offset: int) -> int:
        """Where an offset that is not inside a changed place stands afterwards."""
        done = zip(self.places, self.fresh, strict=True)
        return offset + sum(len(piece) - (end - start) for (start, end), piece in done if end <= offset)

    def tokens(self, tokens: Sequence[Edges], *, keep_count: bool) -> list[Edges]:
        """Where the tokens stand afterwards: each place has whole ones, cut anew if it changed.

        With `keep_count` each new word takes the place of an old one; else words, or characters, become tokens as they
        are in the rest of the text.

        Raises:
            Unfit: `tokens_changed`, there would be more tokens or fewer.
        """
        fresh: list[Edges] = []
        done = -1
        for start, end in tokens:
            at = self._changed_around(start, end)
            if at is None:
                fresh.append((self.moved(start), self.moved(end)))
            elif at != done and start < end:
                done = at
                fresh += self._cut(at, tokens, keep_count=keep_count)
            elif start == end:
                fresh.append((fresh[-1][1],) * 2 if fresh else (0, 0))
        return fresh

    def _changed_around(self, start: int, end: int) -> int | None:
        """The changed place that a token stands in; an empty token at its edge stands outside."""
        for at, (first, last) in enumerate(self.places):
            inside = first < start < last if start == end else first <= start and end <= last
            if inside and self.before[first:last] != self.fresh[at]:
                return at
        return None

    def _cut(self, at: int, tokens: Sequence[Edges], *, keep_count: bool) -> list[Edges]:
        (first, last), piece = self.places[at], self.fresh[at]
        base = self.moved(first)
        inside = [(start - first, end - first) for start, end in tokens if first <= start < end <= last]
        if keep_count:
            cut = _kept_count(self.before[first:last], piece, inside)
        else:
            singles = all(end - start <= 1 for start, end in tokens if _TIGHT.match(self.before[start:end]))
            cut = [edge for part in _WORD.finditer(piece) for edge in _as_tokens(part[0], part.start(), singles)]
        return [(base + start, base + end) for start, end in cut]


def _as_tokens(part: str, start: int, singles: bool) -> list[Edges]:
    if not (singles and any(map(_TIGHT.match, part))):
        return [(start, start + len(part))]
    return [(start + first, start + last) for first, last in words(part)]


def _kept_count(before: str, after: str, inside: Sequence[Edges]) -> list[Edges]:
    """The tokens of a reworded piece: word for word, and within a word of several tokens character for character."""
    old, new = list(_WORD.finditer(before)), list(_WORD.finditer(after))
    if len(old) != len(new):
        raise Unfit("tokens_changed", f"{len(new)} words instead of {len(old)}: {after:.60}")
    edges = []
    for was, now in zip(old, new, strict=True):
        own = [(start, end) for start, end in inside if was.start() <= start and end <= was.end()]
        if len(own) == 1:
            edges.append(now.span())
        elif len(was[0]) == len(now[0]):
            shift = now.start() - was.start()
            edges += [(start + shift, end + shift) for start, end in own]
        else:
            raise Unfit("tokens_changed", f"{now[0]!r:.40} cannot be cut into the {len(own)} tokens of {was[0]!r:.40}")
    return edges

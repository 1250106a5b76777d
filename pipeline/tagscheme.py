"""Tag schemes: between one tag per token (IOB1, IOB2, BIOES, BMES, IO) and spans of tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.errors import AssayError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Span = tuple[int, int, str]
"""First token, token after the last, label."""

_TAG = re.compile(r"([BIOESLUM])[-_](.+)", re.DOTALL)
_OUTSIDE = frozenset({"O", "o", ""})
_CLOSED = {"bioes": ("B", "I", "E", "S"), "bmes": ("B", "M", "E", "S"), "bilou": ("B", "I", "L", "U")}
_ROLE = {"M": "I", "L": "E", "U": "S"}
_LETTERS = {"io": frozenset("I"), "iob1": frozenset("BI"), "iob2": frozenset("BI")} | {
    name: frozenset(letters) for name, letters in _CLOSED.items()
}
SCHEMES = tuple(_LETTERS)


def split_tag(tag: str) -> tuple[str, str] | None:
    """The prefix letter and the label of a tag; None if it has no prefix.

    >>> split_tag("B-creative-work"), split_tag("O"), split_tag("PER")
    (('B', 'creative-work'), ('O', ''), None)
    """
    if tag in _OUTSIDE:
        return "O", ""
    if tag in ("B", "I", "E", "S", "M", "L", "U"):
        return tag, ""
    found = _TAG.fullmatch(tag)
    return (found[1], found[2]) if found else None


class SchemeEvidence:
    """What tells the schemes apart, gathered from one tag sequence after another."""

    def __init__(self) -> None:
        self.letters: set[str] = set()
        self.bare = 0
        self.begin_where_free = 0
        self.inside_where_free = 0

    def add(self, tags: Iterable[str]) -> None:
        """Take in the tags of one sentence."""
        before = "O", ""
        for tag in tags:
            now = split_tag(tag)
            if now is None:
                self.bare += 1
                before = "O", ""
                continue
            if now[0] != "O":
                self._count(now, before)
            before = now

    def _count(self, now: tuple[str, str], before: tuple[str, str]) -> None:
        letter, label = now
        self.letters.add(letter)
        free = before[0] == "O" or before[1] != label
        self.begin_where_free += free and letter == "B"
        self.inside_where_free += free and letter == "I"

    def scheme(self) -> str:
        """The scheme under which the fewest tags are illegal; I-tags alone, or bare labels, are `io`.

        IOB1 opens a span with B only right after a span of the same label, IOB2 always (Ramshaw and Marcus 1995;
        Tjong Kim Sang and Veenstra 1999, doi:10.3115/977035.977059).
        """
        if self.letters & {"L", "U"}:
            return "bilou"
        if "M" in self.letters:
            return "bmes"
        if self.letters & {"E", "S"}:
            return "bioes"
        if "B" not in self.letters:
            return "io" if self.letters or self.bare else "iob2"
        return "iob1" if self.inside_where_free > self.begin_where_free else "iob2"


def detect_scheme(sequences: Iterable[Sequence[str]]) -> str:
    """The scheme of a corpus of tag sequences.

    >>> detect_scheme([["I-PER", "O", "I-LOC", "B-LOC"]]), detect_scheme([["S-PER", "O"]])
    ('iob1', 'bioes')
    """
    evidence = SchemeEvidence()
    for tags in sequences:
        evidence.add(tags)
    return evidence.scheme()


def spans_from_tags(tags: Sequence[str], scheme: str) -> tuple[list[Span], list[str]]:
    """The spans that tags mean, and every place where the tags are illegal under the scheme and what it was read as.

    A span that is not opened is opened, one that is not closed is closed, an unknown tag is outside: the reading is
    that of the CoNLL-2000 scorer, and nothing of it is silent.

    >>> spans_from_tags(["B-PER", "I-PER", "O", "I-LOC"], "iob2")
    ([(0, 2, 'PER'), (3, 4, 'LOC')], ["token 3: 'I-LOC' does not follow a LOC, read as its start"])
    """
    reader = _Reader(_known(scheme))
    for position, tag in enumerate(tags):
        reader.take(position, tag)
    reader.close(len(tags), finished=False)
    return reader.spans, reader.repaired


def tags_from_spans(spans: Iterable[Span], n: int, scheme: str) -> list[str]:
    """The tags of `n` tokens; the inverse of `spans_from_tags`.

    Raises AssayError where spans overlap, are empty or lie outside, and where `io` cannot keep two neighbours apart.

    >>> tags_from_spans([(0, 2, "PER"), (2, 3, "PER")], 4, "bioes")
    ['B-PER', 'E-PER', 'S-PER', 'O']
    """
    _known(scheme)
    tags = ["O"] * n
    last_end, last_label = 0, ""
    for start, end, label in sorted(spans):
        if not last_end <= start < end <= n:
            raise AssayError(f"span [{start}, {end}) {label}", f"overlaps another, is empty or leaves the {n} tokens")
        adjoins = start == last_end and label == last_label
        if scheme == "io" and adjoins:
            raise AssayError(f"span [{start}, {end}) {label}", "adjoins one of the same label", "use 'iob2'")
        tags[start:end] = [f"{letter}-{label}" if label else letter for letter in _word(end - start, scheme, adjoins)]
        last_end, last_label = end, label
    return tags


def _word(length: int, scheme: str, adjoins: bool) -> list[str]:
    if scheme in _CLOSED:
        begin, inside, end, single = _CLOSED[scheme]
        return [single] if length == 1 else [begin, *[inside] * (length - 2), end]
    opens = "B" if scheme == "iob2" or (scheme == "iob1" and adjoins) else "I"
    return [opens, *["I"] * (length - 1)]


def _known(scheme: str) -> str:
    if scheme not in _LETTERS:
        raise AssayError("tag scheme", f"no scheme {scheme!r}", nearest(scheme, SCHEMES))
    return scheme


class _Reader:
    """The state between two tags: the span that is open, if any."""

    def __init__(self, scheme: str) -> None:
        self.scheme, self.letters, self.must_close = scheme, _LETTERS[scheme], scheme in _CLOSED
        self.spans: list[Span] = []
        self.repaired: list[str] = []
        self.start, self.label = -1, ""

    def take(self, position: int, tag: str) -> None:
        letter, label = self._parts(position, tag)
        if letter == "O":
            self.close(position, finished=False)
            return
        goes_on = self.start >= 0 and label == self.label
        role = _ROLE.get(letter, letter)
        if role in "BS" or not goes_on:
            self._judge_opening(position, tag, role, goes_on)
            self.close(position, finished=False)
            self.start, self.label = position, label
        if role in "ES":
            self.close(position + 1, finished=True)

    def close(self, position: int, *, finished: bool) -> None:
        if self.start < 0:
            return
        if self.must_close and not finished:
            self.repaired.append(f"token {position - 1}: the {self.label} of token {self.start} has no end, ended here")
        self.spans.append((self.start, position, self.label))
        self.start = -1

    def _parts(self, position: int, tag: str) -> tuple[str, str]:
        parts = split_tag(tag)
        if parts is None and self.scheme == "io":
            return "I", tag
        if parts is None or tag == "":
            self.repaired.append(f"token {position}: {tag!r} is no {self.scheme} tag, read as outside")
            return "O", ""
        if parts[0] != "O" and parts[0] not in self.letters:
            self.repaired.append(f"token {position}: {tag!r} is no {self.scheme} tag, read by its letter")
        return parts

    def _judge_opening(self, position: int, tag: str, role: str, goes_on: bool) -> None:
        label = self._parts_label(tag)
        if role in "IE" and self.scheme not in ("io", "iob1"):
            self.repaired.append(f"token {position}: {tag!r} does not follow a {label}, read as its start")
        adjoins = goes_on or (bool(self.spans) and self.spans[-1][1:] == (position, label) and self.start < 0)
        if role == "B" and self.scheme == "iob1" and not adjoins:
            self.repaired.append(f"token {position}: {tag!r} does not follow a {label}, read as its start")

    def _parts_label(self, tag: str) -> str:
        parts = split_tag(tag)
        return parts[1] if parts else tag

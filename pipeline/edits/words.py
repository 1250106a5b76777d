"""Which words of a text an edit may touch, in runs that no punctuation, name, number or link interrupts."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.edits import door
from pipeline.text import UNSPACED

if TYPE_CHECKING:
    from collections.abc import Sequence

# Links, mail addresses, @mentions, #hashtags (also Weibo's #...#), placeholders, mark-up, code, titles and whatever
# holds digits or signs: changing them changes what the text refers to.
_PROTECTED = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|(?:https?|ftp)://[!-~]+|www\.[!-~]+|#[^#\s]{1,40}#|[@#$][\w.-]+|\{+[^{}]*\}+|<[^<>\s][^<>]*>"
    r"|\[[A-Z][A-Z_ ]*\]|【[^】]*】|《[^》]*》|[!-~]*[\d@#$%_/\\=<>{}|~^`][!-~]*|[!-~]*[A-Za-z]\.[A-Za-z][!-~]*",
    re.DOTALL,
)
_SPACED_WORD = re.compile(f"(?<![\\w'’-])[^\\W\\d_{UNSPACED}]+(?:['’-][^\\W\\d_{UNSPACED}]+)*(?![\\w'’-])")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


@dataclass(frozen=True)
class Run:
    """Words that stand side by side: `gaps[i]`, white space or nothing, stands between words i and i + 1."""

    words: tuple[str, ...]
    gaps: tuple[str, ...]

    def text(self) -> str:
        """The run as it stands in the text."""
        return "".join(part for pair in zip(self.words, (*self.gaps, ""), strict=True) for part in pair)


@dataclass(frozen=True)
class Cut:
    """Pieces of text cut into what stays (str) and runs of words that may change."""

    pieces: tuple[tuple[str | Run, ...], ...]

    @property
    def runs(self) -> list[Run]:
        """All runs, in order."""
        return [part for piece in self.pieces for part in piece if isinstance(part, Run)]

    def joined(self, runs: Sequence[Run]) -> list[str]:
        """The pieces with other runs in the places of theirs."""
        rest = iter(runs)
        return [
            "".join(next(rest).text() if isinstance(part, Run) else part for part in piece) for piece in self.pieces
        ]


def cut(pieces: Sequence[str], *, language: str) -> Cut:
    """The pieces cut into runs: jieba's words of Chinese characters, or the words of a language with spaces.

    A word whose piece begins or ends with a hyphen or an apostrophe there is left alone: it may go on outside.
    """
    if primary(language) == "zh":
        return Cut(tuple(_chinese(piece) for piece in pieces))
    return Cut(tuple(_spaced(piece) for piece in pieces))


def primary(language: str) -> str:
    """The language without its region: `en` of `en-GB`."""
    return language.split("-", maxsplit=1)[0].lower()


def _chinese(piece: str) -> tuple[str | Run, ...]:
    kept = [match.span() for match in _PROTECTED.finditer(piece)]
    parts: list[str | Run] = []
    done = 0
    for match in _HAN.finditer(piece):
        if _inside(match.span(), kept):
            continue
        parts += [piece[done : match.start()], _run_of(door.chinese().lcut(match[0]))]
        done = match.end()
    return (*parts, piece[done:])


def _run_of(words: list[str]) -> Run:
    return Run(tuple(words), ("",) * (len(words) - 1))


def _spaced(piece: str) -> tuple[str | Run, ...]:
    kept = [match.span() for match in _PROTECTED.finditer(piece)]
    spans = [match.span() for match in _SPACED_WORD.finditer(piece) if not _inside(match.span(), kept)]
    parts: list[str | Run] = []
    done = 0
    for group in _side_by_side(piece, spans):
        words = tuple(piece[start:end] for start, end in group)
        gaps = tuple(piece[left[1] : right[0]] for left, right in pairwise(group))
        parts += [piece[done : group[0][0]], Run(words, gaps)]
        done = group[-1][1]
    return (*parts, piece[done:])


def _inside(span: tuple[int, int], kept: Sequence[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in kept)


def _side_by_side(text: str, spans: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Spans in groups between which there is more than white space."""
    groups: list[list[tuple[int, int]]] = []
    for span in spans:
        if groups and text[groups[-1][-1][1] : span[0]].isspace():
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def amount(share: float, size: int) -> int:
    """How many of `size` words an edit touches: the share of them, but at least one."""
    return min(size, max(1, round(share * size))) if size else 0


def dealt(runs: Sequence[Run], share: float, *, room: Sequence[int], seed: int) -> list[int]:
    """How many words of each run an edit touches: the share of all words, at most `room` of each run."""
    places = [number for number, size in enumerate(room) for _ in range(size)]
    wanted = min(len(places), amount(share, sum(len(run.words) for run in runs)))
    drawn = random.Random(seed).sample(places, wanted)
    return [drawn.count(number) for number in range(len(runs))]

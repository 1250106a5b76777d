"""Phrases: words that many rows of a confusion hold, and few other rows that are answered the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.shingles import mixed
from pipeline.reviewing.candidates import Candidate, gathered
from pipeline.reviewing.questions import Asked, Questions
from pipeline.rules import folded, keyed
from pipeline.text import is_unspaced, units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.reviewing.candidates import Lines
    from pipeline.reviewing.counting import Rows

    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

LEAST_LINES = 3
"""Fewer rows have words in common by chance."""
SIZES = (1, 2, 3, 4)
"""Words, or characters of unspaced scripts, in a phrase."""
MOST_UNITS, FEWEST_UNITS = 4_000_000, 24
"""Of all lines together so many words are looked at: of long texts the beginnings, but so many words of each."""
MOST_ASKED = 60
"""Phrases of one confusion that the whole data set is asked about."""
LEAST_LISTED = 0.5
"""At least this share of the rows that a rule speaks of must be suspects of the same kind: else it is too wide."""
LEAST_LIFT = 2.0
"""How many times more of the rows with the phrase must be suspects than of all rows that are answered the same."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_PUNCTUATION, _WORD, _LETTER, _CHARACTER = 0, 1, 2, 3


def mined(lines: Lines, rows: Rows) -> Iterator[Candidate]:
    """Candidates of rows that confuse the same and hold the same phrase, or come from the same source.

    For tasks whose rows have labels. One look through all rows tells how many others the rule would speak of.
    """
    if rows.task.head not in ("sequence", "multilabel"):
        return
    found = [*_with_phrases(lines), *_by_source(lines)]
    asked = {
        one: at for at, one in enumerate(dict.fromkeys(each for one in found for each in (_whole(one), _asked(one))))
    }
    count = rows.counted(Questions(list(asked), rows.task).answered, len(asked)) if asked else ()
    sizes = {key: len(members) for key, members in _confusions(lines)}
    for one in found:
        touches, of = (int(count[asked[each]]) for each in (_asked(one), _whole(one)))
        touches = max(touches, len(one.members))
        listed = len(one.members) / max(touches, 1)
        usual = sizes[one.part, one.given, one.likely] / max(of, 1)
        if listed >= LEAST_LISTED and listed >= LEAST_LIFT * usual:
            yield Candidate(
                one.kind, one.given, one.likely, one.members, part=one.part,
                phrases=one.phrases, sources=one.sources, touches=touches,
            )  # fmt: skip


def _asked(one: Candidate) -> Asked:
    return Asked(one.given, one.part, "".join(one.phrases), "".join(one.sources))


def _whole(one: Candidate) -> Asked:
    return Asked(one.given, one.part)


def _confusions(lines: Lines) -> Iterator[tuple[tuple[str, str, str], Ints]]:
    at = lines.confused()
    yield from gathered([(lines.part[one], lines.given[one], lines.likely[one]) for one in at.tolist()], at)


def _by_source(lines: Lines) -> Iterator[Candidate]:
    """The lines of each confusion by their source."""
    for (part, given, likely), at in _confusions(lines):
        for source, members in gathered([lines.source[one] for one in at.tolist()], at):
            if len(members) >= LEAST_LINES:
                yield Candidate("source", given, likely, members, part=part, sources=(source,))


def _with_phrases(lines: Lines) -> Iterator[Candidate]:
    """The lines of each confusion that hold a phrase which is commoner there than in other lines."""
    confusions = [(key, members) for key, members in _confusions(lines) if len(members) >= LEAST_LINES]
    if not confusions:
        return
    inside = np.concatenate([members for _, members in confusions])
    of = np.repeat(np.arange(len(confusions)), [len(members) for _, members in confusions])
    held = Held.of([lines.text[at] for at in inside.tolist()])
    for number, phrase, at in held.common(of, lines.score[inside]):
        part, given, likely = confusions[number][0]
        yield Candidate("phrase", given, likely, inside[at], part=part, phrases=(phrase,))


@dataclass(frozen=True)
class Held:
    """Which text holds which phrase, each once: `text`, `key` (a hash), and where it first stands: `start`, `end`."""

    texts: Sequence[str]
    text: Ints
    key: Hashes
    start: Ints
    end: Ints

    @classmethod
    def of(cls, texts: Sequence[str]) -> Held:
        """All phrases of the texts: runs of one to four words or characters, none over punctuation."""
        room = max(MOST_UNITS // max(len(texts), 1), FEWEST_UNITS)
        code, kind, start, end, text = _units(texts, room)
        # A run is a difference of sums of words times powers, moved to one place by the power that is left.
        powers = np.ones(len(code) + 1, dtype=np.uint64)
        np.multiply.accumulate(np.full(len(code), _BASE), out=powers[1:])
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed(code) * powers[:-1], dtype=np.uint64)])
        barred = np.concatenate([[0], np.cumsum(kind == _PUNCTUATION)])
        found: list[tuple[Ints, Hashes, Ints, Ints]] = []
        for size in SIZES:
            first = np.arange(max(len(code) - size + 1, 0))
            last = first + size
            good = (text[first] == text[last - 1]) & (barred[last] == barred[first])
            # One letter, or one character of an unspaced script, says nothing; four are enough only of such.
            good &= kind[first] == _WORD if size == 1 else (kind[first] == _CHARACTER) | (size < max(SIZES))
            first, last = first[good], last[good]
            hashes = mixed((sums[last] - sums[first]) * powers[len(code) - first] + np.uint64(size))
            often = _often(hashes)
            found.append((text[first][often], hashes[often], start[first][often], end[last - 1][often]))
        return cls(texts, *_each_once(*(np.concatenate(column) for column in zip(*found, strict=True))))

    def common(self, of: Ints, score: NDArray[np.float64]) -> Iterator[tuple[int, str, Ints]]:
        """(confusion, phrase, texts that hold it) of the phrases that tell a confusion from the others best.

        `of`: the confusion of each text. Of each confusion those with the most errors expected, the more the commoner
        the phrase is there than among all texts.
        """
        pair = mixed(self.key ^ mixed(of[self.text].astype(np.uint64)))
        order = np.argsort(pair, kind="stable")
        first = np.flatnonzero(np.concatenate([[True], np.diff(pair[order]) != 0])) if len(order) else order
        size = np.diff(np.append(first, len(order)))
        head = order[first]
        keep = size >= LEAST_LINES
        first, size, head = first[keep], size[keep], head[keep]
        sums = np.concatenate([[0.0], np.cumsum(score[self.text[order]])])
        mass = sums[first + size] - sums[first]
        confusion = of[self.text[head]]
        _, code, everywhere = np.unique(self.key, return_inverse=True, return_counts=True)
        share = size / np.bincount(of)[confusion]
        usual = everywhere[code[head]] / len(self.texts)
        worth = mass * np.log1p(share / usual)
        for at in _best(confusion, worth, MOST_ASKED).tolist():
            where = int(head[at])
            phrase = spelled(keyed(self.texts[self.text[where]][self.start[where] : self.end[where]]))
            yield int(confusion[at]), phrase, self.text[order[first[at] : first[at] + size[at]]]


def spelled(words: Sequence[str]) -> str:
    """A phrase of these words, always written alike: characters of unspaced scripts stand together.

    >>> spelled(["gpt", "用", "户"]), spelled(["lost", "card"])
    ('gpt 用户', 'lost card')
    """
    found = ""
    for word in words:
        tight = not found or (is_unspaced(word) and is_unspaced(found[-1]))
        found += word if tight else f" {word}"
    return found


def _best(group: Ints, worth: NDArray[np.float64], most: int) -> Ints:
    """Positions of the most worth of every group, at most so many of each."""
    order = np.lexsort((-worth, group))
    begins = np.flatnonzero(np.concatenate([[True], np.diff(group[order]) != 0])) if len(order) else order
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    return order[rank < most]


def _often(hashes: Hashes) -> NDArray[np.bool_]:
    """Which phrases stand anywhere as often as one must to be looked at; most of the longer ones do not."""
    ordered, apart = np.sort(hashes), LEAST_LINES - 1
    repeated = np.unique(ordered[apart:][ordered[apart:] == ordered[:-apart]])
    if not len(repeated):
        return np.zeros(len(hashes), dtype=bool)
    place = np.minimum(np.searchsorted(repeated, hashes), len(repeated) - 1)
    return np.asarray(repeated[place] == hashes)


def _each_once(text: Ints, key: Hashes, start: Ints, end: Ints) -> tuple[Ints, Hashes, Ints, Ints]:
    """The first of every phrase in a text."""
    _, first = np.unique(mixed(key ^ mixed(text.astype(np.uint64))), return_index=True)
    first.sort()
    return text[first], key[first], start[first], end[first]


def _units(texts: Sequence[str], room: int) -> tuple[Hashes, Ints, Ints, Ints, Ints]:
    """The units of all texts one after another: code of the word, kind, start, end, text; the first `room` of each."""
    codes: dict[str, int] = {}
    kinds: list[int] = []
    code, start, end, text = [], [], [], []
    for number, each in enumerate(texts):
        words = each.lower() if each.isascii() else each
        for begin, stop in units(each)[:room]:
            word = words[begin:stop] if each.isascii() else folded(each[begin:stop])
            if word not in codes:
                codes[word] = len(codes)
                kinds.append(_kind(word))
            code.append(codes[word])
            start.append(begin)
            end.append(stop)
            text.append(number)
    known = np.array(code, dtype=np.int64)
    kind = np.array(kinds, dtype=np.int64)[known] if len(known) else known
    places = (np.array(column, dtype=np.int64) for column in (start, end, text))
    return known.astype(np.uint64), kind, *places  # type: ignore[return-value]


def _kind(word: str) -> int:
    """What a unit is."""
    if is_unspaced(word):
        return _CHARACTER
    if not word[0].isalnum():
        return _PUNCTUATION
    return _WORD if len(word) > 1 else _LETTER

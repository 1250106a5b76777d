"""Planting: copies of held-out items, changed in known ways, and rows that only look like them, to prove the search."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from pipeline.chance import draw
from pipeline.text import is_unspaced, units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    LongEnough = Callable[[str, str], bool]

AS_IS, RESPELLED, EMBEDDED = "as it is", "case, width, punctuation", "inside a longer text"
REWORDED, HALVED, EXCERPT = "every tenth word changed", "first half", "a few words of it alone"
ANOTHER, FRAMED, SHUFFLED = "another item of the set", "same frame, other words", "its words shuffled"
BARE = "the frame alone"
MUST = (AS_IS, RESPELLED, EMBEDDED)
"""The kinds of copies of which nothing may be missed: only their form was changed."""
COPIES, LOOKALIKES = (*MUST, REWORDED, HALVED, EXCERPT), (ANOTHER, FRAMED, BARE, SHUFFLED)
SCRIPTS = ("spaced", "unspaced")
UNSEEN_SHARE, FAMILY = 5, 20
"""One item in five is kept back: what is not looked for must not be found. Each frame is planted twenty times."""
_FRAME_UNITS, _SLOT_UNITS = {"spaced": (6, 30), "unspaced": (10, 60)}, 6
_EXCERPT_UNITS = {"spaced": 12, "unspaced": 20}
_DROPPED = str.maketrans(dict.fromkeys(",;:!?\u2026\u201c\u201d\u3001\uff0c\u3002\uff1b\uff1a\uff01\uff1f", " "))
_WIDE = {point: point + 0xFEE0 for point in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B))}


class Planted(NamedTuple):
    """A row that was made: its kind and script, its text, and the number of the item that it copies, or -1."""

    kind: str
    script: str
    text: str
    item: int


class Plants(NamedTuple):
    """What is looked for, the set of each item (frames are a set of their own), and the rows to look in."""

    items: list[str]
    sets: list[int]
    rows: list[Planted]


@dataclass(frozen=True)
class Ground:
    """What is planted in one script: items to copy, with their numbers, and texts that nobody looks for."""

    script: str
    items: Sequence[tuple[int, str]]
    unseen: Sequence[str]
    long_enough: LongEnough
    most: int
    seed: int

    def chosen(self, kind: str) -> list[tuple[int, str]]:
        """The items that are long enough to be found as a copy of a kind, the first ones."""
        return list(islice((one for one in self.items if self._is_long_enough(one[1], kind)), self.most))

    def _is_long_enough(self, text: str, kind: str) -> bool:
        if kind != EXCERPT:
            return self.long_enough(text, kind)
        part = excerpt(text, self.seed)
        return part != text and self.long_enough(part, kind)


def plants(texts: Sequence[str], *, long_enough: LongEnough, most: int, seed: int) -> Plants:
    """Copies and lookalikes of items, at most about `most` of each kind and script, by a keyed draw on their texts.

    `long_enough(text, kind)` says whether an item is long enough to be found as such a copy at all.
    """
    order = sorted(dict.fromkeys(texts), key=lambda text: draw(seed, "plant", text))
    unseen = [text for text in order if draw(seed, "unseen", text) % UNSEEN_SHARE == 0]
    items = [text for text in order if draw(seed, "unseen", text) % UNSEEN_SHARE]
    made = Plants(items, [0] * len(items), [])
    for script in SCRIPTS:
        here = [(at, text) for at, text in enumerate(items) if _script(text) == script]
        others = [text for text in unseen if _script(text) == script]
        if here and others:
            ground = Ground(script, here, others, long_enough, most, seed)
            made.rows.extend([*_copies(ground), *_lookalikes(ground)])
            _add_frames(made, ground)
    return made


def _script(text: str) -> str:
    return SCRIPTS[is_unspaced(text)]


def _copies(ground: Ground) -> Iterator[Planted]:
    unseen, seed = ground.unseen, ground.seed

    def changed(kind: str, text: str, number: int) -> str:
        if kind == EMBEDDED:
            return embedded(text, unseen[number % len(unseen)], unseen[(number + 1) % len(unseen)])
        if kind == REWORDED:
            return reworded(text, unseen, seed)
        if kind == EXCERPT:
            return excerpt(text, seed)
        return respelled(text, seed) if kind == RESPELLED else halved(text) if kind == HALVED else text

    for kind in COPIES:
        for number, (at, text) in enumerate(ground.chosen(kind)):
            yield Planted(kind, ground.script, changed(kind, text, number), at)


def _lookalikes(ground: Ground) -> Iterator[Planted]:
    for text in ground.unseen[: ground.most]:
        yield Planted(ANOTHER, ground.script, text, -1)
    between = "" if ground.script == SCRIPTS[True] else " "
    for _, text in ground.chosen(REWORDED):
        words = [text[start:end] for start, end in units(text)]
        words.sort(key=lambda word: draw(ground.seed, "shuffle", text, word))
        yield Planted(SHUFFLED, ground.script, between.join(words), -1)


def respelled(text: str, seed: int) -> str:
    """The text in capitals, without most punctuation, half of the time in full width.

    >>> respelled("So, is it?", 0).split() == respelled("so is it", 0).split()
    True
    """
    loud = text.upper().translate(_DROPPED)
    return loud.translate(_WIDE) if draw(seed, "wide", text.casefold().translate(_DROPPED)[:8]) % 2 else loud


def embedded(text: str, before: str, after: str) -> str:
    """The text as a paragraph between two others."""
    return f"{before}\n{text}\n{after}"


def halved(text: str) -> str:
    """The first half of the words."""
    spans = units(text)
    return text[: spans[(len(spans) + 1) // 2 - 1][1]] if spans else text


def excerpt(text: str, seed: int) -> str:
    """Twelve words from the middle of the text, or twenty characters of an unspaced one; all of a shorter text.

    >>> excerpt("so is it", 0)
    'so is it'
    """
    spans, long = units(text), _EXCERPT_UNITS[_script(text)]
    if len(spans) <= long:
        return text
    first = draw(seed, "excerpt", text) % (len(spans) - long + 1)
    return text[spans[first][0] : spans[first + long - 1][1]]


def reworded(text: str, others: Sequence[str], seed: int) -> str:
    """Every tenth word on average, and at least one, replaced by one of other texts; without spaces, two characters."""
    spans = units(text)
    long = 2 if is_unspaced(text) else 1
    marked = {at for at in range(0, len(spans), long) if draw(seed, "change", text, at) % 10 == 0}
    marked = marked or {draw(seed, "change", text) % max(1, len(spans)) // long * long}
    pieces, done = [], 0
    for at, (start, end) in enumerate(spans):
        if at - at % long in marked:
            pieces += [text[done:start], _word(others, seed, text, at)]
            done = end
    return "".join([*pieces, text[done:]])


def _word(others: Sequence[str], seed: int, *about: str | int) -> str:
    """One unit of one of the texts, by chance."""
    other = others[draw(seed, "text", *about) % len(others)]
    spans = units(other) or [(0, len(other))]
    start, end = spans[draw(seed, "word", *about) % len(spans)]
    return other[start:end]


def _add_frames(made: Plants, ground: Ground) -> None:
    """Families of items that have a frame in common, and rows in that frame that are none of them."""
    least, longest = _FRAME_UNITS[ground.script]
    frames = [text for text in ground.unseen if least <= len(units(text)) <= longest][: max(1, ground.most // FAMILY)]
    # What stands whole in an item is no lookalike, so slots are parts of texts.
    texts = [text for text in (*ground.unseen, *(text for _, text in ground.items)) if _slot(text) != text]
    slots = list(dict.fromkeys(map(_slot, texts)))
    for number, frame in enumerate(frames if len(slots) >= 2 * FAMILY else ()):
        made.rows.append(Planted(BARE, ground.script, frame, -1))
        for at in range(2 * FAMILY):
            text = f"{frame}\n{slots[(number * FAMILY + at) % len(slots)]}"
            if at < FAMILY:
                made.items.append(text)
                made.sets.append(1)
            else:
                made.rows.append(Planted(FRAMED, ground.script, text, -1))


def _slot(text: str) -> str:
    spans = units(text)[:_SLOT_UNITS]
    return text[: spans[-1][1]] if spans else text

"""The lines of a brat .ann file over their text: spans and relations, each where its surface says it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

REASON = "Reason"
"""The type of the notes that go out; those that annotators write are of the type AnnotatorNotes."""
SHOWN_PROBLEMS = 5
BOUND_CHARS = 8192
"""The longest label and places of a span that are taken apart."""
_TEXT_BOUND = re.compile(r"(?P<label>.+?) (?P<places>\d{1,12} \d{1,12}(?:;\d{1,12} \d{1,12})*) *")
_LINE = re.compile(r"(?P<id>[A-Za-z#]+\d\S*|\*)\t(?P<said>[^\t]*)(?:\t(?P<rest>.*))?", re.DOTALL)
_SAFE_LABEL = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = re.compile("_u([0-9a-f]{2,6})_")

# -- labels


def safe_label(label: str) -> str:
    """The label as brat can hold it: all but ASCII letters, digits, `-` and `_` as `_u` + code point in hex + `_`.

    >>> safe_label("PER"), safe_label("part of"), safe_label("人")
    ('PER', 'part_u20_of', '_u4eba_')
    """
    if _SAFE_LABEL.fullmatch(label) and not _ESCAPED.search(label):
        return label
    return re.sub("[^A-Za-z0-9-]", lambda found: f"_u{ord(found[0]):02x}_", label)


def label_of(written: str) -> str:
    """The label that `safe_label` wrote; any other stays as it is."""
    told = _ESCAPED.sub(lambda found: chr(min(int(found[1], 16), 0x10FFFF)), written)
    if any("\ud800" <= char <= "\udfff" for char in told):
        return written
    return told if safe_label(told) == written else written


# -- lines


@dataclass
class Bound:
    """A text-bound annotation: label, places as written, surface (None where the line has none)."""

    line: int
    label: str
    places: list[tuple[int, int]]
    surface: str | None


@dataclass
class Standoff:
    """The lines of an .ann file over their text; `marked` says that a byte-order mark stood before the text."""

    text: str
    marked: bool
    bound: dict[str, Bound] = field(default_factory=dict)
    triggers: dict[str, str] = field(default_factory=dict)
    related: list[tuple[int, str, str, str]] = field(default_factory=list)
    more: dict[str, list[Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, lines: str) -> None:
        """Take in all lines."""
        kinds: dict[str, Callable[[int, str, str, str | None], bool]] = {
            "T": self._text_bound, "R": self._relation, "E": self._event, "*": self._equivalence, "A": self._attribute,
            "M": self._attribute, "N": self._normalization, "#": self._comment,
        }  # fmt: skip
        for number, line in enumerate(lines.split("\n"), 1):
            found = _LINE.fullmatch(line.removesuffix("\r"))
            taking = kinds.get(found["id"][0]) if found else None
            if found and taking and taking(number, found["id"], found["said"], found["rest"]):
                continue
            if line.strip():
                self.problems.append(f"line {number} cannot be read: {line!r:.80}")

    def _text_bound(self, number: int, name: str, said: str, rest: str | None) -> bool:
        found = _TEXT_BOUND.fullmatch(said) if len(said) <= BOUND_CHARS else None
        if found is None or name in self.bound:
            return False
        places = [tuple(map(int, place.split(" "))) for place in found["places"].split(";")]
        self.bound[name] = Bound(number, label_of(found["label"]), [(a, b) for a, b in places], rest)
        return True

    def _relation(self, number: int, name: str, said: str, rest: str | None) -> bool:
        parts = said.split()
        ends = [part.partition(":")[2] for part in parts[1:]]
        if len(ends) != 2 or not all(ends):
            return False
        self.related.append((number, label_of(parts[0]), *sorted_ends(parts[1:])))
        return True

    def _event(self, number: int, name: str, said: str, rest: str | None) -> bool:
        kind, *arguments = said.split() or [""]
        label, _, trigger = kind.partition(":")
        if not trigger:
            return False
        self.triggers[name] = trigger
        told = [{"role": one.partition(":")[0], "of": one.partition(":")[2]} for one in arguments]
        self._keep("events", {"id": name, "label": label_of(label), "of": trigger, "arguments": told})
        return True

    def _equivalence(self, number: int, name: str, said: str, rest: str | None) -> bool:
        kind, *members = said.split() or [""]
        return bool(members) and self._keep("equivalences", {"label": kind, "of": members})

    def _attribute(self, number: int, name: str, said: str, rest: str | None) -> bool:
        parts = said.split(" ", 2)
        if len(parts) < 2:
            return False
        value = parts[2] if len(parts) > 2 else True
        return self._keep("attributes", {"label": parts[0], "of": parts[1], "value": value})

    def _normalization(self, number: int, name: str, said: str, rest: str | None) -> bool:
        parts = said.split()
        if len(parts) != 3:
            return False
        return self._keep("normalizations", {"of": parts[1], "refers_to": parts[2], "text": rest or ""})

    def _comment(self, number: int, name: str, said: str, rest: str | None) -> bool:
        parts = said.split()
        if len(parts) != 2:
            return False
        return parts[0] == REASON or self._keep("comments", {"label": parts[0], "of": parts[1], "text": rest or ""})

    def _keep(self, name: str, told: dict[str, Any]) -> bool:
        self.more.setdefault(name, []).append(told)
        return True

    def annotation(self) -> dict[str, Any]:
        """Spans and relations, all else that the lines tell, and what is left out of the spans as a problem."""
        places = self._settled()
        spans: list[dict[str, Any]] = []
        order: dict[str, int] = {}
        for name, one in sorted(places.items(), key=lambda item: (item[1], self.bound[item[0]].line)):
            order[name] = len(spans)
            spans.append({"start": one[0], "end": one[1], "label": self.bound[name].label})
        relations = []
        for number, label, head, tail in self.related:
            ends = [order.get(self.triggers.get(end, end)) for end in (head, tail)]
            if None in ends:
                self.problems.append(
                    f"line {number}: a relation of {head} and {tail}, which are no spans that are kept"
                )
            else:
                relations.append({"head": ends[0], "tail": ends[1], "label": label})
        told = {"spans": spans, "relations": relations} | self.more
        if self.more:
            kept = ", ".join(f"{len(several)} {name}" for name, several in sorted(self.more.items()))
            self.notes.append(f"kept beside the spans, but no part of the answer: {kept}")
        return told | ({"problem": in_short(self.problems)} if self.problems else {})

    def _settled(self) -> dict[str, tuple[int, int]]:
        """Where each text-bound annotation stands, in the first way of counting in which most of them fit."""
        best: dict[str, list[tuple[int, int]]] = {}
        way = ""
        for said, count in COUNTS.items():
            found = self._fitting(list(accumulate(count(self.text, self.marked), initial=self.marked * (said == MARK))))
            if not best or len(found) > len(best):
                best, way = found, said
            if len(best) == len(self.bound):
                break
        if way != PLAIN and best:
            self.notes.append(f"offsets count {way}: only so do the surfaces stand where they are said to")
        self._tell_misfits(best)
        whole = {name: self._joined(name, places) for name, places in best.items()}
        return {name: place for name, place in whole.items() if place is not None}

    def _fitting(self, offsets: list[int]) -> dict[str, list[tuple[int, int]]]:
        at = {offset: place for place, offset in reversed(list(enumerate(offsets)))}
        found = {}
        for name, one in self.bound.items():
            places = [(at.get(start, -1), at.get(end, -1)) for start, end in one.places]
            if all(0 <= start < end for start, end in places) and self._says(places, one.surface):
                found[name] = places
        return found

    def _says(self, places: list[tuple[int, int]], surface: str | None) -> bool:
        seen = " ".join(self.text[start:end] for start, end in places)
        return surface is None or _evened(surface) in (_evened(seen), _evened(seen.replace("\r\n", "\n")))

    def _tell_misfits(self, best: dict[str, Any]) -> None:
        for name, one in self.bound.items():
            if name in best:
                continue
            said = "; ".join(f"[{start}, {end})" for start, end in one.places)
            start, end = one.places[0]
            seen = self.text[start : min(end, start + 60)]
            told = "an empty stretch" if start >= end else f"there stands {seen!r:.60}"
            self.problems.append(f"line {one.line}: {one.label} at {said} is said to be {one.surface!r:.60}, {told}")
        if untold := sum(one.surface is None for one in self.bound.values()):
            self.notes.append(f"{untold} spans without their surface: their offsets could not be checked")

    def _joined(self, name: str, places: list[tuple[int, int]]) -> tuple[int, int] | None:
        """The whole of a span in fragments that only white space parts; None, and a problem, for any other."""
        places = sorted(places)
        for (_, before), (after, _) in pairwise(places):
            if before > after or self.text[before:after].strip():
                one = self.bound[name]
                self.problems.append(f"line {one.line}: {one.label} is in {len(places)} pieces ({one.surface!r:.60})")
                return None
        return places[0][0], places[-1][1]


def sorted_ends(arguments: list[str]) -> tuple[str, str]:
    """What a relation goes from and to: Arg1 and Arg2 in whatever order they stand; other roles in their order."""
    pairs = [(one.partition(":")[0], one.partition(":")[2]) for one in arguments]
    first, second = sorted(pairs, key=lambda pair: pair[0] == "Arg2") if pairs[0][0] == "Arg2" else pairs
    return first[1], second[1]


def in_short(problems: list[str]) -> str:
    """The first problems, and how many more there are."""
    more = len(problems) - SHOWN_PROBLEMS
    return "; ".join(problems[:SHOWN_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")


def _evened(surface: str) -> str:
    return re.sub(r"\s", " ", surface)


# -- ways of counting: the width of every character of a text


def _by_crlf(text: str, one: Callable[[str], int]) -> list[int]:
    widths = [one(char) for char in text]
    at = text.find("\r\n")
    while at >= 0:
        widths[at] = 0
        at = text.find("\r\n", at + 2)
    return widths


def _utf16(char: str) -> int:
    return 1 + (char > "\uffff")


PLAIN, MARK = "code points", "code points, the byte-order mark too"
COUNTS: dict[str, Callable[[str, bool], Iterable[int]]] = {
    PLAIN: lambda text, marked: [1] * len(text),
    MARK: lambda text, marked: [1] * len(text),
    "UTF-16 units": lambda text, marked: map(_utf16, text),
    "CRLF as one": lambda text, marked: _by_crlf(text, lambda char: 1),
    "UTF-16 units and CRLF as one": lambda text, marked: _by_crlf(text, _utf16),
    "LF as two": lambda text, marked: (1 + (char == "\n") for char in text),
    "UTF-16 units and LF as two": lambda text, marked: (_utf16(char) + (char == "\n") for char in text),
    "bytes of UTF-8": lambda text, marked: (len(char.encode("utf-8", "replace")) for char in text),
}

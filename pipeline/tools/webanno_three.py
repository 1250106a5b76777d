"""WebAnno TSV 3: sentences, tokens and the annotations of layers, as INCEpTION writes and reads them.

After the description of the format in INCEpTION's user guide (3.3) and its own reader and writer (Tsv3XDeserializer,
Tsv3XSerializer, Escaping); checked against the reference files of its test suite.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from pipeline.errors import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOTHING, NO_VALUE = "_", "*"
GAP_UNITS = 1 << 20
"""The most white space between two sentences: the reader fills it, whatever offset a file tells."""
_FORMAT = re.compile(r"#FORMAT=WebAnno TSV (\d{1,3})(?:\.(\d{1,3}))?\s*")
_PLACE = re.compile(r"(\d{1,10})-(\d{1,10})")
_STACKED = re.compile(r"(?:\\.|[^|])+", re.DOTALL)
_VALUE = re.compile(r"((?:\\.|[^\\])*?)(?:\[(\d{1,9})\])?", re.DOTALL)
_REFERENCE = re.compile(r"([\d.-]+)(?:\[(\d{1,9})_(\d{1,9})\])?")
_OLD_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-7]{1,3}|.)", re.DOTALL)
_CONTROL = {"t": "\t", "n": "\n", "f": "\f", "r": "\r", "b": "\b", "\\": "\\"}
_RAW_CONTROLS = frozenset(map(chr, (*range(8), *range(14, 32))))
_NAMED = {char: "\\" + name for name, char in _CONTROL.items()} | {char: "\\" + char for char in _RAW_CONTROLS}


def escape_text(text: str) -> str:
    """A line of a sentence as it stands after `#Text=`."""
    return "".join(_NAMED.get(char, char) for char in text)


def unescape_text(text: str, *, old: bool = False) -> str:
    """The text of a `#Text=` line; up to version 3.1 (`old`) with the escapes of Java's source text."""
    if old:
        told = _OLD_ESCAPE.sub(lambda found: _java(found[1]), text)
        return told.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return re.sub(r"\\(.)", lambda found: _CONTROL.get(found[1]) or _raw(found), text, flags=re.DOTALL)


def _raw(found: re.Match[str]) -> str:
    return found[1] if found[1] in _RAW_CONTROLS else found[0]


def _java(code: str) -> str:
    if code[0] == "u" and len(code) == 5:
        return chr(int(code[1:], 16))
    return chr(int(code, 8)) if code[0] in "01234567" else _CONTROL.get(code, code)


def escape_value(value: str) -> str:
    """A value of a feature.

    >>> print(escape_value("a_b[1]->c"))
    a\\_b\\[1\\]\\->c
    """
    escaped = re.sub(r"->|[\\\[\]|_;*]", lambda found: "\\" + found[0], value)
    return escaped.replace("\t", "\\t").replace("\n", "\\n")


def unescape_value(value: str) -> str:
    """The value that `escape_value` wrote."""
    return re.sub(r"\\(->|.)", lambda found: {"t": "\t", "n": "\n"}.get(found[1], found[1]), value, flags=re.DOTALL)


def stacked(cell: str) -> Iterator[tuple[str | None, int]]:
    """The values of a cell, None for an annotation without one, and their disambiguation ids, 0 for none."""
    for one in [] if cell == NOTHING else _STACKED.findall(cell) or [cell]:
        found = _VALUE.fullmatch(one)
        value, number = (found[1], found[2]) if found else (one, None)
        yield None if value == NO_VALUE else unescape_value(value), int(number or 0)


# -- files


@dataclass(frozen=True)
class Layer:
    """A layer of the header: SP (spans), RL (relations) or CH (chains), and the columns that hold its features."""

    kind: str
    name: str
    first: int
    columns: tuple[str, ...]

    @property
    def short(self) -> str:
        """The name without its package."""
        return self.name.rpartition(".")[2]

    @property
    def base(self) -> str:
        """What the ends of a relation are."""
        last = self.columns[-1]
        return last.removeprefix("BT_") if self.kind == "RL" and last.startswith("BT_") else ""

    @property
    def features(self) -> list[str]:
        """The features that hold a value; "" is the only one of a layer that has none."""
        targets = {at + 1 for at, name in enumerate(self.columns) if name.startswith("ROLE_")}
        return [
            name for at, name in enumerate(self.columns) if at not in targets and not name.startswith(("ROLE_", "BT_"))
        ]

    def column(self, feature: str) -> int:
        """Where a feature stands in the lines."""
        return self.first + self.columns.index(feature)


@dataclass(frozen=True)
class Unit:
    """A token, or a part of one: its line, id and offsets as written, its surface, and its cells."""

    line: int
    id: str
    begin: int
    end: int
    surface: str
    cells: list[str]


@dataclass
class Sentence:
    """The lines of text of a sentence, and its units."""

    id: str = ""
    lines: list[str] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of the sentence."""
        return "\n".join(self.lines)


@dataclass
class Document:
    """A file as read: offsets are still as written."""

    layers: list[Layer]
    sentences: list[Sentence] = field(default_factory=list)

    @property
    def units(self) -> Iterator[Unit]:
        """All tokens and parts of tokens."""
        return (unit for sentence in self.sentences for unit in sentence.units)


def parsed(text: str) -> Document:
    """The document in a file.

    Raises:
        Unfit: `unreadable_record`, the file is of another version, or a line of it is none of the format.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    minor = _version(lines[0])
    layers: list[Layer] = []
    at = 1
    while at < len(lines) and lines[at].startswith("#T_"):
        layers.append(_layer(at + 1, lines[at], layers))
        at += 1
    document = Document(layers)
    width = 3 + (layers[-1].first - 3 + len(layers[-1].columns) if layers else 0)
    in_header = False
    for number, line in enumerate(lines[at:], at + 1):
        if line.startswith("#"):
            if not in_header:
                document.sentences.append(Sentence())
            _header(document.sentences[-1], line, old=minor <= 1)
        elif line and not document.sentences:
            raise Unfit("unreadable_record", f"line {number}: a token before the first #Text=")
        elif line:
            document.sentences[-1].units.append(_unit(number, line, width))
        in_header = line.startswith("#")
    return document


def _version(line: str) -> int:
    found = _FORMAT.fullmatch(line.removeprefix("\ufeff"))
    if found and found[1] == "3":
        return int(found[2] or 0)
    said = f"WebAnno TSV {found[1]}" if found else "WebAnno TSV 1" if re.match(r"#id=\d", line) else ""
    if said:
        way_out = "import it into INCEpTION and export it as WebAnno TSV 3.3"
        raise Unfit("unreadable_record", f"line 1: {said} is not read: {way_out}")
    raise Unfit("unreadable_record", f"line 1: not '#FORMAT=WebAnno TSV 3...' but {line!r:.60}")


def _layer(number: int, line: str, before: list[Layer]) -> Layer:
    found = re.fullmatch(r"#T_(SP|RL|CH)=(.+)", line)
    if found is None:
        raise Unfit("unreadable_record", f"line {number}: no layer of spans, relations or chains: {line!r:.60}")
    name, *columns = found[2].split("|")
    named = tuple(column for column in columns if column) or ("",)
    return Layer(found[1], name, before[-1].first + len(before[-1].columns) if before else 3, named)


def _header(sentence: Sentence, line: str, *, old: bool) -> None:
    name, _, said = line.partition("=")
    if name == "#Text":
        sentence.lines.append(unescape_text(said, old=old))
    elif name == "#Sentence.id":
        sentence.id = unescape_text(said, old=old)


def _unit(number: int, line: str, width: int) -> Unit:
    cells = line.split("\t")
    place = _PLACE.fullmatch(cells[1]) if len(cells) > 2 else None
    if len(cells) < width or place is None:
        raise Unfit("unreadable_record", f"line {number}: {len(cells)} columns, not {width} with offsets: {line!r:.60}")
    return Unit(number, cells[0], int(place[1]), int(place[2]), cells[2], cells)


# -- text and offsets


@dataclass(frozen=True)
class Laid:
    """The text that the sentences make, where each begins, and where an offset of the file stands in it."""

    text: str
    starts: list[int]
    at: Callable[[int], int]

    def place(self, unit: Unit) -> tuple[int, int] | None:
        """Half-open, in code points; None where the text there is not the unit's surface."""
        start, end = self.at(unit.begin), self.at(unit.end)
        if not 0 <= start <= end:
            return None
        return (start, end) if unit.surface in (self.text[start:end], escape_text(self.text[start:end])) else None


def laid(document: Document) -> tuple[Laid, tuple[str, ...]]:
    """The text in the way of counting that fits most tokens: UTF-16 units, as the format has it, else code points.

    Raises:
        Unfit: `unreadable_record`, the sentences do not follow one another.
    """
    if all(sentence.text.isascii() or max(sentence.text) <= "\uffff" for sentence in document.sentences):
        return _laid(document, utf16=False), ()
    first, fitting, refusal = _tried(document, utf16=True)
    other, other_fitting, _ = _tried(document, utf16=False)
    if other is not None and other_fitting > fitting:
        return other, ("offsets count code points, not the UTF-16 units of the format",)
    if first is None:
        raise refusal or Unfit("unreadable_record", "no text")
    return first, ()


def _tried(document: Document, *, utf16: bool) -> tuple[Laid | None, int, Unfit | None]:
    """The text in one way of counting, and on how many tokens it fits; or why there is none."""
    try:
        one = _laid(document, utf16=utf16)
    except Unfit as unfit:
        return None, -1, unfit
    return one, sum(one.place(unit) is not None for unit in document.units), None


def _laid(document: Document, *, utf16: bool) -> Laid:
    def width(char: str) -> int:
        return 1 + (utf16 and char > "\uffff")

    pieces: list[str] = []
    starts: list[int] = []
    units = points = 0
    for sentence in document.sentences:
        begin = sentence.units[0].begin if sentence.units else units
        if pieces and units == begin + 1:
            pieces.pop()
            units, points = units - 1, points - 1
        if not 0 <= begin - units <= GAP_UNITS:
            where = f"line {sentence.units[0].line}" if sentence.units else "the end"
            raise Unfit("unreadable_record", f"{where}: a sentence at {begin} after text up to {units}")
        pieces.append(" " * (begin - units))
        starts.append(points + begin - units)
        pieces += [sentence.text, "\n"]
        units = begin + sum(map(width, sentence.text)) + 1
        points = starts[-1] + len(sentence.text) + 1
    text = "".join(pieces[:-1])
    if not utf16:
        return Laid(text, starts, lambda offset: offset if offset <= len(text) else -1)
    offsets = list(accumulate(map(width, text), initial=0))

    def at(offset: int) -> int:
        found = bisect_left(offsets, offset)
        return found if found < len(offsets) and offsets[found] == offset else -1

    return Laid(text, starts, at)


# -- annotations


@dataclass
class Marked:
    """A span as the file has it: its label, its units, and its disambiguation id."""

    label: str | None
    units: list[Unit]
    number: int


def marked(document: Document, layer: Layer, feature: str) -> list[Marked]:
    """The spans of a layer in the order of their first units; lines with one id are one span."""
    column = layer.column(feature)
    spans: list[Marked] = []
    by_number: dict[int, Marked] = {}
    for unit in document.units:
        for value, number in stacked(unit.cells[column]):
            if number and number in by_number:
                by_number[number].units.append(unit)
                continue
            spans.append(Marked(value if feature else layer.short, [unit], number))
            if number:
                by_number[number] = spans[-1]
    return spans


def related(document: Document, layer: Layer, feature: str, spans: list[Marked]) -> Iterator[tuple[int, int, int, str]]:
    """Line, head and tail (places in `spans`, -1 where there is none) and label ("" for none) of the relations.

    The line is that of the tail; its last cell names the unit in which the head begins.
    """
    numbered = {one.number: at for at, one in enumerate(spans) if one.number}
    beginning = {one.units[0].id: at for at, one in reversed(list(enumerate(spans)))}
    for unit in document.units:
        cell = unit.cells[layer.first + len(layer.columns) - 1]
        if cell == NOTHING:
            continue
        labels = [value for value, _ in stacked(unit.cells[layer.column(feature)])] if feature else []
        for at, one in enumerate(cell.split("|")):
            found = _REFERENCE.fullmatch(one)
            source, head, tail = found.groups() if found else ("", None, None)
            label = (labels[at] if at < len(labels) else None) if feature else layer.short
            first = numbered.get(int(head or 0), beginning.get(source, -1))
            last = numbered.get(int(tail or 0), beginning.get(unit.id, -1))
            yield unit.line, first, last, label or ""

"""WebAnno TSV 2: read as if it were version 3, its tokens looked up in the text of their sentence.

After INCEpTION's reader of the older format (WebannoTsv2Reader), which makes the text of the tokens; here the text is
that of the `#text=` lines, in which the tokens must stand one after another.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from pipeline.errors import Unfit
from pipeline.tools.webanno_three import NOTHING, Document, Layer, Sentence, Unit, escape_value

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r"\d{1,9}-\d{1,9}\t")


def is_two(line: str) -> bool:
    """Whether the first line of a file is the header of this version."""
    return re.match(r"\s?#\s*[\w.$]+\s*(\||$|#)", line) is not None and "=" not in line.partition("|")[0]


def parsed(text: str) -> Document:
    """The document in a file, its offsets in UTF-16 units.

    Raises:
        Unfit: `unreadable_record`, a line is none of the format, or a token does not stand in its sentence.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    layers = list(_layers(lines[0]))
    document = Document(layers)
    rows: list[tuple[int, list[str]]] = []
    begin = 0
    for number, line in enumerate([*lines[1:], "#id="], 2):
        if line.startswith(("#id=", "#text=")) and rows:
            begin += _finished(document, rows, begin) + 1
            rows = []
        if line.startswith("#text="):
            document.sentences.append(Sentence(lines=[line.removeprefix("#text=")]))
        elif _TOKEN.match(line):
            rows.append((number, line.split("\t")))
        elif line and not line.startswith("#") and document.sentences and not rows:
            document.sentences[-1].lines.append(line)
    _number(document)
    return document


def _layers(line: str) -> Iterator[Layer]:
    first = 3
    for told in line.strip().lstrip("#").split("#"):
        name, *features = (part.strip() for part in told.split("|"))
        related = any(feature.startswith("AttachTo=") for feature in features)
        columns = tuple(feature.replace("AttachTo=", "BT_") for feature in features) or ("",)
        yield Layer("RL" if related else "SP", name, first, columns)
        first += len(columns)


def _finished(document: Document, rows: list[tuple[int, list[str]]], begin: int) -> int:
    """Gives the last sentence its tokens; how long the sentence is."""
    last = document.layers[-1]
    width = last.first - 1 + len(last.columns)
    if not document.sentences or document.sentences[-1].units:
        raise Unfit("unreadable_record", f"line {rows[0][0]}: a token without a sentence (#text=)")
    sentence = document.sentences[-1]
    at = 0
    for number, cells in rows:
        found = sentence.text.find(cells[1], at)
        if found < 0 or len(cells) < width:
            why = (
                f"{len(cells)} columns, not {width}" if found >= 0 else f"{cells[1]!r:.40} does not follow in the text"
            )
            raise Unfit("unreadable_record", f"line {number}: {why}")
        at = found + len(cells[1])
        start = begin + _units(sentence.text[:found])
        sentence.units.append(Unit(number, cells[0], start, start + _units(cells[1]), cells[1], ["", "", *cells[1:]]))
    if (lead := sentence.text[: len(sentence.text) - len(sentence.text.lstrip())]) and sentence.units:
        sentence.lines = sentence.text[len(lead) :].split("\n")
    return _units(lead + sentence.text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _number(document: Document) -> None:
    """Writes the cells as version 3 has them: B- and I- become numbers, O nothing."""
    numbers = count(1)
    for layer in document.layers:
        for column in range(layer.first, layer.first + len(layer.columns)):
            reference = layer.kind == "RL" and column == layer.first + len(layer.columns) - 1
            before: list[tuple[str, int]] = []
            for unit in document.units:
                if reference:
                    continue
                before = [_value(one, before, at, numbers) for at, one in enumerate(_stack(unit.cells[column]))]
                unit.cells[column] = "|".join(f"{value}[{number}]" for value, number in before) or NOTHING


def _stack(cell: str) -> list[str]:
    return [] if cell in ("O", NOTHING, "") else cell.split("|")


def _value(one: str, before: list[tuple[str, int]], at: int, numbers: Iterator[int]) -> tuple[str, int]:
    """A value and its number: that of the token before where it goes on, at the same place of the stack if it can."""
    value = escape_value(one[2:] if one.startswith(("B-", "I-")) else one)
    if one.startswith("I-"):
        same = [number for place, (other, number) in enumerate(before) if other == value and place >= at]
        same = same or [number for other, number in before if other == value]
        if same:
            return value, same[0]
    return value, next(numbers)

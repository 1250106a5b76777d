"""Answers marked in a text, as people read and write them: [surface|LABEL], and LABEL(1 head → 2 tail)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.text import nfc

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARK = re.compile(r"([\\\[\]|])")
_PIECE = re.compile(r"\\(.)|\[((?:[^\\\[\]|]|\\.)+)\|((?:[^\\\[\]|]|\\.)+)\]|([^\\\[\]])", re.DOTALL)
_UNREAD = re.compile(r"(?:[\s();→]|->)+")
"""What would end a surface within a relation: it is told by its number, and shown without these."""
_RELATION = re.compile(r"([^();]+)\(\s*(.+?)\s*(?:→|->)\s*(.+?)\s*\)\s*(?:;|$)")


def are_apart(spans: Any) -> bool:
    """Whether spans can be marked in the text: sorted and apart."""
    return isinstance(spans, list) and all(one[1] <= other[0] for one, other in pairwise(spans))


def marked(text: str, spans: Sequence[Sequence[Any]]) -> str:
    """The text with its spans marked; brackets, bars and backslashes of the text itself follow a backslash.

    >>> marked("Anna | Rome", [[0, 4, "PER"], [7, 11, "LOC"]])
    '[Anna|PER] \\\\| [Rome|LOC]'
    """
    out, at = [], 0
    for start, end, label in spans:
        out += [_escaped(text[at:start]), f"[{_escaped(text[start:end])}|{_escaped(label)}]"]
        at = end
    return "".join(out) + _escaped(text[at:])


def unmarked(words: str, text: str) -> list[list[Any]]:
    """The spans that are marked in `words`, which without the marks must be the text, spaces around it aside.

    Raises:
        Unfit: the marks are broken, or the words are not those of the text.
    """
    flat = text.replace("\r\n", "\n")
    plain, spans = _cut(words.replace("\r\n", "\n"))
    if plain.strip() != flat.strip():
        plain, spans = _cut(nfc(words.replace("\r\n", "\n")))
    if plain.strip() != flat.strip():
        raise Unfit("span_surface", f"without its marks it reads {plain!r:.60}, the text is {text!r:.60}")
    shift = (len(flat) - len(flat.lstrip())) - (len(plain) - len(plain.lstrip()))
    return [[_back(text, start + shift), _back(text, end + shift), label] for start, end, label in spans]


def _back(text: str, offset: int) -> int:
    """An offset in the text with \\n for \\r\\n, as an offset in the text itself."""
    if "\r\n" not in text:
        return offset
    at, passed = 0, 0
    while passed < offset:
        at += 2 if text.startswith("\r\n", at) else 1
        passed += 1
    return at


def _cut(words: str) -> tuple[str, list[tuple[int, int, str]]]:
    plain: list[str] = []
    length, at = 0, 0
    spans: list[tuple[int, int, str]] = []
    while at < len(words):
        piece = _PIECE.match(words, at)
        if piece is None:
            raise Unfit("broken_tags", f"a bracket without its other half, or without |LABEL: {words[at : at + 40]!r}")
        escaped, surface, label, single = piece.groups()
        said = _plain(surface) if surface is not None else escaped if escaped is not None else single
        if surface is not None:
            spans.append((length, length + len(said), _plain(label)))
        plain.append(said)
        length += len(said)
        at = piece.end()
    return "".join(plain), spans


def related(entities: Sequence[str], relations: Sequence[Sequence[Any]]) -> str:
    """Relations with the numbers and the surfaces of the entities that they join.

    >>> related(["Anna", "Rome"], [[0, 1, "lives in"]])
    'lives in(1 Anna → 2 Rome)'
    """
    named = [f"{at + 1} {_UNREAD.sub(' ', surface)}".strip() for at, surface in enumerate(entities)]
    return "; ".join(f"{label}({named[head]} → {named[tail]})" for head, tail, label in relations)


def unrelated(words: str, entities: Sequence[str]) -> list[list[Any]]:
    """The relations that are written so; none where nothing is; raises Unfit where an entity is not to be told."""
    found = _RELATION.findall(words)
    return [[_place(entities, head), _place(entities, tail), label.strip()] for label, head, tail in found]


def _place(entities: Sequence[str], words: str) -> int:
    """Which entity is meant: by its number, or by its surface where only one reads so."""
    number = re.match(r"(\d+)(?:\s|$)", words)
    if number and 0 < int(number[1]) <= len(entities):
        return int(number[1]) - 1
    same = [at for at, one in enumerate(entities) if one == words]
    if len(same) != 1:
        raise Unfit("unknown_entity", f"{words!r:.40} is {'no' if not same else 'more than one'} entity of the row")
    return same[0]


def _escaped(text: str) -> str:
    return _MARK.sub(r"\\\1", text)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)

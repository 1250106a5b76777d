"""Quoting: lines about other rows that hold words of erased ones, in rules, reasons and answers, are made without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.decisions import line_id
from pipeline.erasing import leaves
from pipeline.erasing.files import Piece
from pipeline.rules import LISTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.erasing.search import Search

    Entry = dict[str, Any]

WHY = "the row was erased"


def holds(value: Any, search: Search) -> bool:
    """Whether a mark of an erased row stands in the strings of a JSON value."""
    found = list(leaves.of_json(value))
    if not search.take(Piece("", pa.array([text for _, text in found], pa.string()))):
        return False
    by_key: dict[str, list[str]] = {}
    for key, text in found:
        by_key.setdefault(key, []).append(text)
    return any(search.take(Piece(key, pa.array(texts, pa.string()))) for key, texts in by_key.items())


def without(lines: Sequence[str], search: Search, marker: Callable[[Entry], Entry]) -> tuple[list[str], int]:
    """The lines of decisions without what they quote of erased rows, and how many of them are other ones now.

    A reason is said in general words; a rule loses the words that it quotes. What says nothing without them becomes
    what `marker` makes of it. Later lines name the ones that they undo or settle as these are called now.
    """
    named: dict[str, str] = {}
    made, count = [], 0
    for line in lines:
        entry = _entry(line)
        if entry is None or entry.get("erased") is True:
            made.append(line)
            continue
        new = _renamed(entry, named)
        if holds(new, search):
            new = _cleaned(new, search, marker)
            count += 1
        if new != entry:
            named[line_id(entry)] = line_id(new)
        made.append(line if new == entry else json.dumps(new, ensure_ascii=False))
    return made, count


def _entry(line: str) -> Entry | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _renamed(entry: Entry, named: dict[str, str]) -> Entry:
    """The entry with the lines that it names as they are called now."""
    new = dict(entry)
    if isinstance(entry.get("undo"), str):
        new["undo"] = named.get(entry["undo"], entry["undo"])
    if isinstance(entry.get("settles"), list):
        new["settles"] = [named.get(str(one), one) for one in entry["settles"]]
    return new


def _cleaned(entry: Entry, search: Search, marker: Callable[[Entry], Entry]) -> Entry:
    new = entry | ({"why": WHY} if holds(entry.get("why"), search) else {})
    if isinstance(rule := entry.get("rule"), dict):
        lists = {name: rule[name] for name in LISTS if isinstance(rule.get(name), list)}
        left = {name: [one for one in said if not holds(one, search)] for name, said in lists.items()}
        new["rule"] = rule | left
        if any(said and not left[name] for name, said in lists.items()):
            return marker(new)
    return marker(new) if holds(new, search) else new

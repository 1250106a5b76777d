"""Echoes: what reads and is marked as a suspect does, where no list shows it; asked about once one was found wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.chance import draw
from pipeline.errors import Unfit
from pipeline.reviewing.counting import SurfaceIndex, touched
from pipeline.reviewing.tables import ECHO, QUEUE, SUSPECT, named
from pipeline.rules import Finder, Rule, folded
from pipeline.tasks.parts import NOTHING, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.reviewing.counting import Rows
    from pipeline.tasks import Task

    Alike = tuple[str, str]
    """What is given, and what the stretch reads, case aside."""

MARKED, MISSED = 0.9, 0.7
"""How probably an echo is wrong once one like it was found wrong as proposed: of spans that are marked, and of words
that are not. Measured on wikigold and CoNLL04 with planted errors: .99 and .84; on others see docs/review.md."""
WEIGHT = 2.0
"""What is believed of the echoes of one kind weighs as much as decisions on so many of them."""
MOST_ALIKE = 200
"""Of more echoes of one kind so many are drawn: a rule settles the others."""
SEED, LEAST_ROOM, MOST_ROOM = 1, 1000, 20_000
"""There are no more echoes than other lines, but room for the second number, and never for more than the third."""
FOUND = pa.schema(
    [
        ("seed", pa.int64()),
        ("id", pa.string()),
        ("part", pa.string()),
        ("surface", pa.string()),
        ("text", pa.string()),
        ("language", pa.string()),
    ]
)


@dataclass(frozen=True)
class Seed:
    """What echoes are like: what they should be, how probably it is wrong, and a row that has one."""

    likely: str
    score: float
    row: str


def seeds(lines: pa.Table, decided: Iterable[Any]) -> dict[Alike, Seed]:
    """What could have echoes: what is suspected of spans, and what people found wrong, which counts more."""
    found: dict[Alike, Seed] = {}
    columns = (lines[name].to_pylist() for name in ("kind", "given", "likely", "surface", "score", "id"))
    for kind, given, likely, surface, score, row in zip(*columns, strict=True):
        alike, seed = (given, folded(surface)), Seed(likely, score, row)
        is_one = kind == SUSPECT and surface.strip() and likely not in ("", given)
        if is_one and (alike not in found or _rank(seed) < _rank(found[alike])):
            found[alike] = seed
    for one in decided:
        if is_wrong := _found_wrong(one):
            found[is_wrong] = Seed(one.answer, 1.0, one.row)
    return found


def _rank(seed: Seed) -> tuple[float, str, str]:
    return -seed.score, seed.row, seed.likely


def _found_wrong(one: Any) -> Alike | None:
    """What a decision on a stretch found wrong, by what was given and what it reads."""
    if one.verdict != "wrong" or not isinstance(one.was, str) or not isinstance(one.answer, str):
        return None
    surface = read_at(one)
    return (one.was, folded(surface)) if surface.strip() and one.was != one.answer else None


def read_at(one: Any) -> str:
    """What the stretch reads that a decision is about; empty where it is about no stretch."""
    with suppress(Unfit):
        start, end = place(one.part)
        return (one.text or "")[start:end]
    return ""


def echoes(lines: pa.Table, rows: Rows, decided: Iterable[Any]) -> pa.Table:
    """The echoes of the lines (`QUEUE`) and of decisions, as lines themselves; rows are streamed twice.

    Where there are more than there is room for, those of the most suspicious lines.
    """
    if rows.task.head != "token":
        return lines.slice(0, 0)
    known = sorted(seeds(lines, decided).items(), key=lambda one: (*_rank(one[1]), one[0]))[:MOST_ROOM]
    rules = [Rule(given, seed.likely, surfaces=(surface,)) for (given, surface), seed in known]
    counts = touched(rules, [-1] * len(rules), rows)
    shares = _shares(
        counts, _listed(lines, [alike for alike, _ in known]), min(max(lines.num_rows, LEAST_ROOM), MOST_ROOM)
    )
    found = rows.each(partial(_found, index=_index(rules, shares), shares=shares, task=rows.task)) if shares else ()
    parts = sorted((each for batch in found for each in batch.to_pylist()), key=lambda each: each["seed"])
    made = [_line(each, *known[each["seed"]]) for each in _apart(parts, lines)]
    return pa.Table.from_pylist(made, schema=QUEUE)


def _apart(parts: Iterable[dict[str, Any]], lines: pa.Table) -> Iterator[dict[str, Any]]:
    """Those parts that overlap no line of their row, and none before them."""
    taken: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, part in zip(lines["id"].to_pylist(), lines["part"].to_pylist(), strict=True):
        with suppress(Unfit):
            taken[row].append(place(part))
    for each in parts:
        start, end = place(each["part"])
        if all(end <= left or right <= start for left, right in taken[each["id"]]):
            taken[each["id"]].append((start, end))
            yield each


def _listed(lines: pa.Table, known: Sequence[Alike]) -> list[int]:
    """How many lines there are of each kind already."""
    alike = zip(lines["given"].to_pylist(), map(folded, lines["surface"].to_pylist()), strict=True)
    count = Counter(alike)
    return [count[one] for one in known]


def _shares(counts: Sequence[int], listed: Sequence[int], room: int) -> dict[int, float]:
    """By number of the kind, which share of its parts is taken: none of those that only lists show, or without room."""
    found: dict[int, float] = {}
    for number, (count, known) in enumerate(zip(counts, listed, strict=True)):
        wanted = min(count - known, MOST_ALIKE)
        if 0 < wanted <= room:
            room -= wanted
            found[number] = min(MOST_ALIKE / count, 1.0)
    return found


def _index(rules: Sequence[Rule], shares: Mapping[int, float]) -> SurfaceIndex:
    index = SurfaceIndex()
    for number in shares:
        index.add(number, rules[number])
    return index


def _found(batch: pa.RecordBatch, *, index: SurfaceIndex, shares: Mapping[int, float], task: Task) -> pa.RecordBatch:
    """The parts of a batch of rows that are of one of the kinds (columns `FOUND`)."""
    finder, found = Finder(index.unmarked), []
    for row in batch.to_pylist():
        text = task.shown(row)
        for number, start, end in index.places(row, task, finder):
            part = f"{start}:{end}"
            if shares[number] == 1.0 or draw(SEED, "echo", row["id"], part) < shares[number] * 2**64:
                read = {"surface": text[start:end], "text": text, "language": row["language"]}
                found.append({"seed": number, "id": row["id"], "part": part, **read})
    return pa.RecordBatch.from_pylist(found, schema=FOUND)


def _line(each: Mapping[str, Any], alike: Alike, seed: Seed) -> dict[str, Any]:
    given, is_missed = alike[0], alike[0] == NOTHING
    how = "is not marked" if is_missed else f"is marked {given}"
    return {
        **{name: each[name] for name in ("id", "part", "surface", "text", "language")},
        "line": named("q", each["id"], each["part"], ECHO),
        "kind": ECHO,
        "verdict": "wrong",
        "score": MISSED if is_missed else MARKED,
        "given": given,
        "likely": seed.likely,
        "why": [f"reads as what was found wrong, and {how} as it was: {seed.row}"],
        "source": each["id"].partition("/")[0],
        "group": "",
    }


__all__ = ["MARKED", "MISSED", "WEIGHT", "Seed", "echoes", "read_at", "seeds"]

"""Small tagged tables for the tests of the span instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.tagscheme import tags_from_spans
from pipeline.tasks.spans import laid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WORD = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("tag", pa.string())])
SCHEMA = pa.schema(
    [
        ("id", pa.string()), ("group", pa.string()), ("text", pa.string()), ("language", pa.string()),
        ("words", pa.list_(WORD)),
    ]
)  # fmt: skip
Marks = list[tuple[int, int, str]]


def row(name: str, tokens: Sequence[str], marks: Marks, *, group: str | None = None) -> dict[str, object]:
    """A row whose tokens are tagged by half-open token spans."""
    text, edges = laid(tokens)
    tags = tags_from_spans(marks, len(tokens), "iob2")
    words = [{"start": start, "end": end, "tag": tag} for (start, end), tag in zip(edges, tags, strict=True)]
    return {"id": name, "group": group or name, "text": text, "language": "en", "words": words}


def tables(rows: Iterable[dict[str, object]]) -> pa.Table:
    """The table of such rows."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


def told(number: int, text: str, *marks: tuple[int, int, str], group: str | None = None) -> dict[str, object]:
    """A row of words parted by spaces."""
    return row(f"r{number:04d}", text.split(), list(marks), group=group)


PEOPLE = ("Anna", "Boris", "Clara", "David", "Erika", "Frank", "Greta", "Henry")
PLACES = ("Rome", "Berlin", "Paris", "Vienna", "Oslo", "Madrid", "Prague", "Lisbon")


def visits(count: int) -> list[dict[str, object]]:
    """Who went where, all marked right: person at 0, place at 3."""
    return [
        told(at, f"{PEOPLE[at % 8]} went to {PLACES[at // 8 % 8]} on day {at}", (0, 1, "PER"), (3, 4, "LOC"))
        for at in range(count)
    ]

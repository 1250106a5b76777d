"""Suspects made up, by the hundred thousand, among many more rows: what it takes to read and to group them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import reviewing, stage, store
from pipeline.chance import draw
from pipeline.contract import contract
from pipeline.suspecting import SUSPECTS
from tests.bench.measure import peak, timed
from tests.builds import SPINE, a_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.recipe import Recipe

LABELS = [f"label {at:02}" for at in range(40)]
WORDS = 20_000
LETTERS = str.maketrans("0123456789", "abcdefghij")


def word(*about: int | str) -> str:
    """A made-up word, the common ones by far the oftenest."""
    lot = draw(3, *about) / 2**64
    return f"w{int(WORDS * lot**4):05}".translate(LETTERS)


def row(at: int, kind: str) -> dict[str, Any]:
    """A row of twenty words; of spans, two of them are marked."""
    words = [word(at, place) for place in range(20)]
    text = " ".join(words)
    spine = {**SPINE, "id": f"set/{at}", "group": str(at), "text": text}
    if kind == "labels":
        return spine | {"text_pair": None, "labels": [LABELS[draw(4, at) % len(LABELS)]]}
    places = [(6 * place, 6 * place + 6, LABELS[draw(4, at, place) % 4]) for place in (3, 9)]
    spans = [{"start": start, "end": end, "label": label, "text": text[start:end]} for start, end, label in places]
    return spine | {"spans": spans, "tokens": None}


def suspect(at: int, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """What is suspicious of a row: a label, a span, or words that are not marked."""
    score = round((draw(5, at) / 2**64) ** 2, 6)
    told = {"id": given["id"], "verdict": "wrong" if score > 0.5 else "ambiguous", "score": score}
    told |= {"why": ["model gives it 2 %"], "signals": []}
    if kind == "labels":
        return told | {"part": "", "given": given["labels"][0], "likely": LABELS[draw(6, at) % len(LABELS)]}
    place = (3, 9, 5)[draw(7, at) % 3]
    label = {one["start"]: one["label"] for one in given["spans"]}.get(6 * place, "O")
    return told | {"part": f"{6 * place}:{6 * place + 6}", "given": label, "likely": LABELS[draw(6, at) % 4]}


def built(folder: Path, kind: str, rows: int, suspects: int) -> Recipe:
    """A build with so many rows, of which the first so many are suspects."""
    made = a_recipe(folder, task="tagging" if kind == "spans" else "classification")
    schema = contract(made.settings.task).schema
    for name, table, columns, batches in (
        ("audit", "rows", schema, _batches(kind, rows)),
        ("suspect", "suspects", SUSPECTS, _batches(kind, suspects, as_suspects=True)),
    ):
        with store.replacing(made.build / name) as place:
            written = store.Table(place, table, columns, 50_000)
            for batch in batches:
                written.write(stage.batch_of(batch, columns))
            store.write_report(place, {"stage": name, "key": "none", "tables": {table: written.close()}, "details": {}})
    return made


def _batches(kind: str, count: int, *, as_suspects: bool = False) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, count, 1000):
        rows = [row(at, kind) for at in range(start, min(start + 1000, count))]
        numbered = enumerate(rows, start)
        yield [suspect(at, kind, one) for at, one in numbered] if as_suspects else rows


def crowded(rows: int, suspects: int, kind: str) -> str:
    """Lines, groups, seconds, and memory before and at the peak, parted by tabs."""
    with tempfile.TemporaryDirectory() as folder:
        made = built(Path(folder), kind, rows, suspects)
        before = peak()
        queue, seconds = timed(lambda: reviewing.queue(made))
        _, again = timed(lambda: reviewing.queue(made))
        opened, opening = timed(lambda: reviewing.open_lines(queue, _Nobody()))
    assert isinstance(opened.lines, pa.Table)
    told = (f"{queue.lines.num_rows:,}", queue.groups.num_rows, f"{seconds:.1f}", f"{again:.2f}", f"{opening:.2f}")
    return "\t".join(map(str, (*told, before, peak())))


class _Nobody:
    """No decisions."""

    standing = rules = ()

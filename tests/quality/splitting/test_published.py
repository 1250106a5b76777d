"""What official sides have in common as they were delivered, against every pair of rows compared."""

from __future__ import annotations

from itertools import product
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.splitting.published import LEVELS, overlaps

KINDS = ("exact", "normalised", "similar", "contained")


def counted(splits: list[str | None], pairs: list[tuple[int, int, str]]) -> dict[str, dict[str, int]]:
    # Rows that some chain of exact pairs joins have one text.
    texts = list(range(len(splits)))
    for _, (one, other, _) in product(splits, [pair for pair in pairs if pair[2] == "exact"]):
        texts[one] = texts[other] = min(texts[one], texts[other])
    rows = pa.table({"id": [f"r{at}" for at in range(len(splits))], "split": pa.array(splits, pa.string())})
    rows = rows.append_column("key", pa.array([str(text).encode() for text in texts], pa.binary()))
    left, right, kind = (list(column) for column in zip(*pairs, strict=True)) if pairs else ([], [], [])
    table: dict[str, Any] = {"left": [f"r{at}" for at in left], "right": [f"r{at}" for at in right], "kind": kind}
    return overlaps(rows, pa.table({name: pa.array(column, pa.string()) for name, column in table.items()}))


def test_a_row_counts_once_by_the_strongest_likeness() -> None:
    splits = ["train", "test", "test", "test", "validation", "train", None]
    pairs = [(0, 1, "exact"), (0, 2, "normalised"), (3, 0, "similar"), (4, 1, "contained"), (0, 5, "exact")]
    assert counted(splits, pairs) == {
        "test in train": {"exact": 1, "normalised": 1, "near": 1},
        "test in test": {"normalised": 1, "near": 1},
        "test in validation": {"contained": 2},
        "train in test": {"exact": 2},
        "train in train": {"exact": 1},
        "train in validation": {"contained": 2},
        "validation in test": {"contained": 1},
        "validation in train": {"contained": 1},
    }
    assert counted(splits, []) == {}
    assert counted(["train", None], [(0, 1, "exact")]) == {}


def tried(splits: list[str], pairs: list[tuple[int, int, str]]) -> dict[str, dict[str, int]]:
    """The same, row by row: closures of equal texts first, and one step between them for the others."""
    rows = range(len(splits))
    found: dict[str, dict[str, int]] = {}
    same = {level: {(row, row) for row in rows} for level in KINDS[:2]}
    for at, level in enumerate(KINDS[:2]):
        linked = {
            (a, b) for one, other, kind in pairs if KINDS.index(kind) <= at for a, b in ((one, other), (other, one))
        }
        same[level] |= linked
        for middle, one, other in product(rows, repeat=3):
            if (one, middle) in same[level] and (middle, other) in same[level]:
                same[level].add((one, other))
    for row, by in product(rows, ("train", "validation", "test")):
        others = [other for other in rows if splits[other] == by and (splits[row] != by or other < row)]
        for level, kind in zip(LEVELS, KINDS, strict=True):
            near = {(a, b) for one, other, of in pairs if of == kind for a, b in ((one, other), (other, one))}
            twins = same["normalised"]
            if kind in same:
                hit = any((row, other) in same[kind] for other in others)
            else:
                hit = any((row, a) in twins and (b, other) in twins for a, b in near for other in others)
            if hit:
                told = found.setdefault(f"{splits[row]} in {by}", {})
                told[level] = told.get(level, 0) + 1
                break
    return found


@given(
    st.lists(st.sampled_from(["train", "validation", "test"]), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(KINDS)), max_size=6),
)
def test_every_row_is_found_that_comparing_all_finds(splits: list[str], drawn: list[tuple[int, int, str]]) -> None:
    pairs = [(one % len(splits), other % len(splits), kind) for one, other, kind in drawn]
    pairs = [pair for pair in pairs if pair[0] != pair[1]]
    assert counted(list(splits), pairs) == tried(splits, pairs)

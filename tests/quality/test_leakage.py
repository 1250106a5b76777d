"""Every held-out row that another side gives away is named with its evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.quality.duplicates import NearPairs
from pipeline.quality.leakage import leaks


def near_of(*pairs: tuple[int, int, float]) -> NearPairs:
    columns = np.array([pair[:2] for pair in pairs], dtype=np.int64).reshape(-1, 2)
    return NearPairs(columns[:, 0], columns[:, 1], np.array([pair[2] for pair in pairs]), ("misspelt",) * len(pairs))


def test_evidence_is_the_strongest_there_is() -> None:
    texts = ["A cat", "a cat", "A cat", "a cot", "dog"]
    keys = ["acat", "acat", "acat", "acot", "dog"]
    found = leaks([0, 1, 2, 2, 0], texts, keys, near_of((0, 3, 0.7)))
    told = list(zip(found.row.tolist(), found.twin.tolist(), found.kind, found.similarity.tolist(), strict=True))
    assert told == [
        (1, 0, "normalised", 1.0),
        (2, 0, "exact", 1.0),
        (2, 1, "normalised", 1.0),
        (3, 0, "misspelt", 0.7),
        (3, 1, "misspelt", 0.7),
    ]


def test_a_near_pair_speaks_for_the_copies_of_its_texts() -> None:
    # Rows 0 and 2 are equal, and only row 0 stands in the pair: row 2 leaks all the same.
    found = leaks([0, 0, 2], ["x", "y", "x"], ["x", "y", "x"], near_of((0, 1, 0.9)))
    assert found.row.tolist() == [2]
    turned = leaks([2, 0, 2], ["x", "y", "x"], ["x", "y", "x"], near_of((0, 1, 0.9)))
    assert (turned.row.tolist(), turned.twin.tolist()) == ([0, 2], [1, 1])


def test_twins_on_one_side_and_rows_not_dealt_leak_nothing() -> None:
    assert len(leaks([0, 0, -1], ["x"] * 3, ["x"] * 3, near_of((0, 1, 0.9)))) == 0
    assert len(leaks([], [], [])) == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1, 2]), st.sampled_from(["x", "X", "y"])), max_size=15))
def test_a_row_leaks_if_and_only_if_a_lower_side_has_its_key(rows: list[tuple[int, str]]) -> None:
    sides, texts = [side for side, _ in rows], [text for _, text in rows]
    found = leaks(sides, texts, [text.lower() for text in texts])
    expected = {
        (at, lower)
        for at, (side, text) in enumerate(rows)
        for lower, other in rows
        if 0 <= lower < side and other.lower() == text.lower()
    }
    assert {(row, sides[twin]) for row, twin in zip(found.row.tolist(), found.twin.tolist(), strict=True)} == expected
    assert len(found) == len(expected)


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(AssayError, match="2 sides, 1 texts"):
        leaks([0, 1], ["x"], ["x"])

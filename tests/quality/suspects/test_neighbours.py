"""The nearest rows are the nearest rows, of other groups, each text once, and cells lose few of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.quality.suspects import neighbours
from pipeline.quality.suspects.neighbours import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray


def spread(rows: int, dimensions: int = 8) -> NDArray[np.float32]:
    chance = np.random.default_rng(0)
    found = (
        chance.standard_normal((rows, dimensions)) + 3 * chance.standard_normal((40, dimensions))[np.arange(rows) % 40]
    )
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def test_the_nearest_are_found_without_the_own_group() -> None:
    vectors = spread(200)
    group = np.arange(200) // 2
    found = nearest(vectors, np.array([0, 77]), apart=group, alike=np.arange(200), count=5)
    for at, row in enumerate((0, 77)):
        likeness = vectors[row] @ vectors.T
        likeness[group == group[row]] = -2
        assert found.row[at].tolist() == np.argsort(-likeness, kind="stable")[:5].tolist()
        assert found.likeness[at] == pytest.approx(np.sort(likeness)[::-1][:5], abs=1e-4)


def test_copies_count_once_and_what_is_missing_is_missing() -> None:
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype=np.float32)
    found = nearest(vectors, np.array([3, 0]), apart=np.arange(4), alike=np.array([0, 0, 1, 2]), count=3)
    assert found.row.tolist() == [[0, 2, -1], [1, 2, 3]]
    assert found.likeness.tolist() == [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    alone = nearest(vectors[:1], np.array([0]), apart=np.zeros(1, dtype=np.int64), alike=np.zeros(1, dtype=np.int64))
    assert alone.row.max(initial=-1) == -1


def test_cells_find_most_of_what_is_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, every = spread(3000), np.arange(3000)
    exact = nearest(vectors, every, apart=every, alike=every, count=5)
    monkeypatch.setattr(neighbours, "_COMPARED_WITH_ALL", 100)
    monkeypatch.setattr(neighbours, "_CELL_ROWS", 100)
    rough = nearest(vectors, every, apart=every, alike=every, count=5)
    shared = np.mean([len(set(one) & set(other)) / 5 for one, other in zip(exact.row, rough.row, strict=True)])
    assert shared > 0.9

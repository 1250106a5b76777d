"""The nearest rows are what comparing all would find, of other groups, each text once, and cells lose few of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.suspects import cells, neighbours
from pipeline.quality.suspects.neighbours import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats32 = NDArray[np.float32]
    Ints = NDArray[np.int64]


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
    monkeypatch.setattr(cells, "_COMPARED_WITH_ALL", 100)
    monkeypatch.setattr(cells, "_CELL_ROWS", 100)
    rough = nearest(vectors, every, apart=every, alike=every, count=5)
    shared = np.mean([len(set(one) & set(other)) / 5 for one, other in zip(exact.row, rough.row, strict=True)])
    assert shared > 0.9


SMALL = (
    (cells, {"_WIDE_CELL_ROWS": 20, "_CELL_ROWS": 20, "_CELLS_ASKED": 3, "ROWS_AT_ONCE": 7}),
    (neighbours, {"ROWS_AT_ONCE": 7, "_MEMBERS_AT_ONCE": 16}),
)
"""Cells and blocks of a few rows, so that few rows fill many of them."""


def plainly(
    vectors: Floats32, queries: Ints, *, apart: Ints, alike: Ints, count: int, allowed: NDArray[np.bool_]
) -> tuple[list[list[int]], list[list[float]]]:
    """What `nearest` should find, one row after another."""
    rows, likenesses = [], []
    for at, query in enumerate(queries.tolist()):
        likeness = np.round(vectors[query] @ vectors.T, 5)
        others = [row for row in range(len(vectors)) if apart[row] != apart[query] and allowed[at, row]]
        best = sorted(others, key=lambda row: (-likeness[row], row))[: 2 * count + 8]
        once = [row for place, row in enumerate(best) if alike[row] not in {int(alike[one]) for one in best[:place]}]
        none = min(count, len(vectors)) - len(once[:count])
        rows.append(once[:count] + [-1] * none)
        likenesses.append([float(likeness[row]) for row in once[:count]] + [0.0] * none)
    return rows, likenesses


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 150),
    kinds=st.integers(1, 4),
    groups=st.integers(1, 150),
    count=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
    whole=st.booleans(),
)
def test_pruning_loses_nothing(*, rows: int, kinds: int, groups: int, count: int, seed: int, whole: bool) -> None:
    # Products of such vectors are exact, so that no sum depends on the shape of a block; many rows are equal.
    chance = np.random.default_rng(seed)
    vectors = (chance.integers(-kinds, kinds + 1, (rows, 3)) / 16).astype(np.float32)
    queries = np.sort(chance.choice(rows, chance.integers(1, rows + 1), replace=False))
    apart, alike = chance.integers(0, groups, rows), chance.integers(0, rows, rows)
    with pytest.MonkeyPatch.context() as patch:
        for module, constants in SMALL:
            for name, value in constants.items():
                patch.setattr(module, name, value)
        patch.setattr(cells, "_COMPARED_WITH_ALL", 1_000 if whole else 10)
        parted = cells.Cells.of(vectors, queries, 0)
        found = nearest(vectors, queries, apart=apart, alike=alike, count=count)
    own = np.repeat(np.arange(len(parted.starts) - 1), np.diff(parted.starts))[np.argsort(parted.members)]
    allowed = (parted.asked[:, None, :] == own[None, :, None]).any(axis=2)
    assert not whole or allowed.all()
    plain = plainly(vectors, queries, apart=apart, alike=alike, count=count, allowed=allowed)
    assert (found.row.tolist(), found.likeness.tolist()) == plain


def test_a_cell_of_copies_is_not_gathered_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered: list[int] = []
    hits = neighbours._Search._hits

    def counted(search: neighbours._Search, meeting: tuple[Ints, Ints], *, fresh: bool) -> NDArray[np.uint64]:
        found = hits(search, meeting, fresh=fresh)
        gathered.append(len(found))
        return found

    monkeypatch.setattr(neighbours._Search, "_hits", counted)
    vectors = np.tile(np.array([[1, 0]], dtype=np.float32), (400, 1))
    found = nearest(vectors, np.arange(400), apart=np.arange(400), alike=np.arange(400), count=3)
    assert found.row[:4].tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
    assert 0 < sum(gathered) <= 400 * (2 * 3 + 8)

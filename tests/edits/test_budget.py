"""The budget of made rows: rare classes first, never more than there is room for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.edits.budget import copies, quotas, rarest

classes_of = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), min_size=1, max_size=6)


def test_a_row_is_counted_under_its_rarest_class() -> None:
    found, names = rarest([["a", "b"], ["b"], [], ["a"], ["a"]])
    assert [names[code] for code in found] == ["b", "b", "(none)", "a", "a"]


def test_without_balance_every_class_gets_its_own_share() -> None:
    found = quotas(np.array([100, 10, 4]), np.array([100, 1, 4]), budget=0.2, balance=False)
    assert found.tolist() == [20, 1, 0]


def test_with_balance_the_rarest_rise_first() -> None:
    room = np.array([100, 100, 100])
    assert quotas(np.array([100, 50, 10]), room, budget=0.25, balance=True).tolist() == [0, 0, 40]
    assert quotas(np.array([100, 50, 10]), room, budget=0.5, balance=True).tolist() == [0, 20, 60]
    assert quotas(np.array([100, 50, 10]), np.array([100, 100, 5]), budget=0.5, balance=True).tolist() == [13, 62, 5]


@given(classes=classes_of, budget=st.floats(0, 2), balance=st.booleans())
def test_no_budget_is_overdrawn(classes: list[tuple[int, int]], budget: float, balance: bool) -> None:
    rows = np.array([size for size, _ in classes], dtype=np.int64)
    room = np.array([size * each for size, each in classes], dtype=np.int64)
    found = quotas(rows, room, budget=budget, balance=balance)
    assert (found >= 0).all()
    assert (found <= room).all()
    total = int(np.floor(rows.sum() * budget + 1e-9))
    assert found.sum() == min(total, room.sum()) if balance else found.sum() <= total


@given(data=st.data())
def test_all_that_is_granted_is_dealt_and_fairly(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 40))
    classes = np.array(data.draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows)), dtype=np.int64)
    capacity = np.array(data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)), dtype=np.int64)
    rank = np.array(data.draw(st.lists(st.integers(0, 2**64 - 1), min_size=rows, max_size=rows)), dtype=np.uint64)
    room = np.bincount(classes, weights=capacity, minlength=3).astype(np.int64)
    quota = np.minimum(room, data.draw(st.integers(0, 20)))
    found = copies(classes, capacity, rank, quota)
    assert (found <= capacity).all()
    assert np.bincount(classes, weights=found, minlength=3).tolist() == quota.tolist()
    for one in range(3):
        able = (classes == one) & (capacity >= 2)
        if (found[able] >= 2).any():
            assert (found[(classes == one) & (capacity >= 1)] >= 1).all()

"""Weighing: an act counts once, lines of a group less than lines of several."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.reviewed import weights


def test_lines_that_know_nothing_of_one_another_count_in_full() -> None:
    assert weights(np.array([4, 7, 1]), np.array([0, 1, 2])).tolist() == [1.0, 1.0, 1.0]
    assert len(weights(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))) == 0


def test_an_act_on_many_lines_counts_as_one_line() -> None:
    found = weights(np.array([0] * 40 + [1]), np.array([5] * 40 + [6]))
    assert found[:40].sum() == pytest.approx(1.0)
    assert found[40] == 1.0


def test_lines_of_one_group_that_were_judged_one_by_one_count_for_less() -> None:
    found = weights(np.zeros(10, dtype=np.int64), np.arange(10), likeness=0.5)
    assert found.sum() == pytest.approx(10 / 5.5)
    assert weights(np.zeros(10, dtype=np.int64), np.arange(10), likeness=0.0).sum() == pytest.approx(10)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=30))
def test_no_line_counts_for_more_than_one_and_order_is_nothing(drawn: list[tuple[int, int]]) -> None:
    acts = np.array([act for _, act in drawn])
    cluster = acts % 4  # an act stands in one cluster
    found = weights(cluster, acts)
    assert (found > 0).all()
    assert (found <= 1).all()
    assert weights(cluster[::-1], acts[::-1]).tolist() == found[::-1].tolist()

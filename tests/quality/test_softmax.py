"""Softmax regression: probabilities, calibration, and what features are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.softmax import Columns, out_of_fold, softmax, temperature


def test_columns_share_features_only_where_they_name_the_same_template() -> None:
    hashes = np.array([3, 3, 3], dtype=np.uint64)
    apart, same = Columns(), Columns()
    for _ in range(2):
        apart.add(hashes)
        same.add(hashes, template=1)
    assert apart.matrix().shape == (3, 2)
    assert same.matrix().shape == (3, 1)


def test_a_feature_of_one_thing_only_is_left_out() -> None:
    made = Columns()
    made.add(np.array([1, 2, 2], dtype=np.uint64))
    assert np.diff(made.matrix().indptr).tolist() == [0, 1, 1]


def test_it_learns_from_other_folds_and_only_from_what_is_labelled() -> None:
    kind = np.arange(200) % 2
    made = Columns()
    made.add(kind.astype(np.uint64))
    label = np.where(np.arange(200) < 150, kind, -1)
    fold = np.arange(200) // 2 % 5
    found = out_of_fold(made.matrix(), label, fold, classes=3, seed=0)
    assert (found.argmax(axis=1) == kind).all()
    assert found[:, 2].max() < 0.01


def test_a_fold_that_leaves_one_class_is_not_asked() -> None:
    made = Columns()
    made.add(np.zeros(4, dtype=np.uint64))
    found = out_of_fold(made.matrix(), np.array([0, 0, 0, 1]), np.array([0, 0, 0, 1]), classes=2, seed=0)
    assert np.isnan(found).all()


@given(st.lists(st.lists(st.floats(-50, 50), min_size=3, max_size=3), min_size=1, max_size=5))
def test_softmax_sums_to_one(scores: list[list[float]]) -> None:
    found = softmax(np.array(scores, dtype=np.float32))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert (found >= 0).all()


def test_temperature_makes_the_overconfident_modest_and_asks_nobody_where_there_is_nothing() -> None:
    label = np.arange(400) % 4 // 3  # three of four are 0
    sure = np.tile(np.array([20.0, 0.0], dtype=np.float32), (400, 1))
    assert 20 * temperature(sure, label) < 3
    assert temperature(sure, np.full(400, -1)) == 1.0

"""Confident learning says what cleanlab 2.9 says of the same probabilities (constants computed with it)."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.suspects.confident import calibrated_joint, confident_joint, error_rate, margins, suspicion

SAID = np.array(
    [
        [0.02, 0.95, 0.03],
        [0.23, 0.6, 0.17],
        [0.21, 0.67, 0.12],
        [0.83, 0.0, 0.17],
        [0.84, 0.16, 0.0],
        [0.72, 0.1, 0.18],
        [0.29, 0.46, 0.25],
        [0.08, 0.49, 0.43],
        [0.13, 0.28, 0.59],
        [0.42, 0.51, 0.07],
        [0.21, 0.47, 0.32],
        [0.99, 0.0, 0.01],
    ]
)
GIVEN = np.array([0, 1, 2] * 4)
# cleanlab.count.compute_confident_joint(calibrate=False), estimate_joint, filter.find_label_issues(confident_learning),
# rank.get_label_quality_scores(normalized_margin).
JOINT = [[1, 3, 0], [1, 3, 0], [2, 1, 1]]
FLAGGED = [True, False, True, False, True, True, True, False, False, True, False, True]
NORMALISED = [0.035, 0.685, 0.225, 0.83, 0.16, 0.23, 0.415, 0.53, 0.655, 0.455, 0.575, 0.01]


def test_the_joint_the_rate_and_the_flags_are_those_of_cleanlab() -> None:
    joint, counts = confident_joint(SAID, GIVEN), np.bincount(GIVEN)
    assert joint.tolist() == JOINT
    assert calibrated_joint(joint, counts) == pytest.approx(np.array(JOINT) / 12)
    assert error_rate(joint, counts) == pytest.approx(0.5833333333333334)
    assert suspicion(SAID, GIVEN).flagged.tolist() == FLAGGED


def test_margins_are_those_of_cleanlab() -> None:
    assert (margins(SAID, GIVEN) + 1) / 2 == pytest.approx(NORMALISED)


def test_a_label_of_which_the_model_is_never_sure_stands_on_the_diagonal() -> None:
    said = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [np.nan, np.nan]])
    joint = confident_joint(said, np.array([0, 0, 0, 1]))
    assert joint.tolist() == [[2, 0], [0, 0]]
    assert calibrated_joint(joint, np.array([3, 1])).tolist() == [[0.75, 0.0], [0.0, 0.25]]
    assert np.isnan(error_rate(joint * 0, np.zeros(2, dtype=np.int64)))

"""The quick model finds planted label errors, never judges its own group, and knows no order."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import AssayError
from pipeline.quality.suspects import out_of_fold, suspicion

TOPICS = {
    "card": ["my card was lost", "block this card", "a new card please"],
    "loan": ["the loan rate", "pay off a loan"],
}


def planted(rows: int) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int64]], list[str]]:
    chance = np.random.default_rng(0)
    labels = np.arange(rows) % 2
    names = list(TOPICS)
    texts = [f"{chance.choice(TOPICS[names[label]])} {chance.integers(10**6)}" for label in labels]
    return texts, labels, [f"g{row}" for row in range(rows)]


def test_planted_errors_come_first() -> None:
    texts, labels, groups = planted(300)
    wrong = np.arange(7, 300, 29)
    labels[wrong] = 1 - labels[wrong]
    found = suspicion(out_of_fold(texts, labels, groups), labels)
    assert set(np.argsort(found.rank)[: len(wrong)].tolist()) == set(wrong.tolist())
    assert set(np.flatnonzero(found.flagged).tolist()) == set(wrong.tolist())
    assert (found.likely[wrong] == 1 - labels[wrong]).all()


def test_the_order_of_rows_changes_nothing() -> None:
    texts, labels, groups = planted(120)
    order = np.random.default_rng(1).permutation(120)
    straight = out_of_fold(texts, labels, groups, seed=3)
    turned = out_of_fold([texts[at] for at in order], labels[order], [groups[at] for at in order], seed=3)
    assert np.array_equal(straight[order], turned)
    assert not np.array_equal(straight, out_of_fold(texts, labels, groups, seed=4))


def test_no_row_is_judged_by_its_own_group() -> None:
    # A text that only one group has, labelled against all others, must be judged by the others alone.
    texts, labels, groups = planted(100)
    twins = ["my card was lost"] * 30
    probabilities = out_of_fold(
        texts + twins, np.concatenate([labels, np.ones(30, dtype=np.int64)]), groups + ["same"] * 30
    )
    assert (probabilities[100:, 0] > 0.5).all()


def test_rows_that_no_model_can_judge_are_nan_and_never_flagged() -> None:
    probabilities = out_of_fold(["a", "b", "c"], np.array([0, 1, 0]), ["one"] * 3)
    assert np.isnan(probabilities).all()
    found = suspicion(probabilities, np.array([0, 1, 0]))
    assert np.isnan(found.score).all()
    assert not found.flagged.any()
    assert found.likely.tolist() == [-1, -1, -1]


def test_suspicion_of_given_probabilities() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.3, 0.7, 0.0], [0.95, 0.05, 0.0], [np.nan] * 3])
    found = suspicion(probabilities, np.array([0, 0, 1, 1, 0]))
    assert found.score[:4].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.95])
    assert found.rank.tolist() == [3, 2, 1, 0, 4]
    assert found.flagged.tolist() == [False, False, False, True, False]


def test_probabilities_sum_to_one_and_know_unused_labels() -> None:
    texts, labels, groups = planted(60)
    probabilities = out_of_fold(texts, labels, groups, classes=4)
    assert probabilities.shape == (60, 4)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(60))
    assert (probabilities[:, 2:] == 0).all()


def test_nothing_is_answered_with_nothing() -> None:
    probabilities = out_of_fold([], np.zeros(0, dtype=np.int64), [])
    assert probabilities.shape == (0, 0)
    assert len(suspicion(probabilities, np.zeros(0, dtype=np.int64)).score) == 0


def test_unusable_columns_are_refused() -> None:
    with pytest.raises(AssayError, match="1 labels"):
        out_of_fold(["a", "b"], np.array([0]), ["x", "y"])
    with pytest.raises(AssayError, match="0 to 5"):
        out_of_fold(["a", "b"], np.array([0, 5]), ["x", "y"], classes=2)
    with pytest.raises(AssayError, match="1 folds"):
        out_of_fold(["a"], np.array([0]), ["x"], folds=1)


@pytest.mark.realdata
def test_noise_in_real_intents_is_ranked_first() -> None:
    from sklearn.metrics import average_precision_score

    root = Path(__file__).resolve().parents[3]
    path = Path(os.environ.get("ASSAY_REAL_DATA", root.parent / "shared" / "data")) / "intents_banking77" / "train.csv"
    if not path.is_file():
        pytest.skip(f"no real data at {path}")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["category"] < "d"]
    names = sorted({row["category"] for row in rows})
    labels = np.array([names.index(row["category"]) for row in rows])
    chance = np.random.default_rng(1)
    wrong = chance.random(len(rows)) < 0.05
    labels[wrong] = (labels[wrong] + chance.integers(1, len(names), int(wrong.sum()))) % len(names)
    found = suspicion(out_of_fold([row["text"] for row in rows], labels, [str(at) for at in range(len(rows))]), labels)
    assert average_precision_score(wrong, found.score) > 0.93

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.finetune import scores
from pipeline.settings import Guideline
from pipeline.tasks import task
from tests.finetune.conftest import review

CLASSIFY = task("classification", Guideline())


def judged(right_share: float, *, n: int, seed: int, per_group: int = 1) -> scores.Judged:
    """Rows of two classes whose answers are right with this probability, all rows of a group alike."""
    draw = np.random.default_rng(seed)
    luck = draw.random(n // per_group) < right_share
    rows = [review(k) | {"group": f"g{k // per_group}"} for k in range(n)]
    gold = [row["labels"] for row in rows]
    flip = {"good": ["bad"], "bad": ["good"]}
    return scores.Judged(rows, gold, [g if luck[k // per_group] else flip[g[0]] for k, g in enumerate(gold)])


@pytest.mark.parametrize("per_group", [1, 5])
def test_intervals_cover_the_truth_about_as_often_as_they_say(per_group: int) -> None:
    """Accuracy .8, 100 data sets: a 95 % interval that covers in fewer than 85 of them is no such interval."""
    covered = 0
    for seed in range(100):
        sample = judged(0.8, n=200, seed=seed, per_group=per_group)
        right = np.array([g == f for g, f in zip(sample.gold, sample.found, strict=True)])
        groups = [row["group"] for row in sample.rows]
        drawn = [right[numbers].mean() for numbers in scores.resamples(groups, times=100, seed=1)]
        bounds = scores.interval(drawn)
        covered += bounds["low"] <= 0.8 <= bounds["high"]
    assert covered >= 85


def test_rows_of_a_group_are_drawn_together() -> None:
    groups = ["a", "b", "a", "c", "b", "a"]
    for numbers in scores.resamples(groups, times=20, seed=3):
        counts = np.bincount(numbers, minlength=6)
        assert counts[0] == counts[2] == counts[5]
        assert counts[1] == counts[4]
        assert counts[0] + counts[1] + counts[3] == 3


def test_a_table_holds_what_the_task_says_with_intervals_around_it() -> None:
    sample = judged(0.7, n=120, seed=2)
    told = scores.table(sample, CLASSIFY, times=50, seed=1)
    plain = CLASSIFY.score(sample.gold, sample.found, sample.rows)
    for name, value in plain.metrics.items():
        entry = told["metrics"][name]
        assert entry["value"] == pytest.approx(value, abs=1e-6)
        assert entry["low"] < entry["value"] < entry["high"]
    assert set(told["per_class"]) == {"good", "bad"}
    assert told["per_class"]["good"]["f1_interval"]["low"] < told["per_class"]["good"]["f1"]


def test_a_model_against_itself_gains_nothing_and_against_worse_much() -> None:
    good, bad = judged(0.95, n=100, seed=1), judged(0.5, n=100, seed=2)
    assert scores.against(good, good, CLASSIFY, times=30, seed=1)["difference"] == {"value": 0, "low": 0, "high": 0}
    assert scores.against(good, bad, CLASSIFY, times=30, seed=1)["difference"]["low"] > 0.2


def test_slices_hold_every_row_once_of_each_kind() -> None:
    sample = judged(0.7, n=60, seed=2)
    told = scores.slices(sample, CLASSIFY, times=10, seed=1)
    for kind in ("source", "language", "length"):
        assert sum(entry["n"] for entry in told[kind].values()) == 60
    assert told["source"]["made"]["low"] <= told["source"]["made"]["value"] <= told["source"]["made"]["high"]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
@settings(max_examples=50)
def test_calibration_bins_hold_every_row(said: list[tuple[float, bool]]) -> None:
    told = scores.calibration([p for p, _ in said], [right for _, right in said])
    assert sum(entry["n"] for entry in told["bins"]) == len(said)
    assert 0 <= told["ece"] <= 1


def test_calibration_of_the_sure_and_the_sure_but_wrong() -> None:
    assert scores.calibration([1.0] * 10, [True] * 10)["ece"] == 0
    assert scores.calibration([1.0] * 10, [False] * 10)["ece"] == 1
    assert scores.calibration([0.75] * 4, [True, True, True, False])["ece"] == 0


def test_token_loss_weighs_rows_by_their_tokens() -> None:
    sums, counts = np.array([[10.0, 1.0], [5.0, 1.0]]), np.array([9.0, 1.0])
    told: dict[str, Any] = scores.token_loss(sums, counts, ["a", "b"], times=50, seed=1)
    assert told["models"][0]["loss"]["value"] == pytest.approx(1.1)
    assert told["gain"]["value"] == pytest.approx(0.5)
    assert told["models"][1]["perplexity"]["value"] == pytest.approx(np.exp(0.6), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "name"), [("a b c", "1-10 words"), ("电" * 30, "21-40 words"), ("a " * 50, "over 40 words")]
)
def test_lengths(text: str, name: str) -> None:
    assert scores.length_name(text) == name

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
        bounds = scores.interval(drawn, groups=len(set(groups)))
        low, high = bounds["low"], bounds["high"]
        assert low is not None
        assert high is not None
        covered += low <= 0.8 <= high
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
    same = scores.against(good, good, CLASSIFY, times=30, seed=1)["difference"]
    assert same == {"value": 0, "low": None, "high": None, "note": scores.SAME}
    assert scores.against(good, bad, CLASSIFY, times=30, seed=1)["difference"]["low"] > 0.2


def test_slices_hold_every_row_once_of_each_kind() -> None:
    sample = judged(0.7, n=60, seed=2)
    told = scores.slices(sample, CLASSIFY, times=10, seed=1)
    for kind in ("source", "language", "length"):
        assert sum(entry["n"] for entry in told[kind].values()) == 60
    assert told["source"]["made"]["low"] <= told["source"]["made"]["value"] <= told["source"]["made"]["high"]


def test_rows_of_too_few_groups_have_no_interval() -> None:
    """One group gives the same sample every time: an interval of no width would say that nothing is unsure."""
    for groups in (1, 4):
        sample = judged(0.5, n=60, seed=2, per_group=60 // groups)
        told = scores.table(sample, CLASSIFY, times=30, seed=1)
        entries = [*told["metrics"].values(), *(one["f1_interval"] for one in told["per_class"].values())]
        assert {(one["low"], one["high"]) for one in entries} == {(None, None)}
        assert all(f"only {groups} group" in one["note"] for one in entries)
        other = judged(0.9, n=60, seed=3)
        assert scores.against(sample, other, CLASSIFY, times=30, seed=1)["difference"]["low"] is None
    five = scores.table(judged(0.5, n=60, seed=3, per_group=12), CLASSIFY, times=30, seed=1)
    assert five["metrics"]["accuracy"]["low"] is not None


def test_slices_need_groups_and_not_rows() -> None:
    sample = judged(0.5, n=60, seed=2, per_group=15)
    assert scores.slices(sample, CLASSIFY, times=10, seed=1)["source"]["made"] == {"n": 60, "groups": 4}


@pytest.mark.parametrize(("share", "bounds"), [(1.0, (0.886, 1.0)), (0.0, (0.0, 0.114))])
def test_all_right_and_all_wrong_are_not_sure(share: float, bounds: tuple[float, float]) -> None:
    """30 of 30 right: Wilson says from 0.886; the F1 has no such bound, so it has no interval at all."""
    told = scores.table(judged(share, n=30, seed=1), CLASSIFY, times=20, seed=1)
    accuracy, macro = told["metrics"]["accuracy"], told["metrics"]["macro_f1"]
    assert (accuracy["low"], accuracy["high"]) == pytest.approx(bounds, abs=1e-3)
    assert accuracy["note"] == scores.WILSON
    assert macro == {"value": share, "low": None, "high": None, "note": scores.SAME}
    rows_of_a_group = scores.table(judged(share, n=60, seed=1, per_group=2), CLASSIFY, times=20, seed=1)
    assert rows_of_a_group["metrics"]["accuracy"] == accuracy


def test_samples_without_a_class_say_nothing_of_its_f1() -> None:
    """The class stands in 5 of 60 rows, and is found in every other one: F1 0 in a sample without it is no F1."""
    rows = [review(n) | {"group": f"g{n}"} for n in range(60)]
    gold = [["rare"] if n < 5 else ["usual"] for n in range(60)]
    found = [["rare"] if n < 5 or n % 2 else ["usual"] for n in range(60)]
    whole = scores.Judged(rows, gold, found)
    drawn = [whole.take(n) for n in scores.resamples([row["group"] for row in rows], times=3000, seed=1)]
    said = [one.score(CLASSIFY).per_class["rare"]["f1"] for one in drawn]
    known = [f1 for f1, one in zip(said, drawn, strict=True) if ["rare"] in one.gold]
    assert scores.interval(known, groups=5) != scores.interval(said, groups=5)
    told = scores.table(whole, CLASSIFY, times=3000, seed=1)["per_class"]["rare"]
    assert told["f1_interval"] == scores.interval(known, groups=5)


def test_classes_in_too_few_groups_have_no_interval() -> None:
    rows = [review(n) | {"group": f"g{n}"} for n in range(60)]
    gold = [["rare"] if n < 6 else ["usual"] for n in range(60)]
    found = [*gold[:-1], ["rare"]]
    few = scores.table(scores.Judged(rows[3:], gold[3:], found[3:]), CLASSIFY, times=50, seed=1)["per_class"]
    assert few["rare"]["f1_interval"]["low"] is None
    assert "only 3 groups" in few["rare"]["f1_interval"]["note"]
    assert few["usual"]["f1_interval"]["low"] is not None
    none = scores.table(scores.Judged(rows[6:], gold[6:], found[6:]), CLASSIFY, times=50, seed=1)["per_class"]["rare"]
    assert (none["gold"], none["found"]) == (0, 1)
    assert "only 0 groups" in none["f1_interval"]["note"]


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

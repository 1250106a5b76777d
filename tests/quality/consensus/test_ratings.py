"""Numeric ratings: bias, scale and scatter are found again, and nothing is nan that need not be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.quality.consensus import ratings
from tests.quality.consensus.crowds import lines, real


def rated(rows: list[int], who: list[str | None], numbers: list[float]) -> tuple[Ballots, np.ndarray]:
    ballots = ballots_from(rows, [""] * len(rows), who, [repr(number) for number in numbers])
    return ballots, np.array([float(label) for label in ballots.labels])


def made_up(units: int = 200, people: int = 15) -> tuple[Ballots, np.ndarray, dict[str, np.ndarray]]:
    chance = np.random.Generator(np.random.PCG64(1))
    true = {
        "unit": chance.normal(50, 15, units),
        "bias": chance.normal(0, 8, people),
        "scatter": chance.gamma(3, 3, people),
    }
    rows, who, numbers = [], [], []
    for unit in range(units):
        for person in chance.permutation(people)[:5]:
            rows.append(unit)
            who.append(f"w{person:02}")
            away = true["scatter"][person] * chance.standard_t(4)
            numbers.append(round(float(true["unit"][unit] + true["bias"][person] + away), 1))
    return *rated(rows, list(who), numbers), true


def test_bias_and_scatter_are_found_and_the_estimate_beats_the_mean() -> None:
    ballots, values, true = made_up()
    found = ratings(ballots, values)
    error = [np.sqrt(np.mean((each - true["unit"]) ** 2)) for each in (found.mean, found.estimate)]
    assert error[1] < 0.75 * error[0]
    assert np.corrcoef(found.bias, true["bias"])[0, 1] > 0.9
    assert np.corrcoef(found.precision**-0.5, true["scatter"])[0, 1] > 0.8
    assert 0.85 < np.mean((found.low <= true["unit"]) & (true["unit"] <= found.high)) < 0.99
    assert found.weights[2] == max(found.weights)


def test_known_values_stay_and_teach() -> None:
    """Everybody rates ten too high: only known units can tell."""
    truth = np.arange(40) * 37 % 100 + 0.0
    rows = [row for row in range(40) for _ in "ab"]
    ballots, values = rated(rows, ["a", "b"] * 40, [float(truth[row]) + 10 + at % 3 for at, row in enumerate(rows)])
    known = np.where(np.arange(40) < 20, truth, np.nan)
    found = ratings(ballots, values, known_values=known)
    assert found.estimate[:20].tolist() == truth[:20].tolist()
    assert found.mean[20:] - truth[20:] == pytest.approx(11, abs=1)
    assert found.bias == pytest.approx([11, 11], abs=1)
    assert np.abs(found.estimate - truth)[20:].mean() < 2


def test_one_rating_each_is_the_mean() -> None:
    ballots, values = rated([0, 1], ["a", "b"], [3.0, 5.0])
    found = ratings(ballots, values)
    assert found.estimate.tolist() == [3.0, 5.0]
    assert "no unit was rated twice" in found.why


def test_medians_are_numpys() -> None:
    ballots, values, _ = made_up(units=40)
    by_hand = [np.median(values[ballots.label[ballots.unit == unit]]) for unit in range(40)]
    assert ratings(ballots, values).median.tolist() == by_hand


@settings(deadline=None, max_examples=10)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([None, "a", "b"]), st.sampled_from([0.0, 1.0, 2.5, 1e6])),
        min_size=1,
        max_size=25,
    )
)
def test_no_number_is_nan(votes: list[tuple[int, str | None, float]]) -> None:
    ballots, values = rated([v[0] for v in votes], [v[1] for v in votes], [v[2] for v in votes])
    found = ratings(ballots, values)
    for each in (found.estimate, found.low, found.high, found.bias, found.scale, found.precision):
        assert np.isfinite(each).all()
    assert ((found.low <= found.estimate) & (found.estimate <= found.high)).all()


def test_no_ratings_are_no_estimates() -> None:
    assert len(ratings(ballots_from([], [], [], []), np.zeros(0)).estimate) == 0


def test_values_that_are_no_numbers_are_refused() -> None:
    ballots, _ = rated([0, 0], ["a", "b"], [1.0, 2.0])
    with pytest.raises(AssayError, match="finite number per label"):
        ratings(ballots, np.array([1.0, np.nan]))


@pytest.mark.realdata
def test_real_ratings_go_with_the_experts_as_well_as_the_mean_does() -> None:
    folder, gained = real("crowd_snow2008"), []
    for name in ("anger", "disgust", "fear", "joy", "sadness", "surprise", "valence", "wordsim"):
        given_lines = lines(folder / f"{name}.standardized.tsv", delimiter="\t")
        items = sorted({line["orig_id"] for line in given_lines})
        gold = {line["orig_id"]: float(line["gold"]) for line in given_lines}
        ballots, values = rated(
            [items.index(line["orig_id"]) for line in given_lines],
            [line["!amt_worker_ids"] for line in given_lines],
            [float(line["response"]) for line in given_lines],
        )
        found, expert = ratings(ballots, values), np.array([gold[item] for item in items])
        gained.append(np.corrcoef(found.estimate, expert)[0, 1] - np.corrcoef(found.mean, expert)[0, 1])
    assert np.mean(gained) > 0
    assert min(gained) > -0.03

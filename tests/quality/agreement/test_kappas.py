"""Kappas equal the reference libraries where these can say anything, and their intervals are over rows."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.quality.agreement import against_others, alpha, duos, interval, kappas, linear_weights
from pipeline.quality.agreement.resampling import Draws, linear
from pipeline.quality.ballots import Ballots, ballots_from

# The package names the function like its module.
module = sys.modules["pipeline.quality.agreement.duos"]

# Four annotators, twelve units, with gaps: the computed values are of irrCAC 0.4.4, CAC(..., categories=[1..5]).
RATED: list[list[int | None]] = [
    [1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4], [4, 4, 4, 4], [1, 1, 2, 1],
    [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, None, 3, None],
]  # fmt: skip
OF_IRRCAC = {
    "identity": (0.761169275422, 0.775444068127),
    "linear": (0.817944767097, 0.858739136433),
    "quadratic": (0.864935064935, 0.914000723552),
}


def rated(table: list[list[int | None]]) -> Ballots:
    cells = [(row, who, one) for row, line in enumerate(table) for who, one in enumerate(line) if one is not None]
    rows, people, labels = ([cell[at] for cell in cells] for at in range(3))
    return ballots_from(rows, [""] * len(cells), [f"a{who}" for who in people], [str(label) for label in labels])


def test_fleiss_and_gwet_equal_irrcac_where_ratings_are_missing() -> None:
    ballots = rated(RATED)
    distances: dict[str, Any] = {
        "identity": None,
        "linear": linear_weights(range(1, 6)),
        "quadratic": interval(range(1, 6)),
    }
    for name, distance in distances.items():
        fleiss, gwet = kappas(ballots, distance=distance)[-2:]
        assert (fleiss.value, gwet.value) == pytest.approx(OF_IRRCAC[name], abs=1e-9)
        assert fleiss.low < fleiss.value < fleiss.high


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=20))
def test_fleiss_equals_statsmodels_where_all_units_have_as_many(table: list[list[int | None]]) -> None:
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater", reason="statsmodels is not installed")
    counts = np.array([[line.count(label) for label in range(4)] for line in table])
    assume((counts.sum(axis=0) > 0).sum() > 1)
    found = kappas(rated(table), resamples=1)[1].value
    assert found == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-9)


PAIRED = st.lists(st.tuples(*[st.one_of(st.none(), st.integers(0, 3))] * 3), min_size=3, max_size=30)


@settings(deadline=None, max_examples=25)
@given(PAIRED)
def test_cohens_kappa_of_every_two_equals_sklearn(lines: list[tuple[int | None, ...]]) -> None:
    from sklearn.metrics import cohen_kappa_score

    table = [list(line) for line in lines]
    ballots = rated(table)
    values = [float(label) for label in ballots.labels]
    weighted: tuple[tuple[str | None, Any], ...] = (
        (None, None), ("linear", linear_weights(values)), ("quadratic", interval(values)),
    )  # fmt: skip
    for weights, distance in weighted:
        met = duos(ballots, distance=distance)
        for one, other, units, kappa in zip(met.first, met.second, met.units, met.kappa, strict=True):
            a, b = int(ballots.annotators[one][1:]), int(ballots.annotators[other][1:])
            both = [(line[a], line[b]) for line in table if line[a] is not None and line[b] is not None]
            assert units == len(both)
            if len({label for pair in both for label in pair}) > 1:
                left, right = zip(*both, strict=True)
                reference = cohen_kappa_score(left, right, weights=weights, labels=range(4))
                assert kappa == pytest.approx(reference, abs=1e-9)
            else:
                assert math.isnan(kappa)


def test_the_mean_kappa_is_weighted_by_overlap() -> None:
    found = duos(rated(RATED))
    defined = np.isfinite(found.kappa)
    mean = np.average(found.kappa[defined], weights=found.units[defined])
    assert found.mean.value == pytest.approx(mean)
    assert found.mean.answers == 2 * found.units[defined].sum()


def test_anonymous_ballots_meet_nobody() -> None:
    ballots = ballots_from([0, 0, 1, 1], [""] * 4, [None, "a", None, "a"], list("xyxx"))
    found = duos(ballots)
    assert len(found.first) == 0
    assert "no two named" in found.mean.note


def crowd(rows: int, seed: int) -> Ballots:
    chance = np.random.default_rng(seed)
    row = np.repeat(np.arange(rows), 3)
    label = np.where(chance.random(3 * rows) < 0.7, (row * 7 // 3) % 3, chance.integers(3, size=3 * rows))
    return ballots_from(row, [""] * len(row), [f"a{at % 3}" for at in range(3 * rows)], [str(each) for each in label])


def drawn_anew(ballots: Ballots, seed: int) -> Ballots:
    chance = np.random.default_rng(seed)
    rows = chance.integers(ballots.rows, size=ballots.rows)
    places = [at for row in rows for at in np.flatnonzero(ballots.row == row)]
    new = np.repeat(np.arange(ballots.rows), 3)
    people = [ballots.annotators[who] for who in ballots.annotator[places]]
    labels = [ballots.labels[label] for label in ballots.label[places]]
    return ballots_from(new, [""] * len(new), people, labels)


def test_intervals_to_first_order_are_those_of_drawing_rows_anew() -> None:
    ballots = crowd(80, 4)
    anew = [drawn_anew(ballots, seed) for seed in range(150)]
    means = [duos(one, intervals=0, resamples=2).mean.value for one in anew]
    alone = [against_others(one, resamples=2)["a0"].alpha for one in anew]
    mean, other = duos(ballots, resamples=2000).mean, against_others(ballots, resamples=2000)["a0"]
    assert mean.high - mean.low == pytest.approx(3.92 * np.std(means), rel=0.2)
    assert other.high - other.low == pytest.approx(3.92 * np.std(alone), rel=0.2)


def test_two_annotators_agree_with_the_others_as_with_one_another() -> None:
    table: list[list[int | None]] = [[line[0], line[1]] for line in RATED]
    found, kappa = against_others(rated(table)), duos(rated(table)).kappa[0]
    assert [one.alpha for one in found.values()] == pytest.approx([kappa, kappa])


def test_who_always_says_the_same_agrees_by_chance_only() -> None:
    chance = np.random.default_rng(1)
    truth = (chance.random(400) < 0.2).astype(int)
    noisy = [np.where(chance.random(400) < 0.9, truth, 1 - truth) for _ in range(3)]
    table: list[list[int | None]] = [[0, *(int(one[row]) for one in noisy)] for row in range(400)]
    found = against_others(rated(table))
    assert found["a0"].alpha == pytest.approx(0, abs=1e-9)
    assert min(found[name].alpha for name in ("a1", "a2", "a3")) > 0.3
    assert found["a1"].rows == 400


def test_an_annotator_whom_nobody_met_has_no_figure() -> None:
    ballots = ballots_from([0, 0, 1, 1, 2], [""] * 5, ["a", "b", "a", "b", "c"], list("xyyyx"))
    found = against_others(ballots)["c"]
    assert math.isnan(found.alpha)
    assert "nobody else" in found.note


def test_a_crowd_on_every_unit_is_measured_on_some_of_its_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MEETINGS", 20_000)
    people, units = 40, 60
    chance = np.random.default_rng(2)
    truth = np.repeat(chance.integers(2, size=units), people)
    label = np.where(chance.random(len(truth)) < 0.8, truth, 1 - truth)
    row = np.repeat(np.arange(units), people)
    ballots = ballots_from(
        row, [""] * len(row), [f"{at % people:03d}" for at in range(len(row))], [str(each) for each in label]
    )
    found = duos(ballots, intervals=0, resamples=20)
    assert 10_000 < int(found.units.sum()) <= 20_000
    assert found.mean.value == pytest.approx(alpha(ballots, resamples=1).alpha, abs=0.03)
    assert "24 each" in found.mean.note


def test_rows_that_no_group_has_twice_give_no_interval() -> None:
    low, high = linear(np.array([0.5]), np.array([3, 3]), np.array([0, 0]), np.array([0.1, -0.1]), Draws())
    assert np.isnan([low[0], high[0]]).all()


def test_the_percentage_counts_pairs() -> None:
    percent = kappas(rated([[1, 1, 2], [3, None, None], [2, 2, None]]))[0]
    assert percent.value == pytest.approx(2 / 4)
    assert (percent.rows, percent.answers) == (2, 5)

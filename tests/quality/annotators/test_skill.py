"""Skill: intervals cover, contested units weigh little, gold is exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from pipeline.quality.annotators.judged import Judged, judge
from pipeline.quality.annotators.skill import accuracy, adjusted, clopper_pearson, discoveries, gold, kappa
from pipeline.quality.ballots import Ballots, ballots_from
from tests.quality.annotators.crowds import crowd, told


def judged_of(ballots: Ballots) -> Judged:
    truth = told(ballots)
    return judge(ballots, truth.label, truth.posterior)[0]


def test_where_the_others_are_sure_it_is_the_beta_interval() -> None:
    """Annotator z differs from ten who always agree in 8 of 40 rows."""
    rows, names, labels = [], [], []
    for row in range(40):
        rows += [row] * 11
        names += [*"abcdefghij", "z"]
        labels += ["xy"[row % 2]] * 10 + ["xy"[(row + (row % 5 == 0)) % 2]]
    found = accuracy(judged_of(ballots_from(rows, [""] * len(rows), names, labels)))
    assert found.value[10] == pytest.approx(beta(32.5, 8.5).mean(), abs=0.01)
    assert (found.low[10], found.high[10]) == pytest.approx(tuple(beta(32.5, 8.5).ppf([0.025, 0.975])), abs=0.01)
    assert found.high[0] == 1.0


def test_intervals_widen_where_the_others_are_unsure() -> None:
    sure = accuracy(judged_of(crowd(1, votes=8, hard=0.0, skill=(0.95, 0.99))))
    unsure = accuracy(judged_of(crowd(1, votes=8, hard=0.9, skill=(0.95, 0.99))))
    assert (unsure.high - unsure.low).mean() > 1.5 * (sure.high - sure.low).mean()


def test_intervals_cover_the_true_skill() -> None:
    covered = []
    for seed in range(8):
        chance = np.random.default_rng(seed)
        skills, truth = chance.uniform(0.6, 0.95, 20), chance.integers(2, size=300)
        right = chance.random((300, 20)) < skills
        label = np.where(right, truth[:, None], 1 - truth[:, None])
        who = np.argsort(chance.random((300, 20)), axis=1)[:, :7]
        rows = np.repeat(np.arange(300), 7)
        ballots = ballots_from(
            rows, [""] * 2100, [f"p{one:02}" for one in who.ravel()], ["xy"[one] for one in label[rows, who.ravel()]]
        )
        found = accuracy(judged_of(ballots))
        covered.append(np.mean((found.low <= skills) & (skills <= found.high)))
    assert np.mean(covered) > 0.9


def test_kappa_of_blind_answers_is_zero() -> None:
    judged = judged_of(crowd(2, items=900, classes=3, blind=2, hard=0.0))
    found, _ = kappa(judged, accuracy(judged), 3)
    assert np.abs(found.value[:2]).max() < 0.15
    assert found.value[2:].min() > 0.5


def test_units_of_a_row_are_not_independent() -> None:
    """Ten units a row, all right or all wrong together: the interval is that of rows."""
    chance = np.random.default_rng(5)
    right = np.repeat(chance.random(60) < 0.8, 10)
    rows = np.repeat(np.repeat(np.arange(60), 10), 4)
    units = [f"{at % 10}" for at in range(600) for _ in range(4)]
    labels = [label for one in right for label in ("x", "x", "x", "x" if one else "y")]
    together = ballots_from(rows, units, list("abcd") * 600, labels)
    alone = ballots_from(np.repeat(np.arange(600), 4), [""] * 2400, list("abcd") * 600, labels)
    wide, narrow = accuracy(judged_of(together)), accuracy(judged_of(alone))
    assert wide.high[3] - wide.low[3] > 2 * (narrow.high[3] - narrow.low[3])


def test_minority_opinion_on_split_units_is_not_held_against_anyone() -> None:
    """On half of the rows opinion is truly 50:50, and p00 always takes the side that fewer others took."""
    chance = np.random.default_rng(3)
    rows, names, labels = [], [], []
    for row in range(400):
        truth, split = int(chance.integers(2)), row % 2
        votes = (chance.random(9) < (0.5 if split else 0.9)).astype(int)
        votes = votes if truth else 1 - votes
        fewer = int(votes.sum() * 2 < 9)
        own = fewer if split else int(truth if chance.random() < 0.9 else 1 - truth)
        rows += [row] * 10
        names += [f"p{person:02}" for person in range(10)]
        labels += ["ny"[one] for one in (own, *votes)]
    judged = judged_of(ballots_from(rows, [""] * len(rows), names, labels))
    found, plain = adjusted(judged), judged.mean(judged.label == judged.best)
    assert plain[0] < 0.65 < plain[1:].min() + 0.1
    assert not (found.far[0] and found.shrunk.high[0] < 0)
    apart = (judged.annotator == 0) & (judged.label != judged.best)
    assert judged.contested[apart].mean() > 0.4
    assert judged.contested[judged.row % 2 == 0].mean() < 0.1


def test_honest_taste_on_subjective_units_is_not_below() -> None:
    """Everybody has a taste of their own on 50:50 units; no one is named below the others for it."""
    named = 0
    for seed in range(10):
        chance = np.random.default_rng(seed)
        taste = chance.uniform(0.2, 0.8, 20)
        label = chance.random((200, 20)) < taste
        rows = np.repeat(np.arange(200), 20)
        people = [f"p{one:02}" for one in range(20)] * 200
        found = adjusted(judged_of(ballots_from(rows, [""] * 4000, people, ["ny"[int(one)] for one in label.ravel()])))
        named += int((found.far & (found.shrunk.high < -0.1)).sum())
    assert named <= 2


def test_harder_rows_are_made_allowance_for() -> None:
    """p00 to p03 get the hard rows only; their plain accuracy is worse, their adjusted skill is not."""
    chance = np.random.default_rng(9)
    rows, names, labels = [], [], []
    for row in range(600):
        hard = row % 2
        who = [*chance.permutation(4)[:3], *(4 + chance.permutation(8)[:3])] if hard else 4 + chance.permutation(8)[:6]
        right = chance.random(6) < (0.7 if hard else 0.97)
        rows += [row] * 6
        names += [f"p{one:02}" for one in who]
        labels += ["x" if one else "y" for one in right]
    judged = judged_of(ballots_from(rows, [""] * len(rows), names, labels))
    assert judged.mean(judged.right)[:4].max() < judged.mean(judged.right)[4:].min()
    found = adjusted(judged)
    assert not (found.far[:4] & (found.shrunk.high[:4] < 0)).any()


def test_same_people_are_all_drawn_together() -> None:
    judged = judged_of(crowd(4, hard=0.0, skill=(0.85, 0.85)))
    found = adjusted(judged)
    assert np.abs(found.shrunk.value).max() < np.abs(found.raw).max() / 2
    assert not found.far.any()


def test_gold_is_counted_apart() -> None:
    ballots = ballots_from([0, 0, 1, 1, 2], [""] * 5, ["a", "b", "a", "b", None], ["x", "x", "x", "y", "x"])
    found = gold(ballots, np.array([0, 1, 1]))
    assert (found.asked.tolist(), found.right.tolist()) == ([2, 2], [1, 2])
    assert ballots.row[found.missed].tolist() == [1]
    assert (found.low[1], found.high[1]) == pytest.approx((beta(2, 1).ppf(0.025), 1.0))


@given(st.integers(1, 400).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))))
@settings(max_examples=40, deadline=None)
def test_clopper_pearson(counts: tuple[int, int]) -> None:
    right, asked = counts
    low, high = clopper_pearson(np.array([right]), np.array([asked]))
    assert low[0] == pytest.approx(beta(right, asked - right + 1).ppf(0.025) if right else 0.0)
    assert high[0] == pytest.approx(beta(right + 1, asked - right).ppf(0.975) if right < asked else 1.0)


def test_discoveries() -> None:
    assert discoveries(np.array([0.001, 0.02, 0.04, 0.9])).tolist() == [True, True, False, False]
    assert not len(discoveries(np.zeros(0)))

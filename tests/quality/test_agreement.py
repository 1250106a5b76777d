"""Alpha equals the reference, its interval covers, and its paradoxes are told."""

from __future__ import annotations

import math

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.quality.agreement import alpha, alpha_by_label, interval, ordinal, percent_agreement
from pipeline.quality.ballots import Ballots, ballots_from

Votes = list[tuple[int, int]]
VOTES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3)), min_size=2, max_size=60)


def ballots_of(votes: Votes, *, units: int = 1) -> Ballots:
    names = [f"u{unit % units}" for unit, _ in votes]
    labels = [str(label) for _, label in votes]
    return ballots_from([unit // units for unit, _ in votes], names, [None] * len(votes), labels, known_labels="0123")


def counts_of(votes: Votes) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    counts = np.zeros((8, 4), dtype=np.int64)
    for unit, label in votes:
        counts[unit, label] += 1
    return counts


def defined(votes: Votes) -> bool:
    counts = counts_of(votes)
    overlapping = counts[counts.sum(axis=1) > 1]
    return len(overlapping) > 1 and int((overlapping.sum(axis=0) > 0).sum()) > 1


@settings(deadline=None)
@given(VOTES, st.integers(1, 3))
def test_equals_the_reference_at_every_level(votes: Votes, units: int) -> None:
    assume(defined(votes))
    ballots, counts = ballots_of(votes, units=units), counts_of(votes)
    for level, distance in (("nominal", None), ("interval", interval(range(4))), ("ordinal", ordinal(ballots))):
        mine = alpha(ballots, distance=distance, resamples=1).alpha
        reference = krippendorff.alpha(value_counts=counts, level_of_measurement=level)
        assert mine == pytest.approx(reference, abs=1e-9)


@settings(deadline=None)
@given(VOTES)
def test_one_label_against_the_rest_equals_the_reference(votes: Votes) -> None:
    assume(defined(votes))
    counts = counts_of(votes)
    for at, found in enumerate(alpha_by_label(ballots_of(votes), resamples=1).values()):
        rest = np.stack([counts[:, at], counts.sum(axis=1) - counts[:, at]], axis=1)
        overlapping = rest[rest.sum(axis=1) > 1]
        if (overlapping.sum(axis=0) > 0).all():
            assert found.alpha == pytest.approx(krippendorff.alpha(value_counts=rest), abs=1e-9)
        else:
            assert math.isnan(found.alpha)
            assert "second label" in found.note


def noisy(rows: int, seed: int) -> Ballots:
    chance = np.random.default_rng(seed)
    row = np.repeat(np.arange(rows), 3)
    label = np.where(chance.random(3 * rows) < 0.8, row % 3, chance.integers(3, size=3 * rows))
    return ballots_of(list(zip(row.tolist(), label.tolist(), strict=True)))


def test_interval_covers_the_true_value_about_as_often_as_it_says() -> None:
    truth = alpha(noisy(30_000, 0), resamples=1).alpha
    covered = [found.low <= truth <= found.high for found in (alpha(noisy(100, seed)) for seed in range(1, 101))]
    assert 87 <= sum(covered) <= 100


def test_interval_draws_rows_not_units() -> None:
    # Ten tokens a row that all agree or all disagree are ten rows' worth of evidence, not a hundred units'.
    chance = np.random.default_rng(3)
    votes = [
        (row, f"t{token}", label) for row in range(40) for token in range(10) for label in ("x", "y")[: 1 + row % 2] * 2
    ]
    votes = [(row, token, label if chance.random() < 0.9 else "y") for row, token, label in votes]
    together = ballots_from([v[0] for v in votes], [v[1] for v in votes], [None] * len(votes), [v[2] for v in votes])
    apart = ballots_from(
        [v[0] * 10 + int(v[1][1:]) for v in votes], [""] * len(votes), [None] * len(votes), [v[2] for v in votes]
    )
    wide, narrow = alpha(together), alpha(apart)
    assert wide.alpha == pytest.approx(narrow.alpha, abs=1e-12)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_the_seed_decides_the_interval_and_nothing_else_does() -> None:
    ballots = noisy(50, 1)
    assert alpha(ballots, seed=4) == alpha(ballots, seed=4)
    assert alpha(ballots, seed=4).low != alpha(ballots, seed=5).low


@pytest.mark.parametrize(
    ("votes", "says"),
    [
        ([], "no unit was"),
        ([(0, 1), (1, 1)], "no unit was"),
        ([(0, 1), (0, 2), (1, 1)], "one unit was"),
        ([(0, 1), (0, 1), (1, 1), (1, 1)], "second label"),
    ],
)
def test_undefined_alpha_says_why(votes: Votes, says: str) -> None:
    found = alpha(ballots_of(votes))
    assert math.isnan(found.alpha)
    assert math.isnan(found.low)
    assert says in found.note


def test_prevalence_is_named() -> None:
    votes = [(row, 0) for row in range(100) for _ in range(2)]
    votes[0] = (0, 1)
    found = alpha(ballots_of(votes))
    assert found.alpha < 0.01
    assert "99.5%" in found.note
    assert percent_agreement(ballots_of(votes)) == 0.99


def test_percent_agreement_counts_pairs() -> None:
    assert percent_agreement(ballots_of([(0, 1), (0, 1), (0, 2), (1, 3)])) == pytest.approx(1 / 3)
    assert math.isnan(percent_agreement(ballots_of([(0, 1)])))


def test_a_lopsided_distance_is_refused() -> None:
    with pytest.raises(AssayError, match="symmetric"):
        alpha(ballots_of([(0, 1), (0, 2)]), distance=np.arange(16.0).reshape(4, 4))

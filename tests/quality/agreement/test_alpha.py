"""Alpha equals the reference, its interval covers, and its paradoxes are told."""

from __future__ import annotations

import csv
import json
import math
import sys

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nltk.metrics import jaccard_distance, masi_distance
from nltk.metrics.agreement import AnnotationTask

from pipeline.errors import AssayError
from pipeline.quality.agreement import (
    Sets,
    alpha,
    alpha_by_label,
    by,
    by_unit_name,
    interval,
    ordinal,
    percent_agreement,
    ratio,
    resampling,
)  # fmt: skip
from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.tasks import masi
from tests.conftest import DATA

# The package names the function like its module.
module = sys.modules["pipeline.quality.agreement.alpha"]

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


@settings(deadline=None, max_examples=50)
@given(VOTES, st.integers(1, 3))
def test_equals_the_reference_at_every_level(votes: Votes, units: int) -> None:
    assume(defined(votes))
    ballots, counts = ballots_of(votes, units=units), counts_of(votes)
    for level, distance in (("nominal", None), ("interval", interval(range(4))), ("ordinal", ordinal(ballots))):
        mine = alpha(ballots, distance=distance, resamples=1).alpha
        reference = krippendorff.alpha(value_counts=counts, level_of_measurement=level)
        assert mine == pytest.approx(reference, abs=1e-9)


@settings(deadline=None, max_examples=50)
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


@settings(deadline=None, max_examples=50)
@given(VOTES)
def test_ratio_and_uneven_ranks_equal_the_reference(votes: Votes) -> None:
    assume(defined(votes))
    ballots, counts = ballots_of(votes), counts_of(votes)
    domain = [0.0, 0.5, 2.0, 10.0]
    for level, distance in (("ratio", ratio(domain)), ("interval", interval(domain))):
        reference = krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=level)
        assert alpha(ballots, distance=distance, resamples=1).alpha == pytest.approx(reference, abs=1e-9)


def test_ranks_follow_the_values_and_not_the_names() -> None:
    votes = [(0, 0), (0, 3), (1, 1), (1, 2), (2, 2), (2, 2), (3, 1), (3, 1)]
    ballots, counts = ballots_of(votes), counts_of(votes)
    found = alpha(ballots, distance=ordinal(ballots, [2, 0, 3, 1]), resamples=1).alpha
    reference = krippendorff.alpha(value_counts=counts[:, [1, 3, 0, 2]], level_of_measurement="ordinal")
    assert found == pytest.approx(reference, abs=1e-12)


def test_large_numbers_close_together_lose_no_digits() -> None:
    votes = [(row, (row + shift) % 4) for row in range(8) for shift in (0, row % 2)]
    far = alpha(ballots_of(votes), distance=interval(1e9 + np.arange(4)), resamples=1).alpha
    assert far == pytest.approx(alpha(ballots_of(votes), distance=interval(range(4)), resamples=1).alpha, abs=1e-9)


def test_ratios_below_zero_are_refused() -> None:
    with pytest.raises(AssayError, match="below zero"):
        ratio([-1.0, 2.0])


@settings(deadline=None, max_examples=30)
@given(VOTES, st.permutations(range(8)))
def test_neither_the_order_of_rows_nor_of_ballots_matters(votes: Votes, order: list[int]) -> None:
    assume(defined(votes))
    moved = [(order[row], label) for row, label in reversed(votes)]
    one, other = alpha(ballots_of(votes)), alpha(ballots_of(moved))
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-12, nan_ok=True)
    by_label, moved_by_label = alpha_by_label(ballots_of(votes)), alpha_by_label(ballots_of(moved))
    assert [one.low for one in by_label.values()] == pytest.approx(
        [one.low for one in moved_by_label.values()], abs=1e-12, nan_ok=True
    )


SETS = ["[]", '["a"]', '["a","b"]', '["b"]', '["b","c"]', '["a","b","c"]']


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(SETS[1:])), min_size=4, max_size=30))
def test_sets_equal_the_reference(votes: list[tuple[int, str]]) -> None:
    ballots = whole(votes)
    assume(len(set(ballots.label[np.bincount(ballots.unit)[ballots.unit] > 1])) > 1)
    assume((np.bincount(ballots.unit) > 1).sum() > 1)
    coded = [(f"c{at}", row, frozenset(json.loads(text))) for at, (row, text) in enumerate(votes)]
    for distance, reference in ((masi, masi), (None, jaccard_distance)):
        found = alpha(ballots, distance=Sets.of(ballots.labels, masi=distance is masi), resamples=1)
        assert found.alpha == pytest.approx(AnnotationTask(coded, distance=reference).alpha(), abs=1e-9)


def whole(votes: list[tuple[int, str]]) -> Ballots:
    texts = [text for _, text in votes]
    return ballots_from([row for row, _ in votes], [""] * len(votes), [None] * len(votes), texts)


def test_masi_is_that_of_the_tasks_and_near_that_of_nltk_which_rounds() -> None:
    sets = Sets.of(SETS)
    one, other = (np.repeat(np.arange(6), 6), np.tile(np.arange(6), 6))
    pairs = [(set(json.loads(SETS[a])), set(json.loads(SETS[b]))) for a, b in zip(one, other, strict=True)]
    assert sets.apart(one, other).tolist() == pytest.approx([masi(a, b) for a, b in pairs])
    assert sets.block(0, 6).reshape(-1).tolist() == pytest.approx(sets.apart(one, other).tolist())
    near = [(masi(a, b), masi_distance(a, b)) for a, b in pairs if a and b]
    assert max(abs(mine - theirs) for mine, theirs in near) < 0.004


def many_sets(rows: int, elements: int) -> Ballots:
    chance = np.random.default_rng(5)
    votes = []
    for row in range(rows):
        core = set(chance.integers(elements, size=3).tolist())
        for _ in range(2):
            told = sorted(core ^ set(chance.integers(elements, size=1).tolist()))
            votes.append((row, json.dumps([str(each) for each in told])))
    return whole(votes)


def test_thousands_of_sets_are_measured_as_a_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    ballots = many_sets(300, 30)
    distance = Sets.of(ballots.labels)
    assert len(ballots.labels) > 400
    exact = alpha(ballots, distance=distance)
    monkeypatch.setattr(module, "MOST_TABLED", 10)
    first_order = alpha(ballots, distance=distance)
    monkeypatch.setattr(module, "MOST_COMPARED", 10)
    drawn = alpha(ballots, distance=distance)
    assert first_order.alpha == pytest.approx(exact.alpha, abs=1e-12)
    assert drawn.alpha == pytest.approx(exact.alpha, abs=0.01)
    for found in (first_order, drawn):
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.015)


def test_only_ballots_of_one_part_meet() -> None:
    # Row 0 is answered twice in batch a, row 1 once in a and once in b, row 2 twice in b.
    rows, labels = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], list("xyxyxxyyxx")
    ballots = ballots_from(rows, [""] * 10, [None] * 10, labels, origin=range(10))
    codes = np.array([0, 0, 0, 1, 1, 1, 1, 1, 0, 0])
    found = by(ballots, codes, ("a", "b"))
    assert {name: (one.rows, one.labels_counted) for name, one in found.items()} == {"a": (2, 4), "b": (2, 4)}
    second = ballots.only((ballots.row == 2) | (ballots.row == 3))
    assert found["b"].alpha == alpha(second).alpha == 1.0
    assert by(ballots, np.full(10, -1), ("a",))["a"].rows == 0


def test_each_name_of_a_unit_is_measured_for_itself() -> None:
    rows = [row for row in range(4) for _ in range(4)]
    ballots = ballots_from(
        rows, ["joy", "joy", "awe", "awe"] * 4, [None] * 16, list("yynnnnynyyynnnnn"), known_labels="yn"
    )
    found = by_unit_name(ballots)
    assert found["joy"].alpha == 1.0
    assert found["awe"].alpha < 0.1


def test_lumped_rows_give_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(8)
    row = np.repeat(np.arange(3000), 3)
    labels = [str(each) for each in np.where(chance.random(9000) < 0.7, row % 20, chance.integers(20, size=9000))]
    ballots = ballots_from(row, [""] * 9000, [None] * 9000, labels)
    plain = alpha(ballots, resamples=1000)
    monkeypatch.setattr(resampling, "MOST_PROFILES", 1000)
    lumped = alpha(ballots, resamples=1000)
    assert lumped.alpha == plain.alpha
    assert lumped.high - lumped.low == pytest.approx(plain.high - plain.low, rel=0.12)


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder")
@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("rte", ("nominal",)),
        ("temp", ("nominal",)),
        ("valence", ("interval", "ordinal")),
        ("joy", ("interval", "ratio")),
    ],
)
def test_real_crowds_equal_the_reference(name: str, levels: tuple[str, ...]) -> None:
    path = DATA / "crowd_snow2008" / f"{name}.standardized.tsv"
    with path.open(encoding="utf-8") as lines:
        votes = [
            (line["orig_id"], f"{float(line['response']) + 0.0:g}") for line in csv.DictReader(lines, delimiter="\t")
        ]
    items = {item: at for at, item in enumerate(sorted({item for item, _ in votes}))}
    ballots = ballots_from(
        [items[item] for item, _ in votes], [""] * len(votes), [None] * len(votes), [said for _, said in votes]
    )
    values = np.array([float(label) for label in ballots.labels])
    order = np.argsort(values)
    counts = np.zeros((len(items), len(values)))
    np.add.at(counts, (ballots.row, np.argsort(order)[ballots.label]), 1)
    distances = {
        "nominal": None, "interval": interval(values), "ordinal": ordinal(ballots, values), "ratio": ratio(abs(values)),
    }  # fmt: skip
    for level in levels:
        reference = krippendorff.alpha(
            value_counts=counts, value_domain=values[order].tolist(), level_of_measurement=level
        )
        found = alpha(ballots, distance=distances[level])
        assert found.alpha == pytest.approx(reference, abs=1e-9)
        assert found.low < found.alpha < found.high


def test_very_many_labels_without_order_are_measured_to_first_order(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(6)
    row = np.repeat(np.arange(400), 2)
    labels = [str(each) for each in np.where(chance.random(800) < 0.6, row, chance.integers(400, size=800))]
    ballots = ballots_from(row, [""] * 800, [None] * 800, labels)
    exact = alpha(ballots, resamples=1000)
    monkeypatch.setattr(module, "MOST_KEPT", 10)
    found = alpha(ballots, resamples=1000)
    assert found.alpha == pytest.approx(exact.alpha, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.01)

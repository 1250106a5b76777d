"""Dealing groups to sides, against all ways of dealing them; and how near it could have come at best."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.splitting.dealing import Profiles, deal, profiles
from pipeline.quality.splitting.possible import least

SHARES = np.array([0.8, 0.1, 0.1])
GROUPS = st.lists(
    st.tuples(st.integers(1, 9), st.integers(1, 3), st.booleans()), min_size=1, max_size=30
)  # rows, stratum of all of them, whether half of them count towards a fourth as well


def made(drawn: list[tuple[int, int, bool]]) -> tuple[Profiles, np.ndarray, np.ndarray, np.ndarray]:
    """Profiles, and group, row and stratum of the links."""
    group = np.repeat(np.arange(len(drawn)), [size for size, _, _ in drawn])
    first = np.array([stratum for size, stratum, _ in drawn for _ in range(size)])
    also = np.array([both and at < size // 2 for size, _, both in drawn for at in range(size)])
    row = np.concatenate([np.arange(len(group)), np.flatnonzero(also)])
    stratum = np.concatenate([first, np.full(int(also.sum()), 4)])
    return profiles(group, row, stratum, strata=5), group, row, stratum


def counted(found: Profiles, sides: np.ndarray) -> np.ndarray:
    has = np.zeros((found.strata, 3))
    for profile, side in zip(found.of, sides, strict=True):
        inside = slice(found.starts[profile], found.starts[profile + 1])
        has[found.stratum[inside], side] += found.rows[inside]
    return has


@given(GROUPS)
def test_profiles_say_what_each_group_counts_towards(drawn: list[tuple[int, int, bool]]) -> None:
    found, group, row, stratum = made(drawn)
    assert found.count.sum() == len(drawn)
    for at, profile in enumerate(found.of.tolist()):
        inside = slice(found.starts[profile], found.starts[profile + 1])
        own = dict(zip(found.stratum[inside].tolist(), found.rows[inside].tolist(), strict=True))
        codes, counts = np.unique(stratum[group[row] == at], return_counts=True)
        assert own == {0: drawn[at][0], **dict(zip(codes.tolist(), counts.tolist(), strict=True))}
        assert found.size[profile] == drawn[at][0]
    assert found.totals()[0] == len(group)


@given(GROUPS, st.randoms(use_true_random=False))
def test_every_group_is_dealt_once_and_the_order_does_not_matter(
    drawn: list[tuple[int, int, bool]], chance: object
) -> None:
    found, *_ = made(drawn)
    rank = np.arange(len(drawn), dtype=np.uint64) * np.uint64(7919) % np.uint64(1009)
    sides = deal(found, rank, SHARES)
    order = np.array(sorted(range(len(drawn)), key=lambda at: (at * 31) % 17))
    moved, *_ = made([drawn[at] for at in order])
    assert (deal(moved, rank[order], SHARES) == sides[order]).all()
    assert set(sides.tolist()) <= {0, 1, 2}
    only = deal(found, rank, np.array([1.0, 0.0, 0.0]))
    assert not only.any()


def test_many_small_groups_come_within_a_twentieth_of_a_point() -> None:
    chance = np.random.default_rng(0)
    drawn = [
        (int(size), int(one), bool(both))
        for size, one, both in zip(
            chance.integers(1, 4, 20_000),
            chance.choice([1, 1, 1, 2, 3], 20_000),
            chance.random(20_000) < 0.3,
            strict=True,
        )
    ]
    found, *_ = made(drawn)
    has = counted(found, deal(found, chance.integers(0, 2**63, 20_000).astype(np.uint64), SHARES))
    off = np.abs(has - found.totals()[:, None] * SHARES) / np.maximum(found.totals(), 1)[:, None]
    assert off.max() < 0.0005


def test_a_rare_stratum_does_not_spoil_the_usual_ones() -> None:
    """Forty strata of two rows each, all in one kind of row: none of them can be even, the usual ones must be."""
    stratum = np.concatenate([np.ones(1000, dtype=np.int64), 2 + np.arange(80) // 2])
    row = np.concatenate([np.arange(1000), np.arange(80)])
    found = profiles(np.arange(1000), row, stratum, strata=42)
    has = counted(found, deal(found, np.arange(1000, dtype=np.uint64), SHARES))
    assert has[0].tolist() == has[1].tolist() == [800, 100, 100]


def test_what_the_sides_have_already_is_made_good() -> None:
    found = profiles(np.arange(900), np.arange(900), 1 + np.arange(900) % 2, strata=3)
    has = np.array([[80, 0, 20], [50, 0, 0], [30, 0, 20]], dtype=np.float64)
    sides = deal(found, np.arange(900, dtype=np.uint64), SHARES, has)
    whole = has + counted(found, sides)
    assert np.abs(whole - np.array([[800, 100, 100], [400, 50, 50], [400, 50, 50]])).max() <= 1


def test_mending_finds_what_one_sweep_misses() -> None:
    """Five groups of 20, 20, 20, 20 and 20 rows cannot be 80 : 10 : 10, but 80 : 20 : 0 is the best there is."""
    found, *_ = made([(20, 1, False)] * 5)
    has = counted(found, deal(found, np.arange(5, dtype=np.uint64), SHARES))
    assert sorted(has[0].tolist()) == [0, 20, 80]


def best_by_trying(sizes: list[int], wants: np.ndarray) -> float:
    ways = product(range(len(wants)), repeat=len(sizes))
    found = (np.abs(np.bincount(way, weights=sizes, minlength=len(wants)) - wants).max() for way in ways)
    return float(min(found))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=7),
    st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (1, 0, 0)]),
)
def test_the_bound_is_one_and_is_met_by_two_sides(sizes: list[int], shares: tuple[float, ...]) -> None:
    wants = np.array(shares) * sum(sizes)
    every = np.full(len(sizes), 7)
    bound = least(np.array(sizes), every, wants)
    assert bound <= best_by_trying(sizes, wants) + 1e-9
    two = np.array([wants[0], sum(sizes) - wants[0]])
    assert least(np.array(sizes), np.full(len(sizes), 3), two) == pytest.approx(best_by_trying(sizes, two))


@given(st.integers(1, 400), st.sampled_from([(0.8, 0.1, 0.1), (0.34, 0.33, 0.33)]))
def test_single_rows_are_bound_by_the_largest_remainder(rows: int, shares: tuple[float, ...]) -> None:
    wants = np.array(shares) * rows
    tried = min(
        max(abs(one - wants[0]), abs(other - wants[1]), abs(rows - one - other - wants[2]))
        for one in range(max(int(wants[0]) - 2, 0), int(wants[0]) + 3)
        for other in range(max(int(wants[1]) - 2, 0), int(wants[1]) + 3)
    )
    assert least(np.ones(rows, dtype=np.int64), np.full(rows, 7), wants) == pytest.approx(tried, abs=1e-6)


def test_a_side_that_is_closed_to_groups_is_bound_by_that() -> None:
    assert least(np.array([10, 10]), np.array([1, 1]), np.array([16.0, 2.0, 2.0])) == 4.0
    assert least(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.array([3.0, 0.0, -3.0])) == 3.0

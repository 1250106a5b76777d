"""Effect sizes against what they are by definition, on small numbers that can be done by hand or by brute force."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from pipeline.versions.drift import lengths, shares, size
from pipeline.versions.facts import bucket

COUNTS = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 50), min_size=1)
LENGTHS = st.lists(st.integers(0, 300), min_size=1, max_size=12)


@given(COUNTS, COUNTS)
def test_cramers_v_and_total_variation_are_those_of_the_definition(one: dict[str, int], other: dict[str, int]) -> None:
    found = shares(one, other, rows=(sum(one.values()), sum(other.values())))
    names = sorted({*one, *other})
    table = np.array([[side.get(name, 0) for name in names] for side in (one, other)])
    chi2 = chi2_contingency(table, correction=False).statistic if len(names) > 1 else 0.0
    assert found["cramers_v"] == pytest.approx(math.sqrt(chi2 / table.sum()), abs=1e-6)
    mixed = table / table.sum(axis=1, keepdims=True)
    assert found["total_variation"] == pytest.approx(np.abs(mixed[0] - mixed[1]).sum() / 2, abs=1e-6)


def test_cohens_h_of_a_class() -> None:
    (line, *_) = shares({"a": 5, "b": 5}, {"a": 8, "b": 2}, rows=(10, 10))["lines"]
    assert line["cohens_h"] == pytest.approx(2 * math.asin(math.sqrt(0.8)) - 2 * math.asin(math.sqrt(0.5)), abs=1e-6)
    assert line["size"] == "medium"


def test_a_row_may_count_towards_several_classes() -> None:
    found = shares({"a": 10, "b": 10}, {"a": 10, "b": 5}, rows=(10, 10))
    assert {line["name"]: line["share"] for line in found["lines"]} == {"a": 1.0, "b": 0.5}


@pytest.mark.parametrize(("one", "other"), [({}, {"a": 1}), ({"a": 1}, {}), ({}, {})])
def test_nothing_is_said_of_nothing(one: dict[str, int], other: dict[str, int]) -> None:
    found = shares(one, other, rows=(sum(one.values()), sum(other.values())))
    assert (found["total_variation"], found["cramers_v"]) == (None, None)
    assert all(line["cohens_h"] is None for line in found["lines"])


@given(LENGTHS, LENGTHS)
def test_cliffs_delta_is_that_of_all_pairs(one: list[int], other: list[int]) -> None:
    found = lengths(Counter(one), Counter(other))
    delta = sum((new > old) - (new < old) for old, new in product(one, other)) / (len(one) * len(other))
    assert found["cliffs_delta"] == pytest.approx(delta, abs=1e-6)
    assert lengths(Counter(other), Counter(one))["cliffs_delta"] == pytest.approx(-delta, abs=1e-6)
    assert found["before"]["longest"] == max(one)


def test_lengths_of_nothing() -> None:
    assert lengths({}, {3: 1})["cliffs_delta"] is None


@given(st.integers(0, 10**9))
def test_a_bucket_is_near_its_lengths(length: int) -> None:
    assert 0 <= length - bucket(length) <= length / 64
    assert bucket(bucket(length)) == bucket(length)


def test_sizes_have_the_names_of_their_limits() -> None:
    assert [size(value, "cliffs_delta") for value in (0.1, -0.147, 0.33, -0.9)] == [
        "negligible",
        "small",
        "medium",
        "large",
    ]

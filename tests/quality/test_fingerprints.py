"""Whatever two texts have in common from a window and an n-gram on is found by a fingerprint."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.quality.fingerprints import MOST, SIZE, WINDOW, fingerprints, lowest

UNITS = st.lists(st.lists(st.integers(0, 6), max_size=30), max_size=5)


def flat(texts: list[list[int]]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    units = np.array([unit for text in texts for unit in text], dtype=np.uint64)
    return units, np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)


def prints(texts: list[list[int]], **options: Any) -> list[list[int]]:
    hashes, starts = fingerprints(*flat(texts), **options)
    return [hashes[a:b].tolist() for a, b in pairwise(starts.tolist())]


@settings(deadline=None)
@given(UNITS)
def test_they_are_those_of_each_text_alone_sorted_and_each_once(texts: list[list[int]]) -> None:
    found = prints(texts)
    assert found == [prints([text])[0] for text in texts]
    assert all(one == sorted(set(one)) for one in found)
    assert [bool(one) for one in found] == [len(text) >= SIZE for text in texts]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 99), min_size=SIZE + WINDOW - 1, max_size=20),
    *[st.lists(st.integers(0, 99), max_size=20)] * 4,
)
def test_a_shared_passage_is_found(passage: list[int], a: list[int], b: list[int], c: list[int], d: list[int]) -> None:
    one, other = prints([[*a, *passage, *b], [*c, *passage, *d]])
    assert set(one) & set(other)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1_000), st.integers(0, 9_000))
def test_a_long_text_keeps_few_and_still_tells_a_part_of_it(seed: int, start: int) -> None:
    chance = np.random.default_rng(seed)
    long = chance.integers(0, 5_000, 10_000).tolist()
    part = long[start : start + 300]
    found = prints([long])[0]
    assert len(found) <= 2 * MOST
    least, some = lowest(*flat([part, []]))
    assert some.tolist() == [True, False]
    assert int(least[0]) in found


def test_fewer_are_kept_of_wider_windows() -> None:
    text = [list(np.random.default_rng(1).integers(0, 10**6, 400))]
    assert len(prints(text, window=2)[0]) > len(prints(text, window=8)[0]) > len(prints(text, window=8, most=20)[0])

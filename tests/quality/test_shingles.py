"""Hashed n-grams are those that slicing gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.shingles import code_points, grams, jaccard, runs, sets

TEXTS = st.lists(st.text(alphabet="abc中文😀\udc80", max_size=12), max_size=6)


@settings(deadline=None)
@given(TEXTS, st.integers(1, 5))
def test_grams_are_the_slices(texts: list[str], size: int) -> None:
    hashes, text = grams(*code_points(texts), size)
    slices = [
        (at, each[start : start + size]) for at, each in enumerate(texts) for start in range(len(each) - size + 1)
    ]
    assert text.tolist() == [at for at, _ in slices]
    names = [name for _, name in slices]
    assert len({*hashes.tolist()}) == len({*names})
    assert len({*zip(hashes.tolist(), names, strict=True)}) == len({*names})


@settings(deadline=None)
@given(st.text(alphabet="abc中文😀\udc80", max_size=12), st.integers(1, 5))
def test_runs_of_all_sizes_are_the_grams_of_each(text: str, longest: int) -> None:
    points, starts = code_points([text])
    found = [run.tolist() for run in runs(points, longest)]
    assert found == [grams(points, starts, size)[0].tolist() for size in range(1, longest + 1)]


@settings(deadline=None)
@given(TEXTS.filter(bool), st.integers(1, 3))
def test_jaccard_is_that_of_the_sets(texts: list[str], size: int) -> None:
    pairs = [(one, other) for one in range(len(texts)) for other in range(len(texts))]
    found = jaccard(*sets(texts, size), np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))
    for (one, other), value in zip(pairs, found, strict=True):
        mine, yours = (
            {each[at : at + size] for at in range(max(len(each) - size + 1, 1))} - {""}
            for each in (texts[one], texts[other])
        )
        assert value == pytest.approx(len(mine & yours) / max(len(mine | yours), 1))


def test_a_gram_of_one_size_is_never_one_of_another() -> None:
    points, starts = code_points(["aaaa"])
    assert len({int(grams(points, starts, size)[0][0]) for size in range(1, 5)}) == 4

"""N-grams are counted as if one text and one size were looked at after another, and products are exact."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from pipeline.quality.shingles import code_points, grams
from pipeline.quality.suspects import bags as counting
from pipeline.quality.suspects.bags import bags, blocks, times

TEXTS = st.lists(st.text(st.sampled_from("ab \u00dfA\u5317\u4eac\U0001f600\ud800"), max_size=30), max_size=12)


def plainly(text: str, share: int) -> dict[int, int]:
    """The n-grams of one text."""
    words = text.casefold().split()
    points, starts = code_points([" " + " ".join(words) + " "])
    found = [grams(points, starts, size)[0] for size in range(1, 6)]
    spelled, ends = counting._word_hashes([words]), np.array([0, len(words)])
    found += [grams(spelled, ends, size)[0] ^ np.uint64(0xABCDEF) for size in (1, 2)]
    kept = [one for one in np.concatenate(found).tolist() if (one >> 40) % share == 0]
    return {one: min(times, 255) for one, times in Counter(one % 2**22 for one in kept).items()}


@settings(max_examples=60, deadline=None)
@given(TEXTS.filter(bool), st.integers(1, 3))
def test_every_text_has_its_own_n_grams(texts: list[str], share: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_TEXTS_AT_ONCE", 4)
        columns, counts, starts = counting._shard(texts, share)
    for at, text in enumerate(texts):
        own = slice(starts[at], starts[at + 1])
        assert columns[own].tolist() == sorted(plainly(text, share))
        assert dict(zip(columns[own].tolist(), counts[own].tolist(), strict=True)) == plainly(text, share)
    assert len(columns) == starts[-1]


def test_n_grams_are_weighted_by_rarity_and_rows_have_length_one() -> None:
    texts = ["good card", "good loan", "good good card", "x"]
    found = bags(texts, [(0, 2), (2, 4)])
    rows = sparse.vstack([found.rows(0), found.rows(1)]).toarray()
    assert np.linalg.norm(rows[:3], axis=1) == pytest.approx(np.ones(3))
    # Those of "x" alone are left out, a space at either end is in all texts.
    assert np.count_nonzero(rows[3]) == 1
    had = (rows > 0).sum(axis=0)
    assert found.weight == pytest.approx(np.log(5 / (1 + had)) + 1)
    plain = np.array([[1, 2], [1, 1]])
    assert (counting._DAMPED[plain] == np.array([[1, 1 + np.log(2)], [1, 1]], dtype=np.float32)).all()


@pytest.mark.parametrize("rows", [0, 1, 5, 23])
def test_products_by_blocks_are_those_of_the_whole_to_the_bit(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_ROWS_IN_BLOCK", 5)
    chance = np.random.default_rng(rows)
    sparse_rows = sparse.random_array((rows, 40), density=0.3, format="csr", dtype=np.float32, rng=chance)
    sparse_rows.sort_indices()
    dense = chance.standard_normal((40, 7), dtype=np.float32)
    assert np.array_equal(times(blocks(sparse_rows), dense), sparse_rows @ dense)

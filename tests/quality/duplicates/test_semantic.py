"""Close embeddings propose; numbers, negations, names and single words decide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.duplicates import semantic, semantic_pairs
from tests.quality.duplicates.seen import accepted, search, whys


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("how do i get my money back", "in what way may one obtain a refund", ""),
        ("wake me up at 7 in the morning", "set the alarm to 8 am", "number 7 / 8"),
        ("i am happy with it", "that is not what pleases me", "negation - / not"),
        ("please phone Anna about it", "could you give Maria a ring", "name anna / maria"),
        ("what is the weather in paris", "what is the weather in london", "word paris / london"),
        ("怎么才能拿到退款", "我想把钱要回来", ""),
        ("明天三点开会", "会议定在明天五点", "number 三 / 五"),
    ],
)
def test_slots_decide(one: str, other: str, why: str) -> None:
    texts = [one, other]
    found = semantic_pairs(
        np.ones((2, 3), dtype=np.float32), 0.9, texts_of=lambda rows: [texts[row] for row in rows.tolist()]
    )
    assert accepted(found) == (set() if why else {(0, 1, "semantic")})
    assert whys(found) == {(0, 1): why or "put differently"}


def test_pairs_that_are_decided_are_left_alone() -> None:
    texts = ["could you please tell me when it arrives", "could you tell me when it arrives", "when does it get here"]
    decided = search(texts)
    assert accepted(decided) == {(0, 1, "similar")}
    found = semantic_pairs(
        np.ones((3, 2), dtype=np.float32), 0.9, texts_of=lambda rows: [texts[row] for row in rows.tolist()], but=decided
    )
    assert set(whys(found)) == {(0, 2), (1, 2)}


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99), st.integers(1, 40), st.integers(2, 9))
def test_close_rows_are_those_of_the_whole_matrix(seed: int, rows: int, block: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)
    vectors[0] = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(semantic, "_ROWS_AT_ONCE", block)
        left, right, cosine = semantic.close(vectors, 0.8, nearest=rows)
    lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-9)
    whole = np.round(vectors @ vectors.T / lengths / lengths[:, None], 4)
    expected = {(a, b) for a in range(rows) for b in range(a + 1, rows) if whole[a, b] > 0.8}
    assert expected - set(zip(left.tolist(), right.tolist(), strict=True)) == set()
    assert np.allclose(cosine, whole[left, right], atol=1e-3)


def test_a_row_has_few_neighbours() -> None:
    left, right, _ = semantic.close(np.ones((50, 4), dtype=np.float32), 0.5, nearest=2)
    assert len(left) <= 100
    assert (left < right).all()

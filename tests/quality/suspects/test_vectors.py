"""The directions are at right angles, span what they should, and the nearest texts read alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from pipeline.quality.suspects import vectors as module
from pipeline.quality.suspects.bags import bags
from pipeline.quality.suspects.vectors import vectors


def test_a_basis_is_made_of_columns_at_right_angles_and_spans_the_same() -> None:
    chance = np.random.default_rng(0)
    basis = chance.standard_normal((50, 6), dtype=np.float32) * np.logspace(0, 3, 6, dtype=np.float32)
    basis[:, 5] = basis[:, 0] + basis[:, 1]
    found = module._orthonormal(basis)
    assert found.shape == (50, 5)
    assert found.T @ found == pytest.approx(np.eye(5), abs=1e-4)
    assert found @ (found.T @ basis) == pytest.approx(basis, rel=1e-3, abs=1e-2)
    assert module._orthonormal(np.zeros((4, 2), dtype=np.float32)).shape == (4, 0)


def test_products_by_panel_are_those_of_the_whole_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PANEL", 3)
    chance = np.random.default_rng(0)
    rows = sparse.random_array((20, 30), density=0.3, format="csr", dtype=np.float32, rng=chance)
    dense = chance.standard_normal((30, 7), dtype=np.float32)
    assert np.array_equal(module._by_panel(rows, dense), rows @ dense)


def test_directions_are_the_first_singular_vectors() -> None:
    chance = np.random.default_rng(0)
    plain = chance.standard_normal((60, 40), dtype=np.float32) * np.logspace(1, -1, 40, dtype=np.float32)
    found = module._directions(sparse.csr_matrix(plain), 5, 0)
    exact = np.linalg.svd(plain)[2][:5]
    assert np.abs(exact @ found) == pytest.approx(np.eye(5), abs=1e-3)


def test_texts_that_share_their_words_are_near() -> None:
    texts = ["my card was lost", "pay off the loan", "the card was lost", "pay off a loan", ""]
    found = vectors(bags(texts, [(0, 3), (3, 5)]))
    likeness = found @ found.T
    assert np.diag(likeness) == pytest.approx([1, 1, 1, 1, 1], abs=1e-5)
    assert likeness[0, 2] > likeness[0, 1]
    assert likeness[1, 3] > likeness[1, 2]
    assert vectors(bags([], [])).shape == (0, 0)

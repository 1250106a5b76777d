"""Wordings: the same words for texts that say the same, in little room; a model of them that saw no row it judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import sparse

from pipeline.quality.suspects.wordings import said_of, wordings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.suspects.linear import Link

CHANCE = np.random.default_rng(4)
LABEL = CHANCE.integers(3, size=600)
WORDS = (("joyful", "sunny"), ("gloomy", "rainy"), ("阴天", "下雨"))
TEXTS = [f"{WORDS[label][CHANCE.integers(2)]} {CHANCE.integers(50)} times" for label in LABEL.tolist()]
FOLD = CHANCE.integers(5, size=600)


def told(order: NDArray[np.int64], link: Link = "softmax") -> NDArray[np.float32]:
    answers = sparse.csr_matrix(np.eye(3, dtype=np.float32)[LABEL[order]])
    return said_of(wordings([TEXTS[at] for at in order]), answers, FOLD[order], link=link)


def test_width_and_case_are_left_aside_and_order_is_not() -> None:
    one, other, turned = wordings(["Red ＣＡＴ", "red cat", "cat red"]).to_pylist()
    assert one == other != turned


def test_a_text_does_not_depend_on_those_beside_it() -> None:
    assert wordings(TEXTS).to_pylist() == [wordings([text])[0].as_py() for text in TEXTS]


@pytest.mark.parametrize("text", ["", " ", "\ud800"])
def test_little_or_nothing_is_no_error(text: str) -> None:
    assert len(wordings([text, "a cat"])) == 2


def test_a_long_text_takes_two_kilobytes_and_keeps_its_words() -> None:
    words = [f"w{number}" for number in range(400)]
    kept = wordings([" ".join(words * 20)])[0].as_py()
    assert len(kept) == 2048
    assert all(wordings([word])[0].as_py() in {kept[at : at + 4] for at in range(0, 2048, 4)} for word in words[:20])


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_it_learns_and_does_not_depend_on_the_order(link: Link) -> None:
    said = told(np.arange(600), link)
    assert float((said.argmax(axis=1) == LABEL).mean()) > 0.97
    order = np.random.default_rng(1).permutation(600)
    assert np.array_equal(told(order, link), said[order])


def test_a_row_is_not_told_its_own_answer() -> None:
    texts = [f"x{number:x}y" for number in range(400)]
    answers = sparse.csr_matrix(np.eye(2, dtype=np.float32)[np.arange(400) % 2])
    said = said_of(wordings(texts), answers, np.arange(400) % 7, link="softmax")
    assert abs(float((said.argmax(axis=1) == np.arange(400) % 2).mean()) - 0.5) < 0.2


def test_where_a_fold_leaves_one_answer_nothing_is_said() -> None:
    answers = sparse.csr_matrix(np.eye(2, dtype=np.float32)[[0, 0, 1]])
    said = said_of(wordings(["a", "b", "c"]), answers, np.array([0, 1, 2]), link="softmax")
    assert np.isnan(said[2]).all()
    assert not np.isnan(said[:2]).any()

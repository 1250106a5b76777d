"""Sentence embeddings: one vector for a text, whatever it is batched with and wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.errors import AssayError
from pipeline.finetune import embed as module
from pipeline.finetune.embed import _batches, embed
from tests.finetune.conftest import review

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = [
    *(review(number)["text"] for number in range(30)),
    "a",
    "the film " * 60,
    "电影很好看，大家都喜欢。",
    "",
    "!",
]


def test_vectors_have_length_one_and_none_is_like_another() -> None:
    made = embed(TEXTS, None)
    assert made.shape == (len(TEXTS), 64)
    assert made.dtype == np.float32
    assert np.linalg.norm(made, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert len({row.tobytes() for row in np.round(made, 3)}) == len(set(TEXTS))


def test_equal_texts_have_equal_vectors_and_are_computed_once() -> None:
    seen: list[int] = []
    made = embed([*TEXTS, *TEXTS[::-1]], None, tick=seen.append)
    assert np.array_equal(made[: len(TEXTS)], made[len(TEXTS) :][::-1])
    assert sum(seen) == len(set(TEXTS))


@pytest.mark.parametrize("tokens", [1, 64, 500])
def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch, tokens: int) -> None:
    whole = embed(TEXTS, None)
    monkeypatch.setattr(module, "BATCH_TOKENS", tokens)
    assert embed(TEXTS, None) == pytest.approx(whole, abs=1e-5)


def test_the_order_changes_nothing() -> None:
    assert np.array_equal(embed(TEXTS[::-1], None), embed(TEXTS, None)[::-1])


def test_a_long_text_is_read_as_far_as_the_limit() -> None:
    long, longer = "the film was " * 10, "the film was " * 10 + "dull"
    short = embed([long, longer], None, max_tokens=8)
    assert np.array_equal(short[0], short[1])
    whole = embed([long, longer], None, max_tokens=128)
    assert not np.allclose(whole[0], whole[1], atol=1e-4)


def test_no_text_has_no_vector() -> None:
    assert embed([], None).shape == (0, 64)


def test_every_text_is_in_one_batch_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_TOKENS", 100)
    lengths = [3, 50, 7, 120, 50, 1, 30, 30]
    batches = _batches(lengths)
    assert sorted(at for batch in batches for at in batch.tolist()) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[at] for at in batch)
        assert len(batch) == 1 or longest * len(batch) <= 100


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(AssayError):
        embed(["text"], tmp_path)

"""Joining: no signal speaks for an answer, better than any of its parts, and wrong ones rise to the top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.quality.joining import join
from pipeline.quality.signals import Signals


def planted(
    parts: int = 4000, *, share: float = 0.1, reach: tuple[float, ...] = (1.5, 1.0, 0.0), blind: float = 0.0
) -> tuple[Any, Signals]:
    """Which of the parts are wrong, and signals that lie `reach` higher for these."""
    chance = np.random.Generator(np.random.PCG64(7))
    wrong = chance.random(parts) < share
    actual = chance.normal(size=(parts, len(reach))) + np.outer(wrong, reach)
    actual[chance.random(actual.shape) < blind] = np.nan
    flipped = chance.normal(size=(parts, len(reach))) + np.array(reach)
    names, blank = tuple("abcdef"[: len(reach)]), ("",) * parts
    nothing, every = np.full(parts, np.nan), np.arange(parts)
    return wrong, Signals(every, blank, blank, blank, names, actual, flipped, every, nothing, nothing, lambda at: [])


def precision(wrong: Any, score: Any) -> float:
    """Average precision."""
    hits = wrong[np.argsort(-np.nan_to_num(score, nan=-9), kind="stable")]
    return float((np.cumsum(hits)[hits] / (np.flatnonzero(hits) + 1)).mean())


@pytest.mark.parametrize("blind", [0.0, 0.3])
def test_together_signals_say_more_than_each_alone(blind: float) -> None:
    wrong, signals = planted(blind=blind)
    joined = join(signals)
    alone = [precision(wrong, signals.actual[:, at]) for at in range(3)]
    assert precision(wrong, joined.wrong) > max(alone) + 0.05
    assert joined.weights["a"] > joined.weights["b"] > joined.weights["c"] >= 0


def test_a_signal_that_speaks_for_an_answer_is_left_out() -> None:
    _, signals = planted(reach=(1.5, -1.0))
    assert join(signals).weights["b"] == 0


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_a_known_rate_is_what_the_probabilities_add_up_to(share: float) -> None:
    wrong, signals = planted(8000, share=share, reach=(2.0, 2.0))
    joined = join(signals, rate=share)
    assert joined.rate == share
    assert joined.wrong.mean() == pytest.approx(share, rel=0.35)
    sure = joined.wrong > 0.5
    assert wrong[sure].mean() > 0.7


def test_what_is_known_beforehand_is_added() -> None:
    wrong, signals = planted()
    added = np.where(wrong, 3.0, 0.0)
    more = Signals(**{**vars(signals), "added": added})
    assert precision(wrong, join(more).wrong) > precision(wrong, join(signals).wrong)


def test_the_order_of_the_parts_does_not_matter() -> None:
    _, signals = planted(500)
    order = np.random.Generator(np.random.PCG64(1)).permutation(500)
    turned = Signals(**{**vars(signals), "actual": signals.actual[order], "flipped": signals.flipped[order]})
    assert np.allclose(join(turned).wrong, join(signals).wrong[order], atol=1e-6)


def test_nothing_to_join() -> None:
    none = np.zeros((0, 2))
    empty = Signals(
        np.zeros(0, np.int64), (), (), (), ("a", "b"), none, none, np.zeros(0, np.int64), none[:, 0], none[:, 0],
        lambda at: [],
    )  # fmt: skip
    assert len(join(empty).wrong) == 0

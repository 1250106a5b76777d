"""Scale: numbers that run high, wide or loose are told, honest ones are not."""

from __future__ import annotations

import numpy as np

from pipeline.quality.annotators.judged import judge
from pipeline.quality.annotators.scale import scale
from pipeline.quality.ballots import ballots_from
from tests.quality.annotators.crowds import told


def test_bias_spread_and_blind_numbers() -> None:
    chance = np.random.default_rng(1)
    middle = chance.normal(50, 15, 200)
    given = middle[:, None] + chance.normal(0, 5, (200, 8))
    given[:, 0] += 6
    given[:, 1] = 50 + (given[:, 1] - 50) * 1.7
    given[:, 2] = chance.normal(50, 15, 200)
    texts = [f"{round(one):d}" for one in given.ravel()]
    ballots = ballots_from(np.repeat(np.arange(200), 8), [""] * 1600, list("abcdefgh") * 200, texts)
    values, truth = np.array([float(one) for one in ballots.labels]), told(ballots)
    judged, cells, _ = judge(ballots, truth.label, truth.posterior, values=values)
    found = scale(ballots, judged, cells, values)
    assert found.biased[0]
    assert found.bias.low[0] < 6 < found.bias.high[0] + 1
    assert found.uneven[1]
    assert found.spread.low[1] > 1.3
    assert np.flatnonzero(found.loose).tolist() == [2]
    assert not found.uneven[3:].any()

"""Sampled: how many of the rows that no list shows are wrong, by what was found in some of them drawn by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.chance import draw

Floats = NDArray[np.float64]

LEAST_DRAWS, FAR = 100.0, 4.0
"""Where what was believed before leaves fewer draws than this any weight, or none whose log likelihood is this near to
the best there could be, it is given up for what was found alone."""


def held_to(draws: Floats, lines: int, *, checked: int, wrong: int, left: int, seed: int) -> Floats:
    """How many of the `left` lines are wrong that nobody checked: float64[draws].

    Args:
        draws: float64[draws], how many of `lines` may be wrong by what was believed before.
        checked, wrong: lines drawn by chance from the same, and those of them that were found wrong.
        seed: of what is drawn.

    Each draw weighs as probably as its share would have given the sample (sampling importance resampling: Rubin 1988,
    Using the SIR algorithm to simulate posterior distributions). Where the sample speaks against nearly all of them,
    shares are drawn from the sample alone: Beta(wrong + 1/2, checked - wrong + 1/2).
    """
    if not checked or not len(draws):
        return draws
    chance = np.random.Generator(np.random.PCG64(draw(seed, "sampled")))
    share = np.clip(draws / max(lines, 1), 1e-9, 1 - 1e-9)
    fits = wrong * np.log(share) + (checked - wrong) * np.log1p(-share)
    weight = np.exp(fits - fits.max())
    if weight.sum() ** 2 / (weight**2).sum() < LEAST_DRAWS or fits.max() < _best(checked, wrong) - FAR:
        share = chance.beta(wrong + 0.5, checked - wrong + 0.5, len(draws))
    else:
        places = (np.arange(len(draws)) + chance.random()) / len(draws)
        ends = np.cumsum(weight) / weight.sum()
        share = share[np.minimum(np.searchsorted(ends, places), len(draws) - 1)]
    return chance.binomial(left, np.clip(share, 0.0, 1.0)).astype(np.float64)


def _best(checked: int, wrong: int) -> float:
    """The log likelihood of the sample at its own share."""
    share = np.clip(wrong / checked, 1e-9, 1 - 1e-9)
    return float(wrong * np.log(share) + (checked - wrong) * np.log1p(-share))


__all__ = ["held_to"]

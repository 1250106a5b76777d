"""Agreeing: how far the people who judged the same lines, not seeing what the other said, say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.agreement import alpha, duos, percent_agreement
from pipeline.quality.agreement.figures import number
from pipeline.quality.agreement.kappas import percentage
from pipeline.quality.ballots import ballots_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots

    Ints = NDArray[np.int64]

MOST_PAIRS = 50
FEW_LINES = 10


def agreement(line: Ints, who: Sequence[str], said: Sequence[str], *, seed: int) -> dict[str, Any]:
    """Raw agreement, alpha and Cohen's kappa with intervals (lines drawn anew), and those of every two people.

    One entry for each person and line: `line` is int64[n] from 0, `said` what the person made of it. Lines that one
    person judged say nothing. All measures are those of `pipeline.quality.agreement`.
    """
    ballots = ballots_from(line, [""] * len(line), list(who), list(said))
    voices = np.bincount(ballots.unit, minlength=ballots.units)
    lines = int((voices > 1).sum())
    if not lines:
        return {
            "lines": 0,
            "raw": None,
            "alpha": None,
            "kappa": None,
            "pairs": [],
            "says": "nobody judged the same lines",
        }
    met = duos(ballots, seed=seed)
    return {
        "lines": lines,
        "raw": percentage(ballots, seed=seed).told(),
        "alpha": alpha(ballots, seed=seed).figure("alpha (nominal)").told(),
        "kappa": met.mean.told(),
        "pairs": _pairs(ballots, met),
        "says": _says(ballots, lines),
    }


def _pairs(ballots: Ballots, met: Any) -> list[dict[str, Any]]:
    """Every two people who met on a line, those who met most first."""
    order = np.argsort(-met.units, kind="stable")[:MOST_PAIRS].tolist()
    return [
        {
            "one": ballots.annotators[met.first[at]],
            "other": ballots.annotators[met.second[at]],
            "lines": int(met.units[at]),
            "raw": number(met.same[at]),
            "kappa": number(met.kappa[at]),
            "low": number(met.low[at]),
            "high": number(met.high[at]),
        }
        for at in order
    ]


def _says(ballots: Ballots, lines: int) -> str:
    same = percent_agreement(ballots)
    few = f"; {lines} lines are few" if lines < FEW_LINES else ""
    return f"on {lines} lines that two people judged, {same:.0%} of the pairs say the same{few}"

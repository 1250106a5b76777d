"""Dealing: which lines two people judge, for the whole queue at once, and which one judges without the proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.chance import draws
from pipeline.quality.reviewed import dealt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.settings import ReviewSettings


def doubled(lines: Any, settings: ReviewSettings) -> NDArray[np.bool_]:
    """Which of the lines with these names (Arrow strings) two people judge, as `dealt` says of each: bool[lines]."""
    found = draws(settings.seed, "double", names=lines.to_pylist()).astype(np.float64) / 2.0**64
    return np.asarray(found < settings.double_share)


def blinded(line: str, who: str, settings: ReviewSettings) -> bool:
    """Whether a person judges the line without the proposal."""
    shares = {"blind_share": settings.blind_share, "double_share": settings.double_share}
    return dealt(settings.seed, line, who, **shares)[0]

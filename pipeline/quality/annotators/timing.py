"""Timing: in which order and how fast an annotator answered; never a judgement of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.annotators.judged import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_PAUSE_SECONDS = 600.0  # longer than this, and than `_PAUSE_MEDIANS` usual gaps, is a pause between sessions
_PAUSE_MEDIANS = 20.0
_FLOOR_SHARE = 0.25  # an answer in less than this share of the group's median could hardly be read
_QUICK_SHARE, _QUICK_MEDIAN, _QUICK_GAPS = 0.25, 0.5, 20


@dataclass(frozen=True)
class Speed:
    """Seconds between consecutive answers of one annotator, pauses left out, per annotator.

    Attributes:
        gaps, sessions: int64[annotators], how many; median: float64[annotators], in seconds.
        hasty: float64[annotators], 0..1, share of gaps under the floor; burst: int64[annotators], most in a row.
        floor, group: seconds: under which an answer is hasty, and the median of the annotators' medians.
        quick: bool[annotators], at least a quarter hasty and under half the group's median; says nothing alone.
    """

    gaps: Ints
    sessions: Ints
    median: Floats
    hasty: Floats
    burst: Ints
    floor: float
    group: float
    quick: Bools


def order_of(ballots: Ballots, seconds: Floats | None) -> Floats:
    """When each ballot was given, for sorting one annotator's: float64[n], nan where it is not known.

    Seconds where every annotation of the annotator has them, else the number of the annotation (`origin`).
    """
    origin = np.where(ballots.origin >= 0, ballots.origin, np.nan).astype(np.float64)
    if seconds is None or not len(ballots):
        return origin
    size = len(ballots.annotators)
    when = seconds_of(ballots, seconds)
    who = np.where(ballots.annotator < 0, size, ballots.annotator)
    timed = np.bincount(who, weights=~np.isfinite(when), minlength=size + 1) == 0
    # Equal times are told apart by the number of the annotation.
    ranks = np.empty(len(ballots))
    ranks[np.lexsort((np.nan_to_num(origin), when))] = np.arange(len(ballots))
    return np.where(timed[who], ranks, origin)


def seconds_of(ballots: Ballots, seconds: Floats) -> Floats:
    """The time of each ballot's annotation: float64[n], nan where it is not known."""
    known = ballots.origin >= 0
    times = np.append(np.asarray(seconds, dtype=np.float64), np.nan)
    return np.asarray(np.where(known, times[np.where(known, ballots.origin, -1)], np.nan))


def speed(ballots: Ballots, seconds: Floats | None) -> Speed | None:
    """How fast everybody was; None where no two answers of one annotator have times, or all have the same.

    `seconds` is float64[annotations] since 1970, indexed by `origin`; nan is not known.
    """
    if seconds is None:
        return None
    when, size = seconds_of(ballots, seconds), len(ballots.annotators)
    timed = np.flatnonzero(np.isfinite(when) & (ballots.annotator >= 0))
    timed = timed[np.lexsort((ballots.origin[timed], when[timed], ballots.annotator[timed]))]
    # An annotation may have cast several ballots: it is one answer.
    timed = timed[np.diff(ballots.origin[timed], prepend=-1) != 0]
    who, times = ballots.annotator[timed], when[timed]
    step = np.flatnonzero(who[1:] == who[:-1])
    gap, owner = times[step + 1] - times[step], who[step]
    group = float(np.median(gap)) if len(gap) else 0.0
    if group <= 0:
        return None
    pause = gap > max(_PAUSE_SECONDS, _PAUSE_MEDIANS * group)
    sessions = np.bincount(owner[pause], minlength=size) + (np.bincount(who, minlength=size) > 0)
    median = _medians(gap[~pause], owner[~pause], size)
    floor = _FLOOR_SHARE * float(np.nanmedian(median))
    quick = ~pause & (gap < floor)
    gaps = np.bincount(owner[~pause], minlength=size)
    hasty = ratio(np.bincount(owner[quick], minlength=size).astype(np.float64), gaps.astype(np.float64))
    group = float(np.nanmedian(median))
    with np.errstate(invalid="ignore"):
        marked = (hasty >= _QUICK_SHARE) & (median < _QUICK_MEDIAN * group) & (gaps >= _QUICK_GAPS)
    return Speed(gaps, sessions, median, hasty, _bursts(quick, owner, size), floor, group, marked)


def _medians(values: Floats, owner: Ints, size: int) -> Floats:
    """Median of the values of each owner: float64[size], nan for those without."""
    order = np.lexsort((values, owner))
    count = np.bincount(owner, minlength=size)
    start = np.cumsum(count) - count
    ranked = np.append(values[order], np.nan)
    low, high = start + np.maximum(count - 1, 0) // 2, start + count // 2
    middle = (ranked[np.minimum(low, len(values))] + ranked[np.minimum(high, len(values))]) / 2
    return np.where(count > 0, middle, np.nan)


def _bursts(quick: Bools, owner: Ints, size: int) -> Ints:
    """Most hasty gaps in a row, per owner: int64[size]."""
    burst = np.zeros(size, dtype=np.int64)
    if len(owner):
        start = np.flatnonzero(np.diff(owner, prepend=-1) | np.diff(quick.astype(np.int64), prepend=-1))
        length = np.where(quick[start], np.diff(start, append=len(owner)), 0)
        np.maximum.at(burst, owner[start], length)
    return burst

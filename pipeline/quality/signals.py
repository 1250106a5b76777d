"""Signals: what several instruments say against each part of an answer, and what they would say of another answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Signals:
    """What speaks against the answers of a table, part by part.

    A part is what can be wrong by itself: a row, a label of a row, a marked span. Every signal is a number that is
    higher the more it speaks against the answer, near additive on the scale of log-odds, and nan where it could not be
    asked. `flipped` holds the same signals for answers that nobody gave: what they would say of the part, had it
    carried another label. So a model of `flipped` against `actual` learns, without any truth, what a wrong answer looks
    like (an answer drawn at random is nearly always wrong, one that was given is mostly right).

    Attributes:
        row: int64[n], the row of the table that the part belongs to.
        part: n names: "" for a whole row, the label, or "start:end" of a span.
        given: n answers, as they stand in the table.
        likely: n answers, the likeliest other than the given one; "" where there is none.
        names: the k signals, in the order of the columns below.
        actual: float64[n, k], the signals of the answers that were given.
        flipped: float64[m, k], the signals of answers that were not.
        flipped_part: int64[m], the part, 0..n-1, that each row of `flipped` is of.
        p_given: float64[n], 0..1, how probable the given answer is by all that is known; nan where not asked.
        p_likely: float64[n], 0..1, how probable the likeliest other answer is; nan where not asked.
        said: the reasons in words why a part (0..n-1) looks wrong, the strongest first.
        flipped_weight: float64[m], how much each flipped row counts; None for 1 each.
        flipped_kind: int64[m], which way of going wrong each flipped row was made by (0, 1, ..); None for one way. Data
            differ in how they go wrong, and how much of each there is can be estimated (`mixture.join_kinds`).
        state: int64[n], the sort of each part (a label that a row has, one that it lacks): what is learned of one sort
            says nothing of another; None for one sort.
        flipped_state: int64[m], the sort that each flipped row belongs to.
        fair: bool[n], the parts to learn from: those asked in full and chosen without looking at what the signals say;
            `flipped` is made of these alone. None for all.
        added: float64[n], log-odds that are known without learning and are added to what is learned, since they are not
            known of flipped answers (how the annotators voted); 0 where unknown; None for none.
        prior: float64[n], 0..1, how probable it is that each part is wrong by what its annotators said, whatever the
            signals say; nan where that is not known, and None where it is for no part.
        error_rate: estimate of the share of parts that are wrong, 0..1, by the instrument itself; nan if it has none.
    """

    row: Ints
    part: tuple[str, ...]
    given: tuple[str, ...]
    likely: tuple[str, ...]
    names: tuple[str, ...]
    actual: Floats
    flipped: Floats
    flipped_part: Ints
    p_given: Floats
    p_likely: Floats
    said: Callable[[int], list[str]]
    flipped_weight: Floats | None = None
    flipped_kind: Ints | None = None
    state: Ints | None = None
    flipped_state: Ints | None = None
    fair: NDArray[np.bool_] | None = None
    error_rate: float = float("nan")
    added: Floats | None = None
    prior: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse columns that do not fit one another.

        Raises:
            AssayError: a column has another length than the parts or the flipped parts, or another number of signals.
        """
        parts, answers, signals = len(self.row), len(self.flipped_part), len(self.names)
        optional = tuple(column for column in (self.fair, self.added, self.prior, self.state) if column is not None)
        columns = (self.part, self.given, self.likely, self.actual, self.p_given, self.p_likely, *optional)
        weight = self.flipped if self.flipped_weight is None else self.flipped_weight
        kind = self.flipped_part if self.flipped_kind is None else self.flipped_kind
        state = self.flipped_part if self.flipped_state is None else self.flipped_state
        if not (
            all(len(column) == parts for column in columns)
            and len(self.flipped) == len(weight) == len(kind) == len(state) == answers
            and self.actual.shape[1:] == self.flipped.shape[1:] == (signals,)
        ):
            raise AssayError("signals", f"columns do not fit {parts} parts, {answers} flipped, {signals} signals")
        if answers and not (self.flipped_part.min() >= 0 and self.flipped_part.max() < parts):
            raise AssayError("signals", f"flipped parts are not all in 0..{parts - 1}")

"""Minutes: how long a line and a group take a person, and how many errors a decision is expected to settle."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

DECIDE_LINES = 1.0
"""Reading what a group proposes and deciding on it takes as long as so many lines."""
EXAMPLE_LINES = 0.5
"""An example of a group that says the same as the others is read in so much of the time of a line."""
EXAMPLES = 4
"""So many examples are read of any group..."""


def examples(lines: int) -> int:
    """How many lines of a group are read before it is decided: ...and one more whenever it is twice as large.

    >>> [examples(lines) for lines in (1, 2, 5, 8, 100, 10_000)]
    [1, 2, 5, 7, 10, 17]
    """
    return min(lines, EXAMPLES + int(log2(max(lines, 1))))


@dataclass(frozen=True)
class Worth:
    """What a decision on a group is expected to bring, and to take."""

    settled: float
    """Errors that are expected to be settled."""
    minutes: float

    @property
    def value(self) -> float:
        """Errors in a minute."""
        return self.settled / self.minutes


def alone(score: float, seconds: float) -> float:
    """Errors that are expected to be settled in a minute by looking at one line: its score by its minutes."""
    return score * 60 / seconds


def grouped(lines: int, mean: float, seconds: float, *, shared: float, fits: float = 1.0) -> Worth:
    """What one decision on so many lines is worth, `mean` of which are expected to be wrong.

    `shared` is the probability that one cause makes all of them what they are, so that all are wrong or none is; else
    each is on its own. `fits` is the share of the wrong ones that are wrong as proposed. Examples are read one after
    another: where all are as proposed, or none is wrong, the decision holds for all lines. At the first that differs
    reading ends: only what was read is settled, and each has taken the time of a line.
    """
    most, like = examples(lines), mean * fits
    read, settled = 1.0, mean
    for before in range(1, most):
        on_their_own = (1 - shared) * (like**before + (1 - mean) ** before)
        read += shared * (like + 1 - mean) + on_their_own
        settled += shared * like + on_their_own * mean
    alike = shared * (like + 1 - mean) + (1 - shared) * (like**most + (1 - mean) ** most)
    rest = (lines - most) * (shared * like + (1 - shared) * like ** (most + 1))
    taken = DECIDE_LINES + read - (1 - EXAMPLE_LINES) * most * alike
    return Worth(settled + rest, taken * seconds / 60)


def shared_after(shared: float, mean: float, *, wrong: int, fine: int) -> float:
    """How probably lines have one cause when so many of them were found wrong, and so many fine.

    >>> round(shared_after(0.4, 0.5, wrong=3, fine=0), 2), shared_after(0.4, 0.5, wrong=3, fine=1)
    (0.73, 0.0)
    """
    if wrong and fine:
        return 0.0
    chance = mean if wrong else 1 - mean
    together, apart = shared * chance, (1 - shared) * chance ** (wrong + fine)
    return together / (together + apart) if wrong + fine and together + apart else shared


def flat_minutes(lines: int, seconds: float) -> float:
    """How long one decision on a group takes that turns out to be of one kind."""
    return (DECIDE_LINES + examples(lines) * EXAMPLE_LINES) * seconds / 60

"""Stopping: whether the next lines are worth the time that they take.

What is asked is what the next error costs, at its most hopeful: scores taken for as right, and people for as quick, as
what was seen still lets them be. While that is cheap enough, review goes on; so bad luck at the start, which leaves
much possible, stops nothing. The answer may be asked for after every line: a posterior probability does not mind when
one looks (what it says is right on average over what the prior takes for possible), and `tests/bench/reviewed.py`
counts how often it stops too early under truths that the prior does not expect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.quality.reviewed.pace import Cost
from pipeline.quality.reviewed.remaining import EDGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEW_LOOKS = 20
"""With fewer acts than this nothing is said of when to stop."""
FEW_FOUND = 0.05
"""Fewer errors than this in all that is left are none."""


@dataclass(frozen=True)
class Block:
    """What could be looked at next: `errors` and `minutes` are float64[draws], what it may hold and take."""

    name: str
    lines: int
    errors: Floats
    minutes: Floats

    @property
    def costs(self) -> Floats:
        """Minutes for each error: float64[draws]."""
        return np.asarray(self.minutes / np.maximum(self.errors, 1e-9))


@dataclass(frozen=True)
class Next:
    """The block in which errors come cheapest, and what one costs there."""

    block: Block
    cost: Cost

    def told(self) -> dict[str, Any]:
        """For JSON."""
        low, high = np.quantile(self.block.errors, EDGES)
        return {
            "what": self.block.name,
            "lines": self.block.lines,
            "errors": round(float(np.median(self.block.errors)), 3),
            "errors_low": round(float(low), 3),
            "errors_high": round(float(high), 3),
            "minutes": round(float(np.median(self.block.minutes)), 3),
            "per_error": self.cost.told(),
        }


@dataclass(frozen=True)
class Stop:
    """What to do, and why in words."""

    say: Literal["go on", "stop", "not yet known"]
    why: str

    def told(self) -> dict[str, str]:
        """For JSON."""
        return {"say": self.say, "why": self.why}


def next_cost(blocks: Sequence[Block]) -> Next | None:
    """The block whose errors cost the least in the middle of what may be; None where there is none.

    The interval reaches as low as the most hopeful of all blocks.
    """
    if not blocks:
        return None
    costs = [np.quantile(one.costs, (EDGES[0], 0.5, EDGES[1])) for one in blocks]
    best = min(range(len(blocks)), key=lambda at: (costs[at][1], blocks[at].name))
    low = min(float(one[0]) for one in costs)
    return Next(blocks[best], Cost(float(costs[best][1]), low, float(costs[best][2])))


def stop(coming: Next | None, *, looks: int, remaining: float, worth_minutes: float) -> Stop:
    """Go on or stop; `remaining` are the errors that may be left at most, `looks` the acts so far.

    >>> stop(None, looks=3, remaining=0.0, worth_minutes=5).say
    'stop'
    """
    if coming is None:
        return Stop("stop", "nothing is left in the queue")
    if looks < FEW_LOOKS:
        return Stop("not yet known", f"{looks} decision{'s' * (looks != 1)} so far; from {FEW_LOOKS} on it can be told")
    if remaining < FEW_FOUND:
        return Stop("stop", "what was confirmed so far leaves no error to be expected in the queue")
    cost, worth = coming.cost, f"one is worth {worth_minutes:g} minutes"
    assert cost.value is not None
    assert cost.low is not None
    expected = f"the next error is expected to cost {_minutes(cost.value)}"
    if cost.low > worth_minutes:
        return Stop("stop", f"{expected}, and {_minutes(cost.low)} even at the most hopeful; {worth}")
    if cost.value > worth_minutes:
        return Stop("go on", f"{expected}, but it may cost as little as {_minutes(cost.low)}; {worth}")
    return Stop("go on", f"{expected}; {worth}")


def _minutes(number: float) -> str:
    """So many minutes in words.

    >>> _minutes(0.21), _minutes(12.34), _minutes(123456.0)
    ('0.2 minutes', '12 minutes', 'over 1000 minutes')
    """
    if number > 1000:
        return "over 1000 minutes"
    return f"{number:.1f} minutes" if number < 10 else f"{number:.0f} minutes"

"""The heading: where review stands, for the top of the page; reckoned beside the answers, which never wait for it."""

from __future__ import annotations

import time
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import AssayError
from pipeline.reviewing import progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.reviewing.desk import Desk
    from pipeline.reviewing.live import Live

    Facts = list[tuple[str, str]]

SECONDS, TIMES = 4.0, 8.0
"""What was reckoned is good for so many seconds, and for so many times as long as it took."""


class Heading:
    """Facts for the head of the page: the counts of now, and what review has shown (`progress`) a little earlier."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._lock = Lock()
        self._version: tuple[str, int] = ("", -1)
        self._until, self._is_running = 0.0, False
        self._facts: Facts = []
        self._says = ""

    def told(self, who: str) -> dict[str, Any]:
        """The facts as names and values, what the stop rule says, and whether newer ones are being reckoned."""
        desk = self._live.desk
        with self._lock:
            version = (desk.version, desk.ledger.version)
            if version != self._version and not self._is_running and time.monotonic() >= self._until:
                self._is_running = True
                Thread(target=self._reckon, args=(desk, version), daemon=True).start()
            facts, says, is_pending = list(self._facts), self._says, version != self._version
        listed = desk.view("lines", who)
        lines = len(listed)
        left = int((~desk.done(who))[listed].sum())
        own = int(desk.by(who).sum())
        counts = [("left for you", f"{left:,} of {lines:,}"), ("lines judged by you", f"{own:,}"), *agreeing(desk)]
        return {"facts": [*counts, *facts], "say": says, "pending": is_pending}

    def _reckon(self, desk: Desk, version: tuple[str, int]) -> None:
        begun = time.monotonic()
        try:
            told = progress.facts(desk.recipe, desk.waiting)
            facts, says = list(shown(told)), said(told)
        except AssayError as error:  # a line of the decisions that somebody broke: said, and the page goes on
            facts, says = [], str(error)
        with self._lock:
            self._facts, self._says, self._version, self._is_running = facts, says, version, False
            self._until = time.monotonic() + max(SECONDS, TIMES * (time.monotonic() - begun))


def opened(desk: Desk) -> str:
    """How many lines nobody has judged yet, of those that are asked about: the same number as `assay queue` tells.

    Echoes that nobody is asked about yet are named apart.
    """
    judged = np.zeros(desk.lines.num_rows, dtype=bool)
    for who in desk.people():
        judged |= desk.by(who)
    left, hidden = int((desk.asked & ~judged).sum()), int((~desk.asked & ~judged).sum())
    return f"{many(left, 'line')} to look at" + (f" ({many(hidden, 'echo', 'es')} wait behind them)" if hidden else "")


def many(count: int, what: str, ending: str = "s") -> str:
    """A count with what is counted, in the singular where it is one.

    >>> many(1, "line"), many(1200, "line")
    ('1 line', '1,200 lines')
    """
    return f"{count:,} {what}" + ("" if count == 1 else ending)


def agreeing(desk: Desk) -> Facts:
    """How often two people who judged the same line said the same."""
    judged = np.zeros(desk.lines.num_rows, dtype=np.int64)
    for who in desk.people():
        judged += desk.by(who)
    both = [said for at in np.flatnonzero(desk.double & (judged > 1)).tolist() if len(said := desk.voices(at)) > 1]
    same = sum(len({(one.verdict, one.answer) for one in voices.values()}) == 1 for voices in both)
    return [("two people agree", f"{same} of {len(both)}")] if both else []


def shown(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What `progress.facts` tells, in a few words."""
    if told["lines"]:
        yield "confirmed", f"{told['errors']:,} of {told['lines']:,}"
        if points := told["curve"]["by_review"]:
            last = points[-1]
            yield "precision", _share(last["share"], last["low"], last["high"])
    left = told["left"]["queue"]
    yield "errors left in the list", f"{left['value']:.0f} ({left['low']:.0f} to {left['high']:.0f})"
    if (each := told["per_error"]["so_far"]["value"]) is not None:
        yield "minutes per error", f"{each:.2f}"
    if (coming := told["per_error"]["next"]) is not None and coming["per_error"]["value"] is not None:
        yield "minutes for the next", f"{coming['per_error']['value']:.2f}"
    if (money := told["money"]) is not None:
        yield "spent", f"{money['spent']:,.2f} {money['currency']}"


def said(told: Mapping[str, Any]) -> str:
    """What the stop rule says."""
    advice = told["stop"]
    return f"{str(advice['say']).capitalize()}: {advice['why']}."


def _share(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0%}" + (f" ({low:.0%} to {high:.0%})" if low is not None and high is not None else "")

"""Sent: one decision as a page sends it, checked before anything is done with it."""

from __future__ import annotations

import math
import re
import reprlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.tasks import Row

MOST_SECONDS = 300.0
"""A person who takes longer was elsewhere."""
WHY = "no reason given"
"""What stands as the reason where none was given: a decision needs one, and nobody is to be quoted falsely."""
VERDICTS, SCOPES, CAUSES = ("wrong", "fine", "ambiguous", "drop"), ("line", "group", "rule"), ("error", "guideline")
_ACT = re.compile(r"[A-Za-z0-9_-]{8,64}")
_WHY_CHARS, _ANSWER_CHARS, _MOST_SHARE = 2000, 500_000, 1_000_000


@dataclass(frozen=True)
class Act:
    """One decision as it was sent; `label`, `words`, `mark` or `like` say what is right instead."""

    act: str
    scope: str
    target: str
    verdict: str
    label: str | None = None
    words: str | None = None
    mark: tuple[int, int] | None = None
    like: str | None = None
    """The row that is answered rightly, of those that read alike..."""
    model: Row | None = field(default=None, compare=False)
    """...as it is, once it was looked up."""
    shares: Mapping[str, float] | None = None
    why: str = WHY
    cause: str = ""
    """Whether annotators erred or the guideline is another; where it is not said, the line tells."""
    seconds: float | None = None
    without: frozenset[str] = frozenset()
    settles: bool = False
    seen: str = ""
    """The mark of what was shown (`fresh`); empty where the page did not say."""


def read(sent: Any) -> Act:
    """The act that a page sends as JSON.

    Raises:
        AssayError: something in it is not as it must be.
    """
    if not isinstance(sent, dict):
        raise odd("act", sent)
    for name, known in (("verdict", VERDICTS), ("scope", SCOPES)):
        if sent.get(name) not in known:
            raise odd(name, sent.get(name))
    if not isinstance(sent.get("act"), str) or not _ACT.fullmatch(sent["act"]):
        raise odd("act", sent.get("act"))
    if (cause := sent.get("cause") or "") not in ("", *CAUSES):
        raise odd("cause", cause)
    if not isinstance(without := sent.get("without") or [], list):
        raise odd("without", without)
    return Act(
        act=sent["act"],
        scope=sent["scope"],
        target=_text(sent, "target", 100) or "",
        verdict=sent["verdict"],
        label=_text(sent, "label", 1000),
        words=_text(sent, "words", _ANSWER_CHARS),
        mark=_mark(sent.get("mark")),
        like=_text(sent, "like", 1000),
        shares=_shares(sent.get("shares")),
        why=(_text(sent, "why", _WHY_CHARS) or "").strip() or WHY,
        cause=cause,
        seconds=_seconds(sent.get("seconds")),
        without=frozenset(map(str, without)),
        settles=sent.get("settles") is True,
        seen=_text(sent, "seen", 64) or "",
    )


def odd(name: str, value: Any) -> AssayError:
    """What is said of something that a page would not send."""
    return AssayError("decision", f"{name} is {reprlib.repr(value):.60}", "load the page again")


def _text(sent: Mapping[str, Any], name: str, most: int) -> str | None:
    value = sent.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > most):
        raise odd(name, value)
    return value


def _mark(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    is_good = isinstance(value, list) and len(value) == 2 and all(type(one) is int and one >= 0 for one in value)
    if not is_good or value[0] >= value[1]:
        raise odd("mark", value)
    return value[0], value[1]


def _shares(value: Any) -> dict[str, float] | None:
    """Shares that come to 1, as they were meant."""
    if not value:
        return None
    is_good = isinstance(value, dict) and all(
        type(share) in (int, float) and 0 <= share <= _MOST_SHARE for share in value.values()
    )
    if not is_good or not sum(value.values()):
        raise odd("shares", value)
    total = sum(value.values())
    return {str(label): round(share / total, 6) for label, share in value.items() if share}


def _seconds(value: Any) -> float | None:
    if type(value) not in (int, float) or not 0 <= value < math.inf:
        return None
    return round(float(min(value, MOST_SECONDS)), 2)

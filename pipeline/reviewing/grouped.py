"""Grouped: a group as a reviewer sees it: its rule in words, lines in context, what changes, what stays doubtful."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reviewing import detail, fresh, rivals

if TYPE_CHECKING:
    from pipeline.reviewing.desk import Desk

MOST = 200
"""So many lines are sent at a time."""
FACTS = (
    "group",
    "kind",
    "says",
    "given",
    "likely",
    "lines",
    "rows",
    "expected",
    "doubtful",
    "touches",
    "minutes",
    "value",
)


def brief(desk: Desk, at: int, who: str) -> dict[str, Any]:
    """What a list shows of a group."""
    desk.see(at, who)
    told = {name: desk.groups[name][at].as_py() for name in FACTS}
    members = desk.members(at)
    judged = int(desk.done(who)[members].sum())
    some = desk.lines["line"][int(members[0])].as_py() if len(members) else ""
    left = len(members) - judged
    return told | {"type": "group", "judged": judged, "left": left, "done": not left, "first": some}


def group(desk: Desk, at: int, who: str, *, start: int = 0, count: int = 50) -> dict[str, Any]:
    """A group for the page, with some of its lines: those that the rule is sure of first, the doubtful ones after."""
    members = desk.members(at)
    doubtful = np.asarray(pc.equal(desk.lines["verdict"].take(pa.array(members)), "ambiguous"), dtype=bool)
    order = members[np.argsort(doubtful, kind="stable")]
    shown = order[max(start, 0) : max(start, 0) + min(max(count, 1), MOST)]
    flags = {int(line): bool(is_doubtful) for line, is_doubtful in zip(members, doubtful, strict=True)}
    lines = [detail.brief(desk, int(line), who) | {"doubtful": flags[int(line)]} for line in shown]
    told = brief(desk, at, who)
    is_hidden = bool((desk.double & ~desk.by(who))[members].any())
    shares = {"listed": len(members), "double": int(desk.double[members].sum())}
    first = detail.line(desk, int(order[0]), who) if len(order) else {}
    labels = {name: first[name] for name in ("choices", "asks", "shares", "answer") if name in first}
    numbers = rivals.numbers(desk, at)
    for one in lines:
        one["number"] = numbers.get(one["row"], 0)
    return (
        told
        | shares
        | labels
        | {
            "is_rule": bool(desk.groups["rule"][at].as_py()),
            "beyond": max(told["touches"] - len(members), 0),
            "seen": fresh.of_group(desk, at),
            "start": max(start, 0),
            "members": lines,
            "ruled": [
                detail.voice(one, is_here=True, who=who)
                for one in desk.ledger.rules
                if one.group == told["group"] and (one.who == who or not is_hidden)
            ],
        }
    )

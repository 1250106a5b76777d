"""Progress: what review has shown so far: errors confirmed, errors left, what one costs, and whether to go on."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import decisions, store
from pipeline.quality.reviewed import cost_so_far, curve, next_cost, pace, rate, stop, wilson
from pipeline.quality.reviewed.remaining import EDGES
from pipeline.reviewing.ahead import ahead, below, blocks, in_queue, rows_left
from pipeline.reviewing.judged import DISPUTED, ERRORS, judged
from pipeline.reviewing.opening import open_lines
from pipeline.reviewing.queue import queue as queue_of
from pipeline.reviewing.sides import agreed, swayed
from pipeline.reviewing.tables import ECHO, SUSPECT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.reviewed import Cost, Next, Pace
    from pipeline.recipe import Recipe
    from pipeline.reviewing.ahead import Ahead, Below
    from pipeline.reviewing.judged import Judged
    from pipeline.reviewing.tables import Queue
    from pipeline.settings import ReviewSettings

    Floats = NDArray[np.float64]

VERDICTS = ("wrong", "fine", "ambiguous", "drop", DISPUTED)
CURVE = (
    "a line that one act decided together with others counts with them as one look; low and high hold for one look at "
    "the curve; always_low and always_high, of by_look, in which every act weighs the same, for whoever always looks"
)
LEFT = (
    "scores as people found them to be, drawn to the given ones where few were judged; lines with few like them among "
    "the judged ones leave the widest intervals"
)
BELOW = (
    "rows that no list shows, guessed by the doubt about each alone: an order of size, and too low where people err in "
    "ways that the instruments do not see; rows drawn by chance and checked (assay audit-plan) would tell"
)
SAMPLED = (
    "rows that no list shows, by the doubt about each and by what was found in those of them that were drawn by chance "
    "and checked (assay audit-plan)"
)
RATE = (
    "errors that people confirmed, and those expected among suspects not judged and among rows not listed; people who "
    "judged are taken to be right. Only rows drawn at random and checked (assay audit-plan) prove a bound"
)


def facts(recipe: Recipe, queue: Queue | None = None) -> dict[str, Any]:
    """Everything that review has shown so far, for JSON; `queue` is made or fetched where it is not given.

    Raises:
        AssayError: a line of the decisions cannot be read.
    """
    settings = recipe.settings.review
    queue = queue_of(recipe) if queue is None else queue
    book = decisions.read(recipe.decisions)
    seen = judged(book, queue)
    coming = ahead(seen, queue, open_lines(queue, book, seconds=settings.seconds_per_line), settings)
    return {
        **_counts(seen),
        "open": {"lines": coming.lines.num_rows, "groups": coming.groups.num_rows},
        **_costs(recipe, seen, queue, coming),
        "curve": _curves(seen),
        "bias": swayed(seen, settings),
        "agreement": agreed(seen, settings.seed),
        "settled": _settled(recipe, seen),
        "reviewers": _reviewers(seen),
    }


def _counts(seen: Judged) -> dict[str, Any]:
    """Lines, rows and acts; verdicts, with those for a new guideline apart."""
    verdicts = Counter(line.verdict for line in seen.lines if not line.is_guideline)
    return {
        "lines": len(seen.lines),
        "rows": len(seen.rows),
        "acts": sum(act.holds for act in seen.acts.values()),
        "errors": int(seen.wrong.sum()),
        "verdicts": {name: verdicts[name] for name in VERDICTS},
        "guideline": sum(line.is_guideline for line in seen.lines),
    }


def _costs(recipe: Recipe, seen: Judged, queue: Queue, coming: Ahead) -> dict[str, Any]:
    """What is left, what it costs, whether to go on, and the error rates before and after."""
    settings = recipe.settings.review
    inside, by_kind = in_queue(coming, settings.seed)
    under = below(recipe, seen, queue, coming)
    spent, each = _paces(seen, settings)
    so_far = cost_so_far(spent.seconds / 60, seen.errors_by_act)
    after = next_cost(blocks(coming, each, settings))
    advice = stop(
        after,
        looks=sum(act.holds for act in seen.acts.values()),
        remaining=inside.edges[1],
        worth_minutes=settings.worth_minutes,
    )
    total = inside + under.left
    suspects = by_kind.get(SUSPECT)
    remaining = [under.left.draws] + ([rows_left(coming, suspects)] if suspects else [])
    remaining += [rows_left(coming, echoes, ECHO)] if (echoes := by_kind.get(ECHO)) else []
    return {
        "left": {
            **total.told(),
            "queue": inside.told(),
            "kinds": {kind: one.told() for kind, one in by_kind.items()},
            "below": {
                **under.left.told(),
                "sample": under.sample.told(),
                "says": SAMPLED if under.sample.rows else BELOW,
            },
            "says": LEFT,
        },
        "minutes": _minutes(spent, each),
        "per_error": {"so_far": so_far.told(), "next": after.told() if after else None},
        "money": _money(settings, spent, so_far, after),
        "stop": advice.told(),
        "error_rate": _rates(seen, under, remaining),
    }


def _paces(seen: Judged, settings: ReviewSettings) -> tuple[Pace, Pace]:
    """How long all acts took, and how long one on a single line takes."""
    every = [(act.scope, act.seconds) for act in seen.acts.values()]
    times = {
        kind: pace(np.array([time for scope, time in every if (scope == "line") == (kind == "line")]), assumed)
        for kind, assumed in (("line", settings.seconds_per_line), ("more", 4 * settings.seconds_per_line))
    }
    line, more = times["line"], times["more"]
    both = type(line)(
        looks=line.looks + more.looks,
        timed=line.timed + more.timed,
        cut=line.cut + more.cut,
        seconds=line.seconds + more.seconds,
        each=line.each,
        spread=line.spread,
        cap=line.cap,
    )
    return both, line


def _minutes(spent: Pace, each: Pace) -> dict[str, Any]:
    return {
        "spent": round(spent.seconds / 60, 3),
        "acts": spent.looks,
        "timed": spent.timed,
        "cut": spent.cut,
        "cap_seconds": None if each.cap is None else round(each.cap, 3),
        "seconds_per_line": round(each.each, 3),
        "low": round(max(0.0, each.each - 1.96 * each.spread), 3),
        "high": round(each.each + 1.96 * each.spread, 3),
    }


def _money(settings: ReviewSettings, spent: Pace, so_far: Cost, after: Next | None) -> dict[str, Any] | None:
    """The same in money; None where no rate is given."""
    hourly = settings.rate_per_hour
    if hourly is None:
        return None
    return {
        "currency": settings.currency,
        "rate_per_hour": hourly,
        "spent": round(spent.seconds / 3600 * hourly, 2),
        "per_error_so_far": so_far.priced(hourly).told(),
        "per_error_next": after.cost.priced(hourly).told() if after else None,
    }


def _rates(seen: Judged, under: Below, remaining: list[Floats]) -> dict[str, Any]:
    """The share of the kept rows that are wrong, before and after what was decided."""
    if not under.rows:
        return {"rows": 0, "before": None, "after": None, "says": "no stage has doubted every row: run assay suspect"}
    asked = [line for line in seen.lines if line.kind in (SUSPECT, ECHO)]
    confirmed = {line.key[0] for line in asked if line.is_error}
    dropped = {line.key[0] for line in asked if line.verdict == "drop"}
    return {
        "rows": under.rows,
        "confirmed_rows": len(confirmed),
        "before": rate(len(confirmed), remaining, under.rows),
        "after": rate(0, remaining, max(under.rows - len(dropped), 1)),
        "says": RATE,
    }


def _curves(seen: Judged) -> dict[str, Any]:
    """The share confirmed down the list, by score and in the order of review."""
    known = np.flatnonzero(np.isfinite(seen.score))
    names = np.array([line.key for line in seen.lines], dtype=str).reshape(-1, 2)[known]
    order = known[np.lexsort((names[:, 1], names[:, 0], -seen.score[known]))] if len(known) else known
    every = np.arange(len(seen.lines))
    points = {
        name: [point.told() for point in curve(seen.wrong[at], seen.act[at], seen.score[at])]
        for name, at in (("by_score", order), ("by_review", every))
    }
    return points | {"says": CURVE}


def _settled(recipe: Recipe, seen: Judged) -> dict[str, Any]:
    """How many lines and rows one decision settles: of a line, of a group, by a rule."""
    scopes: dict[str, dict[str, Any]] = {}
    for scope in ("line", "group", "rule"):
        here = [act for act in seen.acts.values() if act.holds and act.scope == scope]
        keys = {key for act in here for key in act.keys}
        rows = len({row for row, _ in keys})
        scopes[scope] = {
            "acts": len(here),
            "lines": len(keys),
            "rows": rows,
            "rows_per_act": round(rows / len(here), 3) if here else None,
        }
    acts = sum(one["acts"] for one in scopes.values())
    each = {"rows_per_act": round(len(seen.rows) / acts, 3) if acts else None}
    return {"by_scope": scopes, **each, "parts_by_rule": _by_rule(recipe)}


def _by_rule(recipe: Recipe) -> int:
    """The parts of answers, listed or not, that rules settled in the last build."""
    report = store.read_report(recipe.build / "audit") or {}
    told = report.get("details", {}).get("decisions", {}).get("by_rule", [])
    return sum(one["parts"] for one in told)


def _reviewers(seen: Judged) -> list[dict[str, Any]]:
    """Each person's lines, minutes, and what became of what they said; by name."""
    said = defaultdict(list)
    for voices in seen.voices.values():
        for who, one in voices.items():
            said[who].append(one)
    acts = defaultdict(list)
    for act in seen.acts.values():
        acts[act.who].append(act)
    return [_reviewer(who, said[who], acts[who], seen) for who in sorted(acts)]


def _reviewer(who: str, said: list[Any], acts: list[Any], seen: Judged) -> dict[str, Any]:
    errors = sum(one.verdict in ERRORS and one.cause == "error" for one in said)
    seconds = np.array([act.seconds for act in acts if np.isfinite(act.seconds)])
    bounds = wilson(errors, len(said))
    return {
        "who": who,
        "lines": len(said),
        "acts": sum(act.holds for act in acts),
        "minutes": round(pace(seconds, 0.0).seconds / 60, 3),
        "seconds_per_act": round(float(np.median(seconds)), 3) if len(seconds) else None,
        "errors": errors,
        "confirmed": round(errors / len(said), 6) if said else None,
        "low": round(bounds.low, 6),
        "high": round(bounds.high, 6),
        "settled": seen.settled.get(who, 0),
        "overturned": seen.overturned.get(who, 0),
    }


__all__ = ["EDGES", "facts"]

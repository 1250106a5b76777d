"""The plan and where it stands, as the terminal shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipeline.quality import acceptance, anytime
from pipeline.settings import PlanSettings
from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.checks.reading import Taken

COLOURS = {"shown": "green", "go on": "yellow", "failed": "red"}
SHOWN, STOPS, MOST_WRONG = 5, 6, 20


def plan(found: Mapping[str, Any], name: str) -> Group:
    """Where every target stands, when to stop, and why."""
    settings = PlanSettings.model_validate(found["plan"])
    title = f"{name}: checks of {found['rows']:,} rows of the {found['stage']}"
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("what")
    for column in ("rows", "checked", "wrong", "share", "interval", "at most", "more", "at this rate"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in found["targets"]:
        state = f"[{COLOURS[one['state']]}]{one['state']}[/]"
        numbers = [f"{one[name]:,}" for name in ("rows", "checked", "wrong")]
        table.add_row(escape(visible(one["name"])), *numbers, *_shares(one), *_more(one), state)
    why = _tiers(found) if len(found["targets"][0]["limits"]) > 1 else _why(settings, found)
    lines = [*found["sentences"], *why, *_lists(found)]
    return Group(table, *(Text(visible(line)) for line in lines))


def _shares(one: Mapping[str, Any]) -> list[str]:
    """The share wrong as it was found, its interval, and the bound as it is now."""
    if not one["checked"]:
        return ["", "", "not known"]
    share = "" if one["estimate"] is None else f"{one['estimate']:.2%}"
    return [share, f"{one['low']:.1%} to {one['high']:.1%}", f"{one['bound']:.2%}"]


def _more(one: Mapping[str, Any]) -> list[str]:
    if one["state"] != "go on":
        return ["", ""]
    rate = "" if not one["wrong"] else "never" if one["more_at_rate"] is None else f"{one['more_at_rate']:,}"
    return ["never" if one["more"] is None else f"{one['more']:,}", rate]


def _why(settings: PlanSettings, found: Mapping[str, Any]) -> list[str]:
    """When to stop, and why then."""
    rows = found["targets"][0]["rows"]
    fixed = acceptance.single_plan(settings.at_most, confidence=settings.confidence, rows=rows, good=settings.good)
    share = f"{settings.at_most:.2%}"
    if not settings.sequential:
        return [
            f"Why: of a set with more than {share} wrong, {fixed.checks:,} rows drawn by chance hold at most "
            f"{fixed.allowed} wrong ones with a probability of at most {1 - settings.confidence:.0%}. "
            "Check all of them before you look."
        ]
    stops = anytime.stops(settings.at_most, rows, confidence=settings.confidence, most_wrong=MOST_WRONG)
    told = [f"{wrong} wrong: {checks:,}" for wrong, checks in enumerate(stops[:STOPS]) if checks is not None]
    price = acceptance.single_plan(settings.at_most, confidence=settings.confidence, rows=rows)
    good = settings.at_most / 4
    average, ended = anytime.expected_checks(stops, good)
    return [
        f"Overall, stop after so many checks: {', '.join(told) or 'never'}. The list may be stopped anywhere.",
        f"If {good:.2%} are wrong, that takes {average:,.0f} checks on average ({ended:.0%} of the times).",
        f"Why: a plan that looks once, at the end, takes {price.checks:,} checks and no wrong one; looking after every "
        "check costs the rest, and lets you go on after a wrong one.",
    ]


def _tiers(found: Mapping[str, Any]) -> list[str]:
    """How the checks are shared out where suspects are checked more than others."""
    suspects, rest = found["targets"][0]["limits"]
    return [
        f"Why: {suspects:,} suspects and {rest:,} of the other rows are checked, each kind weighing as much as it has "
        "rows; the bound may be looked at after every check, and the list may be stopped anywhere."
    ]


def _lists(found: Mapping[str, Any]) -> list[str]:
    told = []
    if found["too_few"]:
        names = ", ".join(f"{one['name']} ({one['rows']:,})" for one in found["too_few"][:SHOWN])
        told.append(f"Too few rows to be held on their own: {names}{_rest(found['too_few'])}.")
    for key, title in (("stale", "No longer counts"), ("conflicts", "People differ")):
        told += [f"{title}: {line}" for line in found[key][:SHOWN]]
        told += [f"  and {len(found[key]) - SHOWN} more"] if len(found[key]) > SHOWN else []
    doubled = found["doubled"]
    if doubled["rows"]:
        told.append(f"{doubled['rows']:,} rows were checked by several people, who agree on {doubled['same']:,}.")
    return told


def _rest(names: Any) -> str:
    return f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""


def taken(result: Taken) -> list[str]:
    """What came of reading a table."""
    counts = {"new": len(result.new), "known already": result.known, "left blank": result.blank}
    told = [f"verdicts: {', '.join(f'{count:,} {what}' for what, count in counts.items())}"]
    told += [f"not counted, stale: {line}" for line in result.stale]
    if result.decided:
        told.append(f"{result.decided:,} corrections written to decisions.jsonl; the next build follows them")
    if result.undecided:
        shown = ", ".join(result.undecided[:SHOWN])
        told.append(f"wrong, but no right answer that all agree on: {shown}{_rest(result.undecided)}")
    return [visible(line) for line in told]

"""What people checked: the plan, and how far it is shown that few of the finished rows are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline import checks
from pipeline.errors import AssayError
from pipeline.pages.blocks import Block, Cell, Fold, Points, Section, Table, Text, number, percent, said, written
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.pages.build import Build

KEY, TITLE = "checks", "What people checked"
STATES = {"shown": "✓ shown", "failed": "✕ does not hold", "go on": "… go on"}
MOST, LINES = 60, 20
ABSENT = "Nobody has checked any of the finished rows: how many are wrong is only estimated, not proven."


def checked(build: Build) -> Section:
    """The whole part on checks: sentences, a line for each stratum, and what does not count."""
    absent = Section(KEY, TITLE, command="assay audit-plan", absent=ABSENT)
    if not {"audit", "split"} & build.reports.keys():
        return absent
    try:
        found = checks.facts(build.recipe)
    except AssayError as error:
        return Section(KEY, TITLE, [Text(f"The checks cannot be read: {error}", "alarm")])
    return absent if found is None else Section(KEY, TITLE, list(_blocks(found, build.recipe.name)))


def lacking(build: Build) -> str:
    """What was never checked, in a sentence; empty where there is a plan, or one that cannot be read."""
    try:
        is_planned = checks.plan_of(build.recipe) is not None
    except AssayError:
        return ""
    return "" if is_planned else f"{ABSENT} Run assay audit-plan {build.recipe.name}."


def _blocks(found: Mapping[str, Any], name: str) -> Iterator[Block]:
    if found.get("state") == "failed":
        yield Text("More is wrong than may be: mend the data first, then check again.", "alarm")
    yield Points([said(cut(str(line), 400)) for line in found.get("sentences") or []])
    if targets := found.get("targets") or []:
        yield _table(targets)
    if few := found.get("too_few") or []:
        rows = [(Cell(cut(str(one["name"]), 80), "quote"), number(one["rows"])) for one in few[:MOST]]
        yield Fold("Strata with too few rows to be held on their own", [Table("", ("stratum", "rows"), rows)])
    yield from _listed("Verdicts that no longer count", found.get("stale") or [])
    yield from _listed("Rows on which people differ", found.get("conflicts") or [])
    doubled = found.get("doubled") or {}
    if doubled.get("rows"):
        yield Text(
            f"{written(doubled['rows'])} rows were checked by several people, who agree on {written(doubled['same'])}."
        )
    if found.get("state") == "go on":
        yield Text(
            "The list to check is written by the first of these; a list that was filled in is read by the second:"
        )
        yield Text(f"assay audit-plan {name}", "command")
        yield Text(f"assay audit-plan {name} --read FILE", "command")


def _table(targets: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        (
            Cell(cut(str(one["name"]), 80), "quote"),
            Cell(STATES.get(one["state"], str(one["state"])), "short"),
            number(one["checked"]),
            number(one["wrong"]),
            number(one["ambiguous"]),
            Cell(_share(one), "number"),
            Cell(percent(one["bound"]) if one["checked"] else "not known", "number"),
            Cell(_more(one), "number"),
            number(one["rows"]),
        )
        for one in targets[:MOST]
    ]
    more = f"; the first {MOST} of {len(targets)}" if len(targets) > MOST else ""
    confident = f"Where the checks stand; {percent(targets[0]['at_most'])} may be wrong{more}"
    head = (
        "what",
        "state",
        "checked so far",
        "wrong",
        "ambiguous",
        "share found wrong",
        "at most",
        "more to check",
        "rows",
    )
    return Table(confident, head, rows)


def _share(one: Mapping[str, Any]) -> str:
    if not one["checked"]:
        return "–"
    middle = "" if one["estimate"] is None else f"{percent(one['estimate'])} "
    return f"{middle}[{percent(one['low'])}, {percent(one['high'])}]"


def _more(one: Mapping[str, Any]) -> str:
    if one["state"] != "go on":
        return "–"
    return "all rows will not do" if one["more"] is None else f"{one['more']:,} if none is wrong"


def _listed(title: str, lines: Sequence[str]) -> Iterator[Block]:
    if lines:
        more = [f"and {len(lines) - LINES:,} more"] if len(lines) > LINES else []
        yield Fold(f"{title}: {len(lines):,}", [Points([*(cut(str(line), 280) for line in lines[:LINES]), *more])])

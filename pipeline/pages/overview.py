"""What a reader with a deadline needs first: the verdict in a line, the counts, and the gates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.pages import age, charts, people, settled
from pipeline.pages.blocks import VERDICTS, Block, Cell, Facts, Finding, Fold, Section, Table, Text, number, written
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.pages.build import Build

SIDES = ("train", "validation", "test")
OFFENDERS, NOTICE_CHARS = 10, 500


class Line(Protocol):
    """A line of the waterfall: the stage, what happened to how many, and whether the number is a sum so far."""

    @property
    def stage(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def total(self) -> bool: ...
    @property
    def unit(self) -> str: ...


@dataclass(frozen=True)
class Verdict:
    """The answer to "may I train on this?": a word for the colour, and a sentence."""

    kind: str
    sentence: str


@dataclass(frozen=True)
class Notice:
    """A line at the top of the page, and the part of the page that says more."""

    text: str
    tone: str
    key: str
    where: str


def verdict(build: Build) -> Verdict:
    """What the gates say, in a line."""
    results = build.reports.get("gate", {}).get("results", [])
    if not results:
        return Verdict("NONE", "Not judged yet: the gates have not been run.")
    if age.gates_are_old(build):
        way_out = f"assay gate {build.recipe.name}"
        return Verdict("NONE", f"Not judged yet: the split was built again since the gates were run ({way_out}).")
    named = {kind: [one["gate"] for one in results if one["verdict"] == kind] for kind in VERDICTS}
    if named["FAIL"] or named["ERROR"]:
        worst = "FAIL" if named["FAIL"] else "ERROR"
        parts = [f"{len(named[kind])} {kind} ({_some(named[kind])})" for kind in ("FAIL", "ERROR") if named[kind]]
        return Verdict(worst, f"Do not train on this yet: of {len(results)} gates, {' and '.join(parts)}.")
    if named["WARN"]:
        return Verdict(
            "WARN", f"Fit to train on, with {len(named['WARN'])} of {len(results)} gates WARN ({_some(named['WARN'])})."
        )
    return Verdict("PASS", f"Fit to train on: all {len(results)} gates PASS.")


def notices(build: Build) -> list[Notice]:
    """What of the annotations a reader must know before anything else, each in a line."""
    warned = settled.warnings(build)
    more = f" (and {len(warned) - 1} more)" if len(warned) > 1 else ""
    found = [Notice(cut(warned[0], NOTICE_CHARS) + more, "alarm", settled.KEY, settled.TITLE)] if warned else []
    if line := people.suspicion(build):
        found.append(Notice(cut(line, NOTICE_CHARS), "note", people.KEY, people.TITLE))
    return found


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def facts(build: Build) -> Facts:
    """The figures at the top of the page."""
    ingest, audit, split = (build.counts(stage) for stage in ("ingest", "audit", "split"))
    items = [("records read", ingest.get("in")), ("rows", ingest.get("kept"))]
    if audit:
        items.append(("rows kept by the audit", audit.get("kept")))
    if split:
        items += [(side, build.rows("split", side)) for side in SIDES]
    return Facts([(name, written(value)) for name, value in items if value is not None])


def counts(build: Build, lines: Sequence[Line]) -> Section:
    """The waterfall of counts, and what every stage took in and gave on."""
    section = Section("counts", "What went in, what came out", command="assay run")
    stages = [name for name in ("ingest", "audit", "augment", "split") if name in build.reports]
    if not stages:
        return section
    blocks: list[Block] = [Text(alarm, "alarm") for alarm in _breaks(build, stages)]
    if lines:
        blocks += [_waterfall(lines), Fold("The same, stage by stage", [_by_stage(build, stages)])]
    else:
        blocks.append(_by_stage(build, stages))
    return Section(section.key, section.title, blocks)


def _breaks(build: Build, stages: Sequence[str]) -> Iterator[str]:
    """Where a stage took in other rows than the one before it gave on: it was built from an earlier result."""
    for before, after in pairwise(stages):
        kept, taken = build.counts(before).get("kept"), build.counts(after).get("in")
        if kept != taken:
            yield (
                f"{after} took in {written(taken)} rows, but {before} kept {written(kept)}: run the stages again "
                f"(assay run {build.recipe.name})."
            )


def _waterfall(lines: Sequence[Line]) -> Table:
    whole = max((line.count for line in lines if line.total and line.unit == "rows"), default=1)
    rows, level = [], 0
    for line in lines:
        start, end = (0, line.count) if line.total else (level, level + line.count)
        level = end
        # Tokens and targets are no rows: a bar beside those of rows would compare what cannot be compared.
        drawn = charts.drop(start, end, whole, colour=_colour(line)) if line.unit == "rows" else ""
        figure = f"{line.count:,}" if line.total else f"{line.count:+,}".replace("-", "−")
        what = Cell(line.what.replace("_", " "), "total" if line.total else "")
        rows.append((what, Cell(figure, "number"), Cell(drawn, "drawing"), Cell(line.stage, "aside")))
    return Table("From raw records to what is learned from", ("", "rows", "", "stage"), rows)


def _colour(line: Line) -> str:
    """Sums, rows gained, and rows lost; a record that was joined to another is not lost."""
    if line.total:
        return "k1"
    return "gained" if line.count > 0 else "k0" if line.what.startswith("joined") else "lost"


def _by_stage(build: Build, stages: Sequence[str]) -> Table:
    names = ("in", "made", "joined", "rejected", "kept")
    rows = []
    for stage in stages:
        counted = build.counts(stage)
        reasons = sorted(counted.get("reasons", {}).items(), key=lambda item: (-item[1], item[0]))
        why = ", ".join(f"{reason} {count:,}" for reason, count in reasons)
        rows.append((Cell(stage), *(number(counted.get(name)) for name in names), Cell(why)))
    return Table("In + made = joined + rejected + kept, for every stage", ("stage", *names, "why rejected"), rows)


def gates(build: Build) -> Section:
    """What did not pass, with what to do; then every gate."""
    report = build.reports.get("gate")
    if not report or not report.get("results"):
        return Section("gates", "Gates", command="assay gate")
    results: list[dict[str, Any]] = report["results"]
    counted = Counter(one["verdict"] for one in results)
    blocks: list[Block] = [Facts([(kind, written(counted[kind])) for kind in VERDICTS])]
    if age.gates_are_old(build):
        blocks.append(Text("The split was built again since the gates were run: run them again.", "alarm"))
    order = ("ERROR", "FAIL", "WARN")
    blocks += [_finding(one) for kind in order for one in results if one["verdict"] == kind]
    blocks.append(Fold(f"All {len(results)} gates", [_all_gates(results)]))
    if report.get("off"):
        blocks.append(Text(f"Turned off by the recipe: {', '.join(report['off'])}.", "note"))
    return Section("gates", "Gates", blocks)


def _finding(one: Mapping[str, Any]) -> Finding:
    evidence = one.get("evidence") or {}
    ids = [str(name) for name in one.get("ids") or []]
    offenders = [(name, str(evidence.get(name, ""))) for name in ids[:OFFENDERS]]
    more = int(one.get("offending") or 0) - len(offenders)
    if more > 0 and offenders:
        offenders.append((f"and {more:,} more", ""))
    return Finding(
        one["gate"],
        one["verdict"],
        _measured(one),
        str(one.get("means") or ""),
        str(one.get("remedy") or ""),
        offenders,
    )


def _measured(one: Mapping[str, Any]) -> str:
    note = str(one.get("note") or "")
    if one.get("value") is None:
        return note or "not measured"
    told = f"{_figure(one['value'])} {one.get('unit', '')}, {_bound(one)}"
    told += f"; {written(one.get('n'))} looked at" if one.get("n") is not None else ""
    return told + (f" ({note})" if note else "")


def _bound(one: Mapping[str, Any]) -> str:
    return f"{_sign(one)} {_figure(one.get('bound'))} {'wanted' if _sign(one) == 'at least' else 'allowed'}"


def _sign(one: Mapping[str, Any]) -> str:
    return "at least" if one.get("argument") == "min_value" else "at most"


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else written(value)


def _all_gates(results: Sequence[Mapping[str, Any]]) -> Table:
    head = ("gate", "verdict", "value", "bound", "n", "offending", "unit", "what a miss means")
    rows = [
        (
            Cell(one["gate"], "code"),
            Cell(one["verdict"], "verdict"),
            Cell(_figure(one.get("value")), "number"),
            Cell(f"{_sign(one)} {_figure(one.get('bound'))}", "number"),
            number(one.get("n")),
            number(one.get("offending")),
            Cell(one.get("unit") or ""),
            Cell(one.get("means") or "", "wide"),
        )
        for one in results
    ]
    return Table("Value and bound of every gate", head, rows)

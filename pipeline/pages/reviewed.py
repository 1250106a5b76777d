"""What review has shown: errors confirmed and left, whether to go on, who decided what, and what sways people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.pages import charts
from pipeline.pages.blocks import (
    Block,
    Cell,
    Charts,
    Facts,
    Fold,
    Points,
    Section,
    Table,
    Text,
    number,
    percent,
    ranged,
    rows_of,
    said,
    written,
)
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.pages.build import Build

GROUPS, CONFLICTS, NAME_CHARS, TEXT_CHARS = 30, 20, 60, 300
COUNTED = (
    "What is counted: a line of the queue is one part of an answer (a mark, a label), of which a row may have several; "
    "outside the queue, and in the share of rows, each row counts once, whatever is wrong in it. Errors that the "
    "instruments cannot see are in none of these figures: where everybody errs alike, only rows drawn by chance and "
    "checked (assay audit-plan) tell."
)
NOBODY = "Nobody has judged anything yet: what is wrong is only estimated."


@dataclass(frozen=True)
class Review:
    """What the page is told of the review, as plain values.

    Attributes:
        facts: what `pipeline.reviewing.progress.facts` gives.
        groups: the open groups of the queue (columns of `GROUPS`), those worth most first.
        conflicts: rows on which people differ, in words.
        undone: how many decisions were taken back.
    """

    facts: Mapping[str, Any]
    groups: Sequence[Mapping[str, Any]] = ()
    conflicts: Sequence[str] = ()
    undone: int = 0
    touched: Mapping[str, int] = field(default_factory=dict)
    """What a new guideline touches: answers by how they are, in words; empty where the guideline is as it was."""


def progress(build: Build, review: Review) -> Section:
    """How far the review has come, what it cost, and whether to go on."""
    told = review.facts
    if not told["lines"]:
        command = f"assay review {build.recipe.name} --who YOU"
        begin: list[Block] = [Text(NOBODY, "note"), Text(command, "command"), _left(told), Text(COUNTED)]
        return Section("review", "Review so far", begin)
    blocks: list[Block] = [_facts(told), Text(said(f"{told['stop']['say']}: {told['stop']['why']}"), _tone(told))]
    blocks.append(Charts([*_curve(told), *_rates(told)]))
    blocks += [Text(COUNTED), Points(list(_sentences(told)))]
    return Section("review", "Review so far", blocks)


def _tone(told: Mapping[str, Any]) -> str:
    return "note" if told["stop"]["say"] == "stop" else ""


def _left(told: Mapping[str, Any]) -> Facts:
    return Facts([*_remaining(told), ("lines in the queue", written(told["open"]["lines"]))])


def _remaining(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How many errors are left: lines of the queue, and rows that it does not show, which are not the same thing."""
    left = told["left"]
    return [("wrong lines left in the queue", _between(left["queue"])),
            ("wrong rows left outside it", _between(left["below"]))]  # fmt: skip


def _facts(told: Mapping[str, Any]) -> Facts:
    minutes, each, money = told["minutes"], told["per_error"]["so_far"], told["money"]
    items = [
        ("lines judged", written(told["lines"])),
        ("errors confirmed", written(told["errors"])),
        *_remaining(told),
        ("minutes so far", written(minutes["spent"], 1)),
        ("minutes per confirmed error", ranged(each, 2) if each["value"] is not None else "–"),
    ]
    if money:
        items.append((f"{money['currency']} so far", written(money["spent"], 2)))
    return Facts(items)


def _between(one: Mapping[str, Any]) -> str:
    """A count with its interval."""
    if one.get("value") is None:
        return "–"
    return f"{one['value']:,.0f} [{one['low']:,.0f}, {one['high']:,.0f}]"


def _curve(told: Mapping[str, Any]) -> Iterator[Any]:
    points = told["curve"]["by_score"]
    if len(points) > 1:
        steps = [(point["lines"], point["share"], point["low"], point["high"]) for point in points]
        title = "Share of the judged lines that were wrong, down the list, with 95 % intervals"
        yield charts.band("precision", title, steps, unit="lines")


def _rates(told: Mapping[str, Any]) -> Iterator[Any]:
    rates = told["error_rate"]
    if rates["before"]:
        ends = (("before review", rates["before"]), ("after review", rates["after"]))
        dots = [charts.Dot(name, one["value"], one["low"], one["high"]) for name, one in ends]
        title = "Share of all kept rows that hold an error, listed or not, with 95 % intervals"
        yield charts.intervals("error-rate", title, dots, reach=(0.0, 0.0))


def _sentences(told: Mapping[str, Any]) -> Iterator[str]:
    verdicts = ", ".join(f"{count:,} {name}" for name, count in told["verdicts"].items() if count)
    yield f"Of {rows_of(told['lines'], 'line')} in {rows_of(told['acts'], 'decision')}: {verdicts}."
    if told["guideline"]:
        yield f"{rows_of(told['guideline'], 'line')} changed for another guideline, which counts as no error."
    settled = told["settled"]
    if settled["rows_per_act"] is not None:
        yield f"One decision settled {written(settled['rows_per_act'], 2)} rows on average."
    if settled["parts_by_rule"]:
        yield f"Rules settled {rows_of(settled['parts_by_rule'], 'part')} of answers in the last build, listed or not."
    following = told["per_error"]["next"]
    if following and following["per_error"]["value"] is not None:
        expected = f"{written(following['errors'], 1)} errors, each at {ranged(following['per_error'], 2)} minutes"
        yield f"The next {rows_of(following['lines'], 'line')} are expected to hold {expected}."
    yield said(f"Errors left: {told['left']['says']}")
    if told["error_rate"].get("says"):
        yield said(f"Error rate: {told['error_rate']['says']}")


def people(build: Build, review: Review) -> Section:
    """Who decided what, how far two who judged the same agree, whether a proposal sways them, and open conflicts."""
    told = review.facts
    if not told["reviewers"]:
        return Section("decisions", "Who decided what", absent=NOBODY, command="assay review")
    rows = [
        (
            Cell(cut(one["who"], NAME_CHARS), "quote"),
            *(number(one[name]) for name in ("lines", "acts")),
            number(one["minutes"], 1),
            number(one["errors"]),
            Cell(_wrong(one), "number"),
            *(number(one[name]) for name in ("settled", "overturned")),
        )
        for one in told["reviewers"]
    ]
    head = (
        "reviewer",
        "lines",
        "decisions",
        "minutes",
        "errors",
        "share wrong",
        "settled by another",
        "overturned",
    )
    blocks: list[Block] = [Table("", head, rows), *_agreement(told["agreement"]), *_bias(told["bias"])]
    if review.undone:
        blocks.append(Text(f"{rows_of(review.undone, 'decision')} were taken back, each by a line of its own."))
    return Section("decisions", "Who decided what", [*blocks, *_unsettled(build, review)])


def _wrong(one: Mapping[str, Any]) -> str:
    """How much of what a person judged was wrong, with its interval; nothing of who judged no line by itself."""
    if one["confirmed"] is None:
        return "–"
    return f"{percent(one['confirmed'])} [{percent(one['low'])}, {percent(one['high'])}]"


def _agreement(told: Mapping[str, Any]) -> Iterator[Block]:
    """How far people agree on the lines that two of them judged."""
    for name, what in (("verdicts", "whether something is wrong"), ("answers", "what is right")):
        one = told[name]
        if not one["lines"]:
            yield Text(said(f"{one['says']}, so how far they agree on {what} is not known"), "note")
            return
        figures = ", ".join(f"{key} {ranged(one[key], 2)}" for key in ("alpha", "kappa") if one[key])
        shown = f"; {figures}" if figures else ""
        yield Text(f"On {rows_of(one['lines'], 'line')} that two people judged, they agree {what}: {_raw(one)}{shown}.")


def _raw(one: Mapping[str, Any]) -> str:
    raw = one["raw"]
    return percent(raw["value"] if isinstance(raw, dict) else raw or 0.0)


def _bias(told: Mapping[str, Any]) -> Iterator[Block]:
    """Whether the proposed answer sways people, from the lines that they judged without it."""
    yield Text(said(str(told["says"])))
    same = told["same"]
    if same["value"] is not None and same["low"] is not None:
        dots = [charts.Dot("shown less blind", same["value"], same["low"], same["high"])]
        title = "How much oftener the proposed answer is given when it is shown, with a 95 % interval"
        yield Charts([charts.intervals("bias", title, dots, reach=(-0.1, 0.1))])


def _unsettled(build: Build, review: Review) -> Iterator[Block]:
    """Rows on which people differ, and decisions that the last build did not follow."""
    if review.conflicts:
        lines = [cut(line, TEXT_CHARS) for line in review.conflicts[:CONFLICTS]]
        yield Text(f"People differ on {rows_of(len(review.conflicts), 'row')}, so neither is followed:", "alarm")
        yield Points(lines)
    decided = build.details("audit", "decisions")
    for kind, means in (("stale", "no longer fit what they judged"), ("without_effect", "change nothing")):
        if found := decided.get(kind) or []:
            lines = [cut(str(line), TEXT_CHARS) for line in found[:CONFLICTS]]
            yield Fold(f"{rows_of(len(found), 'decision')} {means}", [Points(lines)])
    if rules := decided.get("by_rule") or []:
        said_by = [(cut(str(one["said"]), TEXT_CHARS), str(one["verdict"]), one["parts"]) for one in rules]
        told = [(Cell(line, "quote"), Cell(verdict), number(parts)) for line, verdict, parts in said_by]
        yield Fold(f"{rows_of(len(rules), 'rule')} in force", [Table("", ("rule", "verdict", "parts settled"), told)])


def groups(build: Build, review: Review) -> Section:
    """What looks wrong together: the groups of the queue that one decision settles, and what a guideline touches."""
    blocks: list[Block] = []
    if review.touched:
        rows = [(Cell(why), number(count)) for why, count in review.touched.items()]
        blocks.append(Table("The guideline changed: to be labelled again", ("because the row", "answers"), rows))
    if review.groups:
        listed: list[tuple[Cell, ...]] = [
            (
                Cell(cut(str(one["says"]), TEXT_CHARS), "quote"),
                *(number(one[name]) for name in ("lines", "touches", "doubtful")),
                number(one["expected"], 1),
                number(one["minutes"], 1),
            )
            for one in review.groups[:GROUPS]
        ]
        some = f"the first {GROUPS} of {len(review.groups):,}" if len(review.groups) > GROUPS else ""
        head = ("proposal", "lines", "touches", "doubtful", "errors expected", "minutes")
        blocks.append(Table(some, head, listed))
    absent = "No suspicious answers have anything in common that one decision could settle."
    return Section("groups", "Suspicious groups", blocks, command="assay queue", absent=absent)

"""What the audit says: what was rejected and why, how far annotators agree, duplicates, conflicts and suspects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.pages import charts
from pipeline.pages.blocks import (
    Block,
    Cell,
    Charts,
    Example,
    Examples,
    Facts,
    Fold,
    Section,
    Table,
    Text,
    number,
    percent,
    ranged,
    written,
)
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.pages.build import Build, Rejected

EXAMPLES, SUSPECTS, SUSPECTS_OPEN, LABELS = 5, 20, 8, 30
TEXT_CHARS = 280


def rejected(build: Build) -> Section:
    """Every reason with its rule, its count and a few examples."""
    stages = [stage for stage in ("ingest", "audit", "split") if stage in build.reports]
    if not stages:
        return Section("rejected", "What was rejected, and why", command="assay run")
    blocks: list[Block] = []
    for stage in stages:
        reasons = build.counts(stage).get("reasons", {})
        examples = build.rejected(stage, each=EXAMPLES) if reasons else {}
        for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
            blocks.append(_reason(build, stage, reason, count, examples.get(reason, [])))
    if not blocks:
        blocks.append(Text("Nothing was rejected."))
    return Section("rejected", "What was rejected, and why", blocks)


def _reason(build: Build, stage: str, reason: str, count: int, examples: Sequence[Rejected]) -> Fold:
    says = build.rule(reason)
    lead: list[Block] = [Text(f"The rule: {says}")] if says else []
    some = f"; the first {len(examples)} of them" if len(examples) < count else ""
    summary = f"{reason.replace('_', ' ')}: {count:,} {'row' if count == 1 else 'rows'}, in {stage}{some}"
    return Fold(summary, [*lead, Examples([_example(one) for one in examples])])


def _example(one: Rejected) -> Example:
    named = [] if one.id.endswith(one.source) else [("row", one.id)]
    facts = [("seen", cut(one.evidence, TEXT_CHARS)), *named, ("place", one.source)]
    return Example(cut(one.text, TEXT_CHARS), facts, one.language)


def agreement(build: Build) -> Section:
    """Krippendorff's alpha with its interval, overall and per label; annotators; how the answers were settled."""
    if "audit" not in build.reports:
        return Section("agreement", "How far the annotators agree", command="assay audit")
    told = build.details("audit", "agreement")
    overall = build.details("audit", "agreement", "alpha")
    blocks: list[Block] = [_agreement_facts(told, overall)]
    if overall.get("note"):
        blocks.append(Text(str(overall["note"]), "note"))
    dots = [*_dot("all labels", overall), *_label_dots(build.details("audit", "agreement", "by_label"))]
    if dots:
        alpha = charts.intervals("alpha", "Krippendorff’s alpha, with 95 % intervals", dots, reach=(0, 1))
        blocks.append(Charts([alpha, *_annotator_chart(build)]))
    blocks += [_consensus(build), *_annotations(build)]
    return Section("agreement", "How far the annotators agree", blocks)


def _agreement_facts(told: Mapping[str, Any], overall: Mapping[str, Any]) -> Facts:
    alpha = {"value": overall.get("alpha"), "low": overall.get("low"), "high": overall.get("high")}
    pairs = told.get("pairs_that_agree")
    return Facts(
        [
            ("Krippendorff’s alpha [95 %]", ranged(alpha)),
            ("pairs of answers that agree", percent(pairs) if pairs is not None else "–"),
            ("answers counted", written(overall.get("answers"))),
            ("rows", written(overall.get("rows"))),
        ]
    )


def _dot(label: str, told: Mapping[str, Any]) -> list[charts.Dot]:
    if told.get("alpha") is None:
        return []
    return [charts.Dot(label, told["alpha"], told.get("low"), told.get("high"))]


def _label_dots(by_label: Mapping[str, Any]) -> list[charts.Dot]:
    usual = sorted(by_label.items(), key=lambda item: (-(item[1].get("answers") or 0), item[0]))
    return [dot for label, told in usual[:LABELS] for dot in _dot(label, told)]


def _annotator_chart(build: Build) -> list[Any]:
    counts = build.details("audit", "annotators", "answers")
    if len(counts) < 2:
        return []
    usual = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:12]
    rows = [charts.Bar(name, count, f"{count:,}") for name, count in usual]
    return [charts.bars("annotators", "Answers by annotator", rows)]


def _consensus(build: Build) -> Table:
    told, annotators = build.details("audit", "consensus"), build.details("audit", "annotators")
    lines = [
        ("method", str(told.get("method", "–"))),
        ("votes settled", written(told.get("units"))),
        ("ties under plain majority", written(told.get("ties_by_majority"))),
        ("ties left", written(told.get("ties_left"))),
        ("settled otherwise than by majority", written(told.get("other_than_majority"))),
        ("annotators", _annotator_count(annotators)),
        ("iterations", f"{written(told.get('iterations'))}{'' if told.get('converged', True) else ', not converged'}"),
    ]
    return Table("How the answers were settled", ("", ""), [(Cell(name), Cell(said)) for name, said in lines])


def _annotator_count(told: Mapping[str, Any]) -> str:
    if set(told.get("answers", {})) == {"(anonymous)"}:
        return "anonymous: their files do not say who answered"
    return written(told.get("count"))


def _annotations(build: Build) -> list[Block]:
    """How many annotations count and why others do not; decisions of people, replayed."""
    verdicts = build.details("audit", "annotations")
    rows = [(Cell(name.replace("_", " ")), number(count)) for name, count in verdicts.items()]
    blocks: list[Block] = [Table("Annotations by verdict", ("verdict", "annotations"), rows)] if rows else []
    decided = build.details("audit", "decisions")
    if decided.get("used") or decided.get("stale"):
        used = ", ".join(f"{name} {count:,}" for name, count in decided.get("used", {}).items()) or "none"
        stale = [f"No longer in force: {line}" for line in decided.get("stale", [])]
        blocks += [Text(f"Human decisions in force: {used}."), *(Text(line, "note") for line in stale)]
    return blocks


def duplicates(build: Build) -> Section:
    """Rows that say the same: merged, in conflict, near, and what groups they make."""
    if "audit" not in build.reports:
        return Section("duplicates", "Duplicates and conflicts", command="assay audit")
    told, split = build.details("audit", "duplicates"), build.details("split")
    items = [
        ("merged: same text, same answer", told.get("merged")),
        ("held back: same text, other answer", told.get("in_conflict")),
        *((f"near: {kind.replace('_', ' ')}", count) for kind, count in split.get("near_pairs", {}).items()),
        ("rows in the largest group", split.get("largest_group_rows")),
        ("official rows that leak", split.get("official_leaks")),
    ]
    facts = Facts([(name, written(value)) for name, value in items if value is not None])
    blocks: list[Block] = [facts, Text("Rows of one group never part: they are all on one side of the split.")]
    leaks = split.get("official_leaks_listed") or []
    if leaks:
        rows = [(Cell(one["id"], "code"), Cell(cut(one["evidence"], TEXT_CHARS), "quote")) for one in leaks]
        blocks.append(
            Fold("Official training rows that say the same as a held-out row", [Table("", ("row", ""), rows)])
        )
    if told.get("merged") or told.get("in_conflict"):
        blocks.append(Text("Examples stand above, under merged duplicate and conflict."))
    return Section("duplicates", "Duplicates and conflicts", blocks)


def suspects(build: Build) -> Section:
    """Answers that a model which did not see the row finds least likely."""
    if "audit" not in build.reports:
        return Section("suspects", "Answers to look at again", command="assay audit")
    told = build.details("audit", "suspects")
    blocks: list[Block] = []
    if told.get("note"):
        blocks.append(Text(str(told["note"]), "note"))
    found = build.suspects(SUSPECTS)
    if found:
        blocks.append(
            Text(
                f"{written(told.get('listed'))} of {written(told.get('checked'))} rows are listed; these are the "
                f"{len(found)} whose answer is least likely. They stay in the data until somebody decides."
            )
        )
        shown = [Examples([_suspect(one) for one in part]) for part in (found[:SUSPECTS_OPEN], found[SUSPECTS_OPEN:])]
        blocks += [shown[0], Fold(f"{len(found) - SUSPECTS_OPEN} more", [shown[1]])] if shown[1].items else shown[:1]
    return Section("suspects", "Answers to look at again", blocks or [Text("None.")])


def _suspect(one: Mapping[str, Any]) -> Example:
    facts = [
        ("answer", one.get("given") or "–"),
        ("likelier", one.get("likely") or "–"),
        ("doubt", written(one.get("score"))),
        ("row", one["id"]),
    ]
    return Example(cut(one.get("why") or "", TEXT_CHARS), facts)

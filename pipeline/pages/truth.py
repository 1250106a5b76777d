"""What was taken out: what was rejected and why, with examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.pages.blocks import Block, Example, Examples, Fold, Section, Text, rows_of
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.pages.build import Build, Rejected

EXAMPLES = 5
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
    summary = f"{reason.replace('_', ' ')}: {rows_of(count)}, in {stage}{some}"
    return Fold(summary, [*lead, Examples([_example(one) for one in examples])])


def _example(one: Rejected) -> Example:
    named = [] if one.id.endswith(one.source) else [("row", one.id)]
    facts = [("seen", cut(one.evidence, TEXT_CHARS)), *named, ("place", one.source)]
    return Example(cut(one.text, TEXT_CHARS), facts, one.language)

"""Guarding: the build stops where duplicates would take more of the data than dirt explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.quality.wipeout import Limits, Loss, worst
from pipeline.text import visible
from pipeline.twinning.likeness import EQUAL
from pipeline.twinning.search import source_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from pipeline.stage import Work
    from pipeline.twinning.asked import Asked
    from pipeline.twinning.elsewhere import Known

OUTCOMES = frozenset({"merged", "conflict", "known elsewhere"})
REASONS = frozenset({"merged_duplicate", "conflict", "known_elsewhere"})
SHOWN, TEXT_CHARS = 10, 100


def guard(
    work: Work,
    reasons: Sequence[str | None],
    *,
    clusters: Mapping[int, str],
    classes: pa.ChunkedArray,
    pairs: pa.Table,
    ids: Sequence[str],
    asked: Asked,
    known: Known,
) -> None:
    """Let the build go on if no cluster, source or class loses more than its share; `clusters`: row -> its first one.

    Raises:
        AssayError: one does: which, how much, ten of the pairs with their texts, and which setting to change.
    """
    lost = [reason if reason in REASONS else None for reason in reasons]
    if not any(lost):
        return
    limits = Limits(**work.recipe.settings.audit.wipe_out.model_dump())
    named = [names or [] for names in classes.to_pylist()]
    found = worst(lost, clusters, [source_of(id_) for id_ in ids], named, limits)
    if found is not None:
        chosen = _chosen(found, pairs, ids)
        texts = _texts(chosen, ids, asked, known)
        way_out = _way_out(work, found, chosen) + "".join(_shown(line, texts) for line in chosen)
        raise AssayError(f"recipe '{work.recipe.name}' [audit.wipe_out]", _problem(found), way_out)


def _problem(found: Loss) -> str:
    reasons = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in sorted(found.reasons.items()))
    rows = f"{found.lost:,} of {found.of:,} rows ({reasons}), more than {found.kind}_share = {found.share:g} lets them"
    if found.kind == "cluster":
        return f"the rows taken for copies of {visible(found.name)} are {rows}"
    return f"the {found.kind} '{visible(found.name)}' loses {rows}"


def _chosen(found: Loss, pairs: pa.Table, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The first ten pairs that took its rows, near ones before equal ones."""
    names = {ids[row] for row in found.rows}
    lines: list[dict[str, Any]] = [
        line
        for line in pairs.to_pylist()
        if line["outcome"] in OUTCOMES and (line["right"] in names or line["left"] in names)
    ]
    return sorted(lines, key=lambda line: line["kind"] in EQUAL)[:SHOWN]


def _texts(chosen: list[dict[str, Any]], ids: Sequence[str], asked: Asked, known: Known) -> dict[str, str]:
    wanted = {line[side] for line in chosen for side in ("left", "right")}
    place = {id_: at for at, id_ in enumerate(ids) if id_ in wanted}
    return dict(zip(place, asked.of(place.values()), strict=True)) | known.texts(wanted)


def _shown(line: dict[str, Any], texts: Mapping[str, str]) -> str:
    sides = "".join(f"\n    {visible(line[side])}: {_short(texts.get(line[side], ''))}" for side in ("left", "right"))
    return f"\n  {line['outcome']}, {line['kind']} {line['similarity']:.2f}:{sides}"


def _short(text: str) -> str:
    told = visible(" ".join(text.split()))
    return told if len(told) <= TEXT_CHARS else f"{told[:TEXT_CHARS]}..."


def _way_out(work: Work, found: Loss, chosen: list[dict[str, Any]]) -> str:
    settings = work.recipe.settings.audit
    way = f"if the pairs below are what they are taken for, raise {found.kind}_share in [audit.wipe_out]; if not, "
    if 2 * found.reasons.get("conflict", 0) > found.lost:
        return way + f'another rule than conflicts = "{settings.conflicts}" in [audit] may keep some of their rows'
    kinds = {line["kind"] for line in chosen}
    if kinds - set(EQUAL):
        return way + 'raise near_threshold, or say duplicates = "normalised" in [audit]'
    return way + f'say duplicates = "{"exact" if "normalised" in kinds else "off"}" in [audit]'

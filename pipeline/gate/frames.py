"""Flat frames: the columns that the gates look at, one line per row, class, split and stage, and one for the whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.compute as pc

from pipeline import checks, store
from pipeline.errors import AssayError
from pipeline.gate import change
from pipeline.gate.frame import SPLITS, Frame
from pipeline.gate.rows import row_frames

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.gate.lessons import Tokens
    from pipeline.gate.mentions import Learned
    from pipeline.memo import Memos
    from pipeline.recipe import Recipe


def split_frame(recipe: Recipe, report: Mapping[str, Any], schema: Any) -> Frame:
    """The frame `splits`: whether each table holds the contract's columns and the content that was reported."""
    folder = recipe.build / "split"
    lines = [_split_line(folder, name, report, schema) for name in SPLITS]
    frame = Frame(pd.DataFrame(lines))
    frame.evidence["schema_differences"] = {line["id"]: line["schema_differences"] for line in lines}
    originals, total = frame.table["originals"], sum(frame.table["originals"])
    if any(source.split or source.split_names or "split" in source.columns for source in recipe.settings.ingest.source):
        frame.table["deviation"] = pd.Series([None] * len(lines), dtype=object)
        frame.why["deviation"] = "an official split is honoured, so there is no wanted share"
        return frame
    wanted = [getattr(recipe.settings.split, name) for name in SPLITS]
    frame.table["deviation"] = [
        abs(rows / max(total, 1) - share) for rows, share in zip(originals, wanted, strict=True)
    ]
    frame.evidence["deviation"] = {
        line["id"]: f"{line['originals']} of {total} original rows, wanted {share:.1%}"
        for line, share in zip(lines, wanted, strict=True)
    }
    return frame


def _split_line(folder: Path, name: str, report: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    content, originals, differences = None, 0, ""
    for batch in store.batches(folder, name):
        content = content or store.Content(batch.schema)
        content.add(batch)
        differences = differences or _differences(batch, schema)
        if "parents" in batch.schema.names:
            originals += pc.sum(pc.equal(pc.fill_null(pc.list_value_length(batch["parents"]), 0), 0)).as_py() or 0
    told = report["tables"].get(name)
    rows, digest = (content.rows, content.digest()) if content else (0, "")
    return {
        "id": name,
        "rows": rows,
        "originals": originals,
        "schema_differences": differences if told else "there is no such table",
        "content_changed": told is None or told["rows"] != rows or (rows > 0 and told["content"] != digest),
    }


def _differences(batch: Any, schema: Any) -> str:
    """What sets a batch apart from the contract: names, types, and missing values where there must be one."""
    wanted = {column.name: column for column in schema}
    there = {column.name: column for column in batch.schema}
    told = [f"no column '{name}'" for name in wanted if name not in there]
    told += [f"unknown column '{name}'" for name in there if name not in wanted]
    for name in wanted.keys() & there.keys():
        if there[name].type != wanted[name].type:
            told.append(f"'{name}' is {there[name].type}, not {wanted[name].type}")
        elif not wanted[name].nullable and batch[name].null_count:
            told.append(f"'{name}' has {batch[name].null_count} missing values")
    return "; ".join(sorted(told))


def stage_frame(reports: Mapping[str, Mapping[str, Any]]) -> Frame:
    """The frame `stages`: whether the counts of each stage add up, and whether it read what the one before it kept."""
    lines, kept_before = [], None
    for name, report in reports.items():
        counts = report["counts"]
        gone = counts["kept"] + counts["rejected"] + counts["joined"]
        erased = counts["reasons"].get("erased", 0)  # what was asked for is no fault
        lines.append(
            {
                "id": name,
                "unaccounted": abs(counts["in"] + counts["made"] - gone),
                "not_handed_on": 0 if kept_before is None else abs(counts["in"] - kept_before),
                "rejected_share": (counts["rejected"] - erased) / max(counts["in"] + counts["made"] - erased, 1),
            }
        )
        kept_before = sum(report["tables"][table]["rows"] for table in counts["kept_tables"])
    frame = Frame(pd.DataFrame(lines))
    frame.evidence["rejected_share"] = {
        name: ", ".join(f"{reason} {count}" for reason, count in Counter(report["counts"]["reasons"]).most_common(5))
        for name, report in reports.items()
    }
    return frame


def summary_frame(
    recipe: Recipe, reports: Mapping[str, Mapping[str, Any]], rows: Mapping[str, int], earlier: Mapping[str, int] | None
) -> Frame:
    """The frame `summary`, of one line: agreement, decisions, and how far counts moved since the `earlier` gate."""
    alpha = _alpha(reports["audit"]["details"].get("agreement", {}))
    change, moved = _change(rows, earlier)
    misfits = _misfits(reports["audit"]["details"].get("decisions"))
    excess, uneven = _unevenness(reports["split"]["details"])
    numbers = {
        "alpha": alpha.get("value"),
        "alpha_low": alpha.get("low"),
        "row_change": change,
        "decisions_misfit": None if misfits is None else len(misfits),
        "excess_points": excess,
        "known_mentions": None,
    }
    table = pd.DataFrame({"id": [recipe.name], **{name: [value] for name, value in numbers.items()}})
    table = table.astype(dict.fromkeys(numbers, float))
    note = alpha.get("note") or "the audit reports no agreement: it needs rows that two annotators answered"
    if alpha.get("value") is not None and alpha.get("low") is None:
        note = f"{alpha['name']} is {alpha['value']:.3f}, without an interval; set audit.bootstrap above 0"
    frame = Frame(table, why={"alpha": note, "alpha_low": note, "row_change": "no earlier build to compare with"})
    frame.why["decisions_misfit"] = "the audit does not report how decisions fit: run it again"
    frame.why["excess_points"] = "the split was not dealt by chance, or no stratum has rows enough to be judged"
    frame.why["known_mentions"] = "nothing is marked in these rows"
    frame.evidence["row_change"] = {recipe.name: moved}
    frame.evidence["excess_points"] = {recipe.name: uneven}
    frame.evidence["decisions_misfit"] = {recipe.name: "; ".join((misfits or [])[:5])}
    return frame


def _add_mentions(frame: Frame, name: str, found: Learned) -> None:
    frame.table["known_mentions"] = pd.Series([found.share], dtype=float)
    frame.evidence["known_mentions"] = {name: found.seen}


def _unevenness(split: Mapping[str, Any]) -> tuple[float | None, str]:
    """The largest deviation over the best possible that the split reports, in points, and of which stratum it is."""
    worst = split.get("most_excessive_stratum")
    one = split.get("strata", {}).get(worst, {})
    seen = f"{worst}: {one['deviation_points']} points off, {one['best_points']} at best" if one else ""
    return split.get("max_excess_points"), seen


def _alpha(agreement: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first figure of agreement that is an alpha; for the F1 of spans, their headline, no threshold is known."""
    figures: list[dict[str, Any]] = agreement.get("all", [])
    return next((figure for figure in figures if figure["name"].startswith("alpha")), {})


def _misfits(decisions: Mapping[str, Any] | None) -> list[str] | None:
    """The human decisions that are stale or without effect, as the audit reports them."""
    if decisions is None or "without_effect" not in decisions:
        return None
    return [*decisions["stale"], *decisions["without_effect"], *decisions["conflicts"]]


def _change(rows: Mapping[str, int], earlier: Mapping[str, int] | None) -> tuple[float | None, str]:
    """The largest relative change of a count, and which it was."""
    if earlier is None:
        return None, ""
    changes = {name: abs(rows[name] - earlier.get(name, 0)) / max(earlier.get(name, 0), 1) for name in rows}
    name = max(changes, key=lambda name: changes[name])
    return changes[name], f"{name}: {earlier.get(name, 0)} rows then, {rows[name]} now"


def checks_frame(recipe: Recipe) -> Frame:
    """The frame `checks`: overall and for every stratum, the share that may be wrong over the share that is allowed.

    Without a plan its one line has no value, with the reason; where plan or verdicts cannot be read, it is broken.
    """
    try:
        found = checks.facts(recipe)
    except AssayError as error:
        return Frame(pd.DataFrame({"id": []}), broken=f"the checks cannot be read: {error}")
    if found is None:
        table = pd.DataFrame({"id": [recipe.name], "over": pd.Series([None], dtype=float)})
        return Frame(table, why={"over": f"nobody has asked for a check (assay audit-plan {recipe.name})"})
    stands = found["targets"]
    table = pd.DataFrame({"id": [one["name"] for one in stands], "over": [one["over"] for one in stands]})
    return Frame(table, evidence={"over": {one["name"]: one["said"] for one in stands}})


def change_frame(recipe: Recipe, classes: Frame) -> Frame:
    """The frame `change`, of one line: how far the rows are from those of the version that they are measured from.

    Without such a version it has no values, with the reason; where the two cannot be compared, it is broken.
    """
    counts = classes.table.set_index("id")[list(SPLITS)].sum(axis=1)
    try:
        table, why, evidence = change.values(recipe, {str(name): int(rows) for name, rows in counts.items()})
    except AssayError as error:
        return Frame(pd.DataFrame({"id": []}), broken=f"the change cannot be measured: {error}")
    return Frame(table, why=why, evidence=evidence)


def frames(
    recipe: Recipe,
    reports: Mapping[str, Mapping[str, Any]],
    schema: Any,
    earlier: Mapping[str, int] | None,
    *,
    tokens: Tokens | None,
    memos: Memos | None = None,
) -> dict[str, Frame]:
    """All frames by name; where the split does not hold the contract's columns, rows and classes are broken.

    `memos` holds what was made of the rows of the last build; None: nothing is remembered.
    """
    splits = split_frame(recipe, reports["split"], schema)
    counts = dict(zip(splits.table["id"], splits.table["rows"].tolist(), strict=True))
    made = {
        "splits": splits,
        "stages": stage_frame(reports),
        "summary": summary_frame(recipe, reports, counts, earlier),
    }
    differs = "; ".join(text for text in splits.table["schema_differences"] if text)
    if differs:
        broken = Frame(pd.DataFrame({"id": []}), broken=f"the split's tables cannot be read as rows: {differs}")
        return {"rows": broken, "classes": broken, **made, "checks": broken, "change": broken}
    rows, classes, mentions = row_frames(recipe, tokens, memos)
    _add_mentions(made["summary"], recipe.name, mentions)
    seen = {"checks": checks_frame(recipe), "change": change_frame(recipe, classes)}
    return {"rows": rows, "classes": classes, **made, **seen}

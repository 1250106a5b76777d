"""What the data look like on their way: classes and lengths before and after, made copies, and the split."""

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
    written,
)
from pipeline.pages.build import octave_name
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markupsafe import Markup

    from pipeline.pages.build import Build, Tally

SIDES = {"train": "k1", "validation": "k2", "test": "k3"}
CLASSES, STRATA, LANGUAGES = 12, 14, 8
TEXT_CHARS = 280
_TABLES = (
    ("read", "ingest", "rows"),
    ("kept by the audit", "audit", "rows"),
    ("train, with copies", "split", "train"),
    ("validation", "split", "validation"),
    ("test", "split", "test"),
)
_MEASURED = ("read", "train, with copies", "test")


def classes(build: Build) -> Section:
    """Pictures of the classes, lengths and languages, before and after."""
    tallies = {name: found for name, *where in _TABLES if (found := build.tally(*where)) is not None}
    build.forget_others()
    if not tallies:
        return Section("classes", "Classes and lengths, before and after", command="assay run")
    blocks: list[Block] = [
        Charts(list(_class_charts(build, tallies))),
        Charts(list(_length_charts(tallies))),
    ]
    most = max(len(tally.classes) for tally in tallies.values())
    if most > CLASSES:
        blocks.append(Text(f"The {CLASSES} commonest of {most:,} classes are shown.", "note"))
    drawn = [name for name, tally in tallies.items() if tally.counted < tally.of_rows]
    if drawn:
        blocks.append(
            Text(f"Counted on about 50,000 rows each, drawn by a hash of their ids: {', '.join(drawn)}.", "note")
        )
    return Section("classes", "Classes and lengths, before and after", blocks)


def _class_charts(build: Build, tallies: Mapping[str, Tally]) -> Iterator[Markup]:
    """One chart per table, classes in the same order in all; `read` rows have no answer yet, annotations have."""
    settled = {name: tally for name, tally in tallies.items() if name != "read"}
    total = sum((tally.classes for tally in settled.values()), start=type(next(iter(tallies.values())).classes)())
    names = sorted(total, key=lambda name: (-total[name], name))[:CLASSES]
    votes = {name: told.get("answers") or 0 for name, told in build.details("audit", "agreement", "by_label").items()}
    if votes and set(votes) <= set(total):
        whole = sum(votes.values())
        yield _class_chart("class-votes", f"What annotators said: {whole:,} answers", votes, names, whole)
    for at, (name, tally) in enumerate(settled.items()):
        title = f"{name.capitalize()}: {tally.of_rows:,} rows"
        yield _class_chart(f"class-{at}", title, tally.classes, names, tally.counted)


def _class_chart(key: str, title: str, counts: Mapping[str, int], names: Sequence[str], whole: int) -> Markup:
    rows = [charts.Bar(name, counts.get(name, 0) / (whole or 1), percent(counts.get(name, 0), whole)) for name in names]
    return charts.bars(key, title, rows)


def _length_charts(tallies: Mapping[str, Tally]) -> Iterator[Markup]:
    shown = {name.partition(",")[0]: tally for name, tally in tallies.items() if name in _MEASURED}
    last = max((step for tally in shown.values() for step in tally.lengths), default=0)
    steps = range(min((step for tally in shown.values() for step in tally.lengths), default=0), last + 1)
    series = {name: [tally.lengths[step] / (tally.counted or 1) for step in steps] for name, tally in shown.items()}
    colours = {name: {"read": "k0", "test": "k3"}.get(name, "k1") for name in shown}
    title = "Length in words (single characters in scripts without spaces), share of rows"
    yield charts.columns("lengths", title, [_short(step) for step in steps], series, colours)
    languages = next(iter(tallies.values()))
    usual = languages.languages.most_common()
    rows = [
        charts.Bar(name, count, percent(count, languages.counted))
        for name, count in sorted(usual, key=lambda item: (-item[1], item[0]))[:LANGUAGES]
    ]
    yield charts.bars("languages", "Language of the rows that were read", rows)


def _short(step: int) -> str:
    """The upper end of an octave, so that many steps fit on a phone."""
    return f"≤{octave_name(step).rpartition('-')[2]}"


def augmentation(build: Build) -> Section:
    """Copies made and refused for every edit and class, with examples."""
    title = "Copies in other words"
    if "augment" not in build.reports:
        return Section("augment", title, command="assay augment")
    edits = build.details("augment", "edits")
    if not edits:
        return Section("augment", title, [Text("The recipe asks for no edits: no copies were made.")])
    blocks: list[Block] = [_edits(edits), _made_classes(build.details("augment", "classes"))]
    examples = build.reports["augment"].get("details", {}).get("examples") or []
    if examples:
        blocks.append(
            Fold(
                f"{len(examples)} examples, before and after",
                [Examples([_pair(one) for one in examples])],
                is_open=True,
            )
        )
    return Section("augment", title, blocks)


def _edits(edits: Mapping[str, Any]) -> Table:
    rows = []
    for kind, told in edits.items():
        refused = told.get("refused", {})
        why = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in refused.items())
        counted = (told.get("planned"), told.get("made"), sum(refused.values()))
        rows.append((Cell(kind, "code"), *(number(count) for count in counted), Cell(why or "–")))
    return Table("By edit", ("edit", "planned", "made", "refused", "why refused"), rows)


def _made_classes(told: Mapping[str, Any]) -> Table:
    rows = [
        (Cell(name, "quote"), *(number(counts.get(kind)) for kind in ("rows", "wanted", "made")))
        for name, counts in told.items()
    ]
    return Table("By class (each row under its rarest class)", ("class", "rows", "wanted", "made"), rows)


def _pair(one: Mapping[str, Any]) -> Example:
    before, after = (cut(str(one.get(name, "")), TEXT_CHARS) for name in ("before", "after"))
    return Example(f"{before}\n→ {after}", [("edit", str(one.get("edit", ""))), ("copy", str(one.get("id", "")))])


def split(build: Build) -> Section:
    """Who learns, who chooses, who judges, how even the strata came out, what the lock kept, and who had to leave."""
    if "split" not in build.reports:
        return Section("split", "The split", command="assay split")
    told = build.details("split")
    sides, strata = told.get("sides", {}), told.get("strata", {})
    blocks: list[Block] = [_split_facts(told)]
    shown = dict(sorted(strata.items(), key=lambda item: (item[0] != "all", -item[1].get("rows", 0), item[0]))[:STRATA])
    blocks += [
        _sides(sides),
        Charts(
            [
                charts.stacked(
                    "strata",
                    "Original rows of every stratum by side",
                    {name: one.get("per_side", {}) for name, one in shown.items()},
                    SIDES,
                ),
                _deviations(shown),
            ]
        ),
    ]
    blocks.append(Fold(f"All {len(strata)} strata in numbers", [_strata(strata)]))
    blocks += [*_lock(told.get("lock")), *_folds(told.get("folds")), *_leaks(told)]
    return Section("split", "The split", blocks)


def _split_facts(told: Mapping[str, Any]) -> Facts:
    worst = told.get("worst_stratum")
    return Facts(
        [
            ("largest deviation, points", written(told.get("max_deviation_points"), 2)),
            ("in stratum", str(worst) if worst else "–"),
            ("over the best possible, points", written(told.get("max_excess_points"), 2)),
            ("judged from, rows", written(told.get("judged_rows"))),
            ("rows with an official side", written(told.get("official_rows"))),
        ]
    )


def _sides(sides: Mapping[str, Any]) -> Table:
    rows = [
        (Cell(side), *(number(sides.get(side, {}).get(kind)) for kind in ("rows", "groups", "made"))) for side in SIDES
    ]
    return Table("Rows by side", ("side", "original rows", "groups", "copies"), rows)


def _deviations(strata: Mapping[str, Any]) -> Markup:
    rows = [charts.Bar(name, one.get("deviation_points", 0.0), _beside(one)) for name, one in strata.items()]
    return charts.bars("deviations", "Largest deviation from the wanted shares, in points (at best)", rows)


def _beside(one: Mapping[str, Any]) -> str:
    """A deviation, and beside it what the groups made necessary, where that is known."""
    best = one.get("best_points")
    return f"{one.get('deviation_points', 0.0):.2f}" + ("" if best is None else f" ({best:.2f})")


def _strata(strata: Mapping[str, Any]) -> Table:
    rows = []
    for name, one in strata.items():
        counts, shares = one.get("per_side", {}), one.get("shares", {})
        cells = [Cell(f"{counts.get(side, 0):,} ({percent(shares.get(side, 0))})", "number") for side in SIDES]
        points = (number(one.get(kind), 2) for kind in ("deviation_points", "best_points"))
        rows.append((Cell(name, "quote"), number(one.get("rows")), *cells, *points))
    return Table("", ("stratum", "rows", *SIDES, "deviation, points", "at best"), rows)


def _lock(told: Mapping[str, Any] | None) -> Iterator[Block]:
    """What the lock holds, and what the build that last changed it did."""
    if not told:
        return
    change = told.get("last_change", {})
    frozen = ", ".join(change.get("frozen", ())) or "none"
    yield Facts(
        [
            ("rows in the lock", written(told.get("rows"))),
            ("of them dealt here", written(told.get("in_build"))),
            ("of them left out: leaks", written(told.get("left_out"))),
            ("last change: new rows", written(change.get("dealt"))),
            ("last change: rows that moved", written(change.get("moved"))),
            ("of them by an official split", written(change.get("overruled"))),
            ("sides that were frozen", frozen),
            ("edition", str(told.get("edition", ""))),
        ]
    )
    yield Text("Rows in split.lock keep their side when the data grow; another split.edition deals all anew.", "note")


def _folds(told: Mapping[str, Any] | None) -> Iterator[Block]:
    if told:
        rows = ", ".join(f"{count:,}" for count in told.get("rows", ()))
        off = f"{told.get('max_deviation_points', 0.0):.2f}"
        yield Text(f"{told.get('folds')} folds outside test, of {rows} rows; at most {off} points off in any stratum.")


def _leaks(told: Mapping[str, Any]) -> Iterator[Block]:
    """The rows that would have given a held-out row away, or stood on two sides, with their evidence."""
    counts, listed = told.get("leaks", {}), told.get("leaks_listed", ())
    if shared := told.get("official_overlaps"):
        kinds = ("exact", "normalised", "near", "contained")
        rows = [(Cell(which), *(number(found.get(kind, 0)) for kind in kinds)) for which, found in shared.items()]
        yield Table("The official split as it was delivered: rows that stand there twice", ("", *kinds), rows)
    if not counts:
        return
    parts = (("official", "official training rows"), ("locked", "rows of the lock"), ("new", "new rows"))
    yield Facts([(f"left for a leak: {says}", written(counts.get(kind))) for kind, says in parts])
    if listed:
        lines = [
            (
                Cell(one["id"], "code"),
                Cell(one.get("reason", "").replace("_", " ")),
                Cell(cut(one["evidence"], TEXT_CHARS)),
            )
            for one in listed
        ]
        yield Fold(f"{len(listed)} of them", [Table("", ("row", "why", ""), lines)])

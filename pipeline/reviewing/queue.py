"""The queue: what people are to look at, in which order, and what one decision can settle at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import decisions
from pipeline.engine import Engine
from pipeline.reviewing.candidates import Candidate, Lines, candidates, gathered, rule_of
from pipeline.reviewing.counting import Rows, touched
from pipeline.reviewing.echoes import echoes
from pipeline.reviewing.grouping import Group, chosen, ordered, worth_of
from pipeline.reviewing.keeping import keep, kept, key
from pipeline.reviewing.lines import lines
from pipeline.reviewing.minutes import flat_minutes
from pipeline.reviewing.phrases import mined
from pipeline.reviewing.tables import CONFLICT, ECHO, GROUPS, QUEUE, Queue, named
from pipeline.rules import folded
from pipeline.tasks import task as task_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.recipe import Recipe
    from pipeline.rules import Rule

_DECIMALS = 6


def queue(recipe: Recipe, *, engine: Engine | None = None, tick: Callable[[int], None] = lambda rows: None) -> Queue:
    """The queue of a build, kept under data/build/NAME/review and made anew only when what it is made of changed.

    Suspects and rows that were held back, grouped so that one decision settles many. Whole rows are streamed twice:
    for the texts of the lines, and to count what each rule would touch. `tick` is called with the rows that were read.
    """
    wanted = key(recipe)
    found = kept(recipe, wanted)
    if found is None:
        found = made(recipe, engine or Engine(), tick)
        keep(recipe, wanted, found)
    return found


def made(recipe: Recipe, engine: Engine, tick: Callable[[int], None]) -> Queue:
    """The queue, made now."""
    task = task_of(recipe.settings.task, recipe.settings.guideline)
    found, rows = lines(recipe, task, tick).sort_by("line"), Rows(recipe, task, engine, tick)
    book = decisions.read(recipe.decisions)
    return grouped_queue(pa.concat_tables([found, echoes(found, rows, book.standing)]), rows)


def grouped_queue(table: pa.Table, rows: Rows) -> Queue:
    """The queue of these lines (columns `QUEUE`, in any order) of the rows of a build."""
    table = table.sort_by("line")
    known, seconds = Lines.of(table, rows.task), rows.recipe.settings.review.seconds_per_line
    groups = chosen([*candidates(known, rows.task), *mined(known, rows)], known.score, seconds)
    groups += echoing(known, seconds)
    rules = [rule_of(group.of, group.members, known, rows.task) for group in groups]
    touches = touched(rules, [group.of.touches for group in groups], rows)
    told = [
        _told(group, rule, table.take(pa.array(group.members)), touching, seconds)
        for group, rule, touching in zip(groups, rules, touches, strict=True)
    ]
    placed = _placed(table, groups, [one["group"] for one in told], known, seconds)
    about = {"guideline": rows.recipe.settings.guideline.version, **details(placed, told)}
    return Queue(placed, pa.Table.from_pylist(told, schema=GROUPS), about)


def echoing(known: Lines, seconds: float) -> list[Group]:
    """The groups of echoes: those that are alike, where deciding them at once is worth it."""
    at = np.flatnonzero(np.array([kind == ECHO for kind in known.kind], dtype=bool))
    keys = [(known.given[one], known.likely[one], folded(known.surface[one])) for one in at.tolist()]
    of = ((Candidate(ECHO, given, likely, members, spans=True)) for (given, likely, _), members in gathered(keys, at))
    worth = ((one, worth_of(one, known.score[one.members], seconds)) for one in of)
    return [Group(one, one.members, told) for one, told in worth if told is not None]


def _placed(table: pa.Table, groups: Sequence[Group], names: list[str], known: Lines, seconds: float) -> pa.Table:
    """The lines in their order, each with the name of its group."""
    order = list(ordered(groups, known.score, seconds, names=table["line"].to_pylist()))
    inside = pa.array([names[number] if number >= 0 else "" for _, number in order], pa.string())
    placed = table.take(pa.array([at for at, _ in order], pa.int64()))
    return placed.set_column(QUEUE.get_field_index("group"), QUEUE.field("group"), inside)


def details(lines_: pa.Table, groups: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What is told of a queue: its lines and groups, and how many lines the groups hold; echoes are counted apart."""
    echoing_ = pc.equal(lines_["kind"], ECHO)
    lines_, groups = lines_.filter(pc.invert(echoing_)), [one for one in groups if one["kind"] != ECHO]
    return {
        "echoes": int(pc.sum(echoing_).as_py() or 0),
        "lines": lines_.num_rows,
        "groups": len(groups),
        "grouped": sum(group["lines"] for group in groups),
        "expected": round(float(np.sum(lines_["score"].to_numpy())), _DECIMALS),
        "kinds": {
            kind: sum(group["kind"] == kind for group in groups) for kind in sorted({one["kind"] for one in groups})
        },
    }


def _told(group: Group, rule: Rule | None, inside: pa.Table, touches: int, seconds: float) -> dict[str, Any]:
    """The line of `GROUPS` for a group and its lines."""
    verdicts = inside["verdict"].to_pylist()
    spoken = json.dumps(rule.told(), ensure_ascii=False, sort_keys=True) if rule else ""
    minutes = group.worth.minutes if group.of.kind == CONFLICT else flat_minutes(len(group.members), seconds)
    return {
        "group": named("g", group.of.kind, spoken, *sorted(inside["line"].to_pylist())),
        "kind": group.of.kind,
        "says": says(group.of, rule, len(verdicts)),
        "rule": spoken,
        "given": group.of.given,
        "likely": group.of.likely,
        "lines": len(verdicts),
        "rows": len(set(inside["id"].to_pylist())),
        "expected": round(float(np.sum(inside["score"].to_numpy())), _DECIMALS),
        "doubtful": verdicts.count("ambiguous"),
        "touches": touches if rule else len(verdicts),
        "minutes": round(minutes, _DECIMALS),
        "value": round(group.worth.value, _DECIMALS),
    }


def says(of: Candidate, rule: Rule | None, lines_: int) -> str:
    """What a group proposes, in words."""
    if of.kind == CONFLICT:
        return f"These {lines_} rows read alike and are answered otherwise: say once which answer is right."
    if rule is not None:
        return rule.words("en")
    about = f"{of.part}: " if of.part else ""
    alike = "that read alike" if of.kind == "alike" else "below"
    return f"In the {lines_} rows {alike}, make {about}{of.given} {of.likely}."

"""The list to check: which rows, in which order, written for people and, beside it, for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.chance import draw
from pipeline.checks.ledger import Check, judged, lines, voices
from pipeline.checks.plan import folder, verdict_file
from pipeline.checks.population import Population, listed, population, whole_rows
from pipeline.checks.sheet import written
from pipeline.checks.standing import Standing, standing
from pipeline.checks.table import unread
from pipeline.checks.targets import Target, targets
from pipeline.checks.words import in_words
from pipeline.errors import AssayError
from pipeline.tasks import canonical, task

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.settings import PlanSettings
    from pipeline.tasks import Row, Task

NAME, SECOND = "to-check", "to-check-second"


def write_list(recipe: Recipe, plan: PlanSettings) -> tuple[Path, int, int]:
    """Write the list; its path, how many rows stand in it and how many of them are still to be checked.

    Overall comes first, then what single strata need beyond that, each in the order of the draw: the list may be
    stopped anywhere. Verdicts that were read before stand in it. `to-check.jsonl` beside it holds the same with answers
    as data, `to-check-second.csv` what a second person is to check too, if the plan asks for one.

    Raises:
        AssayError: the list that lies there holds verdicts that were not read yet.
    """
    place = folder(recipe)
    place.mkdir(parents=True, exist_ok=True)
    for name in (NAME, SECOND):
        _hold_read(recipe, place / f"{name}.csv")
    people = population(recipe, plan)
    chosen = _chosen(people, plan)
    found = _lines(recipe, people, chosen)
    (place / f"{NAME}.csv").write_bytes(written(found))
    _write_machine(place / f"{NAME}.jsonl", found)
    second = [line for line in found if _is_doubled(line["id"], plan)]
    if plan.double_share:
        blank = {name: "" for name in ("verdict", "right_answer", "who", "when", "note")}
        (place / f"{SECOND}.csv").write_bytes(written(line | blank for line in second))
    else:
        (place / f"{SECOND}.csv").unlink(missing_ok=True)
    return place / f"{NAME}.csv", len(found), sum(not line["verdict"] for line in found)


def _hold_read(recipe: Recipe, path: Path) -> None:
    if path.is_file() and (count := unread(path, lines(verdict_file(recipe)))):
        problem = f"holds {count} verdicts that were not read yet"
        raise AssayError(f"checks/{path.name}", problem, f"assay audit-plan {recipe.name} --read {path}")


def _chosen(people: Population, plan: PlanSettings) -> dict[int, list[str]]:
    """Positions in the order of checking, each with the names of the targets that it is for."""
    held, _ = targets(people, plan)
    overall, *others = [(target, standing(people, target, plan)) for target in held]
    first = _wanted(*overall)
    more = np.unique(np.concatenate([first[:0], *(_wanted(*other) for other in others)]))
    chosen: dict[int, list[str]] = {int(at): [overall[0].name] for at in first}
    chosen |= {int(at): [] for at in more if int(at) not in chosen}
    for target, stand in others:
        for at in _wanted(target, stand):
            chosen[int(at)].append(target.name)
    return chosen


def _wanted(target: Target, stand: Standing) -> Any:
    return target.wanted(stand.limits)


def _is_doubled(id_: str, plan: PlanSettings) -> bool:
    return draw(plan.seed, "second", id_) < plan.double_share * 2**64


def _lines(recipe: Recipe, people: Population, chosen: dict[int, list[str]]) -> list[dict[str, Any]]:
    """The lines of the list; rows that are no longer there are left out."""
    kind = task(recipe.settings.task, recipe.settings.guideline)
    place = {people.ids[at]: at for at in chosen}
    rows = {row["id"]: row for _, row in whole_rows(recipe, place)}
    said: dict[str, list[Check]] = {}
    for check in lines(verdict_file(recipe)):
        said.setdefault(check.row, []).append(check)
    found: list[dict[str, Any]] = []
    for at, targets_ in chosen.items():
        if (row := rows.get(people.ids[at])) is not None:
            line = {"number": len(found) + 1, **_line(kind, row, said.get(row["id"], [])), "for": ", ".join(targets_)}
            found.append(line | {"groups": listed(people, at)})
    return found


def _line(kind: Task, row: Row, checks: list[Check]) -> dict[str, Any]:
    text, answer = kind.asked(row), canonical(kind.answer(row))
    name = judged(text, answer)
    said = next(reversed(voices(check for check in checks if check.judged == name).values()), None)
    mended = [check for check in checks if check.text == text and check.right_answer == answer and said is None]
    told = mended[-1] if mended else said
    return {
        "id": row["id"],
        "text": text,
        "answer": in_words(kind, row if not mended else kind.with_answer(row, json.loads(mended[-1].answer))),
        "verdict": told.verdict if told else "",
        "right_answer": _right(kind, row, told),
        "who": told.who if told else "",
        "when": told.when if told else "",
        "note": told.note if told else "",
        "judged": told.judged if told else name,
        "canonical": told.answer if told else answer,
    }


def _right(kind: Task, row: Row, said: Check | None) -> str:
    if said is None or said.right_answer is None:
        return ""
    return in_words(kind, kind.with_answer(row, json.loads(said.right_answer)))


def _write_machine(path: Path, found: list[dict[str, Any]]) -> None:
    told = (json.dumps(line, ensure_ascii=False, sort_keys=True) for line in found)
    path.write_bytes("".join(line + "\n" for line in told).encode("utf-8", "backslashreplace"))

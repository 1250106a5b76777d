"""Sending: rows of the queue as items for a tool, with the best answer so far but where it is to be judged blind."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline import decisions, store, tools
from pipeline.errors import AssayError, Unfit
from pipeline.exchange.picking import Picked, followed, picked
from pipeline.exchange.returning import sent_out, standings
from pipeline.exchange.rounds import CONFLICTS, DISPUTED, Asked, Round, exports, name_of
from pipeline.exchange.shaping import entities, outward, project, shown
from pipeline.reviewing.dealing import blinded
from pipeline.tasks import canonical, task
from pipeline.tasks.parts import WHOLE, revised
from pipeline.tools.item import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.engine import Engine
    from pipeline.recipe import Recipe
    from pipeline.tasks import Answer, Task

WHATS = ("open", "suspect", "conflict", "tied", "low_confidence", "relabel", CONFLICTS)
"""What can be sent: everything that is open, or that of one kind; for an adjudicator, rows on which people differ."""
SHOWN_REASONS = 4
BETTER = 0.5
"""From which probability on what is proposed is a better answer than what was given."""


@dataclass(frozen=True)
class Sent:
    """What went out: the round, how many rows, how many of them blind, and the files that hold them."""

    round: str
    rows: int
    blind: int
    files: tuple[Path, ...] = ()
    left_out: tuple[str, ...] = ()
    """Rows of the queue that could not be sent, each with why."""
    out: tuple[tuple[str, int], ...] = ()
    """Other rounds in which some of these rows are still out, with how many."""


def send(
    recipe: Recipe,
    tool: str,
    folder: Path | None = None,
    *,
    what: str = "open",
    limit: int = 0,
    who: str = "",
    engine: Engine | None = None,
    tick: Callable[[int], None] = lambda rows: None,
) -> Sent:
    """Write the open rows of the queue for a tool into a folder, in their order; `limit` of them, or all.

    Without a folder they are written under data/build/NAME/exports.
    `who`: the person they are for, by whom it is dealt which of them are judged blind.

    Raises:
        AssayError: the tool cannot take such questions, nothing is open, or the folder holds something.
    """
    asked, items, left = _asked(recipe, tool, what=what, limit=limit, who=who, engine=engine, tick=tick)
    one = _round(tool, asked, who, what)
    kind = project(recipe, task(recipe.settings.task, recipe.settings.guideline))
    folder = _emptied(recipe, one.id) if folder is None else _empty(folder)
    files = tools.of(tool).write(replace(kind, round=one.id), items, folder)
    out = _out_elsewhere(recipe, one)
    sent_out(recipe, one)
    return Sent(one.id, len(asked), sum(each.blind for each in asked), tuple(files), left, out)


def _out_elsewhere(recipe: Recipe, one: Round) -> tuple[tuple[str, int], ...]:
    """How many rows of a round that goes out are still out in each other one."""
    told = standings(recipe, decisions.read(recipe.decisions))
    others = ((each.round.id, len(each.waits & one.asked.keys())) for each in told if each.round.id != one.id)
    return tuple((name, count) for name, count in others if count)


def sent_to_server(
    recipe: Recipe,
    url: str,
    *,
    what: str = "open",
    limit: int = 0,
    who: str = "",
    project_id: int | None = None,
    annotators: int = 1,
    engine: Engine | None = None,
    tick: Callable[[int], None] = lambda rows: None,
) -> tuple[Sent, Any]:
    """As `send`, into a project of the Label Studio server at `url`; what the server made of it is given beside.

    Rows that are in the project already and that nobody has answered are brought up to date; those that somebody has
    answered stay as they are, and are no part of the round. Rows for an adjudicator go into a project of their own.
    `annotators` is how many people are to judge each row.
    """
    from pipeline.tools import label_studio_server

    tool = "label-studio"
    asked, items, left = _asked(recipe, tool, what=what, limit=limit, who=who, engine=engine, tick=tick)
    one = _round(tool, asked, who, what)
    kind = project(recipe, task(recipe.settings.task, recipe.settings.guideline))
    kind = replace(kind, name=key_of(recipe, one.id if what == CONFLICTS else ""), round=one.id)
    server = label_studio_server.Server(url or None)
    done = server.send(kind, items, project_id=project_id, annotators=annotators)
    gone = {row: each for row, each in one.asked.items() if row not in done.answered}
    if gone:
        sent_out(recipe, replace(one, asked=gone), done.moved)
    out = _out_elsewhere(recipe, replace(one, asked=gone)) if gone else ()
    return Sent(one.id if gone else "", len(gone), sum(each.blind for each in gone.values()), (), left, out), done


def _round(tool: str, asked: Sequence[Asked], who: str, what: str) -> Round:
    told = {each.row: each for each in asked}
    return Round(name_of(tool, asked, who), tool, told, sent=decisions.now(), who=who, what=what)


def _emptied(recipe: Recipe, round_: str) -> Path:
    """The folder of a round, without what an earlier sending of the same round left there."""
    place = exports(recipe) / round_
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(parents=True)
    return place


def _empty(folder: Path) -> Path:
    """The folder, which must hold nothing: what is read back from it must be of one round."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise AssayError(str(folder), "is not empty", "name another folder: each round needs its own")
    return folder


def key_of(recipe: Recipe, round_: str = "") -> str:
    """What the server's project is known by: one for each guideline, so that its rows can be asked about again.

    A round of rows on which people differ has one of its own, for they were answered in the other.
    """
    key = f"{recipe.name} guideline {recipe.settings.guideline.version}"
    return f"{key} {CONFLICTS} {round_}" if round_ else key


def _asked(
    recipe: Recipe,
    tool: str,
    *,
    what: str,
    limit: int,
    who: str,
    engine: Engine | None,
    tick: Callable[[int], None],
) -> tuple[list[Asked], list[Item], tuple[str, ...]]:
    """What is asked of each row and how the tool is to show it; rows that cannot be sent, each with why."""
    kind = task(recipe.settings.task, recipe.settings.guideline)
    _hold_tool(tool, project(recipe, kind).kind)
    doubted = _doubted(recipe)
    asked, items, left = [], [], []
    for one in picked(recipe, kind, what, limit, engine=engine, tick=tick):
        if isinstance(one, str):
            left.append(one)
            continue
        blind = what != CONFLICTS and any(blinded(line["line"], who, recipe.settings.review) for line in one.lines)
        suggested, sure = proposed(one, kind, doubted.get(one.row["id"], 0.0))
        asked.append(_line(one, kind, recipe, suggested, blind=blind))
        items.append(_item(one, kind, suggested, None if what == CONFLICTS else sure, blind=blind))
    if not asked and what == CONFLICTS:
        problem = f"people differ on no row that can be sent{''.join(f'; {why}' for why in left[:1])}"
        raise AssayError(f"decisions of '{recipe.name}'", problem, "assay decisions NAME --conflicts lists them")
    if not asked:
        raise AssayError(f"queue of '{recipe.name}'", f"nothing {what} is in it", f"assay queue {recipe.name} shows it")
    return asked, items, tuple(left)


def _hold_tool(tool: str, kind: str) -> None:
    if kind not in tools.of(tool).TASKS:
        able = [name for name in tools.TOOLS if kind in tools.of(name).TASKS]
        raise AssayError(f"tool '{tool}'", f"cannot ask for {kind}", f"these can: {', '.join(able)}")


def _doubted(recipe: Recipe) -> dict[str, float]:
    """How probably anything in each row is wrong, of those that were looked at."""
    if store.read_report(recipe.build / "suspect") is None:
        return {}
    found = store.whole_table(recipe.build / "suspect", "doubted")
    return dict(zip(found["id"].to_pylist(), found["wrong"].to_pylist(), strict=True))


def proposed(picked: Picked, kind: Task, doubt: float) -> tuple[Answer, float]:
    """The best answer that there is so far for a row, and how probably it is right.

    A line whose answer is more likely wrong than not, and clearly so, gives way to what is likelier.
    """
    answer, sure = followed(picked, kind), 1.0
    for line in picked.lines:
        if not line["likely"] or line["verdict"] != "wrong" or line["score"] <= BETTER:
            continue
        try:
            given = line["likely"] if line["part"] != WHOLE or kind.head == "sequence" else json.loads(line["likely"])
            answer = revised(kind, picked.row, answer, line["part"], given)
        except (Unfit, ValueError):
            continue
        sure *= line["score"]
    untouched = canonical(answer) == canonical(kind.answer(picked.row))
    return answer, round(min(max(1 - doubt if untouched else sure, 0.0), 1.0), 4)


def _line(picked: Picked, kind: Task, recipe: Recipe, suggested: Answer, *, blind: bool) -> Asked:
    names = ("line", "part", "given", "likely", "score", "group", "kind", "settles")
    return Asked(
        row=picked.row["id"],
        text=shown(kind, picked.row),
        was=canonical(kind.answer(picked.row)) if picked.is_kept else None,
        suggested=None if blind else canonical(suggested),
        blind=blind,
        guideline=recipe.settings.guideline.version,
        lines=tuple({name: line[name] for name in names if name in line} for line in picked.lines),
    )


def _item(picked: Picked, kind: Task, suggested: Answer, sure: float | None, *, blind: bool) -> Item:
    row = picked.row
    given = "; ".join(f"{line['part']} {line['given']}".strip() for line in picked.lines)
    is_disputed = any(line["kind"] == DISPUTED for line in picked.lines)
    reasons = [why for line in picked.lines for why in line["why"]][: None if is_disputed else SHOWN_REASONS]
    about = {"language": str(row["language"]), "group": next((line["group"] for line in picked.lines), "")}
    return Item(
        row=row["id"],
        text=shown(kind, row),
        answer=None if blind else outward(kind, row, suggested),
        confidence=None if blind else sure,
        entities=entities(row),
        reasons=() if blind else (f"given: {given}", *reasons),
        about={name: value for name, value in about.items() if value},
    )

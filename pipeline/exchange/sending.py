"""Sending: rows of the queue as items for a tool, with the best answer so far but where it is to be judged blind."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline import decisions, reviewing, store, tools
from pipeline.errors import AssayError, Unfit
from pipeline.exchange.rounds import Asked, Round, exports, keep, name_of
from pipeline.exchange.shaping import entities, outward, project, shown
from pipeline.reviewing.dealing import blinded
from pipeline.reviewing.shelf import Shelf
from pipeline.tasks import canonical, task
from pipeline.tasks.parts import WHOLE, revised
from pipeline.tools.item import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.engine import Engine
    from pipeline.recipe import Recipe
    from pipeline.tasks import Answer, Row, Task

WHATS = ("open", "suspect", "conflict", "tied", "low_confidence", "relabel")
"""What can be sent: everything that is open, or that of one kind."""
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


@dataclass(frozen=True)
class Picked:
    """A row with the lines of the queue that it stands for."""

    row: Row
    lines: Sequence[Mapping[str, Any]]
    is_kept: bool


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
    one = Round(name_of(tool, asked), tool, {each.row: each for each in asked})
    kind = project(recipe, task(recipe.settings.task, recipe.settings.guideline))
    folder = _emptied(recipe, one.id) if folder is None else _empty(folder)
    files = tools.of(tool).write(kind, items, folder)
    keep(recipe, one)
    return Sent(one.id, len(asked), sum(each.blind for each in asked), tuple(files), left)


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

    Rows that are in the project already are not sent again. `annotators` is how many people are to judge each row.
    """
    from pipeline.tools import label_studio_server

    tool = "label-studio"
    asked, items, left = _asked(recipe, tool, what=what, limit=limit, who=who, engine=engine, tick=tick)
    one = Round(name_of(tool, asked), tool, {each.row: each for each in asked})
    kind = project(recipe, task(recipe.settings.task, recipe.settings.guideline))
    server = label_studio_server.Server(url or None)
    done = server.send(replace(kind, name=key_of(recipe)), items, project_id=project_id, annotators=annotators)
    keep(recipe, one)
    return Sent(one.id, len(asked), sum(each.blind for each in asked), (), left), done


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


def key_of(recipe: Recipe) -> str:
    """What the server's project is known by: one for each guideline, so that its rows can be asked about again."""
    return f"{recipe.name} guideline {recipe.settings.guideline.version}"


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
    for picked in _picked(recipe, what, limit, engine=engine, tick=tick):
        if isinstance(picked, str):
            left.append(picked)
            continue
        blind = any(blinded(line["line"], who, recipe.settings.review) for line in picked.lines)
        suggested, sure = proposed(picked, kind, doubted.get(picked.row["id"], 0.0))
        asked.append(_line(picked, kind, recipe, suggested, blind=blind))
        items.append(_item(picked, kind, suggested, sure, blind=blind))
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


def _picked(
    recipe: Recipe, what: str, limit: int, *, engine: Engine | None, tick: Callable[[int], None]
) -> Iterator[Picked | str]:
    """The rows of the queue's open lines, in their order, each with all its lines; why one cannot be sent."""
    queue = reviewing.queue(recipe, engine=engine, tick=tick)
    open_ = reviewing.open_lines(
        queue, decisions.read(recipe.decisions), seconds=recipe.settings.review.seconds_per_line
    )
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    names = [name for name in open_.lines.column_names if name not in ("text", "surface")]
    for line in open_.lines.select(names).to_pylist():
        if what in ("open", line["kind"]):
            lines[line["id"]].append(line)
    shelf, ids = Shelf(recipe), list(lines)[: limit or None]
    for first in range(0, len(ids), 1000):
        some = ids[first : first + 1000]
        rows = shelf.rows(some)
        for id_ in some:
            if id_ in rows:
                yield Picked(rows[id_], lines[id_], is_kept=shelf.is_kept(id_))
            else:
                yield f"{id_}: the record never became a row"


def proposed(picked: Picked, kind: Task, doubt: float) -> tuple[Answer, float]:
    """The best answer that there is so far for a row, and how probably it is right.

    A line whose answer is more likely wrong than not, and clearly so, gives way to what is likelier.
    """
    answer, sure = kind.answer(picked.row), 1.0
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
    names = ("line", "part", "given", "likely", "score", "group", "kind")
    return Asked(
        row=picked.row["id"],
        text=shown(kind, picked.row),
        was=canonical(kind.answer(picked.row)) if picked.is_kept else None,
        suggested=None if blind else canonical(suggested),
        blind=blind,
        guideline=recipe.settings.guideline.version,
        lines=tuple({name: line[name] for name in names} for line in picked.lines),
    )


def _item(picked: Picked, kind: Task, suggested: Answer, sure: float, *, blind: bool) -> Item:
    row = picked.row
    given = "; ".join(f"{line['part']} {line['given']}".strip() for line in picked.lines)
    reasons = [why for line in picked.lines for why in line["why"]][:SHOWN_REASONS]
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

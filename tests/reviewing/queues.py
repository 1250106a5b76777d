"""Small queues: lines as if the stages before had found them, and the builds that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import stage, store
from pipeline.engine import Engine
from pipeline.reviewing.counting import Rows
from pipeline.reviewing.tables import QUEUE, named
from pipeline.suspecting import SUSPECTS
from pipeline.tasks import task
from tests.builds import a_recipe, kept_by

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row


def a_line(id_: str, given: str, likely: str, score: float = 0.6, **more: Any) -> dict[str, Any]:
    """A line of a queue; its text is its surface, or what is given."""
    line: dict[str, Any] = {
        "id": id_,
        "part": "",
        "kind": "suspect",
        "verdict": "wrong" if score >= 0.5 else "ambiguous",
    }
    line |= {"score": score, "given": given, "likely": likely, "why": ["the model"], "surface": "", "text": id_}
    line |= {"language": "en", "source": id_.partition("/")[0], "group": ""} | more
    return line | {"line": named("q", line["id"], line["part"], line["kind"])}


def a_table(lines: Sequence[dict[str, Any]]) -> pa.Table:
    """Lines as a table."""
    return pa.Table.from_pylist(list(lines), schema=QUEUE)


def a_suspect(id_: str, given: str, likely: str, score: float, *, part: str = "") -> dict[str, Any]:
    """A line of the stage `suspect`."""
    verdict = "wrong" if score >= 0.5 else "ambiguous"
    told: dict[str, Any] = {
        "id": id_,
        "part": part,
        "verdict": verdict,
        "score": score,
        "given": given,
        "likely": likely,
    }
    return told | {"why": ["the model"], "signals": []}


def a_build(folder: Path, rows: Sequence[Row], suspects: Sequence[dict[str, Any]] = (), **settings: Any) -> Recipe:
    """A build of which the audit kept these rows and these are the suspects."""
    made = a_recipe(folder, **settings)
    kept_by("audit", made, {"rows": rows})
    with store.replacing(made.build / "suspect") as place:
        table = store.Table(place, "suspects", SUSPECTS, 50_000)
        table.write(stage.batch_of(suspects, SUSPECTS))
        store.write_report(place, {"stage": "suspect", "key": "x", "tables": {"suspects": table.close()}})
    return made


def rows_of(made: Recipe, *, workers: int = 1, batch_rows: int = 1000) -> Rows:
    """The rows of a build, as they are looked through."""
    kind = task(made.settings.task, made.settings.guideline)
    return Rows(made, kind, Engine(workers=workers, batch_rows=batch_rows), lambda rows: None)

"""Seats: small builds with a queue, for the tests of the review page; run as a program it serves one."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contract import ANNOTATIONS
from pipeline.reviewing.desk import Desk
from pipeline.reviewing.live import Live
from pipeline.reviewing.reviewers import reviewers
from pipeline.reviewing.server import application, link, listening, quiet, serve
from pipeline.reviewing.tables import GROUPS, QUEUE, Queue, named
from tests.builds import SPINE, a_recipe, a_tagged, a_text, kept_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row

LABELS = {
    "version": "2",
    "label": [
        {"name": "PER", "definition": "The name of a single human being."},
        {"name": "ORG", "definition": "A company, a school, a team.", "examples": ["Arsenal"]},
        {"name": "LOC", "definition": "A place on the map."},
    ],
}
FEELINGS = {"version": "1", "label": [{"name": "positive"}, {"name": "negative"}, {"name": "neutral"}]}


def a_line(row: str, part: str = "", **told: Any) -> dict[str, Any]:
    """A line of the queue."""
    line: dict[str, Any] = {
        "id": row,
        "part": part,
        "kind": "suspect",
        "verdict": "wrong",
        "score": 0.5,
        "given": "LOC",
        "likely": "ORG",
        "why": ["model gives ORG 80 %"],
        "surface": "",
        "text": "",
        "language": "en",
        "source": "film",
        "group": "",
    }
    line |= told
    return line | {"line": named("q", line["id"], line["part"], line["kind"])}


def a_group(lines: Sequence[Mapping[str, Any]], *, rule: str = "", says: str = "", **told: Any) -> dict[str, Any]:
    """A group of these lines, which name it."""
    group: dict[str, Any] = {
        "group": lines[0]["group"],
        "kind": "surface",
        "says": says or "Wherever “Arsenal” is marked LOC, make it ORG.",
        "rule": rule,
        "given": "LOC",
        "likely": "ORG",
        "lines": len(lines),
        "rows": len(lines),
        "expected": 0.9 * len(lines),
        "doubtful": 0,
        "touches": len(lines) + 2,
        "minutes": 0.5,
        "value": 20.0,
    }
    return group | told


def queued(lines: Sequence[Mapping[str, Any]], groups: Sequence[Mapping[str, Any]] = ()) -> Queue:
    """A queue of lines and groups."""
    return Queue(pa.Table.from_pylist(list(lines), QUEUE), pa.Table.from_pylist(list(groups), GROUPS))


def built(recipe: Recipe, rows: Sequence[Row], **tables: Sequence[Mapping[str, Any]]) -> None:
    """Write what an audit leaves: rows, and the tables `annotations`, `pairs` and `rejected` where they are given."""
    recipe.folder.mkdir(parents=True, exist_ok=True)
    kept_by("audit", recipe, {"rows": rows})
    said = ANNOTATIONS.append(pa.field("verdict", pa.string())).append(pa.field("counts_for", pa.string()))
    for name, lines in tables.items():
        schema = said if name == "annotations" else None
        pq.write_table(pa.Table.from_pylist(list(lines), schema), recipe.build / "audit" / f"{name}-00000.parquet")


def said(row: str, annotator: str, answer: str, **told: Any) -> dict[str, Any]:
    """What one annotator said of a row."""
    line = dict.fromkeys(ANNOTATIONS.names) | {"verdict": "counted", "counts_for": row}
    return line | {"row": row, "annotator": annotator, "answer": answer, "given": answer} | told


TEAM = '{"given":"LOC","becomes":"ORG","surfaces":["Arsenal"]}'


def team_rows(count: int) -> list[Row]:
    """Rows in which a team is marked as a place."""
    rows = [
        a_tagged(f"film/{at}", f"Match {at}: Arsenal won in Leeds.", [("LOC", "Arsenal"), ("LOC", "Leeds")])
        for at in range(count)
    ]
    return rows


def tagging(folder: Path, *, count: int = 6, grouped: int = 4, **review: Any) -> Desk:
    """A desk with lines of a tagging task, the first of which form a group with a rule."""
    settings = {"double_share": 0.0, "blind_share": 0.0, **review}
    recipe = a_recipe(folder, task="tagging", guideline=LABELS, review=settings)
    rows = team_rows(count)
    lines = []
    for at, row in enumerate(rows):
        span = row["spans"][0]
        told = {"text": row["text"], "surface": "Arsenal", "score": 0.9 - at / 1000}
        lines.append(a_line(row["id"], f"{span['start']}:{span['end']}", group="g1" if at < grouped else "", **told))
    groups = [a_group(lines[:grouped], rule=TEAM)] if grouped else []
    built(recipe, rows, annotations=[said("film/0", "mo", '[[9,16,"LOC"]]'), said("film/0", "jo", '[[9,16,"ORG"]]')])
    return Desk(recipe, queued(lines, groups))


def feeling(folder: Path, texts: Sequence[str], **review: Any) -> Desk:
    """A desk with a line for each text of a classification task, given positive, proposed negative."""
    settings = {"double_share": 0.0, "blind_share": 0.0, **review}
    recipe = a_recipe(folder, guideline=FEELINGS, review=settings)
    rows = [a_text(f"film/{at}", text) for at, text in enumerate(texts)]
    lines = [a_line(row["id"], given="positive", likely="negative", text=row["text"]) for row in rows]
    built(recipe, rows)
    return Desk(recipe, queued(lines))


def talking(folder: Path) -> Desk:
    """A desk with one dialogue whose last reply is in doubt."""
    recipe = a_recipe(folder, task="chat", review={"double_share": 0.0, "blind_share": 0.0})
    turns = [
        ("system", "Answer briefly."),
        ("user", "法国的首都是哪里？"),
        ("assistant", "巴黎。"),
        ("user", "And of Italy?"),
    ]
    turns.append(("assistant", "I went to the library yesterday."))
    messages = [{"role": role, "content": content, "learn": role == "assistant"} for role, content in turns]
    row = {**SPINE, "id": "film/1", "group": "film/1", "messages": messages, "tools": None}
    built(recipe, [row])
    why = ["has few of the question's words", "is written in another script than the question"]
    return Desk(recipe, queued([a_line("film/1", given=turns[-1][1], likely="", text="And of Italy?", why=why)]))


@dataclass
class Served:
    """A page that is being served: its links, by who they are for."""

    live: Live
    port: int
    links: dict[str, str]

    @property
    def desk(self) -> Desk:
        """What is served now."""
        return self.live.desk


@contextmanager
def served(desk: Desk, *who: str) -> Iterator[Served]:
    """Serve a desk in a thread of its own."""
    people, live = reviewers(who or ("anna",)), Live(desk)
    with listening(0) as held:
        port = held.getsockname()[1]
        server = quiet(application(live, people, port=port))
        thread = Thread(target=lambda: server.run(sockets=[held]), daemon=True)
        thread.start()
        try:
            yield Served(live, port, {person.who: link(person, port) for person in people})
        finally:
            server.should_exit = True
            thread.join(10)


def main() -> None:
    """Serve a desk of so many lines from a folder: what a test kills."""
    desk = feeling(Path(sys.argv[1]), [f"Text {at}" for at in range(int(sys.argv[2]))])
    (person,) = reviewers(["anna"])
    with listening(0) as held:
        print(link(person, held.getsockname()[1]), flush=True)
        serve(Live(desk), [person], held)


if __name__ == "__main__":
    main()

"""Label Studio's server: rounds sent into projects, and all that people said fetched back, by its HTTP API.

Checked against Label Studio 1.23.2.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pipeline.errors import AssayError
from pipeline.tools import label_studio
from pipeline.tools.label_studio_wire import Refused, Wire, part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipeline.tools.item import Item, Project

BATCH_TASKS, BATCH_BYTES = 250, 16 << 20
PAGE_TASKS = 500
TITLE_CHARS = 50
_KEPT = ("id", "data", "annotations", "drafts")
_ASKED = (*_KEPT, "completed_by", "result", "was_cancelled", "created_at", "updated_at", "lead_time", "ground_truth")
"""Fields of tasks and of their annotations that are asked for: the server takes twice as long to give all it has."""
_LOOKED_AT = "id,data,annotations,drafts,predictions,result,score,model_version"
"""What is asked for of tasks that may be brought up to date."""


@dataclass(frozen=True)
class Sent:
    """What sending a round did: the project and its page, tasks added now, rows that were there already.

    Of these, `updated` were brought up to date, and those `answered` by somebody, or begun, stay as they were.
    """

    project: int
    page: str
    added: int
    there: int
    version: str
    updated: int = 0
    moved: tuple[tuple[str, str], ...] = ()
    """The earlier round and the row of each task that is now one of this round."""
    answered: frozenset[str] = frozenset()


@dataclass(frozen=True)
class There:
    """A row's task that is in a project already, and whether somebody has answered it, or begun to."""

    number: int
    data: dict[str, Any]
    predictions: tuple[dict[str, Any], ...]
    is_answered: bool


class Server:
    """A Label Studio server and the person whose token is used."""

    def __init__(self, url: str | None = None, token: str | None = None, *, timeout_seconds: float = 120) -> None:
        self._wire = Wire(url, token, timeout_seconds=timeout_seconds)
        self.url = self._wire.url

    def version(self) -> str:
        """The release of the server; raises AssayError where nothing answers, or something else, or before 1.0."""
        told = self._wire.call("GET", "/api/version")
        release = str(told.get("release", "")) if isinstance(told, dict) else ""
        if not re.match(r"[1-9]\d*\.\d", release):
            found = f"is Label Studio {release}" if release else "is no Label Studio server"
            raise AssayError(self.url, found, "it has to be 1.0 or later; 1.23.2 was tried")
        return release

    def projects(self) -> Iterator[dict[str, Any]]:
        """The projects that the person sees."""
        at = 1
        while at:
            told = self._wire.call("GET", "/api/projects", page=at, page_size=PAGE_TASKS)
            yield from part(self.url, told, "results")
            at = at + 1 if told.get("next") else 0

    def project_of(self, round: str) -> int | None:
        """The project into which a round was sent; raises AssayError where there are several."""
        found = [one["id"] for one in self.projects() if _mark(round) in str(one.get("description")).splitlines()]
        if len(found) > 1:
            raise AssayError(
                self.url, f"several projects hold '{round}': {found}", "name one, or delete the others there"
            )
        return int(found[0]) if found else None

    def send(
        self, project: Project, items: Iterable[Item], *, project_id: int | None = None, annotators: int = 1
    ) -> Sent:
        """Sends a round: makes its project where there is none, and adds the items whose rows are not in it yet.

        `annotators` is how many people are to judge each task. A second call with the same items adds nothing, and
        one that was broken off is made whole. Tasks of rows that are there are brought up to date, text, reasons and
        suggestion, where nobody has answered or begun to; the others stay as they are.
        """
        version = self.version()
        items = list(items)
        seen = set().union(*(label_studio.vocabulary(project, item) for item in items))
        found = project_id if project_id is not None else self.project_of(project.name)
        there: dict[str, There] = {}
        if found is None:
            found = self._created(project, seen, annotators)
        else:
            self._fits(found, project, seen)
            there = self._there(found, project.name)
        again = {item.row: item for item in items if item.row in there}
        answered = frozenset(row for row in again if there[row].is_answered)
        updated = sum(self._updated(there[row], project, item) for row, item in again.items() if row not in answered)
        added = 0
        for batch in _batches(project, (item for item in items if item.row not in there)):
            told = self._wire.call("POST", f"/api/projects/{found}/import", batch)
            if told.get("task_count", len(batch)) != len(batch):
                raise AssayError(self.url, f"took {told['task_count']} of {len(batch)} tasks", "send the round again")
            added += len(batch)
        page = f"{self.url}/projects/{found}/data"
        moved = tuple((str(there[row].data.get("assay_sent", "")), row) for row in again if row not in answered)
        return Sent(found, page, added, len(again), version, updated=updated, moved=moved, answered=answered)

    def _there(self, project_id: int, round: str) -> dict[str, There]:
        """The tasks of a round that are in a project, by row; of several of one row, the one that was answered."""
        found: dict[str, There] = {}
        for task in self._tasks(project_id, fields="all", include=_LOOKED_AT):
            data = task.get("data", {})
            if data.get("assay_round") != round or not data.get("assay_row"):
                continue
            one = There(
                number=task["id"],
                data=data,
                predictions=tuple(task.get("predictions") or ()),
                is_answered=bool(task.get("annotations") or task.get("drafts")),
            )
            if one.is_answered or data["assay_row"] not in found:
                found[data["assay_row"]] = one
        return found

    def _updated(self, there: There, project: Project, item: Item) -> bool:
        """Brings a task up to date; whether that changed anything."""
        new = label_studio.task(project, item)
        wanted = new.get("predictions", [])
        is_other = bool(there.data != new["data"])
        if is_other:
            self._wire.call("PATCH", f"/api/tasks/{there.number}/", {"data": new["data"]})
        held = [{name: one.get(name) for name in ("model_version", "score", "result")} for one in there.predictions]
        if held == wanted:
            return is_other
        for one in there.predictions:
            self._wire.call("DELETE", f"/api/predictions/{one['id']}/")
        for one in wanted:
            self._wire.call("POST", "/api/predictions/", {"task": there.number, **one})
        return True

    def _created(self, project: Project, seen: set[str], annotators: int) -> int:
        title = (project.title or project.name)[:TITLE_CHARS]
        about = {
            "title": f"{title:_<3}",
            "description": _mark(project.name),
            "label_config": label_studio.config(project, seen),
            "expert_instruction": label_studio.instructions(project),
            "show_instruction": True,
            "show_collab_predictions": True,
            "maximum_annotations": annotators,
            "model_version": label_studio.MODEL,
        }
        return int(part(self.url, self._wire.call("POST", "/api/projects", about), "id"))

    def _fits(self, project_id: int, project: Project, seen: set[str]) -> None:
        """Raises AssayError where a project that is there has no place for the answers."""
        name = label_studio.CONTROLS[project.kind]
        asks = part(self.url, self._wire.call("GET", f"/api/projects/{project_id}"), "parsed_label_config")
        place = f"{self.url}/projects/{project_id}"
        if name not in asks:
            raise AssayError(
                place, f"asks for no {project.kind} as '{name}'", "send the round into a project of its own"
            )
        missing = sorted(label_studio.marks(project, seen) - set(asks[name].get("labels", ())))
        if missing:
            way_out = "add them to its labeling interface, or send them as another round"
            raise AssayError(place, f"has no label {', '.join(missing)!r:.200}", way_out)

    def rows(self, project_id: int) -> Iterator[tuple[str, str]]:
        """The round and the row of every task of a project, "" where a task has none."""
        for task in self._tasks(project_id, include="id,data"):
            data = task.get("data", {})
            yield str(data.get("assay_round", "")), str(data.get("assay_row", ""))

    def tasks(self, project_id: int) -> Iterator[dict[str, Any]]:
        """Every task with all its annotations, as JSON exports have them, annotators by their e-mail addresses."""
        people = self.people()
        for task in self._tasks(project_id, fields="all", include=",".join(_ASKED)):
            for one in task.get("annotations", []):
                by = one.get("completed_by")
                one["completed_by"] = people.get(by, by) if isinstance(by, int) else by
            yield {name: task[name] for name in _KEPT if name in task}

    def fetch(self, project_id: int, path: Path) -> int:
        """Writes every task with all its annotations into a JSON file, whole or not at all; how many tasks there are.

        `label_studio.read` reads the file.
        """
        count = 0
        beside = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with beside.open("w", encoding="utf-8", newline="\n") as out:
                for task in self.tasks(project_id):
                    out.write(f"{',' if count else '['}\n{json.dumps(task, ensure_ascii=False, sort_keys=True)}")
                    count += 1
                out.write("\n]\n" if count else "[]\n")
                out.flush()
                os.fsync(out.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return count

    def people(self) -> dict[int, dict[str, Any]]:
        """Those who may annotate, by number: `id` and `email`; empty where the token's owner may not see them."""
        try:
            users = self._wire.call("GET", "/api/users/")
        except Refused:
            return {}
        return {
            one["id"]: {"id": one["id"], "email": one.get("email") or one["id"]} for one in cast("list[Any]", users)
        }

    def _tasks(self, project_id: int, **asked: str) -> Iterator[dict[str, Any]]:
        """The tasks page by page, in the order of their numbers."""
        seen: set[int] = set()
        page = 1
        while True:
            more = {"project": project_id, "page": page, "page_size": PAGE_TASKS, "ordering": "tasks:id"}
            told = self._wire.call("GET", "/api/tasks", resolve_uri="false", **more, **asked)
            fresh = [one for one in part(self.url, told, "tasks") if one["id"] not in seen]
            seen |= {one["id"] for one in fresh}
            yield from fresh
            if page * PAGE_TASKS >= part(self.url, told, "total"):
                break
            page += 1
        if len(seen) < told["total"]:
            raise AssayError(self.url, "tasks came or went while they were read", "fetch them again")


def _mark(round: str) -> str:
    """The line of a project's description by which its round is known again."""
    return f"assay round: {' '.join(round.split())}"


def _batches(project: Project, items: Iterable[Item]) -> Iterator[list[dict[str, Any]]]:
    """Tasks in batches; a row that comes twice goes once."""
    batch: list[dict[str, Any]] = []
    size = 0
    gone: set[str] = set()
    for item in items:
        if item.row in gone:
            continue
        gone.add(item.row)
        task = label_studio.task(project, item)
        size += len(json.dumps(task))
        if batch and (len(batch) == BATCH_TASKS or size > BATCH_BYTES):
            yield batch
            batch, size = [], len(json.dumps(task))
        batch.append(task)
    if batch:
        yield batch

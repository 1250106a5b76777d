"""The server of the review page: on the loopback only, by a link, quiet; every decision is on disk when it answers."""

from __future__ import annotations

import json
import socket
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import AssayError
from pipeline.reviewing import acts, detail, fresh, grouped
from pipeline.reviewing.desk import VIEWS, entries
from pipeline.reviewing.guard import Guard
from pipeline.reviewing.heading import Heading
from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from pipeline.reviewing.desk import Desk
    from pipeline.reviewing.guard import App
    from pipeline.reviewing.live import Live
    from pipeline.reviewing.reviewers import Reviewer

HOST = "127.0.0.1"
SCRIPTS = ("page.js", "ground.js", "cards.js", "verdict.js", "list.js", "text.js")
ASSETS = {"page.css": "text/css"} | dict.fromkeys(SCRIPTS, "text/javascript")
MOST_ENTRIES = 500
VERSION = "x-assay-queue"
"""The header that says which queue an answer is of."""


def listening(port: int) -> socket.socket:
    """A socket on the loopback; any free port for 0.

    Raises:
        AssayError: the port is taken.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((HOST, port))
        held.listen(128)  # whoever comes before the server is up waits
    except OSError as error:
        held.close()
        raise AssayError(
            "--port", f"port {port} cannot be had: {error.strerror}", "leave it out for a free one"
        ) from error
    return held


def link(person: Reviewer, port: int) -> str:
    """The address that lets a reviewer in."""
    return f"http://{HOST}:{port}/?token={person.token}"


def serve(live: Live, people: Sequence[Reviewer], held: socket.socket) -> None:
    """Serve the page on a socket until Ctrl-C."""
    quiet(application(live, people, port=held.getsockname()[1])).run(sockets=[held])


def quiet(app: App) -> Any:
    """A server for the page (`uvicorn.Server`) that prints nothing but what goes wrong."""
    import uvicorn

    told = {"log_level": "error", "access_log": False, "server_header": False}
    return uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", timeout_graceful_shutdown=2, **told))


def application(live: Live, people: Sequence[Reviewer], *, port: int) -> App:
    """The page and what it asks for, behind the guard."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    heading = Heading(live)
    asked: dict[str, Callable[[Desk, Request, str], Any]] = {
        "about": _about,
        "list": _list,
        "next": _next,
        "line": _line,
        "group": _group,
        "head": lambda desk, request, who: heading.told(who) | {"trouble": live.trouble},
        "news": lambda desk, request, who: live.news(request.query_params.get("since", "")),
        "place": _place,
    }
    sent: dict[str, Callable[[Desk, Any, str], Any]] = {"decide": _decide, "undo": _undo}
    routes = [Route("/", partial(_asset, "page.html", "text/html"))]
    routes += [Route(f"/{name}", partial(_asset, name, kind)) for name, kind in ASSETS.items()]
    routes += [Route("/favicon.ico", _nothing)]
    routes += [Route(f"/api/{name}", _asking(live, answer)) for name, answer in asked.items()]
    routes += [Route(f"/api/{name}", _sending(live, answer), methods=["POST"]) for name, answer in sent.items()]
    return Guard(Starlette(routes=routes), people=people, port=port)


def _asset(name: str, kind: str, request: Request) -> Response:
    from starlette.responses import Response

    content = resources.files("pipeline.reviewing").joinpath(name).read_bytes()
    return Response(content, media_type=kind)


def _nothing(request: Request) -> Response:
    from starlette.responses import Response

    return Response(status_code=204)


def _asking(live: Live, answer: Callable[[Desk, Request, str], Any]) -> Callable[[Request], Response]:
    """A route that answers a question; it sees what was built and decided up to now."""

    def asked(request: Request) -> Response:
        desk = live.look()

        def current() -> Any:
            desk.refresh()
            return answer(desk, request, request.scope["reviewer"].who)

        return _told(desk, current)

    return asked


def _sending(live: Live, answer: Callable[[Desk, Any, str], Any]) -> Any:
    """A route that takes something in; the work is done beside the loop, which goes on serving others."""
    from starlette.concurrency import run_in_threadpool

    async def sent(request: Request) -> Response:
        body, desk = await request.body(), live.look()
        return await run_in_threadpool(_told, desk, lambda: answer(desk, _json(body), request.scope["reviewer"].who))

    return sent


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AssayError("decision", "no JSON was sent", "load the page again") from error


def _told(desk: Desk, answer: Callable[[], Any]) -> Response:
    """What is answered as JSON, with the version of the queue that it is of; what is wrong, in words."""
    from starlette.responses import Response

    try:
        told, status = answer(), 200
    except AssayError as error:
        told, status = {"error": visible(error.problem), "place": visible(error.place), "way": error.way_out}, 422
        if isinstance(error, fresh.Outdated):
            told["outdated"] = "gone" if error.is_gone else "changed"
    body = json.dumps(told, ensure_ascii=True, separators=(",", ":"), default=list)
    headers = {VERSION: desk.version}
    return Response(body.encode(), status_code=status, headers=headers, media_type="application/json")


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError as error:
        raise AssayError("page", f"'{name}' is no number", "load the page again") from error


def _about(desk: Desk, request: Request, who: str) -> dict[str, Any]:
    """What the page is about, and where this person goes on."""
    guideline = desk.recipe.settings.guideline
    return {
        "version": desk.version,
        "name": desk.recipe.name,
        "title": getattr(desk.recipe.settings, "title", "") or desk.recipe.name,
        "task": desk.task.name,
        "who": who,
        "guideline": guideline.version,
        "labels": [label.model_dump(mode="json", include={"name", "definition"}) for label in guideline.label],
        "views": [{"name": name, "title": title, "count": len(desk.view(name, who))} for name, title in VIEWS.items()],
        "first": desk.next_open("value", who, -1),
        "last_act": desk.ledger.last_act(who),
        "most_seconds": acts.MOST_SECONDS,
    }


def _list(desk: Desk, request: Request, who: str) -> dict[str, Any]:
    """A stretch of a list."""
    found = desk.view(request.query_params.get("view", "value"), who)
    start, count = max(_number(request, "start", 0), 0), min(_number(request, "count", 50), MOST_ENTRIES)
    told = [
        grouped.brief(desk, one.at, who) if one.is_group else detail.brief(desk, one.at, who)
        for one in entries(found[start : start + max(count, 0)])
    ]
    return {"count": len(found), "start": start, "entries": told}


def _next(desk: Desk, request: Request, who: str) -> dict[str, Any]:
    """The next entry of a list that needs this person."""
    view = request.query_params.get("view", "value")
    return {"at": desk.next_open(view, who, _number(request, "after", -1)), "count": len(desk.view(view, who))}


def _place(desk: Desk, request: Request, who: str) -> dict[str, Any]:
    """Where a line, or a group, stands in a list by now, -1 where it does not; whether it is in the queue at all."""
    view, asked = request.query_params.get("view", "value"), request.query_params
    if group := asked.get("group", ""):
        at = desk.find_group(group)
        found = np.flatnonzero(desk.view(view, who) == -1 - at)[: int(at >= 0)].tolist()
        return {"at": found[0] if found else -1, "known": at >= 0}
    at = desk.find_line(asked.get("line", ""))
    return {"at": desk.place(view, who, at) if at >= 0 else -1, "known": at >= 0}


def _line(desk: Desk, request: Request, who: str) -> dict[str, Any]:
    at = desk.line_at(request.query_params.get("line", ""))
    return detail.line(desk, at, who, is_whole=request.query_params.get("whole") == "1")


def _group(desk: Desk, request: Request, who: str) -> dict[str, Any]:
    at = desk.group_at(request.query_params.get("group", ""))
    return grouped.group(desk, at, who, start=_number(request, "start", 0), count=_number(request, "count", 50))


def _decide(desk: Desk, sent: Any, who: str) -> dict[str, Any]:
    act = acts.read(sent)
    told = acts.put_down(desk, act, who) | {"last_act": desk.ledger.last_act(who)}
    if act.scope != "line":
        return told
    at = desk.line_at(act.target)
    others = [detail.voice(one, is_here=True, who=who) for name, one in desk.voices(at).items() if name != who]
    return told | {"others": others if desk.may_see(at, who) else [], "conflict": desk.is_conflict(at)}


def _undo(desk: Desk, sent: Any, who: str) -> dict[str, Any]:
    act = sent.get("act") if isinstance(sent, dict) else None
    if not isinstance(act, str):
        raise AssayError("undo", "no act is named", "load the page again")
    undone = acts.take_back(desk, act, who)
    at, view = desk.line_of(desk.ledger.of_act(act)[0]), sent.get("view")
    place = desk.place(view, who, at) if at >= 0 and view in VIEWS else -1
    return {"undone": undone, "at": place, "last_act": desk.ledger.last_act(who)}

"""The guard: who may ask the server for anything: this machine, by a link, from the page itself."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from pipeline.reviewing.reviewers import Reviewer, known

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 4_000_000
HEADERS = {
    "content-security-policy": "; ".join(
        (
            *("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'"),
            *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
            *("require-trusted-types-for 'script'", "trusted-types 'none'"),
        )
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
ENTER = "Open the link that `assay review` printed: it lets you in."


class Guard:
    """Stands before the routes and lets in what carries a reviewer's token and comes from the page itself.

    The host must be ours (a page elsewhere may have its name point here), what changes something must say that it
    comes from our own page, and what is sent must be JSON and not endless. Who it is stands in scope["reviewer"].
    """

    def __init__(self, app: App, *, people: Sequence[Reviewer], port: int) -> None:
        self.app, self.people = app, tuple(people)
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.cookie = f"assay_review_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refusal(scope, headers)
        entering = known(_asked(scope), self.people) if scope["path"] == "/" else None
        person = entering or known(self._carried(headers), self.people)
        if refused or person is None:
            await _answer(send, *(refused or (401, ENTER)))
            return
        scope["reviewer"] = person
        await self.app(scope, receive, self._dressed(send, entering))

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        if headers.get("host", "") not in self.hosts:
            return 421, "This server answers to 127.0.0.1 only."
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, "Not allowed."
        if scope["path"] != "/" and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "Another site asked."
        return self._refused_change(headers) if scope["method"] == "POST" else None

    def _refused_change(self, headers: dict[str, str]) -> tuple[int, str] | None:
        origin = headers.get("origin", "")
        if origin.removeprefix("http://") not in self.hosts or origin.removeprefix("http://") != headers.get("host"):
            return 403, "Another site asked."
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "Send JSON."
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > MOST_BYTES:
            return 413, "Too much at once."
        return None

    def _carried(self, headers: dict[str, str]) -> str:
        try:
            carried = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return ""
        return str(carried.value) if carried else ""

    def _dressed(self, send: Send, entering: Reviewer | None) -> Send:
        more = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        if entering:
            cookie = f"{self.cookie}={entering.token}; HttpOnly; SameSite=Strict; Path=/"
            more.append((b"set-cookie", cookie.encode()))

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *more]
            await send(message)

        return dressed


def _asked(scope: Scope) -> str:
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return str(asked.get("token", [""])[0])


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    headers += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})

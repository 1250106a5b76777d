"""The wire to Label Studio's HTTP API: one address, one token, answers in JSON, and errors that say what to do.

Both kinds of its tokens are taken: legacy ones, which a server may have turned off, and personal access tokens, which
are exchanged for ones that last some minutes. A token is never part of an error, and no redirect takes it along.
"""

from __future__ import annotations

import json
import os
import re
from http.client import HTTPException
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pipeline.errors import AssayError

URL, TOKEN = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
"""The variables of the environment that are looked at where no argument is given; Label Studio's own names for them."""
ANSWER_BYTES, NO_CONTENT = 256 << 20, 204
_WAY_OUT = (
    "give a token of Account & Settings in Label Studio; where it is a legacy token, these may be turned off there"
)


class Refused(AssayError):
    """The token is not taken."""


class _Stay(HTTPRedirectHandler):
    """A redirect is not followed, for it would take the token along."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Wire:
    """A server's address and the token of whoever asks."""

    def __init__(self, url: str | None, token: str | None, *, timeout_seconds: float) -> None:
        self.url = _address(url or os.environ.get(URL, ""))
        self._token = (token or os.environ.get(TOKEN, "")).strip()
        if not self._token or not re.fullmatch(r"[\x21-\x7e]+", self._token):
            raise AssayError(self.url, "no token" if not self._token else "the token is none", f"set {TOKEN}")
        self._access = ""
        self._timeout_seconds = timeout_seconds
        self._open = build_opener(_Stay()).open

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        try:
            return self._answer(method, path, body, query)
        except Refused:
            if self._token.count(".") != 2:
                raise
        self._access = ""
        given = self._answer("POST", "/api/token/refresh/", {"refresh": self._token}, {})
        self._access = str(part(self.url, given, "access"))
        return self._answer(method, path, body, query)

    def _answer(self, method: str, path: str, body: Any, query: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if "refresh" not in path:
            headers["Authorization"] = f"Bearer {self._access}" if self._access else f"Token {self._token}"
        try:
            with self._open(Request(url, data, headers, method=method), timeout=self._timeout_seconds) as answer:
                return self._read(answer.read(ANSWER_BYTES + 1)) if answer.status != NO_CONTENT else {}
        except HTTPError as error:
            raise self._told(error, path) from None
        except (URLError, HTTPException, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            way_out = f"is the server running there? Its address comes from --url or {URL}"
            raise AssayError(self.url, f"cannot be reached ({self._hidden(str(reason))})", way_out) from None

    def _read(self, content: bytes) -> dict[str, Any]:
        if len(content) > ANSWER_BYTES:
            raise AssayError(self.url, f"answers with more than {ANSWER_BYTES >> 20} MiB", "split the project")
        try:
            return cast("dict[str, Any]", json.loads(content))
        except (ValueError, RecursionError):
            raise AssayError(
                self.url, "is no Label Studio server: it does not answer in JSON", "mend the URL"
            ) from None

    def _told(self, error: HTTPError, path: str) -> AssayError:
        """What a status means; 401 and 403 are Refused, after which a personal token is exchanged."""
        with error:
            said = self._hidden(error.read(2000).decode("utf-8", "replace"))
        if error.code in (401, 403):
            return Refused(self.url, "does not take the token", _WAY_OUT)
        if 300 <= error.code < 400:
            parts = urlsplit(error.headers.get("Location", ""))
            return AssayError(
                self.url, f"leads to {parts.scheme}://{parts.hostname}", "give that address, if it is meant"
            )
        if error.code == 404:
            return AssayError(
                f"{self.url}{path}", "is not there", "is it the server's address, and the project's number?"
            )
        return AssayError(f"{self.url}{path}", f"refuses with status {error.code}: {said:.400}", "see the server's log")

    def _hidden(self, text: str) -> str:
        for secret in (self._token, self._access):
            text = text.replace(secret, "[token]") if secret else text
        return text


def part(url: str, told: Any, name: str) -> Any:
    """A part of an answer; raises AssayError where the server answers otherwise."""
    if not isinstance(told, dict) or name not in told:
        raise AssayError(url, f"answers without '{name}'", "1.23.2 is the version that was tried")
    return told[name]


def _address(url: str) -> str:
    """The address without what follows the path; raises AssayError where it is none, or holds a name or a password."""
    if not url.strip():
        raise AssayError("Label Studio", "no address", f"give --url or set {URL}")
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    except ValueError:
        good = None
    if not good:
        shown = re.sub(r"//[^/]*@", "//", url.strip())
        raise AssayError(f"{shown:.200}", "is no address of a server", "it is http or https, a host, and no password")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"

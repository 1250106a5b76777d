"""A real Label Studio, started on the loopback with an empty database and stopped again, and people who work in it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDIO = os.environ.get("ASSAY_LABEL_STUDIO", "")
COMMAND = Path(STUDIO) / "bin" / "label-studio"
IS_THERE = bool(STUDIO) and COMMAND.is_file()
ABSENT = "no Label Studio: set ASSAY_LABEL_STUDIO to the folder of a virtual environment that holds it"
LEAD = "0123456789abcdef0123456789abcdef01234567"
ANNA, BERT, PASSWORD = "anna@example.org", "bert@example.org", "a-password-of-1"


@dataclass
class Studio:
    """A running Label Studio, the lead's token, and those of two annotators by their addresses."""

    url: str
    tokens: dict[str, str]

    def post(self, who: str, path: str, body: Any, method: str = "POST") -> Any:
        headers = {"Authorization": f"Token {self.tokens[who]}", "Content-Type": "application/json"}
        with urlopen(Request(self.url + path, json.dumps(body).encode(), headers, method=method)) as answer:
            return json.loads(answer.read())

    def get(self, path: str, who: str = "lead") -> Any:
        with urlopen(Request(self.url + path, headers={"Authorization": f"Token {self.tokens[who]}"})) as answer:
            return json.loads(answer.read())

    def export(self, project: int, format: str) -> bytes:
        query = urlencode({"exportType": format, "download_all_tasks": "true"})
        headers = {"Authorization": f"Token {LEAD}"}
        with urlopen(Request(f"{self.url}/api/projects/{project}/export?{query}", headers=headers)) as answer:
            content = answer.read()
            assert isinstance(content, bytes)
            return content


@contextmanager
def serving(folder: Path) -> Iterator[Studio]:
    """A server of its own, which keeps its database in the folder and takes nearly a minute to make it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    quiet = {"COLLECT_ANALYTICS": "0", "LATEST_VERSION_CHECK": "0", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    users = [
        "--username",
        "lead@example.org",
        "--password",
        PASSWORD,
        "--user-token",
        LEAD,
        "--enable-legacy-api-token",
    ]
    where = ["--data-dir", str(folder), "--internal-host", "127.0.0.1", "-p", port]
    process = subprocess.Popen(
        [str(COMMAND), "start", "-b", *where, *users],
        env={"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **quiet},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Quit the server" in line:
            break
    drain = threading.Thread(target=process.stdout.read, daemon=True)
    drain.start()
    try:
        assert process.poll() is None, "".join(said)
        url = f"http://127.0.0.1:{port}"
        yield Studio(url, {"lead": LEAD} | {who: signed_up(url, who) for who in (ANNA, BERT)})
    finally:
        process.terminate()
        process.wait(30)
        drain.join(30)
        process.stdout.close()


def signed_up(url: str, who: str) -> str:
    """A new user, who takes the lead's invitation as in a browser; their token."""
    opened = build_opener(HTTPCookieProcessor(CookieJar())).open
    with urlopen(Request(f"{url}/api/invite", headers={"Authorization": f"Token {LEAD}"})) as answer:
        page = url + json.loads(answer.read())["invite_url"]
    with opened(page) as answer:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.read().decode())
    assert found is not None
    form = {"csrfmiddlewaretoken": found[1], "email": who, "password": PASSWORD}
    with opened(Request(page, urlencode(form).encode(), {"Referer": page})):
        pass
    with opened(f"{url}/api/current-user/token") as answer:
        return str(json.loads(answer.read())["token"])


def results(text: str, spans: list[list[Any]]) -> list[dict[str, Any]]:
    """Spans as the page of 1.23.2 submits them: code points, line ends written as backslash and n."""
    return [
        {
            "id": f"reg{at}",
            "from_name": "assay_spans",
            "to_name": "text",
            "type": "labels",
            "origin": "manual",
            "value": {
                "start": start,
                "end": end,
                "text": re.sub(r"[\r\n]", r"\\n", text[start:end]),
                "labels": [label],
            },
        }
        for at, (start, end, label) in enumerate(spans)
    ]

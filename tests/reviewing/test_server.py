"""The server lets in who has a link, answers the page alone, and has written what it says it has written."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline import decisions
from pipeline.errors import AssayError
from pipeline.reviewing.desk import Desk
from pipeline.reviewing.reviewers import known, reviewers
from pipeline.reviewing.server import ASSETS
from tests.reviewing.seats import feeling, served, tagging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reviewing.seats import Served

ROOT = Path(__file__).resolve().parents[2]


class Visitor:
    """Asks the server as a browser would, with headers of its choice."""

    def __init__(self, link: str) -> None:
        self.link = urlsplit(link)
        self.token = parse_qs(self.link.query)["token"][0]
        self.cookie = ""

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content of an answer; a header given as empty is left out."""
        host = f"{self.link.hostname}:{self.link.port}"
        told = {"Host": host, "Cookie": self.cookie, "Content-Type": "application/json", "Origin": f"http://{host}"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        held = http.client.HTTPConnection("127.0.0.1", self.link.port or 0, timeout=10)
        held.putrequest("GET" if body is None else "POST", path, skip_host=True, skip_accept_encoding=True)
        content = b"" if body is None else json.dumps(body).encode()
        for name, value in {**told, "Content-Length": str(len(content))}.items():
            if value:
                held.putheader(name, value)
        held.endheaders(content)
        answer = held.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        held.close()
        return found

    def enter(self) -> Visitor:
        """Open the link."""
        _, headers, _ = self.ask(f"/?token={self.token}")
        self.cookie = headers["set-cookie"].partition(";")[0]
        return self

    def told(self, path: str, body: Any = None) -> Any:
        """What the server tells the page."""
        status, _, content = self.ask(path, body)
        assert status == 200, content
        return json.loads(content)


@pytest.fixture(name="page", scope="module")
def _page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page that nobody decides anything on."""
    with served(tagging(tmp_path_factory.mktemp("page")), "anna", "ben") as page:
        yield page


@pytest.fixture(name="fresh")
def _fresh(tmp_path: Path) -> Iterator[Served]:
    with served(tagging(tmp_path), "anna", "ben") as page:
        yield page


def act(line: str, verdict: str = "fine", **more: Any) -> dict[str, Any]:
    """A decision on a line as the page sends it."""
    return {"act": "act-00000001", "scope": "line", "target": line, "verdict": verdict, "seconds": 2.5, **more}


def first_line(page: Served, at: int = 0) -> str:
    return str(page.desk.lines["line"][at].as_py())


def test_only_a_link_lets_in(page: Served) -> None:
    visitor = Visitor(page.links["anna"])
    for path in ("/", "/?token=guess", "/page.js", "/api/about", "/?token="):
        status, headers, content = visitor.ask(path)
        assert status == 401
        assert b"assay review" in content
        assert "set-cookie" not in headers
    visitor.enter()
    assert visitor.told("/api/about")["who"] == "anna"
    visitor.cookie = visitor.cookie[:-1] + ("A" if visitor.cookie[-1] != "A" else "B")
    assert visitor.ask("/api/about")[0] == 401


def test_each_link_is_one_persons(fresh: Served) -> None:
    anna, ben = (Visitor(fresh.links[who]).enter() for who in ("anna", "ben"))
    anna.told("/api/decide", act(first_line(fresh)))
    ben.told("/api/decide", act(first_line(fresh, 1), act="act-00000002"))
    assert [line.who for line in decisions.read(fresh.desk.recipe.decisions).lines] == ["anna", "ben"]


def test_the_cookie_is_for_this_page_alone(page: Served) -> None:
    _, headers, _ = Visitor(page.links["anna"]).ask(f"/?token={Visitor(page.links['anna']).token}")
    assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in headers["set-cookie"].split(";")}
    assert headers["set-cookie"].startswith(f"assay_review_{page.port}=")


@pytest.mark.parametrize("path", ["/", "/page.css", "/api/about", "/nowhere", *(f"/{name}" for name in ASSETS)])
def test_every_answer_forbids_what_the_page_does_not_need(page: Served, path: str) -> None:
    for visitor in (Visitor(page.links["anna"]), Visitor(page.links["anna"]).enter()):
        _, headers, _ = visitor.ask(path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_another_name_for_this_machine_is_refused(page: Served) -> None:
    visitor = Visitor(page.links["anna"]).enter()
    for host in (f"evil.example:{page.port}", "127.0.0.1", f"127.0.0.1.evil.example:{page.port}", ""):
        assert visitor.ask("/api/about", Host=host)[0] in (400, 421)
    assert visitor.ask("/api/about", Host=f"localhost:{page.port}")[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
    ],
)
def test_what_another_site_sends_is_refused(page: Served, headers: dict[str, str], status: int) -> None:
    visitor = Visitor(page.links["anna"]).enter()
    assert visitor.ask("/api/decide", act(first_line(page)), **headers)[0] == status
    assert not page.desk.recipe.decisions.exists()


def test_too_much_at_once_is_refused(page: Served) -> None:
    visitor = Visitor(page.links["anna"]).enter()
    assert visitor.ask("/api/decide", {"why": "x" * 5_000_000})[0] == 413


def test_what_says_not_how_much_it_is_is_refused(page: Served) -> None:
    visitor = Visitor(page.links["anna"]).enter()
    assert visitor.ask("/api/decide", act(first_line(page)), Transfer_Encoding="chunked")[0] in (400, 413)


def test_nothing_but_its_own_files_is_served(page: Served) -> None:
    visitor = Visitor(page.links["anna"]).enter()
    for path in ("/desk.py", "/../desk.py", "/%2e%2e/desk.py", "/page.html/../server.py", "/static/x"):
        assert visitor.ask(path)[0] == 404


@pytest.mark.parametrize(
    "sent",
    [
        [],
        {},
        {"act": "act-00000001", "scope": "line", "verdict": "maybe", "target": "q0"},
        {"act": "a b", "scope": "line", "verdict": "fine", "target": "q0"},
        {"act": "act-00000001", "scope": "world", "verdict": "fine", "target": "q0"},
        {"act": "act-00000001", "scope": "line", "verdict": "fine", "target": "q0"},
        {"act": "act-00000001", "scope": "line", "verdict": "fine", "target": "q0", "mark": [3, 1]},
        {"act": "act-00000001", "scope": "line", "verdict": "ambiguous", "target": "q0", "shares": {"a": -1}},
        {"act": "act-00000001", "scope": "line", "verdict": "ambiguous", "target": "q0", "shares": {"a": 10**400}},
        {"act": "act-00000001", "scope": "line", "verdict": "fine", "target": "q0", "seconds": 10**400},
        {"act": json.loads("[" * 900 + "]" * 900)},
        {"act": "act-00000001", "scope": "group", "verdict": "fine", "target": "g1", "without": 7},
        {"act": "act-00000001", "scope": "line", "verdict": "fine", "target": {"a": 1}, "cause": []},
    ],
)
def test_what_is_no_decision_is_answered_in_words(page: Served, sent: Any) -> None:
    status, _, content = Visitor(page.links["anna"]).enter().ask("/api/decide", sent)
    assert status == 422
    assert json.loads(content)["error"]
    assert not page.desk.recipe.decisions.exists()


def test_a_decision_that_is_sent_twice_is_written_once(fresh: Served) -> None:
    anna = Visitor(fresh.links["anna"]).enter()
    sent = act(first_line(fresh), "wrong", label="ORG")
    assert [anna.told("/api/decide", sent)["written"] for _ in range(3)] == [1, 0, 0]
    assert len(fresh.desk.recipe.decisions.read_text().splitlines()) == 1
    assert [anna.told("/api/undo", {"act": sent["act"]})["undone"] for _ in range(2)] == [True, False]
    assert len(fresh.desk.recipe.decisions.read_text().splitlines()) == 2


def test_nobody_undoes_what_another_decided(fresh: Served) -> None:
    Visitor(fresh.links["anna"]).enter().told("/api/decide", act(first_line(fresh)))
    assert Visitor(fresh.links["ben"]).enter().ask("/api/undo", {"act": "act-00000001"})[0] == 422


def test_two_servers_on_one_data_set_see_each_others_decisions(fresh: Served) -> None:
    with served(Desk(fresh.desk.recipe, fresh.desk.waiting), "mo") as other:
        mo = Visitor(other.links["mo"]).enter()
        assert not mo.told("/api/list?view=lines&start=0&count=1")["entries"][0]["done"]
        Visitor(fresh.links["anna"]).enter().told("/api/decide", act(first_line(fresh)))
        assert mo.told("/api/list?view=lines&start=0&count=1")["entries"][0]["done"]


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.reviewing.seats", str(tmp_path), "60"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        anna = Visitor(process.stdout.readline().strip()).enter()
        lines = [one["line"] for one in anna.told("/api/list?view=lines&start=0&count=60")["entries"]]
        acknowledged = []
        for at, line in enumerate(lines):
            if at == 41:
                os.kill(process.pid, signal.SIGKILL)
            try:
                anna.told("/api/decide", act(line, act=f"act-{at:08}"))
            except OSError:
                break
            acknowledged.append(f"act-{at:08}")
    assert process.returncode == -signal.SIGKILL
    assert len(acknowledged) >= 41
    content = (tmp_path / "tiny" / "decisions.jsonl").read_bytes()
    written = [json.loads(line)["act"] for line in content.split(b"\n")[:-1]]
    assert written[: len(acknowledged)] == acknowledged
    assert len(feeling(tmp_path, ["again"]).ledger.voices) == len(written)


def test_it_ends_quietly_on_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.reviewing.seats", str(tmp_path), "3"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        Visitor(process.stdout.readline().strip()).enter()
        process.send_signal(signal.SIGINT)
        process.wait(10)
        assert "Exception in ASGI" not in process.stderr.read()
        assert process.stdout.read() == ""


@pytest.mark.parametrize("names", [[], ["  "], ["anna", "anna"], ["a\u202eb"], ["x" * 81], ["a\nb"]])
def test_reviewers_have_names(names: list[str]) -> None:
    with pytest.raises(AssayError):
        reviewers(names)


def test_a_token_is_known_only_whole() -> None:
    people = reviewers(["anna", "ben"])
    assert known(people[1].token, people) is people[1]
    for token in ("", people[0].token[:-1], people[0].token + "x", "\udcff", people[0].token.swapcase()):
        assert known(token, people) is None

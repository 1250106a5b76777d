"""The client of Label Studio, against a stand-in that answers as told, and against the real server if there is one."""

from __future__ import annotations

import json
import re
import shutil
import socket
import threading
from collections import defaultdict
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.readers.record import ReadOptions, Record
from pipeline.settings import Label
from pipeline.tagscheme import spans_from_tags
from pipeline.tools.item import Item, Project
from pipeline.tools.label_studio import read, task
from pipeline.tools.label_studio_server import Server
from tests.conftest import DATA
from tests.tools.served import ABSENT, ANNA, BERT, IS_THERE, LEAD, PASSWORD, Studio, results, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

real = pytest.mark.skipif(not IS_THERE, reason=ABSENT)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


# -- a stand-in


class StandIn(ThreadingHTTPServer):
    """Answers each path with what `told` has for it: a status and a body, or a function of the request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: dict[str, Any] = {}
        self.asked: list[tuple[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, StandIn)
        path = self.path.partition("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        server.asked.append((path, self.headers.get("Authorization", "")))
        told = server.told.get(path, (404, {}))
        status, answer = told(self, body) if callable(told) else told
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", answer)
        self.end_headers()
        self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    server = StandIn()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "url", ["ftp://x.org", "file:///etc/passwd", "x.org", "http://", "http://[x", "https://me:secret@x.org"]
)
def test_an_address_is_http_without_a_password(url: str) -> None:
    with pytest.raises(AssayError, match="is no address of a server") as told:
        Server(url, "token")
    assert "secret" not in str(told.value)


def test_address_and_token_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AssayError, match="set LABEL_STUDIO_URL"):
        Server()
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://x.org/label/")
    with pytest.raises(AssayError, match="no token; set LABEL_STUDIO_API_KEY"):
        Server()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "two\nlines")
    with pytest.raises(AssayError, match="the token is none"):
        Server()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", " abc\n")
    assert Server().url == "https://x.org/label"


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ((401, {"detail": "Invalid token s3cret"}), "does not take the token"),
        ((403, {}), "does not take the token"),
        ((404, {}), "is not there"),
        ((500, {"detail": "s3cret"}), r"refuses with status 500: .*\[token\]"),
        ((200, b"<html>"), "does not answer in JSON"),
        ((200, {}), "is no Label Studio server"),
        ((200, []), "is no Label Studio server"),
        ((200, {"release": "0.9.1"}), r"is Label Studio 0\.9\.1; it has to be 1\.0"),
    ],
)
def test_errors_say_what_is_wrong_and_never_the_token(stand_in: StandIn, told: Any, problem: str) -> None:
    stand_in.told["/api/version"] = told
    with pytest.raises(AssayError, match=problem) as error:
        Server(stand_in.url, "s3cret").version()
    assert "s3cret" not in str(error.value)
    assert error.value.place.startswith(stand_in.url)


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(AssayError, match=r"cannot be reached .*is the server running there"):
        Server(url, "s3cret").version()


def test_a_redirect_does_not_take_the_token_along(stand_in: StandIn) -> None:
    stand_in.told["/api/version"] = (302, f"{stand_in.url}/elsewhere")
    with pytest.raises(AssayError, match=r"leads to http://127\.0\.0\.1"):
        Server(stand_in.url, "s3cret").version()
    assert [path for path, _ in stand_in.asked] == ["/api/version"]


def test_a_personal_token_is_exchanged_and_again_when_it_has_run_out(stand_in: StandIn) -> None:
    given: list[str] = []

    def version(request: Any, _: bytes) -> tuple[int, Any]:
        good = bool(given) and request.headers["Authorization"] == f"Bearer {given[-1]}"
        return (200, {"release": "1.23.2"}) if good else (401, {})

    def refresh(_: Any, body: bytes) -> tuple[int, Any]:
        assert json.loads(body) == {"refresh": "a.b.c"}
        given.append(f"access{len(given)}")
        return 200, {"access": given[-1]}

    stand_in.told |= {"/api/version": version, "/api/token/refresh/": refresh}
    server = Server(stand_in.url, "a.b.c")
    assert server.version() == "1.23.2"
    given.append("run out")
    assert server.version() == "1.23.2"
    assert given == ["access0", "run out", "access2"]
    assert ("/api/token/refresh/", "") in stand_in.asked


def test_tasks_that_go_while_they_are_read_are_no_silent_loss(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.told["/api/users/"] = (200, [])
    stand_in.told["/api/tasks"] = (200, {"total": 3, "tasks": [{"id": 1}, {"id": 1}]})
    path = tmp_path / "answers.json"
    path.write_text("before")
    with pytest.raises(AssayError, match="tasks came or went"):
        Server(stand_in.url, "token").fetch(1, path)
    assert [one.name for one in tmp_path.iterdir()] == ["answers.json"]
    assert path.read_text() == "before"


def test_several_projects_of_one_round_are_for_a_person_to_settle(stand_in: StandIn) -> None:
    several = [{"id": at, "description": "assay round: r 1\nours"} for at in (4, 7)]
    stand_in.told["/api/projects"] = (200, {"results": [*several, {"id": 9, "description": "assay round: r 11"}]})
    with pytest.raises(AssayError, match=r"several projects hold 'r  1': \[4, 7\]"):
        Server(stand_in.url, "token").project_of("r  1")


@pytest.mark.parametrize(
    ("there", "problem"),
    [
        ({"tone": {"labels": ["PER"]}}, "asks for no spans as 'assay_spans'"),
        ({"assay_spans": {"labels": ["PER"]}}, "has no label 'LOC, ORG'"),
    ],
)
def test_a_round_is_not_sent_into_a_project_that_has_no_place_for_it(
    stand_in: StandIn, there: dict[str, Any], problem: str
) -> None:
    stand_in.told["/api/version"] = (200, {"release": "1.23.2"})
    stand_in.told["/api/projects/5"] = (200, {"parsed_label_config": there})
    asked = Project(name="r", kind="spans", labels=tuple(Label(name=name) for name in ("PER", "ORG", "LOC")))
    with pytest.raises(AssayError, match=problem):
        Server(stand_in.url, "token").send(asked, [Item("1", "x")], project_id=5)
    assert [path for path, _ in stand_in.asked] == ["/api/version", "/api/projects/5"]


def test_a_server_that_takes_fewer_tasks_than_it_got_is_told(stand_in: StandIn) -> None:
    stand_in.told |= {
        "/api/version": (200, {"release": "1.23.2"}),
        "/api/projects/5": (200, {"parsed_label_config": {"assay_reply": {"labels": []}}}),
        "/api/tasks": (200, {"total": 0, "tasks": []}),
        "/api/projects/5/import": (201, {"task_count": 1}),
    }
    with pytest.raises(AssayError, match="took 1 of 2 tasks; send the round again"):
        Server(stand_in.url, "token").send(
            Project(name="r", kind="text"), [Item("1", "x"), Item("2", "y")], project_id=5
        )


def test_a_row_that_is_there_is_brought_up_to_date_unless_somebody_answered(stand_in: StandIn) -> None:
    """Its data, and its suggestion by taking the old one away and putting the new one in; the other is named."""
    project = Project(name="r", kind="text", round="r2")
    old = Project(name="r", kind="text", round="r1")
    tasks = [
        {"id": at, "data": task(old, Item(row, "x"))["data"], "predictions": [{"id": 9}], "annotations": said}
        for at, (row, said) in enumerate([("1", []), ("2", [{"id": 1}])], 1)
    ]
    bodies: list[Any] = []

    def changed(_: Any, body: bytes) -> tuple[int, Any]:
        bodies.append(json.loads(body or b"null"))
        return 200, {}

    stand_in.told |= {
        "/api/version": (200, {"release": "1.23.2"}),
        "/api/projects/5": (200, {"parsed_label_config": {"assay_reply": {"labels": []}}}),
        "/api/tasks": (200, {"total": 2, "tasks": tasks}),
        "/api/tasks/1/": changed,
        "/api/predictions/9/": (204, b""),
        "/api/predictions/": changed,
    }
    items = [Item(row, "x", answer="better", confidence=0.5, reasons=("rare",)) for row in ("1", "2")]
    done = Server(stand_in.url, "token").send(project, items, project_id=5)
    assert (done.added, done.there, done.updated, done.answered) == (0, 2, 1, frozenset({"2"}))
    assert done.moved == (("r1", "1"),)
    assert (bodies[0]["data"]["assay_sent"], bodies[0]["data"]["assay_reasons"]) == ("r2", "rare")
    assert (bodies[1]["task"], bodies[1]["result"][0]["value"]) == (1, {"text": ["better"]})
    assert [path for path, _ in stand_in.asked if path == "/api/predictions/9/"]


# -- the real one


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A server for all tests of this module."""
    with serving(tmp_path_factory.mktemp("studio")) as found:
        yield found


OWN = [
    ("en 1", "🙂 Ann & <b>Bob</b> went", [[2, 5, "PER"], [11, 14, "PER"]]),
    ("en 2", "👨‍👩‍👧 e\u0301clair\r\nnext 🙂\tline Zoe", [[27, 30, "PER"]]),
    ("en 3", "👍🏽👍🏽 In 🇨🇳 Beijing", [[11, 18, "LOC"]]),
    ("zh 1", "🙂🙂 我在北京。", [[5, 7, "LOC"]]),
    ("none", "nobody, nowhere", []),
]


def chinese(count: int) -> list[tuple[str, str, list[list[Any]]]]:
    """Sentences with their spans from the corrected release; the first with spans."""
    rows = []
    with (DATA / "ner_chinese_corrected" / "weibo_v1_v2_train.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            sentence = json.loads(line)
            spans = [list(span) for span in spans_from_tags(sentence["corrected"], "iob2")[0]]
            if spans and max(map(len, sentence["tokens"])) == 1:
                rows.append((f"weibo {sentence['sentence_index']}", "".join(sentence["tokens"]), spans))
            if len(rows) == count:
                break
    return rows


@real
@pytest.mark.labelstudio
@pytest.mark.slow
def test_what_two_people_say_comes_back_equal(studio: Studio, tmp_path: Path) -> None:
    rows = [*OWN, *(chinese(50) if DATA.is_dir() else [])]
    labels = tuple(Label(name=name) for name in sorted({label for _, _, spans in rows for *_, label in spans}))
    asked = Project(name="round 1", kind="spans", labels=labels, instructions="Mark all.")
    items = [Item(row, text, answer=spans[:1], confidence=0.5, reasons=("rare",)) for row, text, spans in rows]
    server = Server(studio.url, LEAD)
    first = server.send(asked, items[:20], annotators=2)
    assert (first.added, first.there) == (min(20, len(items)), 0)
    again = server.send(asked, items)
    assert (again.project, again.added, again.there) == (first.project, len(items) - first.added, first.added)
    same = server.send(asked, [*items, items[0]])
    assert (same.added, same.updated, same.answered) == (0, 0, frozenset())
    newer = server.send(asked, [replace(items[0], answer=[], reasons=("common",))])
    assert (newer.added, newer.updated) == (0, 1)
    assert server.send(asked, items).updated == 1  # as it was before
    assert sorted(server.rows(first.project)) == sorted(("round 1", row) for row, _, _ in rows)

    expected = annotated(studio, {task["data"]["assay_row"]: task["id"] for task in server.tasks(first.project)}, rows)
    path = tmp_path / "answers.json"
    assert server.fetch(first.project, path) == len(rows)
    heard = answers(path)
    assert heard == expected
    kept = {key: [one for one in said if one != "skipped"] for key, said in expected.items()}
    for format in ("JSON", "JSON_MIN", "CSV", "TSV"):
        path = tmp_path / format
        path.write_bytes(studio.export(first.project, format))
        there = answers(path)
        people = {name for _, name in there}
        whose = {ANNA: ANNA, BERT: BERT} if ANNA in people else {"2": ANNA, "3": BERT}
        assert {whose[name] for name in people} == {ANNA, BERT}
        told = {(row, whose[name]): said for (row, name), said in there.items()}
        assert told == (expected if format == "JSON" else {key: said for key, said in kept.items() if said})


def annotated(
    studio: Studio, tasks: dict[str, int], rows: list[tuple[str, str, list[list[Any]]]]
) -> dict[tuple[str, str], list[Any]]:
    """Two people's work: Anna marks all, Bert the first only; she corrects some and adds to some, he skips some."""
    expected: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for at, (row, text, spans) in enumerate(rows):
        path = f"/api/tasks/{tasks[row]}/annotations/"
        made = studio.post(ANNA, path, {"result": results(text, spans), "lead_time": 3.5})
        expected[row, ANNA].append(spans)
        if at % 5 == 0:
            changed = {"result": results(text, spans[:1]), "lead_time": 1.0}
            studio.post(ANNA, f"/api/annotations/{made['id']}/", changed, "PATCH")
            expected[row, ANNA] = [spans[:1]]
        if at % 5 == 1:
            studio.post(ANNA, path, {"result": results(text, []), "lead_time": 1.0})
            expected[row, ANNA].append([])
        if at % 4 == 3:
            studio.post(BERT, path, {"result": [], "was_cancelled": True, "lead_time": 0.5})
            expected[row, BERT].append("skipped")
        else:
            studio.post(BERT, path, {"result": results(text, spans[:1]), "lead_time": 2.0})
            expected[row, BERT].append(spans[:1])
    return dict(expected)


def answers(path: Path) -> dict[tuple[str, str], list[Any]]:
    """What each person said of each row, in order, as the reader gives it."""
    heard: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for record in read(RawFile(path.name, path), ReadOptions()):
        assert isinstance(record, Record), record
        assert not [
            note for note in record.notes if not re.match("annotations skipped|[2-9] records of this text", note)
        ]
        for one in record.fields["annotations"]:
            assert "problem" not in one
            assert one["seconds"] is not None
            said = one.get("status") or [[span["start"], span["end"], span["label"]] for span in one["spans"]]
            heard[record.fields["id"], one["annotator"]].append(said)
    return dict(heard)


LABELS = (Label(name="PER", definition='a <person> & "co"'), Label(name="$cash"), Label(name="地点"))
TEXT = "🙂 A\r\nb c"
RELATED = Item("1", TEXT, answer=[[0, 1, "$cash"]], entities=((0, 2, "PER"), (5, 7, "地点")))
KINDS: list[tuple[dict[str, Any], Item, dict[str, Any]]] = [
    ({"kind": "labels"}, Item("1", TEXT, answer=["$cash"]), {"labels": ["$cash"]}),
    ({"kind": "labels", "multiple": True}, Item("1", TEXT, answer=["地点", "PER"]), {"labels": ["地点", "PER"]}),
    ({"kind": "rating", "low": 1, "high": 5}, Item("1", TEXT, answer=4), {"rating": 4}),
    ({"kind": "rating", "low": 0, "high": 1}, Item("1", TEXT, answer=0.25), {"rating": 0.25}),
    ({"kind": "text"}, Item("1", TEXT, answer="two\r\nlines 🙂"), {"reply": "two\r\nlines 🙂"}),
    (
        {"kind": "relations", "entity_labels": ("PER", "地点")},
        RELATED,
        {"relations": [{"head": 0, "tail": 1, "label": "$cash"}]},
    ),
]


@real
@pytest.mark.labelstudio
@pytest.mark.slow
@pytest.mark.parametrize(("asked", "item", "said"), KINDS)
def test_every_kind_of_answer_comes_back_from_every_export(
    studio: Studio, tmp_path: Path, asked: dict[str, Any], item: Item, said: dict[str, Any]
) -> None:
    """A suggestion that a person submits as it is; of relations, the exports in rows can only say they have none."""
    server = Server(studio.url, LEAD)
    project = Project(name=f"kinds {asked}", labels=LABELS, title="<x> $text", **asked)
    number = server.send(project, [item]).project
    [task] = studio.get(f"/api/tasks?project={number}&fields=all")["tasks"]
    studio.post(
        BERT, f"/api/tasks/{task['id']}/annotations/", {"result": task["predictions"][0]["result"], "lead_time": 1}
    )
    server.fetch(number, tmp_path / "fetched")
    for format in ("JSON", "JSON_MIN", "CSV", "TSV"):
        (tmp_path / format).write_bytes(studio.export(number, format))
    for path in tmp_path.iterdir():
        [record] = read(RawFile(path.name, path), ReadOptions())
        assert isinstance(record, Record)
        [entry] = record.fields["annotations"]
        cut = asked["kind"] == "relations" and path.name in ("JSON_MIN", "CSV", "TSV")
        assert record.fields["text"] == TEXT
        assert "carries no relations" in entry["problem"] if cut else entry.items() >= said.items()


@real
@pytest.mark.labelstudio
@pytest.mark.slow
def test_many_tasks_go_in_batches_and_come_in_pages(studio: Studio, tmp_path: Path) -> None:
    server = Server(studio.url, LEAD)
    items = [Item(str(at), f"text {at}", answer=["x"] if at % 2 else None) for at in range(620)]
    asked = Project(name="many", kind="labels", labels=(Label(name="x"),))
    sent = server.send(asked, items)
    assert (sent.added, server.send(asked, reversed(items)).there) == (620, 620)
    assert server.fetch(sent.project, tmp_path / "many.json") == 620
    there = [
        one.fields["id"]
        for one in read(RawFile("many", tmp_path / "many.json"), ReadOptions())
        if isinstance(one, Record)
    ]
    assert there == [str(at) for at in range(620)]


@real
@pytest.mark.labelstudio
@pytest.mark.slow
def test_tokens_of_the_real_server(studio: Studio) -> None:
    personal = studio.post(BERT, "/api/token/", {})["token"]
    assert {one["email"] for one in Server(studio.url, personal).people().values()} >= {ANNA, BERT}
    for wrong in ("f" * 40, "a.b.c"):
        with pytest.raises(AssayError, match="does not take the token"):
            Server(studio.url, wrong).project_of("round 1")
    with pytest.raises(AssayError, match="is not there"):
        list(Server(studio.url, LEAD).rows(99_999))


@real
@pytest.mark.labelstudio
@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_page_counts_code_points(studio: Studio, tmp_path: Path) -> None:
    """A word after emoji, marked with the mouse in the real page beside our suggestion, comes back where it stands."""
    from playwright.sync_api import sync_playwright

    text = "🙂👍🏽 Ann saw\r\nthe 🙂 café of Zoe"
    asked = Project(name="drawn", kind="spans", labels=(Label(name="PER"),))
    at = text.index("Ann")
    server = Server(studio.url, LEAD)
    sent = server.send(asked, [Item("1", text, answer=[[at, at + 3, "PER"]], confidence=0.5)])
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.route(lambda url: not url.startswith(studio.url), lambda route: route.abort())
        page.goto(f"{studio.url}/user/login/")
        page.fill("input[name=email]", ANNA)
        page.fill("input[name=password]", PASSWORD)
        with page.expect_navigation():
            page.click("button[type=submit]")
        page.goto(f"{studio.url}/projects/{sent.project}/data?labeling=1")
        page.get_by_text("Labeling Instructions").wait_for()
        page.keyboard.press("Escape")
        page.get_by_text("Labeling Instructions").wait_for(state="hidden")
        page.locator(".htx-highlight").wait_for()
        page.keyboard.press("1")
        x, y, to = page.evaluate(_WHERE, "Zoe")
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(to, y, steps=8)
        page.mouse.up()
        page.locator(".htx-highlight").nth(1).wait_for()
        with page.expect_response(lambda told: "/annotations" in told.url and told.request.method == "POST"):
            page.get_by_role("button", name="Submit").first.click()
        browser.close()
    server.fetch(sent.project, tmp_path / "drawn.json")
    zoe = text.index("Zoe")
    assert answers(tmp_path / "drawn.json") == {("1", ANNA): [[[at, at + 3, "PER"], [zoe, zoe + 3, "PER"]]]}


_WHERE = """word => {
  const walker = document.createTreeWalker(document.querySelector('[class*=htx-richtext]'), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf(word);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + word.length);
    const box = range.getBoundingClientRect();
    return [box.left + 1, (box.top + box.bottom) / 2, box.right - 1];
  }
}"""
